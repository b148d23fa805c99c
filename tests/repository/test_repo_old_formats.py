"""Repositories of every released format open for ever; those of a newer one are refused.

``tests/data/format-N.tar.xz`` was made by ``tests/data/make_old_repository.py`` with the release
that wrote format N. It is never made anew for a format that was released.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.archives import unpack
from tests.repository.kit import Project, images
from veml_vcs.errors import VemlError
from veml_vcs.objects import LocalObjectStore
from veml_vcs.repository import Repository
from veml_vcs.repository.diff import diff
from veml_vcs.repository.log import log
from veml_vcs.repository.upkeep.compact import compact
from veml_vcs.repository.upkeep.fsck import fsck
from veml_vcs.repository.upkeep.gc import gc

DATA = Path(__file__).parents[1] / "data"
ARCHIVES = sorted(DATA.glob("format-*.tar.xz"))


def test_there_is_one_for_each_format() -> None:
    from veml_vcs.repository.repository import STORE_FORMAT

    assert [one.name for one in ARCHIVES] == [
        f"format-{number}.tar.xz" for number in range(1, STORE_FORMAT + 1)
    ]


@pytest.fixture(params=ARCHIVES, ids=lambda one: one.name)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Project]:
    unpack(request.param, tmp_path)
    project = Project(tmp_path / "repository", create=False)
    project.git("reset", "-q", "--hard")
    yield project
    project.close()


def expected(project: Project) -> dict[str, dict[str, dict[str, str]]]:
    text = (project.root.parent / "expected.json").read_text()
    found: dict[str, dict[str, dict[str, str]]] = json.loads(text)
    return found


def check_files(project: Project, revision: str) -> None:
    for path, files in expected(project)[revision].items():
        found = {k: hashlib.sha256(data).hexdigest() for k, data in project.files(path).items()}
        assert found == files


def test_it_is_whole(old: Project) -> None:
    assert fsck(old.repo, full=True).problems == ()
    assert [one.subject for one in log(old.repo)] == ["two", "one"]
    assert "error" not in old.git("fsck", "--strict", "--no-dangling")


@pytest.mark.parametrize("revision", ["v1", "side", "main"])
def test_every_version_is_checked_out_byte_for_byte(old: Project, revision: str) -> None:
    from veml_vcs.repository.restore import restore

    restore(old.repo, [str(old.root / "coco"), str(old.root / "voc")])
    check_files(old, "main")
    old.checkout(revision)
    check_files(old, revision)
    old.assert_clean()


def test_what_it_has_can_be_read_compared_and_merged(old: Project) -> None:
    assert len(old.repo.dataset("coco", "v1").annotations()) == 8
    changes = diff(old.repo, "v1", "main")
    assert {one.path for one in changes.datasets} == {"coco", "voc"}
    from veml_vcs.repository.restore import restore

    restore(old.repo, [str(old.root / "coco"), str(old.root / "voc")])
    done = old.merge("side")
    assert done.kind == "merged"
    data = old.repo.dataset("coco", "HEAD")
    assert data["images/0001.png"].annotation["objects"][0]["class"] == "dog"
    assert data["images/0008.png"].annotation["objects"][0]["class"] == "tree"
    old.assert_clean()


def test_it_can_be_kept_in_order(old: Project) -> None:
    compact(old.repo, everything=True)
    gc(old.repo, prune_before=1e11, threshold=0.0)
    assert fsck(old.reopen(), full=True).problems == ()


# -- newer ones ----------------------------------------------------------------------------------


def refusal(project: Project) -> VemlError:
    """Return what reading the data set says."""

    def read() -> None:
        data = project.reopen().dataset("d", "HEAD")
        assert [sample.data for sample in data]

    with pytest.raises(VemlError) as caught:
        read()
    assert caught.value.kind == "newer-format"
    assert "newer" in f"{caught.value.message} {caught.value.hint}"
    assert caught.value.hint is not None
    assert "\n" not in caught.value.message
    return caught.value


def test_a_newer_store(project: Project) -> None:
    path = project.path(".git/veml/format")
    path.write_text('{"format": 2}\n')
    project.close()
    with pytest.raises(VemlError, match="format 2, this veml reads 1") as caught:
        Repository(str(project.root))
    assert caught.value.hint == "pip install --upgrade veml"


def test_a_newer_record(project: Project) -> None:
    project.write(images(2), "d")
    project.save("d")
    text = project.path("d.veml").read_text().replace('"veml": 1', '"veml": 2')
    project.path("d.veml").write_text(text)
    project.git("commit", "-q", "-am", "newer")
    assert "written by a newer veml" in refusal(project).message


def test_a_newer_pack(project: Project) -> None:
    project.write(images(2), "d")
    project.save("d")
    rewrite_tables(project, lambda row: row, version=2)  # with its checksum: else it is damage
    assert "version 2" in refusal(project).message


def test_a_newer_encoding(project: Project) -> None:
    project.write(images(2), "d")
    project.save("d")
    rewrite_tables(project, lambda row: row[:33] + b"\x09" + row[34:])
    assert "encoding 9" in refusal(project).message


def test_a_newer_fragment(project: Project) -> None:
    project.write(images(2), "d")
    project.save("d")
    store = project.repo.store
    (one,) = project.repo.catalog.fragments("content")
    manifest = store.get(one).replace(b'\\"version\\":1', b'\\"version\\":2')  # type: ignore[arg-type]
    assert manifest != store.get(one)  # type: ignore[arg-type]
    path = project.path(".git/veml")
    kept = [
        (store.get(row.object_id), row.kind)
        for pack in store.packs()
        for row in pack.rows
        if row.object_id != one
    ]
    for pack in (path / "packs").iterdir():
        pack.unlink()
    with LocalObjectStore(path).write() as writer:
        from veml_vcs.objects import ObjectKind

        writer.put(manifest, kind=ObjectKind.FRAGMENT)
        for data, kind in kept:
            writer.put(data, kind=ObjectKind(kind))
    assert "version 2" in refusal(project).message


def rewrite_tables(project: Project, change: object, *, version: int = 1) -> None:
    """Change each row of each pack's table, and name the pack as it should be."""
    for path in list(project.path(".git/veml/packs").iterdir()):
        data = path.read_bytes()
        data = data[:8] + struct.pack("<I", version) + data[12:]
        offset, count = struct.unpack_from("<QQ", data, len(data) - 56)
        rows = [data[offset + 64 * i : offset + 64 * i + 64] for i in range(count)]
        table = b"".join(change(row) for row in rows)  # type: ignore[operator]
        checksum = hashlib.sha256(data[:16] + table).digest()
        path.unlink()
        new = data[:offset] + table + data[-56:-40] + checksum + data[-8:]
        path.with_name(f"{checksum.hex()}.pack").write_bytes(new)
