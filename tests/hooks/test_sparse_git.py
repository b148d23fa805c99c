"""Plain git in a sparse work tree: its hooks leave out what the rule does, and nothing is lost."""

from __future__ import annotations

import pytest

from tests.hooks.kit import GitProject
from tests.repository.kit import coco
from veml_vcs.repository.sparse.verbs import sparse_disable, sparse_set
from veml_vcs.samples.query import Conditions


def narrow(project: GitProject, conditions: Conditions | None) -> None:
    sparse_set(project.reopen(), (), conditions)


def here(project: GitProject) -> set[str]:
    folder = project.root / "data/images"
    return {one.name for one in folder.iterdir()} if folder.exists() else set()


def assert_whole(project: GitProject, revision: str = "HEAD") -> None:
    """Check that the index has all samples of a commit, and that nothing looks changed."""
    project.reopen()
    wanted = project.repo.datasets_at(project.repo.resolve(revision))
    assert project.repo.staged_datasets() == wanted
    assert project.git("status", "--porcelain") == ""
    assert project.status().clean


KEYS = Conditions(keys=("*1*", "*9*"))


@pytest.mark.parametrize("conditions", [KEYS, None], ids=["some", "none"])
def test_switching_merging_and_coming_back(
    drives: GitProject, conditions: Conditions | None
) -> None:
    narrow(drives, conditions)
    few = {"0001.png"} if conditions else set()
    assert here(drives) == few
    drives.git("checkout", "-q", "night")
    assert here(drives) == (few | {"0009.png"} if conditions else set())
    assert_whole(drives)
    drives.git("checkout", "-q", "main")
    assert here(drives) == few
    assert_whole(drives)
    drives.git("merge", "-q", "--no-edit", "night")
    assert_whole(drives)
    assert drives.repo.record_at("data", None).samples == 5
    drives.git("reset", "-q", "--hard", "HEAD~1")
    assert_whole(drives)
    assert here(drives) == few
    drives.git("commit", "--allow-empty", "-qm", "an empty one")
    drives.git("rebase", "-q", "night")
    assert_whole(drives)
    sparse_disable(drives.reopen())
    drives.assert_follows()


def test_commit_stash_and_soft_reset(drives: GitProject) -> None:
    narrow(drives, KEYS)
    drives.write(
        {"annotations.json": coco(drives.move("0003.png", x=3))["annotations.json"]}, "data"
    )
    drives.reopen()
    drives.add("data")
    drives.git("stash", "-q")
    assert_whole(drives)
    drives.git("stash", "pop", "-q")
    drives.git("commit", "-qam", "moved a box of one that is left out")
    assert_whole(drives)
    assert drives.repo.record_at("data", None).samples == 4
    drives.git("reset", "-q", "--soft", "HEAD~1")
    drives.git("commit", "-qam", "again")
    assert drives.reopen().record_at("data", None).samples == 4
    drives.git("revert", "--no-edit", "HEAD")
    assert_whole(drives)
    assert here(drives) == {"0001.png"}


def test_without_hooks_status_and_add_stay_right(
    drives: GitProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    narrow(drives, KEYS)
    monkeypatch.setenv("VEML_HOOKS", "0")
    drives.git("checkout", "-q", "night")
    monkeypatch.delenv("VEML_HOOKS")
    drives.reopen()
    assert [one.kind for one in drives.status().behind] == ["behind"]
    assert drives.status().changed_data == {}
    drives.follow()
    assert_whole(drives)
    assert here(drives) == {"0001.png", "0009.png"}
