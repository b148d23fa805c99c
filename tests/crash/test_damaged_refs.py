"""One bit flipped in HEAD, a ref, ``packed-refs``, ``held.json`` or ``pending.json``.

What is needed is named with what to type; what is not needed is in nobody's way, and ``veml fsck``
finds it; no file of the user's is touched. Seen to fail before ``GitRefs`` looked at what it reads:
``UnicodeDecodeError`` and ``PackedRefsException`` as "a bug in veml", and fsck found nothing. Taken
out again one by one: the look at a loose ref's value (13 of 20 fail), the ``except`` around
``packed-refs`` (3), the suppressed error in ``as_dict`` (3), HEAD outside of ``refs/heads`` (2).
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.crash.scenarios import conflicting, two_branches
from tests.crash.test_damage_everywhere import flip, veml
from tests.hooks.kit import GitProject
from tests.repository.conftest import isolated
from tests.repository.kit import Project
from veml_vcs.repository import Repository
from veml_vcs.repository.git.notes import write_note
from veml_vcs.repository.merging.pending import load_pending, pending_conflicts
from veml_vcs.repository.upkeep.fsck import fsck

__all__ = ["isolated"]

EDIT = {"data/train/images/0001.png": b"edited by hand"}


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two branches, a note, a tag in ``packed-refs``, an uncommitted edit."""
    with pytest.MonkeyPatch.context() as patch:
        for kind in ("AUTHOR", "COMMITTER"):
            patch.setenv(f"GIT_{kind}_NAME", "Ada")
            patch.setenv(f"GIT_{kind}_EMAIL", "ada@example.org")
        project = Project(tmp_path_factory.mktemp("refs") / "project")
        two_branches(project)
        project.git("tag", "v1", "night")
        project.git("pack-refs", "--all")
        for branch in ("main", "night"):
            loose = project.git("rev-parse", branch)
            project.write({f".git/refs/heads/{branch}": loose.encode()})
        version = project.repo.git.staged_files()["data/train.veml"].blob
        write_note(project.repo, "drift", version, b"a note\n")
        project.write(EDIT)
        project.close()
    return project.root


@pytest.fixture
def root(pristine: Path, tmp_path: Path, isolated: Path) -> Path:
    shutil.copytree(pristine, tmp_path / "project", symlinks=True)
    return tmp_path / "project"


@pytest.mark.parametrize(
    ("place", "offset", "mask"),
    [
        ("HEAD", 0, 0x01), ("HEAD", 2, 0x80), ("HEAD", 5, 0x10), ("HEAD", 12, 0x80),
        ("refs/heads/main", 0, 0x80), ("refs/heads/main", 20, 0x40), ("refs/heads/main", 39, 0x10),
        ("packed-refs", 0, 0x01), ("packed-refs", 60, 0x40), ("packed-refs", 60, 0x80),
    ],
)  # fmt: skip
def test_what_is_needed_is_named(
    root: Path,
    place: str,
    offset: int,
    mask: int,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    before = Project(root, create=False).files()
    if place == "packed-refs":
        (root / ".git/refs/heads/main").unlink()
    flip(root / ".git" / place, offset, mask)
    for command in ("status", "log -n1", "checkout night", "commit -am x", "switch -c new"):
        assert veml(root, *command.split(), monkeypatch=monkeypatch) == 66, command
        told = capfd.readouterr().err
        assert f".git/{place} is damaged" in told
        assert "hint:" in told
    assert veml(root, "fsck", monkeypatch=monkeypatch) == 1
    assert place in capfd.readouterr().out
    assert Project(root, create=False).files() == before


@pytest.mark.parametrize("place", ["refs/heads/night", "refs/notes/veml/drift"])
@pytest.mark.parametrize(("offset", "mask"), [(0, 0x80), (7, 0x01), (20, 0x40), (39, 0x80)])
def test_what_is_not_needed_is_in_nobody_s_way(
    root: Path,
    place: str,
    offset: int,
    mask: int,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """A digit that became another digit names what Git does not have."""
    flip(root / ".git" / place, offset, mask)
    for command in ("status", "commit -am x", "switch -c new"):
        assert veml(root, *command.split(), monkeypatch=monkeypatch) == 0, command
    capfd.readouterr()
    assert veml(root, "fsck", monkeypatch=monkeypatch) == 1
    assert place in capfd.readouterr().out
    if "night" in place:
        assert veml(root, "checkout", "night", monkeypatch=monkeypatch) in (66, 128)
        told = capfd.readouterr().err
        assert "night" in told or "Git does not have the commit" in told


@pytest.mark.slow
def test_every_letter_of_what_folders_hold(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It costs care, never data: the edit stands, whatever the file says."""
    path = root / ".git/veml/held.json"
    whole = path.read_bytes()
    for offset in range(0, len(whole), 6):
        flip(path, offset, 0x01)
        for command in ("status", "checkout night", "checkout main"):
            assert veml(root, *command.split(), monkeypatch=monkeypatch) in (0, 1)
            assert (root / next(iter(EDIT))).read_bytes() == next(iter(EDIT.values()))
        path.write_bytes(whole)


def test_every_letter_of_conflicts_that_git_left(tmp_path: Path, isolated: Path) -> None:
    """The index has all that is to be known; a settlement that nobody chose is not believed.

    Seen to fail without the checksum: another letter was believed.
    """
    project = GitProject(tmp_path / "project")
    conflicting(project)
    project.install()
    project.git("merge", "night", check=False)
    project.reopen()
    wanted = pending_conflicts(project.repo)
    assert wanted["data/train"].open_conflicts
    path = project.root / ".git/veml/pending.json"
    whole = path.read_bytes()
    assert load_pending(project.repo)
    for offset in range(0, len(whole), 7):
        flip(path, offset, 0x01)
        found = pending_conflicts(project.reopen())
        assert {name: one.stages for name, one in found.items()} == {
            name: one.stages for name, one in wanted.items()
        }
        assert all(one.open_conflicts for one in found.values())
        if load_pending(project.repo):  # white space alone
            assert found == wanted
        path.write_bytes(whole)
    project.close()


def test_fsck_of_a_sound_repository_finds_nothing(root: Path) -> None:
    with Repository(str(root)) as repo:
        assert fsck(repo).problems == ()
