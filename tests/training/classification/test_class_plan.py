"""What is settled, and refused, before a classifier is trained; the engine is not needed for it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.conftest import Place, place, png  # noqa: F401
from veml_vcs.errors import FormatError, InvalidInputError
from veml_vcs.repository.repository import Repository
from veml_vcs.training.classification.adapt import without_chance
from veml_vcs.training.plan import Plan, Request, read_plan
from veml_vcs.training.planning import make_plan


def write(place: Place, folder: str, *names: str, first: int = 0, each: int = 5) -> None:  # noqa: F811
    for row, name in enumerate(names):
        for i in range(each):
            place.write(f"{folder}/{name}/{i}.png", png(first + row * each + i))


@pytest.fixture
def pets(place: Place) -> Place:  # noqa: F811
    place.veml("init")
    write(place, "pets", "cat", "dog")
    place.veml("add", "-q", "pets", "--format", "folders")
    place.veml("model", "template", "resnet-small", "configs/small.py")
    place.veml("model", "add", "configs/small.py")
    place.veml("commit", "-qm", "pets")
    return place


def plan(where: Place, **rest: Any) -> Plan:
    with Repository(str(where.root)) as repo:
        return make_plan(repo, Request(**{"data": "pets", "model": "small", **rest}))


def test_settled(pets: Place) -> None:
    found = plan(pets)
    assert (found.task, found.classes) == ("classification", ("cat", "dog"))
    assert (len(found.train.keys), len(found.val.keys)) == (8, 2)
    assert (found.epochs, found.iterations) == (8, 8)
    assert found.config["model.head.num_classes"] == 2
    assert found.config["train_dataloader.dataset.metainfo.classes"] == ["cat", "dog"]
    assert found.config["val_dataloader.dataset.pipeline"] == [{"type": "Resize", "size": [28, 28]}]
    assert found.notes == ("head.num_classes: 10 -> 2, the classes of the data",)
    assert read_plan(found.to_bytes(), "plan") == found


def test_splits_of_the_data_set(pets: Place) -> None:
    write(pets, "split/train", "cat", "dog", first=20)
    write(pets, "split/test", "cat", "dog", first=40, each=2)
    pets.veml("add", "-q", "split")
    found = plan(pets, data="split", val_split="test")
    assert (len(found.train.keys), len(found.val.keys)) == (10, 4)
    assert found.val.part == {"split": "test"}


def test_data_of_other_tasks(pets: Place) -> None:
    pets.voc("boxes", {f"{i}": [("cat", 1, 1, 5, 5)] for i in range(4)})
    for i in range(3):
        pets.write(f"bare/{i}.png", png(60 + i))
    pets.veml("add", "-q", "boxes")
    pets.veml("add", "-q", "bare")
    with pytest.raises(InvalidInputError, match=r"has boxes \(format voc\)") as caught:
        plan(pets, data="boxes")
    assert "faster-rcnn-small" in str(caught.value.hint)
    with pytest.raises(InvalidInputError, match="has no labels"):
        plan(pets, data="bare")
    with pytest.raises(InvalidInputError, match="has boxes"):
        plan(pets, val="boxes")
    pets.veml("model", "template", "faster-rcnn-small", "configs/boxes.py")
    pets.veml("model", "add", "configs/boxes.py", "--name", "detector")
    with pytest.raises(InvalidInputError, match="has a class for each image and no boxes") as other:
        plan(pets, model="detector")
    assert "resnet-small" in str(other.value.hint)


def test_one_class_alone(pets: Place) -> None:
    pets.veml("data", "filter", "pets", "--class", "cat", "--to", "cats", "-q")
    with pytest.raises(InvalidInputError, match="has one class alone, cat") as caught:
        plan(pets, data="cats")
    assert caught.value.kind == "one-class"


def test_classes_that_are_not_trained(pets: Place) -> None:
    write(pets, "more", "cat", "cow", first=80)
    pets.veml("add", "-q", "more")
    with pytest.raises(InvalidInputError, match="more has samples of cow, which are not") as caught:
        plan(pets, val="more")
    assert caught.value.kind == "unknown-class"
    write(pets, "fewer", "cat", "dog", first=3)
    pets.veml("add", "-q", "fewer")
    found = plan(pets, val="fewer")
    assert (len(found.train.keys), len(found.val.keys)) == (10, 10)
    assert "7 of 10 samples measured on are also trained on" in found.notes


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("model.head=None", "model.head: expected a dict with a type"),
        ("train_dataloader.dataset.pipeline.1.type=Mosaic", "found 'Mosaic'"),
        ("val_dataloader.dataset.pipeline.0.type=os.system", "found 'os.system'"),
        ("train_dataloader.dataset.pipeline=None", "has no pipeline"),
        ("optim_wrapper=None", "nothing of optim_wrapper"),
        ("train_dataloader.batch_size=0", "expected a count"),
    ],
)
def test_configs_that_cannot_be(pets: Place, setting: str, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        plan(pets, settings=(setting,))


def test_what_is_drawn_is_not_measured_with() -> None:
    chance = [
        {"type": "RandomResizedCrop", "size": 224},
        {"type": "RandomHorizontalFlip"},
        {"type": "ColorJitter", "brightness": 0.1},
        {"type": "Grayscale", "num_output_channels": 3},
    ]
    assert without_chance(chance) == [
        {"type": "Resize", "size": 256},
        {"type": "CenterCrop", "size": 224},
        {"type": "Grayscale", "num_output_channels": 3},
    ]
    assert without_chance([{"type": "RandomCrop", "size": 28, "padding": 2}]) == [
        {"type": "CenterCrop", "size": 28}
    ]


def test_a_config_of_mmpretrain_is_told_from_ours(pets: Place) -> None:
    settings = ("model.type=ImageClassifier", "default_scope=mmpretrain")
    with pytest.raises(FormatError, match="is for image classification") as caught:
        plan(pets, settings=settings)
    assert "classifiers" in str(caught.value.hint)
