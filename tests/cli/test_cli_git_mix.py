"""veml's commands and plain git's on one repository: each goes on from where the other stopped."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

Place = Any
FOLDER = "images/train"
XML = f"{FOLDER}/Annotations/0000.xml"


def conflicting(place: Place) -> None:
    place.voc(FOLDER, {"0000": [("car", 1, 1, 3, 3), ("bus", 2, 2, 6, 5)]})
    place.veml("commit", "-qam", "day again")


def clean(place: Place) -> bool:
    shown = place.veml("status", "--porcelain", "--verify").out
    return str(shown) == "" and place.git("status", "--porcelain") == ""


def git(place: Place, *arguments: str) -> int:
    return subprocess.run(
        ["git", *arguments], cwd=place.root, capture_output=True, check=False
    ).returncode


@pytest.mark.slow
def test_git_gives_up_what_veml_began(forked: Place) -> None:
    """No state of veml's outlives ``git cherry-pick --abort``; the folder goes along."""
    conflicting(forked)
    before = (forked.root / XML).read_bytes()
    forked.veml("cherry-pick", "night", code=1)
    forked.git("cherry-pick", "--abort")
    forked.veml("checkout")
    assert clean(forked)
    assert (forked.root / XML).read_bytes() == before
    forked.veml("revert", "-q", "HEAD~1", code=None)
    assert "cherry-picking" not in forked.veml("status").out


@pytest.mark.slow
def test_git_finishes_what_veml_began(forked: Place) -> None:
    conflicting(forked)
    forked.veml("cherry-pick", "night", code=1)
    forked.veml("resolve", "--all", "--theirs")
    forked.git("-c", "core.editor=true", "cherry-pick", "--continue")
    assert clean(forked)
    assert forked.git("log", "-1", "--format=%s") == "night drive\n"
    assert "no cherry-pick is under way" in forked.veml("cherry-pick", "--abort", code=128).err


@pytest.mark.slow
def test_veml_says_what_git_began(forked: Place) -> None:
    conflicting(forked)
    assert git(forked, "cherry-pick", "night") == 1
    said = forked.veml("status").out
    assert 'use "git cherry-pick --abort"' in said
    for words in ("--abort", "--continue"):
        done = forked.veml("cherry-pick", words, code=128)
        assert f"git cherry-pick {words}" in done.err
    assert "git cherry-pick --continue finishes it" in forked.veml("merge", "night", code=1).err
    assert "git cherry-pick --continue" in forked.veml("resolve", "--all", "--ours").out
    assert git(forked, "cherry-pick", "--skip") == 0
    forked.veml("checkout")
    assert clean(forked)


@pytest.mark.slow
@pytest.mark.parametrize("give_up", [("git", "reset", "--hard"), ("veml", "reset", "--hard")])
def test_a_stash_that_conflicts_leaves_nothing_behind(forked: Place, give_up: Any) -> None:
    """Whoever resets, the next merge is not refused, and the stash is still there."""
    forked.voc(FOLDER, {"0000": [("car", 1, 1, 4, 4), ("tram", 2, 2, 6, 5)]})
    forked.veml("stash", "-q")
    forked.veml("checkout", "-q", "night")
    forked.veml("stash", "pop", "-q", code=1)
    assert "unmerged" in forked.veml("status").out
    tool, *words = give_up
    getattr(forked, tool)(*words)
    assert clean(forked)
    assert forked.git("stash", "list") != ""
    forked.veml("merge", "-q", "main")
    assert clean(forked)


def test_changes_that_a_mixed_reset_uncovers_survive_a_checkout(forked: Place) -> None:
    """Folder and record must not look as if Git had moved the record: then it would be followed."""
    mine = (forked.root / XML).read_bytes()
    forked.veml("reset", "-q", "HEAD~1")
    assert (forked.root / XML).read_bytes() == mine
    forked.veml("checkout")
    assert (forked.root / XML).read_bytes() == mine
    assert forked.veml("status", "--porcelain").out == " M images/train/\n"
    forked.veml("commit", "-qam", "once more")
    assert forked.git("diff", "--stat", "HEAD@{1}~0", "HEAD", "--", f"{FOLDER}.veml") != ""
    assert clean(forked)


def test_an_applied_stash_survives_a_checkout(drives: Place) -> None:
    drives.voc(FOLDER, {"0000": [("tram", 1, 1, 4, 4), ("bus", 2, 2, 6, 5)]})
    mine = (drives.root / XML).read_bytes()
    drives.veml("stash", "-q")
    drives.veml("stash", "apply", "-q")
    drives.veml("checkout")
    assert (drives.root / XML).read_bytes() == mine
    assert drives.veml("status", "--porcelain").out == " M images/train/\n"


def test_uncommitted_changes_outlive_an_aborted_merge(conflicted: Place) -> None:
    """Of files that the merge did not touch; as ``git merge --abort``."""
    conflicted.veml("merge", "--abort")
    conflicted.voc(FOLDER, {"0001": [("mine", 0, 0, 2, 2)]})
    mine = (conflicted.root / FOLDER / "Annotations/0001.xml").read_bytes()
    conflicted.veml("merge", "night", code=1)
    conflicted.veml("merge", "--abort")
    assert (conflicted.root / FOLDER / "Annotations/0001.xml").read_bytes() == mine
    assert conflicted.veml("status", "--porcelain").out == " M images/train/\n"


def test_an_edit_in_a_file_that_only_we_changed_outlives_an_aborted_merge(forked: Place) -> None:
    """Their side never had it, so the merge wrote nothing there."""
    conflicting(forked)
    forked.voc(FOLDER, {"0200": [("mine", 0, 0, 2, 2)]})
    mine = (forked.root / FOLDER / "Annotations/0200.xml").read_bytes()
    forked.veml("merge", "night", code=1)
    forked.veml("merge", "--abort")
    assert (forked.root / FOLDER / "Annotations/0200.xml").read_bytes() == mine


@pytest.mark.parametrize(
    ("begin", "end"), [(("merge", "night"), "merge"), (("cherry-pick", "night"), "cherry-pick")]
)
def test_a_damaged_state_can_be_given_up(forked: Place, begin: Any, end: str) -> None:
    conflicting(forked)
    head = forked.git("rev-parse", "HEAD")
    before = (forked.root / XML).read_bytes()
    forked.veml(*begin, code=1)
    (state,) = (forked.root / ".git").rglob("merge.json")
    state.write_text(state.read_text().replace('"ours"', '"mine"', 1))
    said = forked.veml("status", code=None)
    assert "cannot be read" in said.err
    assert f"{end} --abort" in said.err
    done = forked.veml(end, "--abort", code=None)
    if done.code:  # what is left is as plain git leaves it
        assert "git cherry-pick --abort" in done.err
        forked.git("cherry-pick", "--abort")
        forked.veml("checkout")
    assert clean(forked)
    assert forked.git("rev-parse", "HEAD") == head
    assert (forked.root / XML).read_bytes() == before
