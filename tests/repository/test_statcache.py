"""A folder that nobody touched is known as such from the stat cache's bytes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.repository.kit import Project, coco, png, small_model
from veml_vcs.ids import SampleId
from veml_vcs.objects.files import Files
from veml_vcs.repository.worktree import changes, scan
from veml_vcs.repository.worktree.changes import may_differ
from veml_vcs.repository.worktree.scan import Stamp
from veml_vcs.repository.worktree.statcache import StoredCache, read_statcache, save_statcache

TREE = bytes(range(32))
STAMPS = {
    "a/1.jpg": Stamp(10, 1_000, 5, False),
    "a/2.jpg": Stamp(20, 2_000, 6, True),
    "\u00e4.jpg": Stamp(30, 3_000, 7, False),
    "/outside.json": Stamp(40, 4_000, 8, False),
}


@pytest.fixture
def stored(tmp_path: Path) -> StoredCache:
    path = str(tmp_path / "cache")
    contents = {key: SampleId(bytes([number]) * 32) for number, key in enumerate(STAMPS)}
    save_statcache(path, Files(), TREE, STAMPS, contents, b"{}")
    return read_statcache(path, Files())


def test_the_same_files_are_clean(stored: StoredCache) -> None:
    assert stored.clean(TREE, STAMPS)
    assert stored.decoded().clean(STAMPS)


@pytest.mark.parametrize("field", ["size", "mtime_ns", "inode", "executable"])
@pytest.mark.parametrize("key", STAMPS)
def test_any_other_stamp_is_not(stored: StoredCache, key: str, field: str) -> None:
    """Seen to fail with each comparison taken out of ``StoredCache.clean``."""
    old = getattr(STAMPS[key], field)
    found = {**STAMPS, key: STAMPS[key]._replace(**{field: not old if old is True else old + 1})}
    assert not stored.clean(TREE, found)
    assert not stored.decoded().clean(found)


def test_files_that_came_went_or_have_another_name_are_not_clean(stored: StoredCache) -> None:
    fewer = {key: stamp for key, stamp in STAMPS.items() if key != "a/2.jpg"}
    renamed = {("a/3.jpg" if key == "a/2.jpg" else key): one for key, one in STAMPS.items()}
    more = {**STAMPS, "b.jpg": Stamp(1, 2, 3, False)}
    for found in (fewer, renamed, more, {}):
        assert not stored.clean(TREE, found)
        assert not stored.decoded().clean(found)


def test_neither_another_tree_nor_no_cache_is_clean(stored: StoredCache) -> None:
    assert not stored.clean(bytes(32), STAMPS)
    assert not StoredCache().clean(TREE, STAMPS)
    assert StoredCache().decoded().stamps == {}


def test_a_stamp_as_young_as_the_cache_proves_nothing(stored: StoredCache) -> None:
    young = StoredCache(stored.body, 4_000)
    assert not young.clean(TREE, STAMPS)
    assert not young.decoded().clean(STAMPS)


def test_after_a_checkout_too_nothing_is_decoded(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to fail with files remembered in the order in which they were written."""
    project.write(coco(small_model(12)), "data")
    project.age("data")  # else what is not written again is too young to prove anything
    project.save("data")
    project.checkout("side", create=True)
    project.write({"data/images/0003.png": png(33), "data/images/0000.png": png(0)})
    project.save("data")
    project.checkout("main")
    project.checkout("side")
    cache = project.repo.statcache_path("data")
    later = os.stat(cache).st_mtime_ns + 10**9
    os.utime(cache, ns=(later, later))

    def decoded(_: StoredCache) -> None:
        raise AssertionError("the quick look was not enough")

    monkeypatch.setattr(StoredCache, "decoded", decoded)
    assert project.status().clean


def test_a_look_for_any_change_ends_at_the_first(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to fail with all parts listed first, and with the count left out."""
    project.write(coco(small_model(12)), "data")
    project.save("data")
    project.age("data")
    project.add("data")
    cache = project.repo.statcache_path("data")
    later = os.stat(cache).st_mtime_ns + 10**9
    os.utime(cache, ns=(later, later))
    record = project.repo.staged_datasets()["data"]
    monkeypatch.setattr(scan, "_PART", 2)
    assert not may_differ(project.repo, "data", record)

    listed = []

    def counted(folder: str) -> Iterator[dict[str, Stamp]]:
        for part in scan.scan_parts(folder):
            listed.append(part)
            yield part

    monkeypatch.setattr(changes, "scan_parts", counted)
    assert not may_differ(project.repo, "data", record)
    parts = len(listed)
    last = next(iter(listed[-1]))
    first = next(iter(listed[0]))
    project.write({f"data/{last}": b"changed"})
    listed.clear()
    assert may_differ(project.repo, "data", record)
    assert len(listed) == parts
    project.write({f"data/{first}": b"changed"})
    listed.clear()
    assert may_differ(project.repo, "data", record)
    assert len(listed) == 1

    project.remove(f"data/{first}")
    project.remove(f"data/{last}")
    assert may_differ(project.repo, "data", record)
