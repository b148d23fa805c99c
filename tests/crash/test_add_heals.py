"""``veml add`` mends the staged version from the folder, whatever of it is damaged in the store.

Seen to fail (66, nothing staged) with the call of ``repair`` taken out of ``add``, and, where the
folder was edited since, with ``_add_anew`` taken out (a byte of each kind of object alone).
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.crash.test_damage_everywhere import flip, veml
from tests.repository.conftest import isolated
from tests.repository.kit import Project, coco, small_model
from veml_vcs.objects.protocol import ObjectKind
from veml_vcs.repository import Repository
from veml_vcs.repository.upkeep.fsck import fsck

__all__ = ["isolated"]


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One data set of several fragments and many leaves, committed; another one is staged on it."""
    with pytest.MonkeyPatch.context() as patch:
        for kind in ("AUTHOR", "COMMITTER"):
            patch.setenv(f"GIT_{kind}_NAME", "Ada")
            patch.setenv(f"GIT_{kind}_EMAIL", "ada@example.org")
        project = Project(tmp_path_factory.mktemp("heals") / "project")
        project.write(coco(small_model(16)), "data")
        project.save("data")
        project.write(coco(small_model(24)), "data")
        project.add("data")
        project.close()
    return project.root


def places(root: Path) -> dict[tuple[int, int], list[tuple[str, int]]]:
    """Return where objects of each kind and encoding lie: pack and offset of a byte in them."""
    found: dict[tuple[int, int], list[tuple[str, int]]] = {}
    with Repository(str(root)) as repo:
        for one in repo.store.ids():
            for name, row in repo.store._packs.locate(one):
                at = row.offset + row.stored_bytes // 2
                found.setdefault((int(row.kind), int(row.encoding)), []).append((name, at))
    return found


def damaged(pristine: Path, root: Path, pack: str, offset: int) -> Project:
    shutil.copytree(pristine, root, symlinks=True)
    shutil.rmtree(root / ".git/veml/cache", ignore_errors=True)
    shutil.rmtree(root / ".git/veml/status", ignore_errors=True)
    flip(root / ".git/veml/packs" / pack, offset)
    return Project(root, create=False)


def check(
    project: Project, monkeypatch: pytest.MonkeyPatch, edits: dict[str, bytes], expected: bytes
) -> None:
    project.write(edits, "data")
    assert veml(project.root, "add", "data", monkeypatch=monkeypatch) == 0
    assert (project.root / "data.veml").read_bytes() == expected
    files = project.files("data")
    with Repository(str(project.root)) as repo:
        unseen = bool(fsck(repo).problems)  # bytes of files that add had no need to read again
    if unseen:  # or HEAD's version, which the folder is no longer
        veml(project.root, "fsck", "--repair", monkeypatch=monkeypatch)
    shutil.rmtree(project.root / "data")
    assert veml(project.root, "restore", "data", monkeypatch=monkeypatch) == 0
    assert project.files("data") == files
    project.close()


EDITED = {"images/0007.png": b"edited", "new.txt": b"new\n"}


def expected_after(pristine: Path, folder: Path, edits: dict[str, bytes]) -> bytes:
    shutil.copytree(pristine, folder, symlinks=True)
    whole = Project(folder, create=False)
    whole.write(edits, "data")
    whole.add("data")
    whole.close()
    return (folder / "data.veml").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("edited", [False, True])
def test_one_byte_of_each_kind_of_object(
    pristine: Path, tmp_path: Path, isolated: Path, monkeypatch: pytest.MonkeyPatch, edited: bool
) -> None:
    edits = EDITED if edited else {}
    expected = expected_after(pristine, tmp_path / "whole", edits)
    found = places(pristine)
    assert {kind for kind, _ in found} == {int(one) for one in (0, 1, 2)}
    for number, (kind, where) in enumerate(sorted(found.items())):
        project = damaged(pristine, tmp_path / str(number), *where[-1])
        try:
            check(project, monkeypatch, edits, expected)
        except AssertionError as error:
            raise AssertionError(f"{kind} {where[-1]}") from error


@pytest.mark.parametrize("edited", [False, True])
def test_a_damaged_node_of_the_staged_tree(
    pristine: Path, tmp_path: Path, isolated: Path, monkeypatch: pytest.MonkeyPatch,
    edited: bool, capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    edits = EDITED if edited else {}
    expected = expected_after(pristine, tmp_path / "whole", edits)
    with Repository(str(pristine)) as repo:
        root = repo.staged_datasets()["data"].tree
        ((pack, row),) = repo.store._packs.locate(root)
        assert row.kind == ObjectKind.NODE
    at = row.offset + row.stored_bytes // 2
    project = damaged(pristine, tmp_path / "damaged", pack, at)
    check(project, monkeypatch, edits, expected)
    assert "the store was damaged, and was mended" in capfd.readouterr().err
    with Repository(str(project.root)) as repo:
        assert fsck(repo).problems == ()


FRAME = {"magic": 3, "version": 9, "zeros": 13, "row": -150, "where": -55, "rows": -48, "end": -30}
"""A byte of each part of a pack that is no object: from the beginning, or from the end."""


@pytest.mark.slow
@pytest.mark.parametrize("part", FRAME)
def test_the_frame_of_a_pack(
    pristine: Path, tmp_path: Path, isolated: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    """Seen to fail: ``fsck --repair`` took objects that another pack has out of it for ever."""
    for number, pack in enumerate(sorted((pristine / ".git/veml/packs").iterdir())):
        edits = EDITED if number % 2 else {}
        expected = expected_after(pristine, tmp_path / f"whole {number}", edits)
        at = FRAME[part] % pack.stat().st_size
        project = damaged(pristine, tmp_path / str(number), pack.name, at)
        try:
            check(project, monkeypatch, edits, expected)
        except AssertionError as error:
            raise AssertionError(pack.name) from error


def test_a_dry_run_mends_nothing(
    pristine: Path, tmp_path: Path, isolated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Repository(str(pristine)) as repo:
        ((pack, row),) = repo.store._packs.locate(repo.staged_datasets()["data"].tree)
    at = row.offset + row.stored_bytes // 2
    project = damaged(pristine, tmp_path / "damaged", pack, at)
    project.write(EDITED, "data")
    before = sorted((project.root / ".git/veml/packs").iterdir())
    assert veml(project.root, "add", "-n", "data", monkeypatch=monkeypatch) == 66
    assert sorted((project.root / ".git/veml/packs").iterdir()) == before
    assert not (project.root / ".git/veml/quarantine").exists()
