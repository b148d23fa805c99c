"""``veml resolve`` asks on a terminal, and lists both sides elsewhere."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import PROGRAM
from veml_vcs.repository.merging.conflict_boxes import conflict_boxes
from veml_vcs.repository.repository import Repository

Place = Any
KEY = "JPEGImages/0000.png"
NAME = f"images/train/{KEY}"


def talk(place: Place, answers: list[str], *arguments: str) -> tuple[int, str]:
    """Run ``veml resolve`` in a terminal, answer each question, return exit code and screen."""
    process, terminal = pty.fork()
    if not process:
        # A test that runs in the background of a shell has inherited that Control-C is ignored.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.chdir(place.root)
        os.environ.update(TERM="dumb", COLUMNS="100")
        os.execv(PROGRAM, ["veml", "resolve", *arguments])
    # Decoded as a whole: a read may end in the middle of a letter.
    screen, asked, end = b"", 0, time.monotonic() + 60
    while time.monotonic() < end:
        if not select.select([terminal], [], [], 0.5)[0]:
            continue
        try:
            read = os.read(terminal, 4096)
        except OSError:
            break
        if not read:
            break
        screen += read
        if screen.count(b"[q]uit?") > asked and asked < len(answers):
            # Python sees a signal between its prompt and its read only when something was read.
            while answers[asked] == "\x03" and not waits(process):
                time.sleep(0.01)
            os.write(terminal, answers[asked].encode())
            asked += 1
    os.close(terminal)
    told = screen.decode("utf-8", "replace").replace("\r\n", "\n")
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), told


def waits(process: int) -> bool:
    """Tell whether a process sleeps until something comes, or has ended."""
    state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    return state in ("S", "Z")


def xml(place: Place) -> str:
    return "".join((place.root / "images/train/Annotations/0000.xml").read_text().split())


def test_it_shows_both_sides_and_asks(conflicted: Place) -> None:
    code, screen = talk(conflicted, ["what\n", "theirs\n", "o\n"])
    assert code == 0, screen
    assert f"[1/2] {NAME}" in screen
    assert "both moved the box" in screen
    lines = [line.split() for line in screen.splitlines()]
    # Ours is 3 x 4 from 1,1, theirs 4 x 3: they share 9 of 15 pixels.
    assert ["≠", "car", "1,1", "3x4", "1,1", "4x3", "0.60", "both"] in lines
    assert ["bike", "2,2", "4x3", "2,2", "4x3", "1.00", "-"] in lines
    assert "o  our side stands" in screen  # the help, for an answer that is none
    assert "[2/2] notes.txt" in screen
    assert "settled 2 conflicts, 0 left" in screen
    assert "<xmax>5</xmax><ymax>4</ymax>" in xml(conflicted)
    assert (conflicted.root / "notes.txt").read_text() == "day\n"
    conflicted.veml("commit", "-m", "merged")


@pytest.mark.parametrize("first", ["s\n", "\n\x04"], ids=["skip", "end of input"])
def test_what_is_skipped_stays_open(conflicted: Place, first: str) -> None:
    before = xml(conflicted)
    code, screen = talk(conflicted, [first, "t\n"])
    assert code == 0, screen
    assert xml(conflicted) == before
    left = conflicted.veml("resolve", "--list", "--json").json()
    assert len(left["conflicts"]) == 1
    settled = "settled 1 conflict, 1 left" in screen
    assert settled == (left["files"] == [])
    assert settled or "nothing settled" in screen


def test_quit_keeps_what_was_answered(conflicted: Place) -> None:
    code, screen = talk(conflicted, ["t\n", "q\n"])
    assert code == 0
    assert "settled 1 conflict, 1 left" in screen
    assert "<xmax>5</xmax><ymax>4</ymax>" in xml(conflicted)


def test_control_c_settles_nothing(conflicted: Place) -> None:
    code, screen = talk(conflicted, ["t\n", "\x03"])
    assert code == 130, screen
    left = conflicted.veml("resolve", "--list", "--json").json()
    assert (len(left["conflicts"]), left["files"]) == (1, ["notes.txt"])


def test_only_what_is_named(conflicted: Place) -> None:
    code, screen = talk(conflicted, ["b\n"], "notes.txt")
    assert code == 0
    assert "[1/1] notes.txt" in screen
    code, screen = talk(conflicted, [], "no/such")
    assert code == 128
    assert "no conflict at no/such" in screen


def test_both_boxes_and_both_lines(conflicted: Place) -> None:
    code, screen = talk(conflicted, ["u\n", "both\n"])
    assert code == 0, screen
    assert "[u]nion" in screen
    assert "settled 2 conflicts, 0 left" in screen
    assert "<xmax>4</xmax><ymax>5</ymax>" in xml(conflicted)
    assert "<xmax>5</xmax><ymax>4</ymax>" in xml(conflicted)
    assert (conflicted.root / "notes.txt").read_text() == "day\nnight\n"
    conflicted.veml("commit", "-qm", "both")
    assert conflicted.veml("status", "--porcelain", "--verify").out == ""


def test_each_conflict_of_a_sample_is_asked_for(drives: Place) -> None:
    """One box to theirs, both of the other: ``e`` asks for each, and ``:PLACE`` names one."""
    drives.veml("checkout", "-q", "-b", "night")
    drives.voc("images/train", {"0000": [("car", 1, 1, 5, 4), ("bike", 2, 2, 7, 5)]})
    drives.veml("commit", "-qam", "night")
    drives.veml("checkout", "-q", "main")
    drives.voc("images/train", {"0000": [("car", 1, 1, 4, 5), ("bike", 2, 2, 6, 6)]})
    drives.veml("commit", "-qam", "day")
    drives.veml("merge", "night", code=1)
    code, screen = talk(drives, ["e\n", "t\n", "u\n"])
    assert code == 0, screen
    assert "settled 2 conflicts, 0 left" in screen
    said = drives.veml("status", "--json").json()["merge"]["conflicts"]
    assert [one["choice"] for one in said] == ["theirs", "both"]
    assert xml(drives).count("<object>") == 3
    assert "<xmax>5</xmax><ymax>4</ymax>" in xml(drives)
    drives.veml("resolve", f"{KEY}:{said[1]['path']}", "--ours")
    assert xml(drives).count("<object>") == 2
    assert "<xmax>5</xmax><ymax>4</ymax>" in xml(drives)  # the other one stays as it was settled
    assert "<xmax>6</xmax><ymax>6</ymax>" in xml(drives)
    assert "no conflict at" in drives.veml("resolve", f"{KEY}:nothing", "--ours", code=128).err


def test_both_is_refused_where_it_has_no_meaning(conflicted: Place) -> None:
    """Seen to fail without ``refuse_both``: it said "settled", and left the conflict open."""
    conflicted.veml("merge", "--abort")
    conflicted.veml("checkout", "-q", "night")
    conflicted.voc("images/train", {"0000": [("bike", 2, 2, 6, 5)]})
    conflicted.write("notes.txt", b"\0 night\n")
    conflicted.veml("commit", "-qam", "no car")
    conflicted.veml("checkout", "-q", "main")
    conflicted.veml("merge", "night", code=1)
    before, listed = xml(conflicted), conflicted.veml("resolve", "--list", "--json").out
    refused = conflicted.veml("resolve", NAME, "notes.txt", "--both", code=128).err
    assert "notes.txt: both sides cannot be kept: it is not a text" in refused
    refused = conflicted.veml("resolve", NAME, "--union", code=128).err
    assert "both sides cannot be kept of this conflict (removed-changed objects#0)" in refused
    assert f"veml resolve {NAME}:objects#0 --ours" in refused
    assert xml(conflicted) == before
    assert conflicted.veml("resolve", "--list", "--json").out == listed
    code, screen = talk(conflicted, ["u\n", "t\n", "union\n", "t\n"])
    assert code == 0, screen
    assert "[u]nion" not in screen


def test_elsewhere_it_lists_both_sides_and_what_to_type(conflicted: Place) -> None:
    out = conflicted.veml("resolve").out
    assert f"objects of {NAME}" in out
    assert ["≠", "car", "1,1", "3x4", "1,1", "4x3", "0.60", "both"] in [
        line.split() for line in out.splitlines()
    ]
    assert f"veml resolve {NAME} --ours" in out


def test_a_merge_that_plain_git_began(drives: Place) -> None:
    drives.git("branch", "other")
    drives.voc("images/train", {"0001": [("car", 1, 1, 4, 5), ("bike", 2, 2, 6, 5)]})
    drives.veml("commit", "-qam", "day")
    drives.git("checkout", "-q", "other")
    drives.voc("images/train", {"0001": [("car", 1, 1, 5, 4), ("bike", 2, 2, 6, 5)]})
    drives.veml("commit", "-qam", "night")
    merged = subprocess.run(
        ["git", "merge", "main"], cwd=drives.root, capture_output=True, text=True, check=False
    )
    assert merged.returncode == 1, merged
    with Repository(str(drives.root)) as repo:
        rows = conflict_boxes(repo, "images/train", "JPEGImages/0001.png")
    assert [(one.classes, one.changed) for one in rows if one.contradicts] == [
        (("car", "car", "car"), "both")
    ]
    refused = drives.veml("resolve", "images/train:nothing", "--both", code=128)
    assert "no conflict at images/train:nothing" in refused.err
    code, screen = talk(drives, ["u\n"])
    assert code == 0, screen
    assert "settled 1 conflict, 0 left" in screen
    merged_boxes = drives.veml("show", "HEAD:images/train", "--json").json()["objects"]
    drives.git("commit", "-q", "--no-edit")
    assert drives.veml("show", "HEAD:images/train", "--json").json()["objects"] == merged_boxes + 1
