"""A cherry-pick of several commits keeps its place while the user commits by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crash.scenarios import ADA, second_is_settled
from tests.repository.conftest import isolated
from tests.repository.kit import Project
from veml_vcs.errors import ConflictError, NotFoundError
from veml_vcs.repository.commit import commit
from veml_vcs.repository.merging.replay import give_up, go_on

__all__ = ["isolated"]


@pytest.fixture
def project(tmp_path: Path, isolated: Path) -> Project:
    """The second of three commits is in conflict, and settled."""
    made = Project(tmp_path / "project")
    second_is_settled(made)
    return made


def subjects(project: Project) -> list[str]:
    return project.git("log", "--format=%s", "-4").splitlines()


def test_a_commit_by_hand_keeps_what_is_still_to_come(project: Project) -> None:
    """Seen to fail (nothing was under way) with ``forget_merge`` in place of ``end_step``."""
    commit(project.repo, "by hand", author=ADA, committer=ADA)
    assert project.status().merge is None
    go_on(project.repo, "cherry-pick", committer=ADA)
    assert subjects(project) == ["two files", "by hand", "one file", "day again"]
    project.assert_clean()
    with pytest.raises(NotFoundError):
        go_on(project.repo, "cherry-pick", committer=ADA)


def test_it_can_be_given_up_as_a_whole_then(project: Project) -> None:
    commit(project.repo, "by hand", author=ADA, committer=ADA)
    give_up(project.repo, "cherry-pick")
    assert subjects(project)[0] == "day again"
    project.assert_clean()


def test_more_commits_on_top_keep_it_and_are_not_thrown_away(project: Project) -> None:
    """As in Git: the rest is replayed on top of them, and HEAD is not taken back over them.

    Seen to fail with ``moved=True`` taken out of ``go_on``, and the check of ``give_up`` left out.
    """
    commit(project.repo, "by hand", author=ADA, committer=ADA)
    project.write({"later.txt": b"later\n"})
    project.save("later.txt", message="later")
    with pytest.raises(ConflictError, match="HEAD has moved"):
        give_up(project.repo, "cherry-pick")
    assert subjects(project)[0] == "later"
    go_on(project.repo, "cherry-pick", committer=ADA)
    assert subjects(project) == ["two files", "later", "by hand", "one file"]
    project.assert_clean()


def test_a_branch_elsewhere_keeps_it_and_is_not_taken_back(project: Project) -> None:
    """As in Git: what is left is replayed where HEAD stands by then; nothing is undone there."""
    commit(project.repo, "by hand", author=ADA, committer=ADA)
    project.git("checkout", "-q", "-B", "elsewhere", "HEAD~3")
    project.follow()
    before = subjects(project)
    with pytest.raises(ConflictError, match="HEAD has moved"):
        give_up(project.repo, "cherry-pick")
    assert subjects(project) == before
    go_on(project.repo, "cherry-pick", committer=ADA)
    assert subjects(project)[:2] == ["two files", before[0]]
    project.assert_clean()
