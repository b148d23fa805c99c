"""``veml show``: a commit, a data set, a sample, a file, a folder; and what is not there."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Place, png

IMAGE = "images/train/JPEGImages/0000.png"


def test_a_commit(forked: Place) -> None:
    told = forked.veml("show", "night").out
    head = forked.git("log", "-1", "--format=commit %H (night)%nAuthor: %an <%ae>", "night")
    assert told.startswith(head)
    assert "\n    night drive\n" in told
    assert "data images/train  +1 ~1 samples, boxes +1, 1 moved" in told
    assert "JPEGImages/0100.png" in told
    stat = forked.veml("show", "--stat", "night").out
    assert " data images/train  |  +1 ~1 samples, boxes +1, 1 moved\n" in stat
    assert "JPEGImages" not in stat
    document = forked.veml("show", "night", "--json").json()
    assert document["entry"]["id"] == forked.git("rev-parse", "night").strip()
    assert [one["path"] for one in document["diff"]["datasets"]] == ["images/train"]


def test_a_data_set(drives: Place) -> None:
    told = [line.split() for line in drives.veml("show", "main:images/train").out.splitlines()]
    assert ["samples", "6"] in told
    assert ["objects", "12"] in told
    assert any(line[:3] == ["bike", "6", "6"] for line in told)
    record = drives.veml("show", "main:images/train", "--json").json()
    assert (record["samples"], record["objects"]) == (6, 12)
    drives.voc("images/train", {"0000": []})
    drives.veml("add", "images/train")
    assert drives.veml("show", ":images/train", "--json").json()["objects"] == 10
    assert drives.veml("show", "HEAD:images/train", "--json").json()["objects"] == 12


def test_classes_of_whole_images_have_no_column_of_objects(place: Place) -> None:
    place.veml("init")
    for number, name in enumerate(("cat/0.png", "cat/1.png", "dog/2.png")):
        place.write(f"pets/{name}", png(number))
    place.veml("add", "pets")
    place.veml("commit", "-m", "pets")
    told = [line.split()[:2] for line in place.veml("show", "HEAD:pets").out.splitlines()]
    assert ["class", "samples"] in told
    assert ["cat", "2"] in told
    (place.root / "pets/cat/1.png").rename(place.root / "pets/dog/1.png")
    assert place.veml("diff", "--stat").out.startswith(
        " data pets  |  ~1 sample, 1 with other labels, 1 renamed\n"
    )


def test_an_annotation_file_elsewhere_is_named_once(drives: Place) -> None:
    """Seen to fail with its key and its path, one below the other."""
    drives.veml("export", "images/train", "c", "--format", "coco")
    drives.veml("add", "c/JPEGImages", "--annotations", "c/annotations/instances.json")
    told = drives.veml("show", ":c/JPEGImages").out
    assert [line.split() for line in told.splitlines() if "annotations" in line] == [
        ["annotations", "c/annotations/instances.json"]
    ]


def test_a_sample_and_a_file(drives: Place) -> None:
    told = drives.veml("show", f"HEAD:{IMAGE}").out
    assert told.startswith("sample JPEGImages/0000.png of images/train\n")
    assert "2 objects\n" in told
    assert "1,1 .. 4,4" in told
    document = drives.veml("show", f"HEAD:{IMAGE}", "--json").json()
    assert [one["class"] for one in document["annotation"]["objects"]] == ["car", "bike"]
    label = "images/train/Annotations/0000.xml"
    assert drives.veml("show", f"HEAD:{label}").out == (drives.root / label).read_text()
    assert drives.veml("show", "HEAD:notes.txt").out == "one\n"


def test_folders(drives: Place) -> None:
    told = drives.veml("show", "HEAD:").out.split()
    assert {"images/", "notes.txt"} <= set(told)
    below = drives.veml("show", "HEAD:images").out
    assert "train/" in below
    assert "data set" in below
    assert drives.veml("show", "HEAD:images", "--json").json()["datasets"] == ["train"]


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("nowhere", "unknown revision 'nowhere'"),
        ("nowhere:images/train", "unknown revision 'nowhere'"),
        ("HEAD:nothing", "nothing: not in HEAD"),
        (":nothing", "nothing: not in the index"),
        ("HEAD:images/train/no.png", "images/train: no sample or file 'no.png'"),
        ("HEAD~7", "HEAD~7"),
    ],
)
def test_what_is_not_there(drives: Place, what: str, said: str) -> None:
    for form in ((), ("--json",)):
        done = drives.veml("show", what, *form, code=128)
        assert said in done.err
        assert done.out == ""


def test_a_commit_without_its_changes(drives: Place) -> None:
    said = drives.veml("show", "-s").out
    assert said.startswith("commit ")
    assert "images/train" not in said
    assert drives.veml("show", "--no-patch", "HEAD").out == said
