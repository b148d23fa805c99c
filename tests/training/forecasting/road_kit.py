"""A wave that runs round a ring of sensors, and the small forecasters."""

from __future__ import annotations

import numpy as np

from tests.cli.conftest import Place

SENSORS, STEPS = 12, 300
SMALL = (
    "train_dataloader.dataset.past=4", "train_dataloader.dataset.ahead=4",
    "optim_wrapper.optimizer.lr=0.02",
)  # fmt: skip


def wave(steps: int = STEPS, sensors: int = SENSORS, level: float = 40) -> str:
    """A wave that runs round a ring of sensors: who says that all stays as it is, is wrong."""
    place = 2 * np.pi * (np.arange(sensors)[None] - np.arange(steps)[:, None]) / sensors
    values = level + 20 * np.sin(place) + 10 * np.sin(2 * place)
    names = ",".join(f"s{i}" for i in range(sensors))
    return names + "\n" + "".join(",".join(f"{v:.3f}" for v in row) + "\n" for row in values)


def ring(sensors: int = SENSORS) -> str:
    graph = np.roll(np.eye(sensors), 1, axis=1)
    return "".join(",".join(f"{v:g}" for v in row) + "\n" for row in graph)


def make_roads(place: Place) -> None:
    """The series ``roads`` and both small forecasters, committed."""
    place.veml("init")
    (place.root / "roads").mkdir()
    (place.root / "roads/speed.csv").write_text(wave())
    (place.root / "roads/adj.csv").write_text(ring())
    for name in ("dcrnn", "convlstm"):
        place.veml("model", "template", f"{name}-small", f"configs/{name}.py")
        place.veml("model", "add", f"configs/{name}.py")
    place.veml("add", "roads", "--format", "tables")
    place.veml("commit", "-qm", "roads")
