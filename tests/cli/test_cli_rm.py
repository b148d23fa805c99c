"""``veml rm``: data sets, samples and files; what it refuses, and says instead."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Place

IMAGE = "images/train/JPEGImages/0001.png"


def test_a_data_set_goes_with_its_record_and_its_line(drives: Place) -> None:
    done = drives.veml("rm", "images/train", "--json").json()
    assert done["datasets"] == ["images/train"]
    assert not (drives.root / "images").exists()
    assert drives.git("ls-files").split() == ["notes.txt"]
    drives.veml("commit", "-qm", "gone")
    assert drives.git("fsck", "--strict", "--no-dangling") == ""
    drives.veml("checkout", "-q", "HEAD~1")
    assert (drives.root / IMAGE).exists()


def test_a_sample_leaves_its_label_file_and_says_so(drives: Place) -> None:
    drives.veml("rm", IMAGE)
    assert not (drives.root / IMAGE).exists()
    assert (drives.root / "images/train/Annotations/0001.xml").exists()
    assert drives.veml("status", "-s").out == "M  images/train/\n"
    assert "-1 sample" in drives.veml("status").out
    drives.veml("commit", "-qm", "one less")
    assert drives.veml("show", "HEAD:images/train", "--json").json()["samples"] == 5


def test_cached_keeps_the_folder(drives: Place) -> None:
    assert drives.veml("rm", "--cached", "-q", "images/train").out == ""
    assert (drives.root / IMAGE).exists()
    assert drives.veml("status", "-s").out == "D  images/train/\n?? images/train/\n" or (
        "?? images/" in drives.veml("status", "-s").out
    )
    drives.veml("add", "images/train")
    assert drives.veml("status", "--porcelain").out == ""


def test_dry_run_and_folders_of_ordinary_files(drives: Place) -> None:
    drives.write("docs/a.md", "a\n")
    drives.veml("add", "docs")
    drives.veml("commit", "-qm", "docs")
    before = drives.git("ls-files", "-s")
    assert drives.veml("rm", "-n", "images/train").out == "rm data images/train\n"
    done = drives.veml("rm", "docs", code=128)
    assert "-r" in done.err
    assert drives.git("ls-files", "-s") == before
    (drives.root / "notes.txt").unlink()  # what is gone already can be removed all the same
    assert drives.veml("rm", "-r", "docs", "notes.txt").out == "rm docs/a.md\nrm notes.txt\n"
    assert not (drives.root / "docs").exists()  # as Git, that keeps no empty folders
    assert drives.git("status", "--porcelain") == "D  docs/a.md\nD  notes.txt\n"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 129, "PATH"),
        (("nothing",), 128, "nothing: not tracked"),
        (("images/train/none.png",), 128, "none.png"),
        (("images/train", "nothing"), 128, "nothing: not tracked"),
    ],
)
def test_all_or_none(drives: Place, arguments: tuple[str, ...], code: int, said: str) -> None:
    done = drives.veml("rm", *arguments, code=code)
    assert said in done.err
    assert (drives.root / IMAGE).exists()
    assert drives.veml("status", "--porcelain").out == ""


def test_bytes_that_no_version_has_stay(drives: Place) -> None:
    drives.write("images/train/JPEGImages/0001.png", "mine")
    drives.write("images/train/new.txt", "mine")
    done = drives.veml("rm", "images/train", code=1)
    assert "images/train has files that no version has: " in done.err
    assert "hint: veml rm --cached images/train keeps the folder" in done.err
    assert (drives.root / "images/train/new.txt").read_text() == "mine"
    drives.veml("rm", "--force", "images/train")
    assert not (drives.root / IMAGE).exists()
