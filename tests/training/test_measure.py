"""A training version is measured on data as its own training would have measured it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shutil import copy

import pytest

from tests.cli.conftest import Place
from tests.training.engine import ENGINE
from tests.training.kit import DEMO, make_cells, place_for, run
from veml_vcs.errors import FormatError, InvalidInputError, NotFoundError
from veml_vcs.repository.dataset import dataset
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.trainings.versions import open_training
from veml_vcs.training.held_back import part_of_use, uses_of
from veml_vcs.training.measure import classes_of, measure, remembered
from veml_vcs.training.plan import Part
from veml_vcs.versions.trainings import DataUse

pytestmark = [pytest.mark.ml, pytest.mark.slow, ENGINE]


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place_for(tmp_path_factory, "measured") as place:
        make_cells(place)
        run(place, name="first", iterations=12)
        yield place


def test_what_its_training_measured_is_measured_again(cells: Place) -> None:
    with Repository(str(cells.root)) as repo:
        first = open_training(repo, "first")
        part = part_of_use(repo, uses_of(first, "val")[0])
        assert remembered(repo, first.id, part) is None
        found = measure(repo, first, part, predictions=True)
        assert found.metrics == first.record.metrics
        assert found.per_class == first.record.per_class
        assert found.predictions == first.predictions()["cells"]
        again = measure(repo, first, part)
        assert again.metrics == found.metrics
        assert not again.predictions, "it was remembered, and not measured again"


def test_parts_are_drawn_again(cells: Place) -> None:
    with Repository(str(cells.root)) as repo:
        first = open_training(repo, "first")
        train, val = (part_of_use(repo, uses_of(first, role)[0]) for role in ("train", "val"))
        assert (len(train.keys), len(val.keys)) == (16, 4)
        assert {*train.keys, *val.keys} == set(dataset(repo, "cells").keys)


def test_a_part_that_is_not_what_the_record_says(cells: Place) -> None:
    with Repository(str(cells.root)) as repo:
        use = uses_of(open_training(repo, "first"), "val")[0]
        for part in ({"moon": "full"}, {"seed": 0, "fraction": 0.5}):
            with pytest.raises(FormatError) as error:
                part_of_use(repo, DataUse(use.path, use.version, use.tree, "val", 4, part))
            assert error.value.kind == "unknown-part"


def test_samples_without_labels_are_given_boxes(cells: Place, tmp_path: Path) -> None:
    images = cells.root / "bare"
    images.mkdir()
    for image in sorted((DEMO / "bccd").rglob("*.jpg"))[:3]:
        copy(image, images / image.name)
    cells.veml("add", "bare")
    with Repository(str(cells.root)) as repo:
        bare = dataset(repo, "bare")
        part = Part("bare", bare.record.to_bytes().decode(), tuple(bare.keys))
        found = measure(repo, open_training(repo, "first"), part, predictions=True)
    assert set(found.predictions) == set(bare.keys)
    assert not found.metrics, "nothing is known that it could be right about"


def test_a_training_that_was_made_elsewhere_has_no_classes(cells: Place) -> None:
    cells.veml("training", "export", "first", "-o", "first.safetensors")
    cells.veml(
        "training", "add", "first.safetensors", "--name", "other", "--model", "small",
        "--data", "cells",
    )  # fmt: skip
    with Repository(str(cells.root)) as repo:
        other = open_training(repo, "other")
        with pytest.raises(InvalidInputError, match="which classes"):
            classes_of(other)
        with pytest.raises(NotFoundError, match="measured on"):
            uses_of(other, "val")
