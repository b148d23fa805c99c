"""The git commands of docs/git-comparison.md that neither join nor replay history.

Seen to fail with ``follow`` in ``hook_impl._follow`` taken out: those of ``mv`` and ``rm``, of
``gc`` and of the submodule.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hooks.kit import GitProject
from tests.repository.kit import Project
from veml_vcs.repository import init
from veml_vcs.repository.restore import restore
from veml_vcs.repository.sync import fetch_data


def test_mv_and_rm_of_a_record(drives: GitProject) -> None:
    """Neither tells a hook; the next command that moves the work tree brings the folder along."""
    before = drives.files("data")
    drives.git("mv", "data.veml", "images.veml")
    assert drives.files("data") == before
    behind = [(one.path, one.kind, one.held is None) for one in drives.fresh_status().behind]
    assert behind == [("data", "gone", False), ("images", "behind", True)]
    drives.git("commit", "-qm", "renamed")
    drives.git("checkout", "-q", "HEAD~1")
    drives.assert_follows()
    drives.git("checkout", "-q", "main")
    assert not drives.path("data").exists()
    assert drives.files("images") == before
    drives.git("rm", "-q", "images.veml")
    drives.git("commit", "-qm", "gone")
    assert drives.files("images") == before
    drives.follow()
    assert not drives.path("images").exists()


def test_clean_takes_folders_and_leaves_the_store(drives: GitProject) -> None:
    before = drives.files("data")
    drives.git("clean", "-fdxq")
    assert not drives.path("data").exists()
    restore(drives.reopen(), [str(drives.path("data"))])
    assert drives.files("data") == before
    drives.assert_follows()
    drives.assert_intact()


@pytest.mark.slow
def test_sparse_checkout_leaves_the_folder_of_a_record_alone(drives: GitProject) -> None:
    before = drives.files("data")
    drives.git("status")  # the index of a copied repository: git leaves out no file it is unsure of
    drives.git("sparse-checkout", "set", "--no-cone", "/*", "!*.veml")
    assert not drives.path("data.veml").exists()
    assert drives.files("data") == before
    assert drives.fresh_status().clean
    drives.git("sparse-checkout", "disable")
    drives.assert_follows()


@pytest.mark.slow
def test_merge_tree_merges_in_a_work_tree_alone(drives: GitProject, tmp_path: Path) -> None:
    drives.put(drives.move("0002.png", x=5), "day")
    told = drives.git("merge-tree", "--write-tree", "main", "night")
    assert "merged by sample and by box (+1 -0 samples" in told
    drives.assert_follows()
    drives.git("clone", "-q", "--bare", ".", str(tmp_path / "bare"))
    bare = ("-C", str(tmp_path / "bare"))
    assert "CONFLICT" in drives.git(
        *bare, "merge-tree", "--write-tree", "main", "night", check=False
    )


@pytest.mark.slow
def test_gc_and_repack_touch_no_data(drives: GitProject) -> None:
    drives.git("repack", "-adq")
    drives.git("gc", "-q", "--prune=now")
    assert drives.git("fsck", "--strict").strip() == ""
    drives.git("checkout", "-q", "night")
    drives.assert_follows()
    drives.assert_intact()


@pytest.mark.slow
def test_archives_hold_records_only(drives: GitProject) -> None:
    drives.git("archive", "-o", "all.tar", "HEAD")
    with tarfile.open(drives.path("all.tar")) as archive:
        assert sorted(archive.getnames()) == [".gitignore", "data.veml", "notes.txt"]


@pytest.mark.slow
def test_submodule(drives: GitProject, make_project: Callable[..., Project]) -> None:
    outer = make_project("outer")
    outer.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(drives.root), "sub")
    init(str(outer.path("sub")))
    inner = GitProject(outer.path("sub"), create=False)
    try:
        assert [one.kind for one in inner.status().behind] == ["absent"]
        inner.install()
        fetch_data(inner.repo, source=str(drives.root))
        inner.follow()
        inner.assert_follows()
        fetch_data(inner.repo, source=str(drives.root), everything=True)
        inner.git("checkout", "-q", "origin/night")
        inner.assert_follows()
    finally:
        inner.close()
