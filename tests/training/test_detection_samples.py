"""The boxes that a detector learns from, of each format; what is ignored, what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.conftest import Place, place, png  # noqa: F401
from veml_vcs.errors import FormatError, InvalidInputError
from veml_vcs.repository.repository import Repository
from veml_vcs.training.detection_samples import (
    DetectionSamples,
    detection_samples,
    labelled,
    trained_classes,
)

XML = """<annotation><filename>0.png</filename><size><width>8</width><height>6</height></size>
<object><name>car</name><difficult>{difficult}</difficult><bndbox><xmin>1</xmin><ymin>1</ymin>
<xmax>5</xmax><ymax>4</ymax></bndbox></object></annotation>"""
COCO = {
    "images": [{"id": 1, "file_name": "0.png", "width": 8, "height": 6}],
    "categories": [{"id": 7, "name": "car"}, {"id": 9, "name": "bus"}],
    "annotations": [
        {"id": 1, "image_id": 1, "category_id": 9, "bbox": [1, 1, 4, 3], "area": 11, "iscrowd": 0},
        {"id": 2, "image_id": 1, "category_id": 7, "bbox": [0, 0, 8, 6], "area": 48, "iscrowd": 1},
        {"id": 3, "image_id": 1, "category_id": 7, "bbox": [6, 4, 9, 9], "area": 81},
        {"id": 4, "image_id": 1, "category_id": 7, "bbox": [2, 2, 0.5, 3], "area": 1},
    ],
}
KITTI = (
    "Car 0.00 0 -1.5 1.0 1.0 5.0 4.0 1 1 1 1 1 1 0\n"
    "DontCare -1 -1 -10 0.0 0.0 3.0 3.0 -1 -1 -1 -1000 -1000 -1000 -10\n"
)


def samples(where: Place, path: str) -> DetectionSamples:
    with Repository(str(where.root)) as repo:
        data = repo.dataset(path)
        said = data.annotations()
        keys, _ = labelled(data.keys, said)
        return detection_samples(data, keys, said, trained_classes(data.facts))


@pytest.fixture
def here(place: Place) -> Place:  # noqa: F811
    place.veml("init")
    return place


def test_voc(here: Place) -> None:
    for name, difficult in (("plain", 0), ("hard", 1)):
        here.write(f"{name}/JPEGImages/0.png", png(1))
        here.write(f"{name}/Annotations/0.xml", XML.format(difficult=difficult))
        here.veml("add", "-q", name)
        ((one,),) = samples(here, name).targets
        assert (one.box, one.label, one.area) == ((1.0, 1.0, 5.0, 4.0), 0, 12.0)
        assert one.ignored == bool(difficult)
    assert samples(here, "hard").boxes == {"car": 0}


def test_yolo(here: Place) -> None:
    """Relative boxes, by the size that the image's own header says."""
    here.write("cars/images/0.png", png(1))
    here.write("cars/images/1.png", png(2))
    here.write("cars/labels/0.txt", "1 0.5 0.5 0.5 0.5\n")
    here.write("cars/labels/1.txt", "")
    here.write("cars/data.yaml", "names: [car, bus]\nnc: 2\n")
    here.veml("add", "-q", "cars")
    found = samples(here, "cars")
    assert found.sizes == ((8, 6), (8, 6))
    assert [len(one) for one in found.targets] == [1, 0]  # a file that is empty: nothing is there
    assert found.targets[0][0].box == (2.0, 1.5, 6.0, 4.5)
    assert found.targets[0][0].label == 1
    assert found.read(0) == png(1)


def test_coco(here: Place) -> None:
    """Crowds are ignored, boxes end with the image, tiny ones are none."""
    here.write("cars/0.png", png(1))
    here.write("cars/instances.json", json.dumps(COCO))
    here.veml("add", "-q", "cars")
    found = samples(here, "cars")
    (targets,) = found.targets
    assert [(one.label, one.ignored, one.area) for one in targets] == [
        (1, False, 11.0), (0, True, 48.0), (0, False, 81.0),
    ]  # fmt: skip
    assert targets[2].box == (6.0, 4.0, 8.0, 6.0)
    assert found.boxes == {"car": 1, "bus": 1}


def test_kitti(here: Place) -> None:
    here.write("drive/image_2/000000.png", png(1))
    here.write("drive/label_2/000000.txt", KITTI)
    here.veml("add", "-q", "drive")
    found = samples(here, "drive")
    assert found.classes == ("Car",)
    assert [(one.label, one.ignored) for one in found.targets[0]] == [(0, False), (-1, True)]


def test_an_image_that_is_none(here: Place) -> None:
    here.write("cars/JPEGImages/0.png", b"no image at all")
    here.write("cars/Annotations/0.xml", XML.format(difficult=0))
    here.veml("add", "-q", "cars")
    with pytest.raises(FormatError, match=r"cars/JPEGImages/0\.png: not an image whose size"):
        samples(here, "cars")


def test_a_class_that_is_not_trained(here: Place) -> None:
    here.voc("cars", {"0": [("car", 1, 1, 4, 4), ("bus", 1, 1, 4, 4)]})
    here.veml("add", "-q", "cars")
    with Repository(str(here.root)) as repo:
        data = repo.dataset("cars")
        with pytest.raises(InvalidInputError, match=r"0\.png: a box of the class 'bus'") as caught:
            detection_samples(data, data.keys, data.annotations(), ["car"])
    assert caught.value.kind == "unknown-class"


def test_what_counts_as_labelled() -> None:
    said: dict[str, Any] = {"a": {"objects": []}, "b": {"splits": ["train"]}}
    assert labelled(["a", "b", "c"], said) == (("a",), 2)
