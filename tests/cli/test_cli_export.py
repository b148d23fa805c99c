"""``veml export``: byte for byte or converted; what is lost is told; nothing is overwritten."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Place


def files(folder: Path) -> dict[str, bytes]:
    return {
        one.relative_to(folder).as_posix(): one.read_bytes()
        for one in folder.rglob("*")
        if one.is_file()
    }


def test_the_bytes_of_any_revision(forked: Place) -> None:
    here = files(forked.root / "images/train")
    done = forked.veml("export", "images/train", "../out")
    assert done.out.startswith("exported to ../out as voc: 7 samples, 7 other files, ")
    assert files(forked.root.parent / "out") == here
    forked.veml("export", "-q", "night:images/train", "../night")
    forked.veml("checkout", "-q", "night")
    assert files(forked.root.parent / "night") == files(forked.root / "images/train") != here


def test_as_one_coco_file(drives: Place) -> None:
    done = drives.veml("export", "images/train@HEAD", "out", "--format", "coco", "--json").json()
    assert (done["format"], done["samples"]) == ("coco", 6)
    document = json.loads((drives.root / "out/annotations/instances.json").read_text())
    assert len(document["images"]) == 6
    assert sorted({one["name"] for one in document["categories"]}) == ["bike", "car"]
    (image,) = (one for one in document["images"] if one["file_name"].endswith("0000.png"))
    boxes = [one for one in document["annotations"] if one["image_id"] == image["id"]]
    assert len(boxes) == 2
    # And back: the same classes and boxes.
    drives.veml("add", "out")
    assert (
        drives.veml("show", ":out", "--json").json()["class_counts"]
        == (drives.veml("show", ":images/train", "--json").json()["class_counts"])
    )


def test_what_has_no_place_is_told_on_stderr(drives: Place) -> None:
    text = (drives.root / "images/train/Annotations/0000.xml").read_bytes()
    changed = text.replace(b"</name>", b"</name><pose>Left</pose>", 1)
    drives.write("images/train/Annotations/0000.xml", changed)
    drives.veml("add", "images/train")
    done = drives.veml("export", "images/train", "out", "--format", "yolo")
    assert "warning: yolo has no place for 'pose': left out 1 time\n" in done.err
    assert "warning" not in done.out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("images/train", "full"), 1, "full: not empty"),
        (("images/train", "full/mine.txt"), 128, "not a folder"),
        (("images/nothing", "out"), 128, "images/nothing"),
        (("nowhere:images/train", "out"), 128, "unknown revision 'nowhere'"),
        (("images/train", "out", "--format", "nix"), 128, "expected one of coco, voc, yolo, kitti"),
        (("images/train",), 129, "DEST"),
    ],
)
def test_what_cannot_be_exported(
    drives: Place, arguments: tuple[str, ...], code: int, said: str
) -> None:
    drives.write("full/mine.txt", "mine\n")
    done = drives.veml("export", *arguments, code=code)
    assert said in done.err
    assert files(drives.root / "full") == {"mine.txt": b"mine\n"}
    assert not (drives.root / "out").exists()


def test_force_writes_beside_what_is_there(drives: Place) -> None:
    drives.write("full/mine.txt", "mine\n")
    drives.veml("export", "--force", "images/train", "full")
    found = files(drives.root / "full")
    assert found.pop("mine.txt") == b"mine\n"
    assert found == files(drives.root / "images/train")
