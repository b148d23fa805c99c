"""The configs that ship can be read without running them; the engine builds their models."""

from __future__ import annotations

import json
from importlib.util import find_spec

import pytest

from tests.cli.conftest import Place, place  # noqa: F401
from veml_vcs.errors import NotFoundError
from veml_vcs.training.templates import template, templates

BACKBONES = {"faster-rcnn-r50-fpn": 50, "faster-rcnn-small": 18}
CLASSIFIERS = {"resnet-small": 18, "resnet50": 50}
FORECASTERS = {"convlstm": 3, "convlstm-small": 1, "dcrnn": 2, "dcrnn-small": 1}
BUILT = [*BACKBONES, "resnet-small"]
PARAMETERS = {
    "resnet-small": 175_546,
    "faster-rcnn-r50-fpn": 41_348_181,
    "faster-rcnn-small": 713_381,
}


def test_there_are() -> None:
    assert {one.name for one in templates()} == {*BACKBONES, *CLASSIFIERS, *FORECASTERS}
    assert all(one.says and one.text.startswith(f"# {one.says}\n") for one in templates())
    with pytest.raises(NotFoundError, match="faster-rcnn-r50-fpn, faster-rcnn-small"):
        template("nothing")


@pytest.mark.parametrize("name", BACKBONES)
def test_written_out_and_recorded(place: Place, name: str) -> None:  # noqa: F811
    place.veml("init")
    assert name in place.veml("model", "template").out
    assert place.veml("model", "template", name).out == template(name).text
    place.veml("model", "template", name, "configs/mine.py")
    done = place.veml("model", "template", name, "configs/mine.py", code=None)
    assert "is there already" in done.err
    place.veml("model", "add", "configs/mine.py")
    facts = json.loads(place.veml("model", "show", "mine", "--json").out)["facts"]
    assert facts["architecture"] == "FasterRCNN"
    assert facts["backbone"]["sizes"]["depth"] == BACKBONES[name]
    assert facts["classes"] == [1]
    assert facts["optimiser"]
    assert facts["transforms"][0] == "LoadImageFromFile"


@pytest.mark.parametrize("name", FORECASTERS)
def test_forecasters_are_recorded(place: Place, name: str) -> None:  # noqa: F811
    place.veml("init")
    place.veml("model", "template", name, "mine.py")
    place.veml("model", "add", "mine.py")
    facts = json.loads(place.veml("model", "show", "mine", "--json").out)["facts"]
    assert facts["architecture"] == "Forecaster"
    assert facts["backbone"]["sizes"]["layers"] == FORECASTERS[name]
    assert facts["losses"] == {"loss": "MaskedL1Loss"}


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classifiers_are_recorded(place: Place, name: str) -> None:  # noqa: F811
    place.veml("init")
    place.veml("model", "template", name, "mine.py")
    place.veml("model", "add", "mine.py")
    facts = json.loads(place.veml("model", "show", "mine", "--json").out)["facts"]
    assert facts["architecture"] == "Classifier"
    assert facts["backbone"]["sizes"]["depth"] == CLASSIFIERS[name]
    assert [one["type"] for one in facts["heads"]] == ["LinearHead"]
    assert facts["losses"] == {"head.loss": "CrossEntropyLoss"}
    assert facts["transforms"][-1] == "RandomHorizontalFlip"
    told = place.veml("model", "compare", "mine", "mine").out
    assert f"ResNet (depth {CLASSIFIERS[name]}" in told


@pytest.mark.slow
@pytest.mark.skipif(find_spec("mmdet") is None, reason="MMDetection not installed (extra [mmdet])")
@pytest.mark.parametrize("name", BUILT)
def test_the_engine_builds_it(place: Place, name: str) -> None:  # noqa: F811
    place.veml("init")
    place.veml("model", "template", name, "mine.py")
    done = place.program("model", "add", "mine.py", "--trust")
    assert done.code == 0, done.err
    shown = json.loads(place.veml("model", "show", "mine", "--json").out)
    assert shown["parameters"] == PARAMETERS[name]
