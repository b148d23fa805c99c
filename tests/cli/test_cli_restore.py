"""``veml restore`` and ``veml rm``."""

from __future__ import annotations

from typing import Any

Place = Any
IMAGE = "images/train/JPEGImages/0001.png"


def test_restore_touches_only_what_differs(drives: Place) -> None:
    drives.write("other.txt", "x\n")
    drives.veml("add", "other.txt")
    drives.write("notes.txt", "two\n")
    drives.write(IMAGE, "broken")
    inode = (drives.root / "other.txt").stat().st_ino
    assert drives.veml("restore", ".").out.splitlines() == [
        "restored 1 file of data images/train",
        "restored 1 ordinary file",
    ]
    assert (drives.root / "other.txt").stat().st_ino == inode
    assert drives.veml("restore", ".").out == ""
    assert drives.veml("status", "--porcelain").out == "A  other.txt\n"


def test_restore_from_a_revision_leaves_the_index_alone(forked: Place) -> None:
    forked.veml("restore", "--source", "night", "images/train")
    assert forked.veml("status", "--porcelain").out == " M images/train/\n"
    forked.veml("restore", "images/train")
    forked.write("notes.txt", "two\n")
    forked.veml("commit", "-qam", "two")
    forked.veml("restore", "-s", "HEAD~1", "notes.txt")
    assert (forked.root / "notes.txt").read_text() == "one\n"
    assert forked.git("status", "--porcelain") == " M notes.txt\n"


def test_unstage(drives: Place) -> None:
    drives.write("notes.txt", "two\n")
    drives.write(IMAGE, "changed")
    drives.veml("add", ".")
    drives.veml("restore", "--staged", "images/train", "notes.txt")
    assert drives.veml("status", "--porcelain").out == " M images/train/\n M notes.txt\n"
    drives.veml("restore", "-SW", ".")
    assert drives.veml("status", "--porcelain").out == ""


def test_rm_and_back(drives: Place) -> None:
    """What is removed comes back as it was, the line of .gitignore with it."""
    assert drives.veml("rm", "-n", IMAGE).out == "rm 1 file of data images/train\n"
    assert (drives.root / IMAGE).exists()
    drives.veml("rm", "images/train", "notes.txt")
    assert not (drives.root / "images").exists()
    assert drives.git("ls-files") == ""
    drives.veml("restore", "-SW", "images/train", "notes.txt")
    assert drives.veml("status", "--porcelain").out == ""
    assert drives.git("status", "--porcelain") == ""


def test_rm_refuses_to_lose(drives: Place) -> None:
    drives.write(IMAGE, "mine")
    done = drives.veml("rm", IMAGE, code=1)
    assert "uncommitted changes: JPEGImages/0001.png" in done.err
    assert "veml rm --cached images/train" in drives.veml("rm", "images/train", code=1).err
    assert (drives.root / IMAGE).read_text() == "mine"
    drives.veml("rm", "-f", IMAGE)
    assert not (drives.root / IMAGE).exists()


def test_rm_cached_keeps_the_folder(drives: Place) -> None:
    drives.veml("rm", "--cached", "images/train")
    assert (drives.root / IMAGE).exists()
    told = drives.veml("status", "--porcelain").out.splitlines()
    assert "D  images/train/" in told
    assert drives.git("ls-files") == "notes.txt\n"


REFUSALS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("restore", "nope"), "nope: not in the index"),
    (("restore", "--source", "nope", "notes.txt"), "unknown revision 'nope'"),
    (("restore", "../x"), "outside the repository"),
    (("rm", "nope"), "nope: not tracked"),
    (("rm", "images/train/nope.png"), "images/train/nope.png: not tracked"),
    (("rm", "images/train.veml"), "the record of a data set"),
    (("rm", "--cached", IMAGE), "cannot stay in it untracked"),
    (("rm", "sub"), "a folder; not removed without -r"),
)


def test_refusals(drives: Place) -> None:
    drives.write("sub/a.txt", "a\n")
    drives.veml("add", "sub")
    for arguments, said in REFUSALS:
        done = drives.veml(*arguments, code=128)
        assert said in done.err
