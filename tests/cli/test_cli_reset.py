"""``veml reset``: index and HEAD as real git leaves them, data with them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

Place = Any
XML = "images/train/Annotations/0000.xml"


def edited(place: Place) -> None:
    """Staged and loose changes of data, of a note, and a new file."""
    place.write("notes.txt", "staged\n")
    place.voc("images/train", {"0001": [("bus", 0, 0, 2, 2)]})
    place.write("new.txt", "new\n")
    place.veml("add", ".")
    place.write("notes.txt", "loose\n")
    place.write("images/train/JPEGImages/0003.png", "loose")


@pytest.mark.parametrize("mode", ["--soft", "--mixed", "--hard"])
@pytest.mark.parametrize("revision", ["HEAD", "night"])
def test_git_agrees(forked: Place, mode: str, revision: str, tmp_path: Path) -> None:
    """What git reset leaves of ordinary files, HEAD and reflog, veml reset leaves too."""
    edited(forked)
    other = tmp_path / "other"
    shutil.copytree(forked.root, other, symlinks=True)
    arguments = [*filter(None, [mode]), revision]
    forked.veml("reset", "-q", *arguments)
    peer = type(forked)(other)
    peer.git("reset", "-q", *arguments)
    for asked in (
        ("ls-files", "-s"), ("rev-parse", "HEAD", "ORIG_HEAD", "main"),
        ("log", "-g", "--format=%gs", "-1", "HEAD"), ("log", "-g", "--format=%gs", "-1", "main"),
    ):  # fmt: skip
        assert forked.git(*asked) == peer.git(*asked), asked
    assert (forked.root / "notes.txt").read_text() == (other / "notes.txt").read_text()
    assert (forked.root / "new.txt").exists() == (other / "new.txt").exists()


def test_hard_brings_the_data_back(forked: Place) -> None:
    edited(forked)
    forked.veml("tag", "here")
    said = forked.veml("reset", "--hard", "night").out.splitlines()
    assert (
        said[0]
        == f"HEAD is now at {forked.git('rev-parse', '--short', 'night').strip()} night drive"
    )
    assert said[1].startswith("  data images/train  ")
    assert forked.veml("status", "--porcelain", "--verify").out == ""
    assert forked.git("status", "--porcelain") == ""
    forked.veml("reset", "-q", "--hard", "here")
    assert forked.veml("status", "--porcelain", "--verify").out == ""


def test_mixed_leaves_the_folder_and_unstages_it(forked: Place) -> None:
    edited(forked)
    before = (forked.root / "images/train/Annotations/0001.xml").read_bytes()
    assert forked.veml("reset").out.splitlines() == [
        "Unstaged changes after reset:",
        "M\timages/train/",
        "M\tnotes.txt",
    ]
    assert (forked.root / "images/train/Annotations/0001.xml").read_bytes() == before
    assert (
        forked.veml("status", "--porcelain").out == " M images/train/\n M notes.txt\n?? new.txt\n"
    )


def test_mixed_of_a_new_data_set_makes_it_untracked(drives: Place) -> None:
    drives.voc("images/val", {"9": [("car", 1, 1, 2, 2)]}, first=90)
    drives.veml("add", "images/val")
    drives.veml("reset", "-q")
    assert drives.veml("status", "--porcelain").out == "?? images/val/\n"
    assert drives.git("status", "--porcelain") == "?? images/val/\n"
    drives.veml("add", "images/val")
    drives.veml("commit", "-qm", "val")
    drives.veml("reset", "-q", "--soft", "HEAD~1")
    assert "A  images/val/" in drives.veml("status", "--porcelain").out


def test_paths(forked: Place) -> None:
    edited(forked)
    forked.veml("reset", "--", "images/train")
    assert " M images/train/" in forked.veml("status", "--porcelain").out
    assert "A  new.txt" in forked.veml("status", "--porcelain").out
    forked.veml("reset", "-q", "HEAD~1", "notes.txt")
    assert forked.git("rev-parse", ":notes.txt") == forked.git("rev-parse", "HEAD~1:notes.txt")
    assert "makes no sense" in forked.veml("reset", "--hard", "notes.txt", code=128).err


def test_hard_ends_a_merge(conflicted: Place) -> None:
    assert "no soft reset" in conflicted.veml("reset", "--soft", code=1).err
    conflicted.veml("reset", "-q", "--hard")
    assert conflicted.veml("status", "--porcelain", "--verify").out == ""
    assert not os.path.exists(conflicted.root / ".git/MERGE_HEAD")
    assert conflicted.git("status", "--porcelain") == ""


def test_refusals(drives: Place) -> None:
    for arguments, said in (
        (("nope",), "unknown revision 'nope'"),
        (("--soft", "--hard"), "expected one of"),
        (("HEAD", "main"), "expected one revision"),
    ):
        assert said in drives.veml("reset", *arguments, code=128).err
    done = drives.veml("reset", "--json", "--hard").json()
    assert done["mode"] == "hard"
    assert done["commit"] == done["previous"]
