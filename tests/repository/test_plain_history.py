"""What plain Git takes in its own folder stops nothing here: comments in grafts, a circle of refs,
a file of parents that a power cut left behind.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.repository.conftest import isolated
from veml_vcs.errors import NotFoundError
from veml_vcs.ids import VersionId
from veml_vcs.repository import Repository, init
from veml_vcs.repository.git.notes import noted_versions, notes_stamp
from veml_vcs.repository.git.walk import reachable
from veml_vcs.repository.upkeep.fsck import fsck

__all__ = ["isolated"]


@pytest.fixture
def root(tmp_path: Path, isolated: Path) -> Path:
    """Four commits in a line."""
    made = tmp_path / "project"
    made.mkdir()
    init(str(made))
    for number in range(4):
        git(made, "commit", "-q", "--allow-empty", "-m", str(number))
    return made


def git(root: Path, *arguments: str) -> str:
    command = ["git", "-c", "core.hooksPath=/dev/null", *arguments]
    return subprocess.run(
        command, cwd=root, check=True, capture_output=True, text=True
    ).stdout.strip()


def check_as_git(root: Path, count: int) -> None:
    """Git reaches so many commits, and these are reached here."""
    theirs = git(root, "rev-list", "--all").split()
    assert len(theirs) == count
    with Repository(str(root)) as repo:
        ours = reachable(repo.git, repo.git.all_commits())
    assert sorted(one.decode() for one in ours) == sorted(theirs)


@pytest.mark.parametrize(
    ("lines", "count"),
    [
        ("# a comment\n\nNEW OLD\n", 2),
        ("NEW OLD\r\n  \n", 2),
        ("zzz\nNEW OLD\n", 2),
        ("OLD\nNEW OLD\nNEW MIDDLE\n", 2),  # the first of two
        ("UPPER OLD\n", 2),
        ("NEW  OLD\n", 4),
        ("SHORT OLD\n", 4),
        ("NEW\n", 1),
    ],
)
def test_grafts_are_what_git_takes(root: Path, lines: str, count: int) -> None:
    new, middle, _, old = git(root, "rev-list", "HEAD").split()
    for name, one in {
        "NEW": new, "OLD": old, "MIDDLE": middle, "UPPER": new.upper(), "SHORT": new[:10],
    }.items():  # fmt: skip
        lines = lines.replace(name, one)
    (root / ".git/info").mkdir(exist_ok=True)
    (root / ".git/info/grafts").write_bytes(lines.encode())
    check_as_git(root, count)


def test_refs_that_name_each_other_name_nothing(root: Path) -> None:
    git(root, "symbolic-ref", "refs/heads/a", "refs/heads/b")
    git(root, "symbolic-ref", "refs/heads/b", "refs/heads/a")
    check_as_git(root, 4)
    with Repository(str(root)) as repo:
        with pytest.raises(NotFoundError):
            repo.resolve("a")
        assert not fsck(repo).problems


def test_a_ref_of_notes_that_names_nothing_has_none(root: Path) -> None:
    git(root, "symbolic-ref", "refs/veml/remotes/origin/drift", "refs/veml/nothing")
    with Repository(str(root)) as repo:
        assert notes_stamp(repo, "drift") == ""
        assert noted_versions(repo, "drift") == []


@pytest.mark.parametrize(
    "damage", [lambda data: b"", lambda data: data[: len(data) // 5], lambda data: data[::-1]]
)
def test_a_damaged_commit_graph_is_no_matter(root: Path, damage: Callable[[bytes], bytes]) -> None:
    git(root, "commit-graph", "write", "--reachable")
    path = root / ".git/objects/info/commit-graph"
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(damage(data))
    check_as_git(root, 4)


def test_alternates_with_an_empty_line_and_itself(root: Path) -> None:
    other = root.parent / "other"
    git(root, "clone", "-q", "--shared", str(root), str(other))
    path = other / ".git/objects/info/alternates"
    path.write_text(f"# where\n\n{other}/.git/objects\n{root}/.git/objects\n")
    check_as_git(other, 4)
    with Repository(str(other)) as repo, pytest.raises(NotFoundError):
        repo.git.read_blob(VersionId("12" * 20))
