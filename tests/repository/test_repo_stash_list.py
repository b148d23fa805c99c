"""The list of stashes is Git's too: what git adds meanwhile is not dropped in place of another."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.repository.conftest import isolated
from tests.repository.kit import Project, images
from veml_vcs.errors import ConflictError, LockedError
from veml_vcs.repository.stashing.push import push
from veml_vcs.repository.stashing.stash import apply, clear, drop, list_stashes

__all__ = ["isolated"]


@pytest.fixture
def project(tmp_path: Path, isolated: Path) -> Project:
    """Two stashes, each with a changed file of a data set."""
    made = Project(tmp_path / "project")
    made.write({f"set/{name}": data for name, data in images(2).items()})
    made.save("set", message="one")
    for number in range(2):
        made.write({f"set/{number:04d}.png": b"changed"})
        assert push(made.repo, str(number)) is not None
    return made


def said(project: Project) -> list[str]:
    return [one.message for one in list_stashes(project.repo)]


def test_what_git_added_meanwhile_is_not_dropped(project: Project) -> None:
    """Seen to fail while pop went by the place alone: git's stash was gone, the popped one stayed.

    The progress of pop stands for the moment at which another terminal runs git.
    """
    newest = project.git("rev-parse", "stash@{0}").strip()
    other = project.git("rev-parse", "stash@{1}").strip()
    added = []

    def meanwhile(*_: object) -> None:
        if not added:
            project.git("stash", "store", "-m", "by git", other)
            added.append(other)

    with pytest.raises(ConflictError, match="nothing was dropped"):
        apply(project.repo, drop_it=True, progress=meanwhile)
    listed = project.git("stash", "list", "--format=%H").split()
    assert listed == [other, newest, other]


def test_gits_lock_is_waited_for(project: Project) -> None:
    """Seen to fail for all but the newest, whose removal took no lock at all."""
    lock = project.root / ".git/refs/stash.lock"
    lock.touch()
    project.repo.git.dulwich.locks.timeout_seconds = 0.0
    for name in ("0", "1"):
        with pytest.raises(LockedError):
            drop(project.repo, name)
    with pytest.raises(LockedError):
        clear(project.repo)
    assert said(project) == ["On main: 1", "On main: 0"]
    lock.unlink()
    drop(project.repo, "1")
    assert said(project) == ["On main: 1"]
    clear(project.repo)
    assert project.git("stash", "list") == ""
    assert not (project.root / ".git/refs/stash").exists()
