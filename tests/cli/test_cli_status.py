"""``veml status``: long, short and JSON; what it advises can be typed."""

from __future__ import annotations

import re

from tests.cli.conftest import Place, png


def test_before_the_first_commit_the_advice_works(place: Place) -> None:
    """Seen to fail: it said ``restore --staged``, which needs a commit."""
    place.veml("init")
    place.voc("data", {"a": [("car", 1, 1, 4, 4)]})
    place.write("notes.txt", "x\n")
    told = place.veml("status").out
    assert 'Untracked data sets:\n  (use "veml add FOLDER" to track one' in told
    assert "        data/\n" in told
    place.veml("add", "data", "notes.txt")
    told = place.veml("status").out
    assert "No commits yet" in told
    assert "        new data:       data  +1 sample, 1 other file\n" in told
    advice = re.search(r'use "veml (.*) PATH\.\.\." to unstage', told)
    assert advice
    place.veml(*advice[1].split(), "data", "notes.txt")
    assert place.veml("status", "--porcelain").out == "?? data/\n?? notes.txt\n"


def test_each_place_in_each_form(drives: Place) -> None:
    drives.write("notes.txt", "two\n")
    drives.voc("images/train", {"0000": []})
    drives.veml("add", ".")
    drives.write("images/train/JPEGImages/0001.png", png(91))
    (drives.root / "images/train/JPEGImages/0002.png").unlink()
    drives.write("new.txt", "x\n")
    told = drives.veml("status").out
    assert told.startswith("On branch main\n")
    assert "modified data:  images/train  ~1 sample, 1 other file\n" in told
    assert "modified:       notes.txt\n" in told
    assert "modified data:  images/train  -1 ~1 files\n" in told
    assert "- JPEGImages/0002.png" in told
    assert "new.txt" in told
    assert drives.veml("status", "-sb").out == (
        "## main\nMM images/train/\nM  notes.txt\n?? new.txt\n"
    )
    assert drives.veml("status", "-s", "-uno").out == "MM images/train/\nM  notes.txt\n"
    found = drives.veml("status", "--json").json()
    assert found["changed_data"]["images/train"]["removed"] == ["JPEGImages/0002.png"]
    assert found["untracked"] == ["new.txt"]
    assert found["head"] == {"branch": "main", "commit": drives.git("rev-parse", "HEAD").strip()}
    # C Git sees records and ordinary files, and no data folder.
    assert drives.git("status", "--porcelain") == "M  images/train.veml\nM  notes.txt\n?? new.txt\n"


def test_paths_are_seen_from_here_in_the_short_form_alone(drives: Place) -> None:
    drives.write("notes.txt", "two\n")
    drives.voc("images/train", {"0000": []})
    (drives.root / "docs").mkdir()
    assert drives.veml("-C", "docs", "status", "-s").out == " M ../images/train/\n M ../notes.txt\n"
    told = drives.veml("-C", str(drives.root / "docs"), "status", "--porcelain").out
    assert told == " M images/train/\n M notes.txt\n"


def test_a_merge_and_what_is_left_of_it(conflicted: Place) -> None:
    told = conflicted.veml("status").out
    assert "You have unmerged paths, merging night\n" in told
    assert "0000.png  both moved the box  objects#0.xyxy\n" in told
    assert "notes.txt" in told
    assert conflicted.veml("status", "-s").out == "UU images/train/\nUU notes.txt\n"
    assert conflicted.git("status", "--porcelain") == "UU images/train.veml\nUU notes.txt\n"
    conflicted.veml("resolve", "--all", "--theirs")
    told = conflicted.veml("status").out
    assert 'All conflicts fixed but you are still merging night\n  (use "veml commit"' in told


def test_detached_and_clean(drives: Place) -> None:
    assert drives.veml("status").out == "On branch main\nnothing to commit, working tree clean\n"
    drives.veml("checkout", "-q", "--detach")
    short = drives.git("rev-parse", "--short", "HEAD").strip()
    assert drives.veml("status").out.startswith(f"HEAD detached at {short}")
    assert drives.veml("status", "-sb").out == "## HEAD (no branch)\n"
    assert "'many' is not one of" in drives.veml("status", "-umany", code=129).err
