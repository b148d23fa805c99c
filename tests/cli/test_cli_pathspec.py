"""Pathspecs: patterns, the root, exclusions, subfolders; ordinary files as real git takes them."""

from __future__ import annotations

from typing import Any

import pytest

Place = Any


@pytest.fixture
def tree(drives: Place) -> Place:
    for name in ("a.txt", "sub/b.txt", "sub/deep/c.txt", "sub/d.md"):
        drives.write(name, "one\n")
    drives.veml("add", ".")
    drives.veml("commit", "-qm", "files")
    for name in ("a.txt", "sub/b.txt", "sub/deep/c.txt", "sub/d.md", "notes.txt"):
        drives.write(name, "two\n")
    return drives


SPECS = (
    ("*.txt",), ("*/c.txt",), (":/",), (":/sub",), (":(top)a.txt",), (":!*.md",), (":^*.txt",),
    (".", ":!/sub/deep"), (":(exclude)*.txt",), ("*.md", ":/a.txt"),
    (":/*.txt", ":(top,exclude)notes.txt"),
)  # fmt: skip


@pytest.mark.parametrize("folder", [".", "sub"])
def test_ordinary_files_as_git(tree: Place, folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tree.root / folder)
    for specs in SPECS:
        expected = tree.git("-C", folder, "diff", "--name-status", "--", *specs)
        done = tree.veml("diff", "--name-status", "--", *specs, code=None)
        assert done.out == expected, specs
        assert done.code == (0 if expected else 128), specs


def test_patterns_reach_into_data_sets(drives: Place) -> None:
    for number in range(3):
        drives.write(f"images/train/JPEGImages/000{number}.png", f"broken {number}")
    drives.veml("restore", "images/train/*/000[12].png")
    assert drives.veml("diff", "--name-status").out == "M\timages/train/JPEGImages/0000.png\n"
    drives.veml("add", "*/0000.png")
    assert drives.veml("status", "--porcelain").out == "M  images/train/\n"
    drives.veml("rm", "images/train/*/0005.*")
    assert not list((drives.root / "images/train").rglob("0005.*"))


def test_exclusion_in_a_data_set(drives: Place) -> None:
    for number in range(3):
        drives.write(f"images/train/JPEGImages/000{number}.png", f"broken {number}")
    drives.veml("restore", "images/train", ":!images/train/JPEGImages/0001.png")
    assert drives.veml("diff", "--name-status").out == "M\timages/train/JPEGImages/0001.png\n"


def test_a_pattern_that_matches_nothing(drives: Place) -> None:
    assert "*.xyz: matches no file" in drives.veml("restore", "*.xyz", code=128).err
    assert "unknown magic" in drives.veml("restore", ":(attr:x)y", code=128).err


def test_from_a_subfolder(drives: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    drives.write("notes.txt", "two\n")
    drives.write("images/train/JPEGImages/0001.png", "broken")
    monkeypatch.chdir(drives.root / "images/train/JPEGImages")
    assert drives.veml("status", "-s").out == " M ../\n M ../../../notes.txt\n"
    assert drives.veml("diff", "--name-status", "0001.png").out == (
        "M\timages/train/JPEGImages/0001.png\n"
    )
    drives.veml("restore", "0001.png", "../../../notes.txt")
    assert drives.veml("status", "-s").out == ""
