from __future__ import annotations

import pytest

from veml_vcs.errors import InvalidInputError
from veml_vcs.samples.facts import ClassInfo, Facts
from veml_vcs.samples.formats import detect, get_format


def test_classes_and_splits(round_trip, with_images) -> None:
    images = ["train/cat/1.jpg", "train/dog/1.jpg", "valid/cat/1.jpg", "valid/dog/x.JPEG"]
    layout, parsed = round_trip(with_images({"README.md": b"", "train/cat/n.txt": b""}, images))
    assert layout.format == "folders"
    assert layout.samples == tuple(sorted(images))
    assert parsed.annotations["valid/dog/x.JPEG"] == {"labels": ["dog"], "splits": ["valid"]}
    assert parsed.facts.task == "classification"
    assert parsed.facts.classes == (ClassInfo("cat"), ClassInfo("dog"))


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        (["cat/1.jpg", "dog/2.jpg"], ["cat", "dog"]),
        (["data/set/cat/1.jpg", "data/set/dog/2.jpg"], ["cat", "dog"]),
        (["set/train/a b/1.jpg", "set/train/ü/2.jpg"], ["a b", "ü"]),
        (["train/0/1.png", "test/1/1.png"], ["0", "1"]),
    ],
)
def test_depths(round_trip, with_images, images, labels) -> None:
    layout, parsed = round_trip(with_images({}, images))
    assert layout.format == "folders"
    assert sorted(a["labels"][0] for a in parsed.annotations.values()) == labels


@pytest.mark.parametrize(
    "images",
    [
        ["1.jpg", "2.jpg"],
        ["images/1.jpg", "images/2.jpg"],
        ["images/1.jpg", "masks/1.png"],
        ["train/1.jpg", "test/1.jpg"],
        ["cat/1.jpg", "cat/deep/1.jpg"],
        ["cat/1.jpg", "dog/1.jpg", "logo.png"],
        ["train/cat/1.jpg", "dog/1.jpg", "cat/2.jpg"],
    ],
)
def test_what_may_be_something_else_is_not_guessed(with_images, images) -> None:
    files = with_images({}, images)
    assert detect(list(files), files.__getitem__).format == "files"


def test_forced_on_one_class_and_on_subfolders(round_trip, with_images) -> None:
    images = ["train/cat/1.jpg", "train/cat/more/2.jpg", "logo.png"]
    layout, parsed = round_trip(with_images({}, images), wanted="folders")
    assert layout.samples == ("train/cat/1.jpg", "train/cat/more/2.jpg")
    assert parsed.annotations["train/cat/more/2.jpg"] == {"labels": ["cat"], "splits": ["train"]}


def test_a_label_that_the_folder_contradicts_is_not_written() -> None:
    facts = Facts("folders", layout={"root": ""})
    with pytest.raises(InvalidInputError, match="a file in another folder"):
        get_format("folders").write({"cat/1.jpg": {"labels": ["dog"]}}, facts)


def test_read_annotations_share_nothing(with_images) -> None:
    files = with_images({}, ["cat/1.jpg", "cat/2.jpg", "dog/1.jpg"])
    layout = detect(list(files), files.__getitem__)
    annotations = get_format("folders").read(layout, files.__getitem__).annotations
    annotations["cat/1.jpg"]["labels"].append("x")
    assert annotations["cat/2.jpg"]["labels"] == ["cat"]


def test_plain_files(round_trip, with_images) -> None:
    layout, _ = round_trip(with_images({"notes.txt": b""}, ["1.jpg"]))
    assert (layout.format, layout.samples) == ("files", ("1.jpg",))
    layout, _ = round_trip({"notes.txt": b"", "sub/x.bin": b"", "/outside.json": b"{}"})
    assert layout.samples == ("notes.txt", "sub/x.bin")
    layout, _ = round_trip({})
    assert layout.samples == ()
    with pytest.raises(InvalidInputError, match="a data set of plain files has no place"):
        get_format("files").write({"x": {"labels": ["a"]}}, Facts("files"))
