"""Rebuilds of a forecaster: a series that grew, one of other sensors, what is refused."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import Place
from tests.lifecycle.rebuild_kit import rebuilt
from tests.training.engine import MMENGINE
from tests.training.forecasting.road_kit import SMALL, make_roads, ring, wave
from tests.training.kit import place_for, run
from veml_vcs.errors import InvalidInputError
from veml_vcs.lifecycle.rebuild.state import RebuildFolder
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.trainings.versions import open_training
from veml_vcs.training.held_back import part_of_use, uses_of
from veml_vcs.training.measure import loaded, measure
from veml_vcs.training.watch import Quiet

pytestmark = [pytest.mark.ml, pytest.mark.slow, MMENGINE]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Training ``speed`` of 300 steps of ``roads``, which have 420 now; 7 sensors of ``bridge``."""
    with place_for(tmp_path_factory, "series") as place:
        make_roads(place)
        run(place, *SMALL, data="roads", model="dcrnn", name="speed", iterations=4)
        place.veml("commit", "-qm", "speed")
        (place.root / "roads/speed.csv").write_text(wave(420))
        (place.root / "bridge").mkdir()
        (place.root / "bridge/speed.csv").write_text(wave(90, 7, 60))
        (place.root / "bridge/adj.csv").write_text(ring(7))
        for name in ("roads", "bridge"):
            place.veml("add", "-q", "--format", "tables", name)
        yield place.root


@pytest.fixture
def roads(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    shutil.copytree(made, tmp_path / "repository", symlinks=True)
    monkeypatch.chdir(tmp_path / "repository")
    return Place(tmp_path / "repository")


def test_full_learns_from_the_old_steps_and_those_that_came(roads: Place) -> None:
    """What the old training held back is neither new nor learnt from.

    Seen to fail without ``_after_held_back``: all 420 steps were new, those held back among them.
    """
    done = rebuilt(roads, Quiet(), new="roads", training="speed", method="full", iterations=2)
    assert (done.labels, done.samples, done.data) == (0, 120, "")
    assert done.old is not None
    assert done.new is not None
    assert (done.old.samples, done.new.samples) == (60, 24)
    assert done.old.before.keys() == done.new.after.keys() >= {"MAE", "MAE_last_value"}
    assert done.old.before["MAE_last_value"] == done.old.after["MAE_last_value"]
    with Repository(str(roads.root)) as repo:
        first, full = open_training(repo, "speed"), open_training(repo, "speed-full")
        assert done.old.before == first.record.metrics
        assert [dict(use.part)["steps"] for use in full.record.data] == [
            "300:396", "0:240", "396:420",
        ]  # fmt: skip
        assert full.record.initial.kind == "random"
        # Windows of 4 + 4 steps; those of what came see the four steps before it.
        assert done.trained_on == (240 - 7) + (96 - 3)
        again = measure(repo, full, part_of_use(repo, uses_of(full, "val")[0]), note=False)
        assert again.metrics == done.new.after == full.record.metrics
    assert "speed-full" not in roads.veml("status").out.partition("Trainings of other versions")[2]


def test_transfer_has_the_scale_of_what_it_learns_from(roads: Place) -> None:
    """Measured anywhere, and deployed, it keeps it.

    Seen to fail where a part that is measured on gave the scale.
    """
    done = rebuilt(roads, Quiet(), new="bridge", training="speed", method="transfer", iterations=2)
    assert done.trained_on == 72 - 7
    assert done.old is not None
    with Repository(str(roads.root)) as repo:
        first, made = open_training(repo, "speed"), open_training(repo, "speed-transfer")
        assert made.record.initial.version == first.id
        held = part_of_use(repo, uses_of(first, "val")[0])
        with loaded(repo, made, held) as measured:
            scale = measured.parts.scale  # type: ignore[attr-defined]
        assert float(scale.mean[0]) == made.record.config["model.mean"]
        assert float(scale.mean[0]) != first.record.config["model.mean"]


def test_auto_chooses_by_the_sensors(roads: Place) -> None:
    for new, method in (("roads", "full"), ("bridge", "transfer")):
        told = roads.veml("rebuild", "--train", "speed", "--new", new, "-n", "--json").json()
        assert (told["method"], told["status"]) == (method, "planned")
        assert "no verdict" in told["why"]


@pytest.mark.parametrize(
    ("wanted", "kind"),
    [
        ({"method": "active", "budget": "3"}, "not-for-series"),
        ({"method": "adapt"}, "not-for-series"),
        ({"method": "full", "test": "roads"}, "not-for-series"),
        ({"method": "full", "new": "bridge"}, "other-sensors"),
        ({"method": "full", "new": "roads@HEAD"}, "nothing-new"),
        ({"method": "full", "held_back": 0.95}, "too-few-samples"),
        ({"method": "full", "held_back": 1.0}, ""),
    ],
)
def test_what_makes_no_sense_is_refused(roads: Place, wanted: dict[str, str], kind: str) -> None:
    with pytest.raises(InvalidInputError) as error:
        rebuilt(roads, Quiet(), **{"new": "roads", "training": "speed", **wanted})
    assert error.value.kind == kind or not kind
    with Repository(str(roads.root)) as repo:
        assert not RebuildFolder(repo, "speed-full").begun


def test_numbers_that_are_missing_do_not_hide_what_is_known() -> None:
    from veml_vcs.lifecycle.rebuild.series import _end_of

    values = np.arange(24.0).reshape(8, 3, 1)
    values[3, 1] = np.nan
    assert _end_of(values[2:5], values, 2) == _end_of(values[2:5], values, 0) == 5
    assert _end_of(values[:0], values, 0) == 0
    assert _end_of(np.tile(values, (3, 1, 1))[8:16], np.tile(values, (4, 1, 1)), 8) == 16
    assert _end_of(values[2:5] + 1, values, 2) == 0
    assert _end_of(values[:, :2], values, 0) == 0
