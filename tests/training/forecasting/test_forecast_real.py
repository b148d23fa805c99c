"""A forecaster learns from real traffic."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.archives import unpack_data
from tests.cli.conftest import Place, isolate
from tests.training.kit import run

pytestmark = [
    pytest.mark.ml,
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("mmengine") is None, reason="MMEngine is not installed"),
]


@pytest.mark.data
def test_traffic_of_los_angeles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One pass over a week of 207 sensors. Saying that all stays as it is errs by 4.4 mph."""
    import torch

    root = tmp_path / "repository"
    root.mkdir()
    unpack_data("los_loop", root)
    isolate(monkeypatch, tmp_path / "home")
    monkeypatch.chdir(root)
    place = Place(root)
    place.veml("init")
    place.veml("model", "template", "dcrnn-small", "dcrnn.py")
    place.veml("model", "add", "dcrnn.py")
    place.veml("add", "los_loop")
    place.veml("commit", "-qm", "traffic")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    done = run(place, data="los_loop", model="dcrnn", epochs=1, iterations=None)
    torch.set_num_threads(threads)
    assert done.metrics["MAE"] < done.metrics["MAE_last_value"] - 0.1, done
