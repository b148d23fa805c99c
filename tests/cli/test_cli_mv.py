"""``veml mv`` on the command line: its output, its options, and plain git afterwards."""

from __future__ import annotations

from typing import Any

Place = Any


def test_a_data_set(drives: Place) -> None:
    done = drives.veml("mv", "images/train", "images/day")
    assert done.out == "mv data images/train -> images/day\n"
    assert "renamed" in drives.veml("status").out or "images/day" in drives.veml("status").out
    drives.git("commit", "-qm", "moved")
    assert "nothing to commit" in drives.veml("status").out
    assert "images/{train.veml => day.veml}" in drives.git("show", "--stat")


def test_a_sample_names_what_follows(drives: Place) -> None:
    done = drives.veml(
        "mv", "images/train/JPEGImages/0001.png", "images/train/JPEGImages/x.png", "--json"
    ).json()
    assert done["keys"]["images/train"] == {
        "JPEGImages/0001.png": "JPEGImages/x.png",
        "Annotations/0001.xml": "Annotations/x.xml",
    }
    assert done["rewritten"] == {"images/train": ["Annotations/x.xml"]}
    assert drives.veml("status", "--json").json()["changed_data"] == {}


def test_options(drives: Place) -> None:
    drives.write("src/a.py", "a\n")
    drives.veml("add", "src")
    said = drives.veml("mv", "-n", "notes.txt", "src")
    assert said.out == "mv notes.txt -> src/notes.txt\n"
    assert (drives.root / "notes.txt").exists()
    said = drives.veml("mv", "-k", "-q", "gone", "notes.txt", "src")
    assert said.out == ""
    assert "bad source" in said.err
    assert (drives.root / "src/notes.txt").exists()
    drives.write("other.txt", "two\n")
    drives.veml("add", "other.txt")
    assert drives.veml("mv", "other.txt", "src/a.py", code=1).err.startswith("error: destination")
    drives.veml("mv", "-f", "other.txt", "src/a.py")
    assert (drives.root / "src/a.py").read_text() == "two\n"
    assert drives.veml("mv", "alone", code=128).err.startswith("fatal: a source and a dest")
