"""What differs between two trees is counted once, and never believed when it is damaged."""

from __future__ import annotations

import hashlib
import shutil

import pytest

from tests.repository.kit import Project, coco, png, small_model
from veml_vcs.repository import change_counts
from veml_vcs.repository.change_counts import ChangeCounts, counts_between


def edited(project: Project) -> tuple[bytes, bytes]:
    """Add a data set, edit it, and return both trees."""
    project.write(coco(small_model(4)), "data")
    project.add("data")
    project.commit("first")
    old = project.repo.record_at("data", None).tree
    project.write({"images/0001.png": png(91), "images/0009.png": png(92)}, "data")
    project.path("data/images/0002.png").unlink()
    project.add("data")
    return old, project.repo.record_at("data", None).tree


def test_add_counts_and_nobody_counts_again(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = edited(project)
    expected = ChangeCounts(added=1, changed=1, removed=1)
    with monkeypatch.context() as patch:
        patch.delattr(change_counts, "diff_trees")  # a NameError for whoever counts
        assert counts_between(project.repo, old, new) == expected
        assert project.commit("edit").data[0].added == 1
        with pytest.raises(NameError):
            counts_between(project.repo, new, old)
    assert counts_between(project.repo, new, old) == ChangeCounts(1, 1, 0, 1)


@pytest.mark.parametrize("damage", ["flipped", "cut", "empty", "gone", "foreign", "newer", "odd"])
def test_a_damaged_cache_is_counted_anew(project: Project, damage: str) -> None:
    """Each check of ``_load`` was taken out.

    Without the sum, the flipped one gives wrong numbers; without the magic, one of a newer veml;
    without the length, ``struct.error`` comes out of the odd one; without ``except``, one that is
    gone stops everything.
    """
    old, new = edited(project)
    cache = project.path(".git/veml/cache/changes")
    data = bytearray(cache.read_bytes())
    data[-8] ^= 1
    cache.write_bytes(
        {"flipped": bytes(data), "cut": bytes(data[:-5]), "empty": b"", "gone": b"",
         "foreign": b"x" * 300,
         "newer": b"veml changes 2\n" + hashed(bytes(data[47:])),
         "odd": b"veml changes 1\n" + hashed(bytes(data[47:]) + b"odd")}[damage]
    )  # fmt: skip
    if damage == "gone":
        cache.unlink()
    assert counts_between(project.repo, old, new) == ChangeCounts(1, 1, 0, 1)
    assert cache.read_bytes()[-8] == data[-8] ^ 1


def hashed(body: bytes) -> bytes:
    return hashlib.sha256(body).digest() + body


def test_numbers_that_cannot_be_kept_are_told(project: Project) -> None:
    """Seen to fail (``StorageError``) with nothing suppressed where they are kept."""
    old, new = edited(project)
    folder = project.path(".git/veml/cache")
    shutil.rmtree(folder)
    folder.write_bytes(b"in the way")
    assert counts_between(project.repo, old, new) == ChangeCounts(1, 1, 0, 1)


def test_only_the_newest_pairs_are_kept(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    old, _new = edited(project)
    monkeypatch.setattr(change_counts, "_MOST", 2)
    for number in range(4):
        change_counts.remember_counts(project.repo, old, bytes([number]) * 32, ChangeCounts(number))
    change_counts.remember_counts(project.repo, old, bytes([2]) * 32, ChangeCounts(7))
    kept = change_counts._load(project.repo)
    assert [pair[1][0] for pair in kept] == [3, 2]
    assert kept[old, bytes([2]) * 32] == ChangeCounts(7)
