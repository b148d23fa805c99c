"""``veml cherry-pick`` and ``veml revert``; ordinary files as real git does it."""

from __future__ import annotations

from typing import Any

import pytest

Place = Any
FOLDER = "images/train"


def box(place: Place, revision: str, key: str = "0000") -> list[Any]:
    shown = place.veml("show", f"{revision}:{FOLDER}/JPEGImages/{key}.png", "--json").json()
    return [(one["class"], one["xyxy"]) for one in shown["annotation"]["objects"]]


def test_cherry_pick_takes_boxes_over_and_keeps_ours(forked: Place) -> None:
    """Night moved a box of the image in which day relabelled another: both stand."""
    forked.git("config", "user.name", "Bob")
    done = forked.veml("cherry-pick", "-x", "night").out
    assert done.startswith("[main ")
    assert box(forked, "HEAD") == [("car", [1, 1, 5, 5]), ("bus", [2, 2, 6, 5])]
    assert (forked.root / FOLDER / "JPEGImages/0100.png").exists()
    assert (forked.root / FOLDER / "JPEGImages/0200.png").exists()
    assert forked.git("log", "-1", "--format=%an %cn") == "Ann Bob\n"
    night = forked.git("rev-parse", "night").strip()
    assert forked.git("log", "-1", "--format=%B").strip() == (
        f"night drive\n\n(cherry picked from commit {night})"
    )
    assert forked.git("status", "--porcelain") == ""
    assert forked.veml("status", "--porcelain", "--verify").out == ""
    again = forked.veml("cherry-pick", "night").out
    assert again.endswith("has nothing that is not here already\n")


def test_revert_undoes_one_commit_and_leaves_later_ones(forked: Place) -> None:
    forked.voc(FOLDER, {"0001": [("car", 0, 0, 2, 2)]})
    forked.veml("commit", "-qam", "later")
    before = forked.git("rev-parse", "HEAD~1").strip()
    forked.veml("revert", "HEAD~1")
    assert box(forked, "HEAD") == [("car", [1, 1, 4, 4]), ("bike", [2, 2, 6, 5])]
    assert box(forked, "HEAD", "0001") == [("car", [0, 0, 2, 2])]
    assert not (forked.root / FOLDER / "JPEGImages/0200.png").exists()
    assert forked.git("log", "-1", "--format=%B").strip() == (
        f'Revert "day drive"\n\nThis reverts commit {before}.'
    )
    forked.veml("revert", "HEAD")
    assert box(forked, "HEAD") == [("car", [1, 1, 4, 4]), ("bus", [2, 2, 6, 5])]


def test_revert_of_a_merge(forked: Place) -> None:
    forked.veml("merge", "-q", "night")
    assert "-m 1" in forked.veml("revert", "HEAD", code=128).err
    forked.veml("revert", "-q", "-m", "1", "HEAD")
    assert forked.git("diff", "--stat", "HEAD~1^1", "HEAD") == ""


def conflicting(place: Place) -> None:
    place.veml("checkout", "-q", "night")
    place.voc(FOLDER, {"0000": [("car", 0, 0, 5, 5), ("bike", 2, 2, 6, 5)]})
    place.veml("commit", "-qam", "night again")
    place.veml("checkout", "-q", "main")
    place.voc(FOLDER, {"0000": [("car", 1, 1, 3, 3), ("bus", 2, 2, 6, 5)]})
    place.veml("commit", "-qam", "day again")


def test_conflicts_are_settled_and_the_rest_goes_on(forked: Place) -> None:
    conflicting(forked)
    head = forked.git("rev-parse", "HEAD")
    done = forked.veml("cherry-pick", "main..night", code=1)
    assert "CONFLICT in data images/train" in done.out
    assert "veml cherry-pick --continue" in done.out
    assert "1 commit to go after it" in done.out
    assert forked.git("rev-parse", "CHERRY_PICK_HEAD") == forked.git("rev-parse", "night~1")
    assert "You are currently cherry-picking" in forked.git("status")
    said = forked.veml("status").out
    assert "cherry-picking " in said
    assert 'use "veml cherry-pick --abort"' in said
    for refused in (("merge", "night"), ("checkout", "night"), ("cherry-pick", "night")):
        assert "a cherry-pick is under way" in forked.veml(*refused, code=1).err
    assert "no revert is under way" in forked.veml("revert", "--abort", code=128).err
    assert "not settled" in forked.veml("cherry-pick", "--continue", code=1).err
    forked.veml("resolve", "--all", "--theirs")
    again = forked.veml("cherry-pick", "--continue").out
    assert [one.split("] ")[1] for one in again.splitlines() if one.startswith("[main ")] == [
        "night drive",
        "night again",
    ]
    assert box(forked, "HEAD")[0] == ("car", [0, 0, 5, 5])
    assert forked.git("log", "--format=%s", f"{head.strip()}..") == "night again\nnight drive\n"
    assert forked.veml("status", "--porcelain").out == ""


def test_abort_and_skip(forked: Place) -> None:
    conflicting(forked)
    head = forked.git("rev-parse", "HEAD")
    forked.veml("cherry-pick", "night~1", "night", code=1)
    assert "aborted" in forked.veml("cherry-pick", "--abort").out
    assert forked.git("rev-parse", "HEAD") == head
    assert forked.veml("status", "--porcelain", "--verify").out == ""
    assert forked.git("status", "--porcelain") == ""
    forked.veml("cherry-pick", "night~1", code=1)
    forked.veml("cherry-pick", "--skip")
    assert forked.git("rev-parse", "HEAD") == head
    assert forked.veml("status", "--porcelain", "--verify").out == ""


def test_abort_returns_to_before_the_first_of_several(forked: Place) -> None:
    conflicting(forked)
    forked.veml("checkout", "-q", "night")
    forked.write("extra.txt", "x\n")
    forked.veml("add", "extra.txt")
    forked.veml("commit", "-qm", "extra")
    forked.veml("checkout", "-q", "main")
    head = forked.git("rev-parse", "HEAD")
    forked.veml("cherry-pick", "night", "night~1", code=1)
    assert forked.git("rev-parse", "HEAD") != head
    forked.veml("cherry-pick", "--abort")
    assert forked.git("rev-parse", "HEAD") == head
    assert not (forked.root / "extra.txt").exists()


def test_favour_settles(forked: Place) -> None:
    conflicting(forked)
    forked.veml("cherry-pick", "-q", "-X", "ours", "night~1")
    assert box(forked, "HEAD")[0] == ("car", [1, 1, 3, 3])


def test_no_commit(forked: Place) -> None:
    head = forked.git("rev-parse", "HEAD")
    assert "nothing was committed" in forked.veml("cherry-pick", "-n", "night").out
    assert forked.git("rev-parse", "HEAD") == head
    assert forked.veml("status", "--porcelain").out == "M  images/train/\n"
    assert forked.veml("cherry-pick", "--continue", code=128).err.startswith("fatal: no cherry")


def test_ordinary_files_as_git(place: Place) -> None:
    """The same commits, picked by veml and by git, give the same tree and the same message."""
    place.veml("init", "-q")
    for text in ("1\n2\n3\n4\n5\n6\n7\n", "1\n2\n3\n4\n5\n6\nseven\n"):
        place.write("a.txt", text)
        place.veml("add", "a.txt")
        place.veml("commit", "-qm", "base" if text.startswith("1\n2\n3\n4\n5\n6\n7") else "seven")
    place.veml("checkout", "-qb", "other", "HEAD~1")
    place.write("a.txt", "one\n2\n3\n4\n5\n6\n7\n")
    place.veml("commit", "-qam", "one\n\nmore")
    place.veml("checkout", "-qb", "by-veml")
    place.veml("cherry-pick", "main")
    place.veml("revert", "other")
    place.git("checkout", "-q", "-b", "by-git", "other")
    place.git("cherry-pick", "main")
    place.git("revert", "--no-edit", "other")
    for form in ("%T", "%B", "%an %ae"):
        ours, theirs = (
            place.git("log", f"--format={form}", f"by-{one}") for one in ("veml", "git")
        )
        assert ours == theirs


def test_text_conflicts_are_marked_as_git_marks_them(place: Place) -> None:
    place.veml("init", "-q")
    texts = {"main": "a\nours\nc", "other": "a\ntheirs\nc"}
    place.write("a.txt", "a\nb\nc")
    place.veml("add", "a.txt")
    place.veml("commit", "-qm", "base")
    place.veml("branch", "other")
    for branch, text in texts.items():
        place.veml("checkout", "-q", branch)
        place.write("a.txt", text)
        place.veml("commit", "-qam", branch)
    place.veml("checkout", "-q", "main")
    place.veml("merge", "other", code=1)
    marked = (place.root / "a.txt").read_text()
    place.veml("merge", "--abort")
    assert (place.root / "a.txt").read_text() == texts["main"]
    with pytest.raises(AssertionError):
        place.git("merge", "other")
    assert marked == (place.root / "a.txt").read_text()


def test_resolve_goes_by_the_base_of_a_replay(place: Place) -> None:
    """Seen to fail: it took the common ancestor, and of a first commit it said damage."""
    place.veml("init", "-q")
    place.write("gone.txt", "gone\n")
    for text in ("zero", "one", "two", "three"):
        place.write("notes.txt", f"{text}\n")
        if text == "three":
            (place.root / "gone.txt").unlink()
        place.git("add", "-A")
        place.git("commit", "-qm", text)
    place.git("checkout", "-qb", "side", "HEAD~2")
    place.write("notes.txt", "side\n")
    place.write("gone.txt", "changed\n")
    place.git("commit", "-qam", "side")
    place.veml("cherry-pick", "main", code=1)
    for _ in range(2):  # the second is the same command after a kill
        place.veml("resolve", "notes.txt", "--base")
        place.veml("resolve", "gone.txt", "--theirs")
    assert (place.root / "notes.txt").read_text() == "two\n"
    assert not (place.root / "gone.txt").exists()
    place.veml("cherry-pick", "--abort")
    first = place.git("rev-list", "--max-parents=0", "HEAD").strip()
    place.veml("revert", first, code=1)
    assert "no conflict at nosuch" in place.veml("resolve", "nosuch", "--ours", code=128).err


@pytest.mark.parametrize("command", ["cherry-pick", "revert"])
def test_refusals(forked: Place, command: str) -> None:
    for arguments, said in (
        ((), "expected one of REV"),
        (("nope",), "unknown revision 'nope'"),
        (("HEAD..HEAD",), f"no commit to {command}"),
        (("--continue", "HEAD"), "expected one of REV"),
        (("-m", "2", "HEAD"), "has no parent 2"),
        (("--skip",), f"no {command} is under way"),
    ):
        assert said in forked.veml(command, *arguments, code=128).err
    forked.write("images/train/Annotations/0000.xml", "mine")
    done = forked.veml(command, "night" if command == "cherry-pick" else "HEAD", code=1)
    assert "would overwrite uncommitted changes" in done.err
    assert (forked.root / "images/train/Annotations/0000.xml").read_text() == "mine"


def test_habits(forked: Place) -> None:
    """``--no-edit`` is typed by everybody who scripts git."""
    forked.veml("revert", "-q", "--no-edit", "HEAD")
    forked.veml("merge", "-q", "--no-edit", "night")


def test_unrelated_histories_are_refused_as_in_git(forked: Place) -> None:
    forked.git("checkout", "-q", "--orphan", "alien")
    forked.veml("commit", "-qm", "from nothing")
    forked.veml("checkout", "-q", "main")
    head = forked.git("rev-parse", "HEAD")
    done = forked.veml("merge", "alien", code=1)
    assert "unrelated histories" in done.err
    assert "--allow-unrelated-histories" in done.err
    assert forked.git("rev-parse", "HEAD") == head
    forked.veml("merge", "-q", "--allow-unrelated-histories", "alien")
    assert len(forked.git("log", "-1", "--format=%P").split()) == 2
