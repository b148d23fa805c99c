"""``.vemlmerge``: rules by path and class settle conflicts, in veml's merges and in plain git's."""

from __future__ import annotations

from typing import Any

import pytest

Place = Any
FOLDER = "images/train"
XML = f"{FOLDER}/Annotations/0000.xml"


def classes(place: Place, revision: str = "HEAD") -> list[str]:
    shown = place.veml("show", f"{revision}:{FOLDER}/JPEGImages/0000.png", "--json").json()
    return [one["class"] for one in shown["annotation"]["objects"]]


def contradict(place: Place, rules: str, *, text: bool = False) -> None:
    """Both sides relabel both boxes of one image; main has the rules."""
    place.veml("checkout", "-q", "-b", "night")
    place.voc(FOLDER, {"0000": [("van", 1, 1, 4, 4), ("tram", 2, 2, 6, 5)]})
    if text:
        place.write("notes.txt", "night\n")
    place.veml("commit", "-qam", "night")
    place.veml("checkout", "-q", "main")
    place.voc(FOLDER, {"0000": [("truck", 1, 1, 4, 4), ("bus", 2, 2, 6, 5)]})
    if text:
        place.write("notes.txt", "day\n")
    place.write(".vemlmerge", rules)
    place.veml("add", ".vemlmerge")
    place.veml("commit", "-qam", "day")


def test_without_rules_it_is_a_conflict(drives: Place) -> None:
    """What the other tests settle: remove the rules, and they fail as this one says."""
    contradict(drives, "# nothing\n")
    drives.veml("merge", "night", code=1)
    assert drives.veml("status", "--json").json()["merge"]["conflicts"] != []


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (f"{FOLDER}/** theirs\n", ["van", "tram"]),
        ("images/ ours\n", ["truck", "bus"]),
        ("* base\n", ["car", "bike"]),
        ("* theirs\n*.png ours # the last line that fits wins\n", ["truck", "bus"]),
        ("* ours\n* theirs tram\n", ["truck", "tram"]),
        ("* theirs bus bike\n* ours truck\n", ["truck", "tram"]),
        ("* both\n", ["truck", "van", "bus", "tram"]),
        ("* theirs\n*.png union tram # as Git's attribute says it\n", ["van", "bus", "tram"]),
    ],
)
def test_a_rule_settles(drives: Place, rules: str, expected: list[str]) -> None:
    contradict(drives, rules)
    drives.veml("merge", "night")
    assert classes(drives) == expected
    assert drives.veml("status", "--porcelain", "--verify").out == ""


def test_a_rule_of_one_class_leaves_the_rest_open(drives: Place) -> None:
    contradict(drives, "* theirs tram\n")
    assert drives.veml("merge", "night", code=1).out.count("CONFLICT") == 1
    found = drives.veml("status", "--json").json()["merge"]["conflicts"]
    assert sorted(str(one["choice"]) for one in found) == ["None", "theirs"]
    drives.veml("resolve", f"{FOLDER}/JPEGImages/0000.png", "--ours")
    drives.veml("commit", "-qm", "settled")
    assert classes(drives)[0] == "truck"


def test_what_is_asked_for_goes_before_the_rule_and_the_option_after(drives: Place) -> None:
    contradict(drives, "* theirs tram\n")
    drives.veml("merge", "-q", "-X", "ours", "night")
    assert classes(drives) == ["truck", "tram"]


def test_ordinary_files(drives: Place) -> None:
    contradict(drives, "images/ ours\nnotes.txt theirs\n", text=True)
    drives.veml("merge", "-q", "night")
    assert (drives.root / "notes.txt").read_text() == "night\n"


def test_both_of_a_text_and_where_it_has_no_meaning(drives: Place) -> None:
    contradict(drives, "* theirs\nnotes.txt both\n", text=True)
    drives.veml("merge", "-q", "night")
    assert (drives.root / "notes.txt").read_text() == "day\nnight\n"
    drives.veml("reset", "-q", "--hard", "HEAD~1")
    drives.write("notes.txt", b"\0 day\n")
    drives.write(".vemlmerge", "images/ ours\nnotes.txt base\n* both\n")
    drives.veml("commit", "-qam", "no text any more")
    drives.veml("merge", "-q", "night")  # the last line that can settle it: there is no both
    assert (drives.root / "notes.txt").read_text() == "one\n"
    assert classes(drives) == ["truck", "van", "bus", "tram"]


def test_cherry_pick_and_stash_heed_them(drives: Place) -> None:
    contradict(drives, "* theirs\n")
    drives.veml("cherry-pick", "-q", "night")
    assert classes(drives) == ["van", "tram"]
    drives.veml("reset", "-q", "--hard", "HEAD~1")
    drives.veml("checkout", "-q", "night")
    drives.voc(FOLDER, {"0000": [("cart", 1, 1, 4, 4), ("tram", 2, 2, 6, 5)]})
    drives.veml("stash", "-q")
    drives.veml("checkout", "-q", "main")
    drives.veml("stash", "pop", "-q")
    assert "cart" in (drives.root / XML).read_text()


@pytest.mark.slow
def test_plain_git_heeds_them(drives: Place) -> None:
    contradict(drives, "* theirs\n")
    drives.git("merge", "-q", "--no-edit", "night")
    assert classes(drives) == ["van", "tram"]
    drives.git("reset", "-q", "--hard", "HEAD~1")
    drives.git("checkout", "-q", "-b", "copy")
    drives.git("rebase", "-q", "--onto", "main", "night~1", "night")  # HEAD is the new base
    assert classes(drives) == ["van", "tram"]
    assert drives.veml("status", "--porcelain", "--verify").out == ""


def test_theirs_cannot_decide_for_us(drives: Place) -> None:
    """The rules are those of our commit; a branch that brings others does not settle with them."""
    drives.veml("checkout", "-q", "-b", "night")
    drives.voc(FOLDER, {"0000": [("van", 1, 1, 4, 4), ("bike", 2, 2, 6, 5)]})
    drives.write(".vemlmerge", "* theirs\n")
    drives.veml("add", ".vemlmerge")
    drives.veml("commit", "-qam", "night")
    drives.veml("checkout", "-q", "main")
    drives.voc(FOLDER, {"0000": [("truck", 1, 1, 4, 4), ("bike", 2, 2, 6, 5)]})
    drives.veml("commit", "-qam", "day")
    drives.veml("merge", "night", code=1)


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        (
            "* mine\n",
            ".vemlmerge:1: expected PATTERN and ours, theirs, base or both, found '* mine'",
        ),
        ("# fine\n\n*\n", ".vemlmerge:3: expected PATTERN"),
        ('* ours "open\n', ".vemlmerge:1: No closing quotation"),
        ("* ours\n" * 200_000, "bytes; rules are at most"),
    ],
)
def test_what_is_no_rule_is_refused_before_anything_is_written(
    drives: Place, rules: str, said: str
) -> None:
    contradict(drives, rules)
    before = (drives.root / XML).read_bytes()
    assert said in drives.veml("merge", "night", code=None).err
    assert (drives.root / XML).read_bytes() == before
    assert drives.veml("status", "--porcelain").out == ""
