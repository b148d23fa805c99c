"""``veml merge --squash`` and what ``commit`` makes of it; ordinary files as real git does it."""

from __future__ import annotations

import itertools
import subprocess
from typing import Any

import pytest

Place = Any
FOLDER = "images/train"


def boxes(place: Place, where: str, key: str = "0000") -> list[Any]:
    shown = place.veml("show", f"{where}:{FOLDER}/JPEGImages/{key}.png", "--json").json()
    return [(one["class"], one["xyxy"]) for one in shown["annotation"]["objects"]]


def state(place: Place) -> set[str]:
    names = ("MERGE_HEAD", "MERGE_MSG", "SQUASH_MSG", "veml/merge.json")
    return {name for name in names if (place.root / ".git" / name).exists()}


def test_all_of_a_branch_in_one_commit(forked: Place) -> None:
    head = forked.git("rev-parse", "HEAD").strip()
    done = forked.veml("merge", "--squash", "night")
    assert "Squash commit -- not updating HEAD\n" in done.out
    assert "Automatic merge went well; stopped before committing as requested" in done.out
    assert forked.git("rev-parse", "HEAD").strip() == head
    assert state(forked) == {"SQUASH_MSG"}
    assert (forked.root / FOLDER / "JPEGImages/0100.png").exists()
    assert forked.veml("status", "--porcelain").out == "M  images/train/\n"
    assert forked.veml("status", "--json").json()["waiting"] == []
    forked.veml("commit", "-q")
    assert forked.git("rev-list", "--parents", "-1", "HEAD").split()[1:] == [head]
    assert boxes(forked, "HEAD") == [("car", [1, 1, 5, 5]), ("bus", [2, 2, 6, 5])]
    told = forked.git("log", "-1", "--format=%B")
    assert told.startswith("Squashed commit of the following:\n\ncommit ")
    assert "\n    night drive\n" in told
    assert state(forked) == set()
    assert forked.veml("status", "--porcelain", "--verify").out == ""
    assert forked.git("status", "--porcelain") == ""
    # A message of one's own is taken, and the prepared one forgotten.
    forked.veml("reset", "-q", "--hard", head)
    forked.veml("merge", "-q", "--squash", "night")
    forked.veml("commit", "-qm", "mine")
    assert forked.git("log", "-1", "--format=%B").strip() == "mine"
    assert state(forked) == set()


def test_conflicts_are_settled_and_the_message_is_kept(conflicted: Place) -> None:
    conflicted.veml("merge", "--abort")
    done = conflicted.veml("merge", "--squash", "night", code=1)
    assert "Squash commit -- not updating HEAD\nCONFLICT in data images/train" in done.out
    assert "veml commit         finishes the squash" in done.out
    assert "veml reset --hard   drops it" in done.out
    assert state(conflicted) == {"SQUASH_MSG"}
    told = conflicted.veml("status").out
    assert "You have unmerged paths, squashing a branch\n" in told
    assert '(use "veml reset --hard" to abort the squash)' in told
    assert "0000.png  both moved the box" in told
    assert "not settled" in conflicted.veml("commit", "-m", "x", code=1).err
    # As git: there is nothing to abort or to continue.
    assert (
        "no merge is under way, but a squash is"
        in conflicted.veml("merge", "--abort", code=128).err
    )
    assert "no merge is under way" in conflicted.veml("merge", "--continue", code=128).err
    settled = conflicted.veml("resolve", "--all", "--theirs").out
    assert settled.endswith("veml commit finishes the squash\n")
    conflicted.veml("commit", "-q")
    assert conflicted.git("rev-list", "--parents", "-1", "HEAD").split()[1:] == [
        conflicted.git("rev-parse", "HEAD~1").strip()
    ]
    assert boxes(conflicted, "HEAD")[0] == ("car", [1, 1, 5, 4])
    assert (conflicted.root / "notes.txt").read_text() == "night\n"
    assert conflicted.git("log", "-1", "--format=%s") == "Squashed commit of the following:\n"
    assert state(conflicted) == set()
    assert conflicted.veml("status", "--porcelain", "--verify").out == ""


def test_favour_and_refusals(conflicted: Place) -> None:
    conflicted.veml("merge", "--abort")
    head = conflicted.git("rev-parse", "HEAD")
    conflicted.write("images/train/Annotations/0000.xml", "mine")
    done = conflicted.veml("merge", "--squash", "night", code=1)
    assert "would overwrite uncommitted changes" in done.err
    assert state(conflicted) == set()
    conflicted.veml("restore", ".")
    done = conflicted.veml("merge", "--squash", "--no-ff", "night", code=128)
    assert "options '--squash' and '--no-ff' cannot be used together" in done.err
    assert "expected one of" in conflicted.veml("merge", "--squash", code=128).err
    conflicted.veml("merge", "--squash", "-X", "ours", "night")
    assert conflicted.veml("status", "--json").json()["conflicted"] == []
    conflicted.veml("reset", "-q", "--hard")
    assert state(conflicted) == set()
    assert conflicted.git("rev-parse", "HEAD") == head
    assert conflicted.veml("status", "--porcelain", "--verify").out == ""
    assert boxes(conflicted, "")[0] == ("car", [1, 1, 4, 5])
    conflicted.veml("merge", "-q", "-X", "theirs", "night~1")
    told = conflicted.veml("merge", "--squash", "HEAD").out
    assert told == "Already up to date. (nothing to squash)\n"
    assert conflicted.git("merge", "--squash", "HEAD") == told


def test_where_head_could_simply_move(forked: Place) -> None:
    forked.veml("checkout", "-q", "-b", "behind", "night~1")
    head = forked.git("rev-parse", "HEAD")
    for more in ((), ("--ff-only",), ("--no-commit",)):
        forked.veml("merge", "--squash", *more, "night")
        assert forked.git("rev-parse", "HEAD") == head
        assert forked.git("write-tree") == forked.git("rev-parse", "night^{tree}")
        assert (forked.root / FOLDER / "JPEGImages/0100.png").exists()
        forked.veml("reset", "-q", "--hard")
    forked.veml("merge", "-q", "--squash", "night")
    forked.veml("checkout", "-q", "-b", "elsewhere")  # git forgets the message too
    assert state(forked) == set()


@pytest.fixture
def lines(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Ordinary files alone: a branch with a merge in it, odd names and messages.

    No two commits are of the same second: there Git goes by the order in which it met them, and
    may put a parent before its child, which veml never does.
    """
    seconds = itertools.count(1_600_000_000, 60)

    def tick() -> None:
        monkeypatch.setenv("GIT_COMMITTER_DATE", f"{next(seconds)} +0000")

    place.veml("init", "-q")
    place.write("a.txt", "".join(f"{n}\n" for n in range(30)))
    place.veml("add", "a.txt")
    tick()
    place.veml("commit", "-qm", "base")
    place.veml("checkout", "-qb", "side")
    for name, message in (
        ("b", "plain"),
        ("c", "two\nlines\n\n\n\nbody\ttab  \n  indented"),
        ("d", "ünï 你"),
    ):
        place.write(f"{name}.txt", name)
        place.veml("add", ".")
        tick()
        place.git(
            "commit", "-qm", message, "--author=Jürgen Ö. <j@x>", "--date=2020-02-03T04:05:06+0530"
        )
    place.git("checkout", "-q", "-b", "other", "side~1")
    place.write("e.txt", "e")
    place.git("add", ".")
    tick()
    place.git("commit", "-qm", "other")
    place.git("checkout", "-q", "side")
    tick()
    place.git("merge", "-q", "--no-ff", "-m", "joined", "other")
    place.git("checkout", "-q", "main")
    place.write("a.txt", "".join(f"{n}\n" for n in range(29)) + "x\n")
    tick()
    place.git("commit", "-qam", "ours")
    monkeypatch.delenv("GIT_COMMITTER_DATE")
    return place


def test_the_same_message_tree_and_commit_as_git(lines: Place) -> None:
    lines.git("merge", "-q", "--squash", "side")
    expected = (lines.root / ".git/SQUASH_MSG").read_text()
    tree = lines.git("write-tree")
    lines.git("commit", "-q", "--no-edit")
    message = lines.git("log", "-1", "--format=%B")
    lines.git("reset", "-q", "--hard", "HEAD~1")
    lines.veml("merge", "-q", "--squash", "side")
    found = (lines.root / ".git/SQUASH_MSG").read_text()
    assert [one.rstrip() for one in found.splitlines()] == [
        one.rstrip() for one in expected.splitlines()
    ]
    assert lines.git("write-tree") == tree
    lines.veml("commit", "-q")
    assert lines.git("log", "-1", "--format=%B") == message


def test_a_squash_of_gits_is_ended_by_veml_and_the_other_way_round(forked: Place) -> None:
    subprocess.run(["git", "merge", "--squash", "night"], cwd=forked.root, check=False)
    forked.veml("checkout", code=None)
    forked.veml("commit", "-q")
    assert forked.git("log", "-1", "--format=%s") == "Squashed commit of the following:\n"
    assert state(forked) == set()
    forked.veml("reset", "-q", "--hard", "HEAD~1")
    forked.veml("merge", "-q", "--squash", "night")
    forked.git("commit", "-q", "--no-edit")
    assert forked.git("log", "-1", "--format=%s") == "Squashed commit of the following:\n"
    assert forked.veml("status", "--porcelain", "--verify").out == ""


def test_messages_are_cleaned_as_gits(drives: Place) -> None:
    for message in ("a  \n\n\n\nb\t\n\n", "\n\n x\ny", "one\n\n  indented  \n\n\n# kept\n", "  a"):
        drives.git("commit", "--allow-empty", "-qm", message)
        expected = drives.git("cat-file", "commit", "HEAD").split("\n\n", 1)[1]
        drives.veml("commit", "--allow-empty", "-qm", message)
        assert drives.git("cat-file", "commit", "HEAD").split("\n\n", 1)[1] == expected, message
    for empty in ("", "\n \n\t\n"):
        assert (
            "needs a message" in drives.veml("commit", "--allow-empty", "-m", empty, code=128).err
        )


def test_messages_made_from_another_commits(drives: Place) -> None:
    drives.git("commit", "--allow-empty", "-qm", "two\nlines\n\nbody", "--author=Bob <b@x>",
               "--date=2020-02-03T04:05:06+0530")  # fmt: skip
    for arguments in (
        ("--fixup", "HEAD"), ("--fixup", "HEAD", "-m", "more"), ("--squash", "HEAD", "-m", "more"),
        ("-C", "HEAD"), ("--reuse-message=HEAD",), ("--amend", "-C", "HEAD"),
    ):  # fmt: skip
        start = drives.git("rev-parse", "HEAD").strip()
        told = []
        for run in (drives.git, drives.veml):
            run("commit", "--allow-empty", "-q", *arguments)
            told.append(
                drives.git(
                    "log", "-1", "--format=%B|%an|%ae|" + ("%aI" if "C" in str(arguments) else "")
                )
            )
            drives.git("reset", "-q", "--soft", start)
        assert told[0] == told[1], arguments
    for wrong in (("--fixup", "HEAD", "--squash", "HEAD"), ("-C", "HEAD", "-m", "x")):
        assert "expected one of" in drives.veml("commit", "--allow-empty", *wrong, code=128).err


def test_a_merge_is_amended_and_stays_one(forked: Place) -> None:
    forked.veml("merge", "-q", "night")
    parents = forked.git("log", "-1", "--format=%P")
    tree = forked.git("rev-parse", "HEAD^{tree}")
    forked.veml("commit", "--amend", "-qm", "joined by hand", "--author", "Bob <b@x>")
    assert forked.git("log", "-1", "--format=%P") == parents
    assert forked.git("log", "-1", "--format=%s|%an") == "joined by hand|Bob\n"
    assert forked.git("rev-parse", "HEAD^{tree}") == tree
    forked.veml("merge", "--abort", code=128)
    forked.veml("reset", "-q", "--hard", "HEAD~1")
    assert forked.veml("merge", "--no-commit", "night").out.endswith("as requested\n")
    assert state(forked) == {"MERGE_HEAD", "MERGE_MSG", "veml/merge.json"}
    forked.veml("commit", "-q")
    assert len(forked.git("log", "-1", "--format=%P").split()) == 2


def test_the_message_of_a_squash_is_of_that_commit_alone(conflicted: Place) -> None:
    """Seen to fail: an unsettled squash could be stashed, and the next pick took its message."""
    conflicted.veml("merge", "--abort")
    conflicted.veml("merge", "--squash", "night", code=1)
    refused = conflicted.veml("stash", code=1)
    assert "needs merge" in refused.err
    assert subprocess.run(["git", "stash"], cwd=conflicted.root, check=False).returncode == 1
    conflicted.veml("resolve", "--all", "--ours")
    assert state(conflicted) == {"SQUASH_MSG"}
    conflicted.write("more.txt", "x\n")
    conflicted.veml("add", "more.txt")
    conflicted.veml("stash", "-q")
    assert state(conflicted) == set()
    conflicted.veml("stash", "drop", "-q")
    conflicted.write(".git/SQUASH_MSG", "left over\n")
    conflicted.veml("cherry-pick", "-q", "-X", "theirs", "night")
    assert conflicted.git("log", "-1", "--format=%B").strip() == "night"
