"""``veml checkout`` and ``veml switch``."""

from __future__ import annotations

from typing import Any

import pytest

Place = Any
XML = "images/train/Annotations/0000.xml"


def test_there_and_back(forked: Place) -> None:
    day = (forked.root / XML).read_bytes()
    said = forked.veml("checkout", "night").out.splitlines()
    assert said[0] == "Switched to branch 'night'"
    assert said[1].startswith("  data images/train  ")
    assert (forked.root / XML).read_bytes() != day
    assert forked.veml("checkout", "-").out.startswith("Switched to branch 'main'")
    assert (forked.root / XML).read_bytes() == day
    assert forked.git("status", "--porcelain") == ""
    assert forked.veml("checkout", "main").out == "Already on 'main'\n"


@pytest.mark.parametrize("separator", [(), ("--",)])
def test_paths_with_and_without_separator(forked: Place, separator: tuple[str, ...]) -> None:
    forked.write("notes.txt", "changed\n")
    forked.write(XML, "changed")
    forked.veml("checkout", *separator, XML, "notes.txt")
    assert forked.veml("status", "--porcelain").out == ""
    (forked.root / "notes.txt").unlink()
    forked.veml("checkout", *separator, "notes.txt")
    assert (forked.root / "notes.txt").read_text() == "one\n"


def test_paths_of_a_revision_are_staged_too(forked: Place) -> None:
    forked.veml("checkout", "night", "images/train")
    assert forked.veml("status", "--porcelain").out == "M  images/train/\n"
    assert forked.veml("diff", "--staged", "night", "--name-status", "images/train").out == ""
    assert forked.veml("branch", "--show-current").out == "main\n"


def test_a_branch_of_a_remote_is_guessed(forked: Place) -> None:
    forked.git("update-ref", "refs/remotes/origin/far", "night")
    assert forked.veml("checkout", "far").out.startswith("Switched to a new branch 'far'")


def test_uncommitted_changes_are_carried_or_refused(forked: Place) -> None:
    forked.write(XML, "mine")
    done = forked.veml("checkout", "night", code=1)
    assert f"would overwrite uncommitted changes in images/train: {XML[13:]}" in done.err
    assert "--force" in done.err
    assert (forked.root / XML).read_text() == "mine"
    forked.veml("checkout", "-f", "night")
    assert (forked.root / XML).read_text() != "mine"
    forked.write("images/train/JPEGImages/0001.png", "mine")
    carried = forked.veml("switch", "main").out
    assert "uncommitted changes carried over" in carried
    assert (forked.root / "images/train/JPEGImages/0001.png").read_text() == "mine"


def test_new_branches(forked: Place) -> None:
    forked.veml("checkout", "-b", "evening", "night")
    assert forked.git("rev-parse", "HEAD") == forked.git("rev-parse", "night")
    assert "already" in forked.veml("checkout", "-b", "night", code=128).err
    forked.veml("checkout", "-B", "evening", "main")
    assert forked.git("rev-parse", "evening") == forked.git("rev-parse", "main")
    forked.veml("switch", "-c", "dusk")
    assert forked.veml("branch", "--show-current").out == "dusk\n"


def test_detached(forked: Place) -> None:
    forked.veml("tag", "v1")
    assert "veml switch --detach v1" in forked.veml("switch", "v1", code=128).err
    assert forked.veml("switch", "-d", "v1").out.startswith("HEAD is now at ")
    assert forked.git("branch", "--show-current") == ""
    forked.veml("switch", "main")
    forked.veml("checkout", "--detach")
    assert forked.veml("status").out.startswith("HEAD detached at ")


REFUSALS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("checkout", "nope"), "unknown revision 'nope'"),
    (("checkout", "main", "night"), "expected one branch or revision"),
    (("checkout", "--", "nope.txt"), "nope.txt: not in the index"),
    (("checkout", "--"), "no paths after --"),
    (("checkout", "-b", "x", "--", "notes.txt"), "not of paths"),
    (("switch",), "expected one branch"),
    (("switch", "nope"), "unknown revision 'nope'"),
    (("switch", "-"), "no previous branch"),
)


def test_refusals(drives: Place) -> None:
    drives.veml("branch", "night")
    for arguments, said in REFUSALS:
        done = drives.veml(*arguments, code=128)
        assert said in done.err
        assert done.out == ""


def test_switch_moves_a_branch_here_as_git(forked: Place) -> None:
    """``-C``: made if it is not there, moved if it is; the work tree comes along."""
    main = forked.git("rev-parse", "main")
    forked.veml("switch", "-q", "-C", "night")
    assert forked.git("rev-parse", "night") == main
    forked.veml("switch", "-q", "-C", "new", "main~1")
    assert forked.git("rev-parse", "new") == forked.git("rev-parse", "main~1")
    assert forked.veml("status", "--porcelain", "--verify").out == ""
    assert "expected one branch" in forked.veml("switch", "-c", "a", "-C", "b", code=128).err
