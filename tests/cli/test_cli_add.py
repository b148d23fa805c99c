"""``veml add``: flags, what it says, exit codes, and messages that tell what to type next."""

from __future__ import annotations

import json
import os

import pytest

from tests.cli.conftest import Place, png


def test_new_changed_and_unchanged(place: Place) -> None:
    place.veml("init")
    place.voc(
        "data", {"a": [("car", 1, 1, 4, 4)], "b": [("bike", 1, 1, 4, 4), ("car", 0, 0, 2, 2)]}
    )
    new = place.veml("add", "data")
    assert new.out.startswith("data data  voc, 2 samples, 3 objects, 2 classes, 2 other files, ")
    assert place.git("ls-files").split() == [".gitignore", "data.veml"]
    place.voc("data", {"a": [("car", 2, 2, 5, 5)], "c": []})
    changed = place.veml("add", "data").out
    assert changed.startswith("data data  +1 ~1 samples, 2 other files, "), changed
    assert place.veml("add", "data").out.startswith("data data  unchanged")
    assert place.git("fsck", "--strict", "--no-dangling") == ""


def test_annotations_elsewhere(place: Place) -> None:
    place.veml("init")
    place.write("train/a.png", png(1))
    boxes = {
        "images": [{"id": 1, "file_name": "a.png", "width": 8, "height": 6}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 3, "bbox": [1, 1, 4, 4]}],
        "categories": [{"id": 3, "name": "car"}],
    }
    place.write("boxes/train.json", json.dumps(boxes))
    done = place.veml("add", "train", "--annotations", "boxes/train.json", "--json").json()
    (one,) = done["datasets"]
    assert (one["path"], one["new"]) == ("train", True)
    assert one["record"]["facts"]["format"] == "coco"
    assert one["record"]["annotations"] == ["boxes/train.json"]
    place.veml("commit", "-m", "one")
    boxes["annotations"][0]["bbox"] = [2, 1, 4, 4]
    place.write("boxes/train.json", json.dumps(boxes))
    assert place.veml("status", "-s").out == " M train/\n"
    told = place.veml("status").out
    assert "~ boxes/train.json (outside the folder)\n" in told  # no path from the machine's root
    assert "other files  ~1  boxes/train.json (outside the folder)\n" in place.veml("diff").out
    place.veml("restore", "train")
    assert json.loads((place.root / "boxes/train.json").read_text())["annotations"][0]["bbox"] == [
        1, 1, 4, 4,
    ]  # fmt: skip


def test_a_missing_annotation_file_says_both_ways_on(drives: Place) -> None:
    drives.veml("export", "images/train", "c", "--format", "coco")
    drives.veml("add", "c/JPEGImages", "--annotations", "c/annotations/instances.json")
    drives.veml("commit", "-qm", "c")
    (drives.root / "c/annotations/instances.json").unlink()
    done = drives.veml("add", "c/JPEGImages", code=128)
    assert done.err == (
        "fatal: c/annotations/instances.json: the annotation file of c/JPEGImages is not there\n"
        "hint: veml restore c/JPEGImages brings it back; "
        "veml add c/JPEGImages --annotations FILE names another\n"
    )
    drives.veml("restore", "c/JPEGImages")
    assert drives.veml("status", "--porcelain").out == ""


def test_dry_run_and_quiet(drives: Place) -> None:
    drives.voc("images/train", {"0000": []})
    before = drives.git("ls-files", "-s")
    done = drives.veml("add", "-n", ".")
    assert done.out.startswith("would add data images/train  ~1 sample")
    assert drives.git("ls-files", "-s") == before
    assert drives.veml("add", "-q", "-A").out == ""
    assert drives.git("ls-files", "-s") != before


def test_update_takes_what_is_tracked_and_nothing_new(drives: Place) -> None:
    """Seen to fail (``unchanged``) where all that was read was told, if files were young."""
    drives.write("gone.txt", "x\n")
    drives.veml("add", "gone.txt")
    drives.veml("commit", "-qm", "x")
    (drives.root / "gone.txt").unlink()
    drives.write("notes.txt", "two\n")
    drives.write("new.txt", "x\n")
    drives.voc("images/train", {"0000": []})
    drives.voc("images/new", {"n": []}, first=60)
    told = drives.veml("add", "-u", "-n").out
    assert told.startswith("would add data images/train  ~1 sample, 1 other file")
    assert "new" not in told.replace("bytes new", "")
    drives.veml("add", "-u")
    assert drives.veml("status", "--porcelain").out == (
        "D  gone.txt\nM  images/train/\nM  notes.txt\n?? images/new/\n?? new.txt\n"
    )
    for path in (drives.root / "images/train").rglob("*.*"):
        os.utime(path, ns=(2 * 10**18, 2 * 10**18))  # too young to prove anything: it is read
    assert drives.veml("add", "-u").out == ""
    assert "-u takes no paths" in drives.veml("add", "-u", "notes.txt", code=128).err


def test_a_format_can_be_chosen(place: Place) -> None:
    place.veml("init")
    place.voc("data", {"a": [("car", 1, 1, 4, 4)]})
    assert "files, 1 sample" in place.veml("add", "--format", "files", "data").out
    wrong = place.veml("add", "--format", "kitti", "data", code=65)
    assert "data: not a data set in the format kitti" in wrong.err
    assert "voc: fits, 1 sample" in wrong.err
    unknown = place.veml("add", "--format", "nix", "data", code=128)
    assert "format 'nix': expected one of coco, voc, yolo, kitti, folders" in unknown.err


def test_a_broken_file_is_named_with_its_data_set_and_line(place: Place) -> None:
    """Seen to fail without the data set: its key alone may be in several of them."""
    place.veml("init")
    place.write("drive/image_2/0.png", png(0))
    place.write("drive/label_2/0.txt", "Car 0 0 0 1 1 4 4 1 1 1 1 1 1 0\nCar 0 0\n")
    done = place.veml("add", "--format", "kitti", "drive", code=65)
    assert done.err.splitlines() == [
        "error: drive: label_2/0.txt: line 2: expected 15 or 16 columns, found 3",
        "hint: mend the file, or veml add --format files drive to keep it unread",
    ]
    assert place.git("status", "--porcelain") == "?? drive/\n"
    place.veml("add", "--format", "files", "drive")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 129, "hint: veml add FOLDER"),
        (("nothing",), 128, "nothing"),
        (("images/train", "--annotations", "nothing.json"), 128, "nothing.json"),
        (("/",), 128, "outside"),
        ((".git",), 128, ".git"),
    ],
)
def test_what_cannot_be_added(
    drives: Place, arguments: tuple[str, ...], code: int, said: str
) -> None:
    before = drives.git("ls-files", "-s")
    done = drives.veml("add", *arguments, code=code)
    assert said in done.err
    assert done.out == ""
    assert drives.git("ls-files", "-s") == before


def test_warnings_go_to_stderr_and_json_alone_to_stdout(place: Place) -> None:
    place.veml("init")
    place.voc("data", {"a": [("car", 1, 1, 4, 4)], "b": []})
    (place.root / "data/JPEGImages/b.png").unlink()
    done = place.veml("add", "data", "--json")
    assert (
        done.err == ("warning: data: 1 image with annotations is not in the folder: JPEGImages/b\n")
        or "1 image with annotations is not in the folder" in done.err
    )
    assert done.json()["datasets"][0]["record"]["samples"] == 1
