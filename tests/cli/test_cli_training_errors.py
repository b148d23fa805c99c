"""``veml training errors``: what was said of real samples beside what is true of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from tests.cli.conftest import Place
from tests.repository.kit import Box, Project, coco, kitti, voc, yolo
from tests.repository.trainings import CONFIG, outcome
from veml_vcs.repository import Repository
from veml_vcs.repository.models.add import add_model
from veml_vcs.repository.trainings.write import write_training
from veml_vcs.samples.facts import Annotation
from veml_vcs.versions.trainings import detections

MODEL = {
    "0001.png": (Box(1, "car", 10, 10, 20, 20), Box(2, "dog", 40, 40, 20, 20)),
    "0002.png": (Box(3, "car", 5, 5, 40, 40),),
    "0003.png": (Box(4, "dog", 5, 5, 10, 10),),
}
FORMATS = {"coco": (coco, "images/"), "voc": (voc, "JPEGImages/"), "yolo": (yolo, "images/"),
           "kitti": (kitti, "image_2/")}  # fmt: skip


def said(*rows: tuple[str, float, float, float, float, float]) -> Annotation:
    boxes = np.array([row[2:] for row in rows]).reshape(-1, 4)
    return detections(boxes, np.array([row[1] for row in rows]), [row[0] for row in rows])


SAID = {
    # The car is found, twice; the dog is taken for a car.
    "0001.png": said(
        ("car", 0.9, 10, 10, 30, 30), ("car", 0.8, 11, 10, 30, 30), ("car", 0.7, 40, 40, 60, 60)
    ),
    # The car is not well placed, and there is a tree where nothing is.
    "0002.png": said(("car", 0.6, 5, 5, 25, 25), ("tree", 0.5, 50, 50, 60, 60)),
    # The dog is found; a detection below the score does not count.
    "0003.png": said(("dog", 0.9, 5, 5, 15, 15), ("dog", 0.1, 30, 30, 40, 40)),
}


def scaled(one: Annotation, scale: float) -> Annotation:
    objects = [{**obj, "xyxy": [x * scale for x in obj["xyxy"]]} for obj in one["objects"]]
    return {"objects": objects}


def prepare(place: Place, format_name: str = "coco") -> Place:
    project = Project(place.root)
    make, folder = FORMATS[format_name]
    project.write(make(MODEL), "data")
    project.write({"detector.py": CONFIG}, "configs")
    project.add("data")
    repo = project.repo
    # YOLO's boxes are relative: pixels are those of the image, which the kit makes 4 x 4.
    scale = 4 / 64 if format_name == "yolo" else 1.0
    add_model(repo, str(project.path("configs/detector.py")), "detector")
    run = outcome(
        repo,
        per_class={},
        predictions={"data": {folder + name: scaled(one, scale) for name, one in SAID.items()}},
    )
    run = replace(run, data=uses_of(repo))
    write_training(repo, run, "night")
    project.close()
    place.veml("commit", "-qm", "night")
    return place


def uses_of(repo: Repository) -> tuple[object, ...]:
    from tests.repository.trainings import uses

    return tuple(replace(one, samples=3) for one in uses(repo))


@pytest.fixture
def night(place: Place) -> Iterator[Place]:
    return prepare(place)


@pytest.mark.parametrize("format_name", FORMATS)
def test_counts(place: Place, format_name: str) -> None:
    """Boxes are compared in pixels, whatever the format says them in."""
    prepare(place, format_name)
    found = place.veml("training", "errors", "night", "--json").json()
    classes = {one["name"]: one for one in found["classes"]}
    kinds = ("truth", "correct", "missed", "confused", "misplaced", "duplicate", "invented")
    assert [classes["car"][kind] for kind in kinds] == [2, 1, 1, 0, 1, 1, 0]
    assert [classes["dog"][kind] for kind in kinds] == [2, 1, 0, 1, 0, 0, 0]
    assert [classes["tree"][kind] for kind in kinds] == [0, 0, 0, 0, 0, 0, 1]
    assert found["confusions"] == [{"truth": "dog", "said": "car", "count": 1}]
    assert [(one["key"].rpartition("/")[2], one["wrong"]) for one in found["worst"]] == [
        ("0002.png", 3),
        ("0001.png", 2),
    ]
    assert classes["tree"]["ap"] is None
    assert classes["dog"]["ap50"] == pytest.approx(51 / 101)
    sizes = {one["size"]: one["truth"] for one in found["sizes"]}
    medium = 0 if format_name == "yolo" else 1
    assert sizes == {"small": 4 - medium, "medium": medium, "large": 0}


def test_the_view(night: Place) -> None:
    told = night.veml("training", "errors", "night").out
    assert told.startswith("training night  on 3 samples: AP ")
    assert "counts: scores from 0.3, IoU from 0.5" in told
    assert "dog as car  1" in told
    assert "worst samples" in told
    assert "data/images/0002.png" in told
    told = night.veml("training", "errors", "night", "--worst", "0").out
    assert "0002.png" not in told


def test_other_thresholds(night: Place) -> None:
    found = night.veml("training", "errors", "night", "--iou", "0.2", "--score", "0.85", "--json")
    classes = {one["name"]: one for one in found.json()["classes"]}
    assert classes["car"]["missed"] == 1
    assert classes["dog"]["confused"] == 0
    done = night.veml("training", "errors", "night", "--iou", "0", code=None)
    assert "from 0 to 1" in done.err


def test_worst_images_drawn(night: Place) -> None:
    module = pytest.importorskip("PIL.Image")
    night.veml("training", "errors", "night", "--worst", "2", "--plot", "worst.png")
    with module.open(night.root / "worst.png") as picture:
        assert picture.size == (1008, 44 + 2 * 392)
        assert len(picture.convert("RGB").getcolors(1 << 20)) > 10


def test_of_the_data_it_was_measured_on(night: Place) -> None:
    """What the data set became since does not matter."""
    before = night.veml("training", "errors", "night", "--json").json()
    project = Project(night.root, create=False)
    project.replace(coco({"0009.png": (Box(9, "cat", 1, 1, 5, 5),)}, ("cat",)), "data")
    project.close()
    night.veml("commit", "-qam", "other data")
    assert night.veml("training", "errors", "night", "--json").json() == before


def test_nothing_to_look_at(night: Place) -> None:
    with Repository(str(night.root)) as repo:
        plain = outcome(repo, predictions={})
        write_training(repo, plain, "silent")
        write_training(repo, replace(plain, task="forecasting"), "sensors")
    done = night.veml("training", "errors", "silent", code=None)
    assert "silent: has no predictions to look at" in done.err
    done = night.veml("training", "errors", "sensors", code=None)
    assert "sensors: has no predictions to look at" in done.err


def test_predictions_of_what_the_data_does_not_have(night: Place) -> None:
    with Repository(str(night.root)) as repo:
        wrong = outcome(repo, predictions={"data": {"images/7777.png": said()}})
        write_training(repo, wrong, "wrong")
    done = night.veml("training", "errors", "wrong", code=None)
    assert "a prediction of data/images/7777.png, which its data does not have" in done.err
