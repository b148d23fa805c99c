"""``veml diff``: what is compared with what, each view, and its exit codes."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Place, png


def test_boxes_classes_and_samples_as_a_table(forked: Place) -> None:
    lines = forked.veml("diff", "main", "night").out.splitlines()
    assert lines[0] == "data images/train  +1 -1 ~1 samples, boxes +1 -1, 1 moved, 1 relabelled"
    table = [" ".join(line.split()) for line in lines]
    assert "annotated JPEGImages/0000.png moved car 1,1 .. 4,4 -> 1,1 .. 5,5 0.56" in table
    assert "relabelled bus -> bike" in table
    assert "added JPEGImages/0100.png car 1 74 bytes" in table
    assert "removed JPEGImages/0200.png bike 1 74 bytes" in table
    assert any(line.startswith("bus 1") and line.endswith("-1") for line in table)
    # What is seen from the other end is the reverse.
    back = [" ".join(one.split()) for one in forked.veml("diff", "night..main").out.splitlines()]
    assert "removed JPEGImages/0100.png car 1 74 bytes" in back


def test_short_views(forked: Place) -> None:
    assert forked.veml("diff", "main", "night", "--stat").out == (
        " data images/train  |  +1 -1 ~1 samples, boxes +1 -1, 1 moved, 1 relabelled\n"
        " 1 data set changed\n"
    )
    assert forked.veml("diff", "main", "night", "--name-status").out.splitlines() == [
        "M\timages/train/Annotations/0000.xml",
        "A\timages/train/Annotations/0100.xml",
        "D\timages/train/Annotations/0200.xml",
        "M\timages/train/JPEGImages/0000.png",
        "A\timages/train/JPEGImages/0100.png",
        "D\timages/train/JPEGImages/0200.png",
    ]
    assert forked.veml(
        "diff", "main", "night", "--name-only", "--", "images/train/JPEGImages"
    ).out == (
        "images/train/JPEGImages/0000.png\n"
        "images/train/JPEGImages/0100.png\n"
        "images/train/JPEGImages/0200.png\n"
    )
    base = forked.veml("diff", "main...night", "--stat").out
    assert "+1 ~1 samples, boxes +1, 1 moved" in base  # what night did since it left
    document = forked.veml("diff", "main", "night", "--json").json()
    (one,) = document["datasets"]
    kinds = {sample["key"]: sample["kind"] for sample in one["samples"]}
    assert kinds == {
        "JPEGImages/0000.png": "annotated",
        "JPEGImages/0100.png": "added",
        "JPEGImages/0200.png": "removed",
    }


def test_work_tree_index_and_head(drives: Place) -> None:
    drives.voc("images/train", {"0000": [("car", 1, 1, 4, 4)]})
    drives.veml("add", "images/train")
    drives.voc("images/train", {"0001": [("car", 1, 1, 4, 4)]})
    drives.write("notes.txt", "two\n")
    keys = {
        arguments: [
            sample["key"][-8:]
            for one in drives.veml("diff", *arguments, "--json").json()["datasets"]
            for sample in one["samples"]
        ]
        for arguments in ((), ("--staged",), ("HEAD",))
    }
    assert keys == {
        (): ["0001.png"], ("--staged",): ["0000.png"], ("HEAD",): ["0000.png", "0001.png"],
    }  # fmt: skip
    told = drives.veml("diff").out
    assert "-one\n+two\n" in told
    assert "--- a/notes.txt" in told


def test_a_file_where_a_folder_was_and_the_other_way_round(drives: Place) -> None:
    """Seen to fail with NotADirectoryError, and IsADirectoryError, while only a gone file was."""
    drives.write("docs/more.txt", "more\n")
    drives.veml("add", "docs/more.txt")
    drives.veml("commit", "-q", "-m", "more")
    (drives.root / "docs/more.txt").unlink()
    (drives.root / "docs").rmdir()
    drives.write("docs", "a file\n")
    (drives.root / "notes.txt").unlink()
    drives.write("notes.txt/inside", "a folder\n")
    told = drives.veml("diff").out
    assert "-more\n" in told
    assert "-one\n" in told
    refused = drives.veml("reset", "--hard", code=1).err
    assert "a file stands where a folder belongs, for docs/more.txt" in refused
    assert (drives.root / "docs").read_text() == "a file\n"


def test_exit_code(forked: Place) -> None:
    assert forked.veml("diff", "main", "night").code == 0
    assert forked.veml("diff", "main", "night", "--exit-code", "--stat", code=1).out
    assert forked.veml("diff", "main", "main", "--exit-code").out == ""
    assert forked.veml("diff", "--exit-code").out == ""


def test_only_some_paths_and_samples(forked: Place) -> None:
    forked.write("notes.txt", "two\n")
    forked.voc("images/train", {"0001": [], "0002": []})
    assert forked.veml("diff", "--name-status", "--", "notes.txt").out == "M\tnotes.txt\n"
    one = forked.veml("diff", "--", "images/train/JPEGImages/0001.png").out
    assert "0001.png" in one
    assert "0002.png" not in one
    assert "and 1 more (--samples 0 shows all)" in forked.veml("diff", "--samples", "1").out
    assert "more (--samples" not in forked.veml("diff", "--samples", "0").out


def test_an_image_that_went_without_its_label_file(drives: Place) -> None:
    (drives.root / "images/train/JPEGImages/0003.png").unlink()
    told = " ".join(drives.veml("diff").out.split())
    assert told.startswith("data images/train -1 sample ")
    assert "removed JPEGImages/0003.png" in told
    assert "its annotation stays" in told
    assert drives.veml("diff", "--name-status").out == "D\timages/train/JPEGImages/0003.png\n"
    drives.write("images/train/JPEGImages/0003.png", png(3))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere",), "nowhere"),
        (("main", "night", "main"), "expected at most 2 revisions, found main night main"),
        (("--staged", "main", "night"), "expected at most 1 revision, found main night"),
        (("main:images/train", "main:nothing"), "nothing"),
        (("--", "/"), "outside"),
    ],
)
def test_what_cannot_be_compared(forked: Place, arguments: tuple[str, ...], said: str) -> None:
    done = forked.veml("diff", *arguments, code=128)
    assert said in done.err
    assert done.out == ""
