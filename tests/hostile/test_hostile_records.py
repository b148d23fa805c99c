"""Records of a stranger's repository: where they stand and what they claim can do no harm."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from dulwich.objects import Blob, Commit, ObjectID, Tree
from dulwich.refs import Ref

from tests.repository.kit import Project, coco, small_model
from veml_vcs.errors import FormatError
from veml_vcs.repository.upkeep.fsck import fsck

SCRIPT = b"#!/bin/sh\ntouch pwned\n"


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A repository with an innocent data set, and one whose file would make a Git hook."""
    made = Project(tmp_path)
    made.write(coco(small_model()), "drive")
    made.write({"post-checkout": SCRIPT, "a.png": b"\x89PNG\r\n\x1a\n"}, "loot")
    (tmp_path / "loot" / "post-checkout").chmod(0o755)
    made.add("drive", "loot")
    made.commit("innocent")
    yield made
    made.close()


def smuggle(project: Project, branch: str, path: str, record: bytes) -> None:
    """Make a branch, the child of ``main``, whose tree has one file, at a path that git refuses."""
    git = project.repo.git.dulwich
    blob = Blob.from_string(record)
    git.object_store.add_object(blob)
    mode, sha = 0o100644, blob.id
    for name in reversed(path.split("/")):
        tree = Tree()
        tree.add(name.encode(), mode, sha)
        git.object_store.add_object(tree)
        mode, sha = 0o040000, tree.id
    commit = Commit()
    commit.tree = ObjectID(sha)
    commit.parents = [ObjectID(project.git("rev-parse", "main").strip().encode())]
    commit.author = commit.committer = b"Eve <eve@example.com>"
    commit.author_time = commit.commit_time = 1_700_000_000
    commit.author_timezone = commit.commit_timezone = 0
    commit.message = b"nothing to see\n"
    git.object_store.add_object(commit)
    git.refs[Ref(b"refs/heads/" + branch.encode())] = commit.id


RECORD_PATHS = (
    ".git/hooks.veml",
    ".GIT/hooks.veml",
    "a/.git/hooks.veml",
    "../outside.veml",
    "a/../../outside.veml",
    ".veml",
    "a/.veml",
    ".g\u200cit/hooks.veml",
)


def test_a_record_cannot_lead_out_of_the_work_tree(project: Project) -> None:
    """Without ``dataset_path``, checking out ``.git/hooks.veml`` installs a hook that git runs."""
    record = (project.root / "loot.veml").read_bytes()
    hooks = set(os.listdir(project.root / ".git" / "hooks"))
    outside = set(os.listdir(project.root.parent))
    for number, path in enumerate(RECORD_PATHS):
        branch = f"evil{number}"
        smuggle(project, branch, path, record)
        commit_id = project.repo.resolve(branch)
        for attempt in (
            lambda name=branch: project.checkout(name),
            lambda name=branch: project.checkout(name, force=True),
            lambda name=branch: project.merge(name),
            lambda one=commit_id: project.repo.datasets_at(one),
        ):
            with pytest.raises(FormatError, match="not a usable"):
                attempt()
        assert set(os.listdir(project.root / ".git" / "hooks")) == hooks
        assert set(os.listdir(project.root.parent)) == outside
        assert not (project.root / "a").exists()
    assert project.status().clean
    told = [problem.what for problem in fsck(project.repo).problems]
    assert all(any(path in one for one in told) for path in RECORD_PATHS[:3])


PLAIN_PATHS = (
    ".git/hooks/post-checkout",
    "../outside",
    ".GIT/config",
    "a/../../outside",
    "git~1/x",
)


def test_an_ordinary_file_cannot_lead_out_of_the_work_tree(project: Project) -> None:
    """Without ``refuse_hostile_paths``, dulwich stops half way, after data sets were moved."""
    config = (project.root / ".git" / "config").read_bytes()
    for number, path in enumerate(PLAIN_PATHS):
        branch = f"evil{number}"
        smuggle(project, branch, path, SCRIPT)
        for attempt in (
            lambda name=branch: project.checkout(name),
            lambda name=branch: project.checkout(name, force=True),
            lambda name=branch: project.merge(name),
        ):
            with pytest.raises(FormatError, match="not a usable path"):
                attempt()
    assert (project.root / ".git" / "config").read_bytes() == config
    assert not (project.root.parent / "outside").exists()
    assert project.status().clean
    assert (project.root / "drive").is_dir()
