"""``veml merge`` and ``veml resolve``: every way to end, what is said, and what Git sees."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Place

IMAGE = "images/train/JPEGImages/0000.png"


def label(place: Place) -> str:
    """Return the label file that both sides changed, without blanks."""
    return "".join((place.root / "images/train/Annotations/0000.xml").read_text().split())


def test_by_box_and_by_sample(forked: Place) -> None:
    done = forked.veml("merge", "night")
    lines = done.out.splitlines()
    assert "data images/train  base 6 + added 2 - removed 0 = 8 samples" in lines
    assert "  boxes of samples that both sides changed: base 2 + added 0 - removed 0 = 2" in lines
    assert "<xmax>5</xmax><ymax>5</ymax>" in label(forked)  # the box that night moved
    assert "<name>bus</name>" in label(forked)  # the class that main corrected
    assert forked.git("log", "-1", "--format=%s|%p").count(" ") == 3
    assert forked.git("log", "-1", "--format=%s") == "Merge branch 'night'\n"
    assert forked.veml("status", "--porcelain").out == forked.git("status", "--porcelain") == ""
    assert forked.git("fsck", "--strict", "--no-dangling") == ""


def test_fast_forward_and_its_flags(drives: Place) -> None:
    drives.veml("checkout", "-qb", "night")
    drives.voc("images/train", {"0000": []})
    drives.veml("commit", "-qam", "night")
    drives.veml("checkout", "-q", "main")
    assert "Already up to date" in drives.veml("merge", "main").out
    drives.veml("merge", "--no-ff", "-q", "-m", "by hand", "night")
    assert drives.git("log", "-1", "--format=%s") == "by hand\n"
    assert len(drives.git("log", "-1", "--format=%P").split()) == 2
    drives.veml("reset", "-q", "--hard", "HEAD^1")
    assert "Fast-forward" in drives.veml("merge", "--ff-only", "night").out
    assert drives.git("rev-parse", "HEAD") == drives.git("rev-parse", "night")


def test_ff_only_refuses_a_real_merge(forked: Place) -> None:
    head = forked.git("rev-parse", "HEAD")
    done = forked.veml("merge", "--ff-only", "night", code=1)
    assert done.err == (
        "error: night: not possible to fast-forward, HEAD has commits of its own\n"
        "hint: veml merge without --ff-only\n"
    )
    assert forked.git("rev-parse", "HEAD") == head
    assert forked.veml("status", "--porcelain").out == ""


def test_no_commit_and_continue(forked: Place) -> None:
    head = forked.git("rev-parse", "HEAD")
    forked.veml("merge", "--no-commit", "night")
    assert forked.git("rev-parse", "HEAD") == head
    assert forked.git("rev-parse", "MERGE_HEAD") == forked.git("rev-parse", "night")
    assert "under way" in forked.veml("merge", "night", code=1).err
    assert "[main " in forked.veml("merge", "--continue", "-m", "done").out
    assert forked.git("log", "-1", "--format=%s") == "done\n"


def test_conflicts_are_typed_and_settled(conflicted: Place) -> None:
    place = conflicted
    assert place.git("status", "--porcelain") == "UU images/train.veml\nUU notes.txt\n"
    document = place.veml("resolve", "--list", "--json").json()
    (one,) = document["conflicts"]
    assert (one["dataset"], one["key"], one["kind"]) == (
        "images/train", "JPEGImages/0000.png", "moved-both",
    )  # fmt: skip
    assert [one[side]["xyxy"] for side in ("base", "ours", "theirs")] == [
        [1, 1, 4, 4], [1, 1, 4, 5], [1, 1, 5, 4],
    ]  # fmt: skip
    assert document["files"] == ["notes.txt"]
    listed = place.veml("resolve").out
    assert "both moved the box" in listed
    assert f"veml resolve {IMAGE} --ours   or --theirs, --base" in listed
    done = place.veml("resolve", IMAGE, "--theirs")
    assert done.out.startswith("settled 1 conflict, ")
    assert "<xmax>5</xmax><ymax>4</ymax>" in label(place)
    place.veml("resolve", "notes.txt", "--ours")
    assert (place.root / "notes.txt").read_text() == "day\n"
    place.veml("commit", "--no-edit")
    assert place.git("log", "-1", "--format=%s") == "Merge branch 'night'\n"
    assert place.veml("status", "--porcelain").out == ""
    assert place.git("fsck", "--strict", "--no-dangling") == ""


def test_settle_all_and_abort(conflicted: Place) -> None:
    place = conflicted
    assert place.veml("resolve", "--all", "--base", "--json").json()["left"] == []
    assert "<xmax>4</xmax><ymax>4</ymax>" in label(place)
    assert (place.root / "notes.txt").read_text() == "one\n"
    assert place.veml("merge", "--abort").out.startswith("Merge aborted; HEAD is at ")
    assert (place.root / "notes.txt").read_text() == "day\n"
    assert place.veml("status", "--porcelain").out == place.git("status", "--porcelain") == ""
    assert "no merge is under way" in place.veml("merge", "--abort", code=128).err


@pytest.mark.parametrize(("side", "ymax"), [("ours", 5), ("theirs", 4)])
def test_favour_a_side(conflicted: Place, side: str, ymax: int) -> None:
    conflicted.veml("merge", "--abort")
    done = conflicted.veml("merge", "-X", side, "night", code=None)
    assert f"<ymax>{ymax}</ymax>" in label(conflicted)
    assert "CONFLICT in data" not in done.out


def test_uncommitted_changes_are_not_lost(forked: Place) -> None:
    forked.voc("images/train", {"0000": [("mine", 0, 0, 1, 1)]})
    head = forked.git("rev-parse", "HEAD")
    done = forked.veml("merge", "night", code=1)
    assert "0000" in done.err
    assert "hint: " in done.err
    assert "mine" in (forked.root / "images/train/Annotations/0000.xml").read_text()
    assert forked.git("rev-parse", "HEAD") == head


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("merge",), 128, "expected one of REV, --abort and --continue"),
        (("merge", "nowhere"), 128, "unknown revision 'nowhere'"),
        (("merge", "--continue"), 128, "no merge is under way"),
        (("merge", "-X", "nobody", "night"), 129, "nobody"),
        (("resolve", "x", "--ours"), 128, "merge"),
    ],
)
def test_what_cannot_be_merged(
    forked: Place, arguments: tuple[str, ...], code: int, said: str
) -> None:
    done = forked.veml(*arguments, code=code)
    assert said in done.err
    assert done.out == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((IMAGE,), "one of --ours, --theirs, --base and --both"),
        ((IMAGE, "--ours", "--theirs"), "one of --ours, --theirs, --base and --both"),
        (("--all", IMAGE, "--ours"), "expected keys (or --all)"),
        (("images/train/none.png", "--ours"), "no conflict at images/train/none.png"),
    ],
)
def test_what_cannot_be_settled(conflicted: Place, arguments: tuple[str, ...], said: str) -> None:
    done = conflicted.veml("resolve", *arguments, code=128)
    assert said in done.err
    assert "hint: veml " in done.err
    assert len(conflicted.veml("resolve", "--json").json()["conflicts"]) == 1
