from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from veml_vcs.errors import InvalidInputError, NotFoundError
from veml_vcs.samples.facts import ClassInfo, Facts
from veml_vcs.samples.formats import FORMATS, Converted, convert, detect, get_format
from veml_vcs.samples.formats.boxes import to_cxcywhn, to_xywh, to_xyxy

BOXED = ("coco", "voc", "yolo", "kitti")
VOC_LIKE: dict[str, Any] = {
    "JPEGImages/a.jpg": {
        "splits": ["train", "trainval"],
        "width": 100,
        "height": 50,
        "folder": "here",
        "objects": [
            {"class": "traffic light", "xyxy": [712.4, 143, 810.73, 307.92], "pose": "Left"},
            {"class": "car", "xyxy": [1, 2, 3, 4], "part": [{"name": "wheel"}], "id": "7"},
        ],
    },
    "JPEGImages/b.jpg": {"objects": [], "splits": ["val"]},
    "JPEGImages/c.jpg": {"splits": ["test"]},
}
SIZES = {f"JPEGImages/{name}.jpg": (100, 50) for name in "abcd"}
FACTS = Facts("voc", "detection", (ClassInfo("car"), ClassInfo("traffic light")))


def read_back(result: Converted, target: str) -> None:
    """Write the result beside its images; detect and read that again."""
    chosen = get_format(target)
    written = chosen.write(result.annotations, result.facts)
    files = {**dict.fromkeys(result.renamed.values(), b""), **written}
    layout = detect(list(files), files.__getitem__, wanted=target)
    again = chosen.read(layout, files.__getitem__)
    assert dict(again.annotations) == dict(result.annotations)
    assert again.facts == result.facts
    assert set(layout.samples) == set(result.renamed.values())


@pytest.mark.parametrize(
    "target", [one.name for one in FORMATS if one.name not in ("tables", "zarr")]
)
def test_what_is_converted_reads_back_the_same(target) -> None:
    if target == "voc":
        result = convert(VOC_LIKE, Facts("other", classes=FACTS.classes), target, SIZES)
    else:
        result = convert(VOC_LIKE, FACTS, target, SIZES)
    assert list(result.renamed) == sorted(SIZES)
    read_back(result, target)


def test_to_coco() -> None:
    result = convert(VOC_LIKE, FACTS, "coco", SIZES)
    assert result.renamed == {key: key for key in SIZES}
    annotation = result.annotations["JPEGImages/a.jpg"]
    assert annotation["sources"] == [
        "annotations/instances_train.json",
        "annotations/instances_trainval.json",
    ]
    light, car = annotation["objects"]
    assert light["xywh"] == [712.4, 143, 98.33, 164.92]
    assert (light["id"], light["pose"], light["iscrowd"]) == (1, "Left", 0)
    assert car["id"] == "7"
    written = get_format("coco").write(result.annotations, result.facts)
    assert sorted(written) == [
        "annotations/instances.json",
        "annotations/instances_test.json",
        "annotations/instances_train.json",
        "annotations/instances_trainval.json",
        "annotations/instances_val.json",
    ]
    content = json.loads(written["annotations/instances_train.json"])
    assert content["categories"] == [{"id": 1, "name": "car"}, {"id": 2, "name": "traffic light"}]
    assert len(content["annotations"]) == 2


def test_to_yolo_says_what_is_lost() -> None:
    result = convert(VOC_LIKE, FACTS, "yolo", SIZES)
    assert result.renamed["JPEGImages/a.jpg"] == "images/train/a.jpg"
    assert result.renamed["JPEGImages/b.jpg"] == "images/val/b.jpg"
    written = get_format("yolo").write(result.annotations, result.facts)
    assert written["labels/val/b.txt"] == b""
    assert written["labels/train/a.txt"].splitlines()[1] == b"0 0.02 0.06 0.02 0.04"
    assert "labels/test/c.txt" not in written
    text = "\n".join(result.warnings)
    assert "yolo has no place for 'pose': left out 1 time" in text
    assert "yolo has no place for 'folder': left out 1 time" in text
    assert "1 image is in no split, and was put into train: JPEGImages/d.jpg" in text


def test_to_kitti_and_folders_say_what_is_lost() -> None:
    kitti = convert(VOC_LIKE, FACTS, "kitti", SIZES)
    assert kitti.renamed["JPEGImages/a.jpg"] == "training/image_2/a.jpg"
    first = kitti.annotations["training/image_2/a.jpg"]["objects"][0]
    assert first["class"] == "traffic_light"
    assert first["location"] == [-1000, -1000, -1000]
    text = "\n".join(kitti.warnings)
    assert "kitti has no place for 'splits'" in text
    assert "traffic light as traffic_light" in text

    folders = convert(VOC_LIKE, FACTS, "folders", SIZES)
    assert folders.renamed == {
        "JPEGImages/a.jpg": "train/_mixed/a.jpg",
        "JPEGImages/b.jpg": "val/_unlabelled/b.jpg",
        "JPEGImages/c.jpg": "test/_unlabelled/c.jpg",
        "JPEGImages/d.jpg": "train/_unlabelled/d.jpg",
    }
    assert "folders has no place for 'objects': left out 2 times" in folders.warnings


def test_names_stay_apart_in_one_folder() -> None:
    keys = ["x/1.jpg", "y/1.jpg", "x_1.png"]
    result = convert({}, Facts("files"), "voc", dict.fromkeys(keys, (1, 1)))
    assert sorted(result.renamed.values()) == [
        "JPEGImages/x_1.jpg",
        "JPEGImages/x_1_2.png",
        "JPEGImages/y_1.jpg",
    ]


def test_classes_that_cannot_be_kept_apart_are_refused() -> None:
    objects = [{"class": name, "xyxy": [0, 0, 1, 1]} for name in ("a b", "a_b")]
    with pytest.raises(InvalidInputError, match="would both be called 'a_b'"):
        convert({"1.jpg": {"objects": objects}}, Facts("voc"), "kitti", {"1.jpg": (1, 1)})


def test_sizes_that_are_needed_and_missing() -> None:
    annotations = {"a.jpg": {"objects": [{"class": "k", "xyxy": [0, 0, 1, 1]}]}}
    with pytest.raises(InvalidInputError, match=r"a\.jpg: width of the image: expected a positive"):
        convert(annotations, Facts("voc"), "yolo", {})
    assert convert(annotations, Facts("voc"), "kitti", {}).renamed
    with pytest.raises(NotFoundError, match="expected one of coco"):
        convert(annotations, Facts("voc"), "tfrecord", {})


def test_labels_become_objects_and_back() -> None:
    labelled = {"cat/1.jpg": {"labels": ["cat"], "splits": ["train"]}}
    sizes = {"cat/1.jpg": (4, 3)}
    coco = convert(labelled, Facts("folders"), "coco", sizes)
    assert coco.annotations["cat/1.jpg"]["objects"] == [{"class": "cat", "id": 1}]
    read_back(coco, "coco")
    back = convert(coco.annotations, Facts("coco", classes=coco.facts.classes), "folders", sizes)
    assert list(back.annotations.values()) == list(labelled.values())


_side = st.floats(0, 1, width=32) | st.integers(0, 3)
_box = st.lists(_side, min_size=4, max_size=4)
_text = st.text(max_size=4) | st.none() | st.integers() | st.lists(st.booleans(), max_size=2)
_object = st.builds(
    lambda name, convention, box, more: {**more, "class": name, convention: box},
    st.sampled_from(["a", "b c", "ü", "7", "a/b"]),
    st.sampled_from(["xyxy", "xywh", "cxcywhn"]),
    _box,
    st.dictionaries(st.sampled_from(["pose", "area", "score", "a b", "truncated"]), _text),
)
_annotation = st.fixed_dictionaries(
    {},
    optional={
        "objects": st.lists(_object, max_size=3),
        "splits": st.lists(st.sampled_from(["test", "train", "val", "Seg/x"]), unique=True,
                           min_size=1).map(sorted),
        "note": _text,
        "width": st.integers(1, 9),
    },
)  # fmt: skip


@given(
    annotations=st.dictionaries(st.sampled_from(["1.jpg", "s/1.jpg", "s/2.png"]), _annotation),
    target=st.sampled_from(BOXED),
)
def test_anything_converted_reads_back_the_same(annotations, target) -> None:
    sizes = dict.fromkeys(["1.jpg", "s/1.jpg", "s/2.png"], (40, 30))
    result = convert(annotations, Facts("other"), target, sizes)
    # Without one annotation file there is nothing to recognise VOC or KITTI by.
    assume(any("objects" in annotation for annotation in annotations.values()))
    read_back(result, target)


def test_boxes_are_exact_there_and_back() -> None:
    box = [712.4, 143, 810.73, 307.92]
    assert to_xywh({"xyxy": box}) == [712.4, 143, 98.33, 164.92]
    assert to_xyxy({"xywh": [712.4, 143, 98.33, 164.92]}) == box
    assert to_xyxy({"cxcywhn": [0.5, 0.5, 1, 0.2]}, 640, 480) == [0, 192, 640, 288]
    assert to_cxcywhn({"xyxy": [0, 192, 640, 288]}, 640, 480) == [0.5, 0.5, 1, 0.2]
    assert to_xywh({"segmentation_n": [0.1, 0.9, 0.3, 0.2, 0.2, 0.5]}, 10, 10) == [1, 2, 2, 7]
    assert to_xyxy({"class": "k"}) is None
    for size in ((None, 1), (0, 1), (float("nan"), 1)):
        with pytest.raises(InvalidInputError, match="width of the image"):
            to_cxcywhn({"xyxy": box}, *size)


@given(
    box=st.lists(st.decimals(-5000, 5000, places=3).map(float), min_size=4, max_size=4),
    size=st.integers(1, 10_000),
)
def test_boxes_survive_conversion(box, size) -> None:
    assert to_xyxy({"xywh": to_xywh({"xyxy": box})}) == box
    there = to_cxcywhn({"xyxy": box}, size, size)
    assert to_xyxy({"cxcywhn": there}, size, size) == pytest.approx(box, abs=1e-9)


def test_images_and_tables_are_not_converted_into_each_other() -> None:
    tables = Facts("tables", "tabular")
    assert convert({}, tables, "tables", {"a.csv": (1, 1)}).renamed == {"a.csv": "a.csv"}
    for facts, target in ((tables, "coco"), (Facts("coco", "detection"), "tables")):
        with pytest.raises(InvalidInputError, match="not converted"):
            convert({}, facts, target, {})
