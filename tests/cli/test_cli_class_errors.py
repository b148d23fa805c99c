"""``veml training errors`` of a classifier: what was said of real images beside their classes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.cli.conftest import Place, place, png  # noqa: F401
from tests.repository.trainings import outcome, uses
from veml_vcs.repository import Repository
from veml_vcs.repository.trainings.write import write_training
from veml_vcs.versions.trainings import classes_said

SAID = {
    "cat/0.png": (("cat", 0.9), ("dog", 0.1)),
    "cat/1.png": (("dog", 0.8), ("cat", 0.2)),
    "cat/2.png": (("dog", 0.95),),
    "dog/3.png": (("dog", 0.6), ("cat", 0.4)),
    "dog/4.png": (("cow", 0.5), ("dog", 0.3)),
}


@pytest.fixture
def night(place: Place) -> Place:  # noqa: F811
    place.veml("init")
    for number, key in enumerate(SAID):
        place.write(f"pets/{key}", png(number))
    place.veml("add", "-q", "--format", "folders", "pets")
    text = "model = dict(type='Classifier', backbone=dict(type='ResNet', depth=18))\n"
    place.write("small.py", text)
    place.veml("model", "add", "-q", "small.py", "--name", "detector")
    predictions = {"pets": {
        key: classes_said([name for name, _ in said], [score for _, score in said])
        for key, said in SAID.items()
    }}  # fmt: skip
    with Repository(str(place.root)) as repo:
        run = outcome(
            repo, data=uses(repo, "pets"), predictions=predictions, metrics={"accuracy": 0.4},
            per_class={"dog": {"recall": 0.5}, "cat": {"recall": 1 / 3}},
        )  # fmt: skip
        write_training(repo, replace(run, task="classification"), "night")
    place.veml("commit", "-qm", "night")
    return place


def test_counts(night: Place) -> None:
    found = night.veml("training", "errors", "night", "--json").json()
    assert found["task"] == "classification"
    assert (found["samples"], found["accuracy"]) == (5, 0.4)
    assert [one["name"] for one in found["classes"]] == ["cat", "dog", "cow"]
    assert found["matrix"] == [[1, 2, 0], [0, 1, 1], [0, 0, 0]]
    cat, dog, cow = found["classes"]
    assert (dog["samples"], dog["said"], dog["correct"]) == (2, 3, 1)
    assert (dog["recall"], dog["precision"], dog["f1"]) == (0.5, pytest.approx(1 / 3), 0.4)
    assert (cat["precision"], cat["recall"]) == (1, pytest.approx(1 / 3))
    assert (cow["recall"], cow["precision"]) == (None, 0)
    assert found["confusions"] == [
        {"truth": "cat", "said": "dog", "count": 2},
        {"truth": "dog", "said": "cow", "count": 1},
    ]
    assert [(one["key"], one["score"], one["truth_score"]) for one in found["worst"]] == [
        ("cat/2.png", 0.95, None),
        ("cat/1.png", 0.8, 0.2),
        ("dog/4.png", 0.5, 0.3),
    ]


def test_the_view(night: Place) -> None:
    told = night.veml("training", "errors", "night").out
    assert told.startswith("training night  on 5 samples: accuracy 0.4")
    assert "what is true (rows), and what was said (columns)" in told
    assert "cat as dog  2" in told
    assert "pets/cat/2.png" in told
    told = night.veml("training", "errors", "night", "--worst", "0").out
    assert "2.png" not in told
    assert "nothing is wrong" not in told
    done = night.veml("training", "errors", "night", "--iou", "0.3", code=None)
    assert "--score and --iou are for detectors" in done.err


def test_worst_images_drawn(night: Place) -> None:
    module = pytest.importorskip("PIL.Image")
    done = night.veml("training", "errors", "night", "--worst", "2", "--plot", "worst.png")
    assert "drew 2 samples into worst.png" in done.err
    with module.open(night.root / "worst.png") as picture:
        assert picture.size == (480, 44 + 234)
        assert len(picture.convert("RGB").getcolors(1 << 20)) > 10


@pytest.mark.parametrize(
    "wrong",
    [
        {"objects": []},
        {"labels": ["cat"]},
        {"labels": ["cat"], "scores": {"dog": 1}},
        {"labels": ["cat"], "scores": {"cat": "x"}},
    ],
)
def test_predictions_that_are_none(night: Place, wrong: dict[str, object]) -> None:
    with Repository(str(night.root)) as repo:
        run = outcome(repo, data=uses(repo, "pets"), predictions={"pets": {"cat/0.png": wrong}})
        write_training(repo, replace(run, task="classification"), "wrong")
    done = night.veml("training", "errors", "wrong", code=None)
    assert "a prediction of cat/0.png has no" in done.err
