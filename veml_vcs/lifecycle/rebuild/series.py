"""Settle the rebuild of a forecaster: which steps of which series it learns from.

A series is its own label, so nothing is chosen, listed or waited for; and it is cut by time, so
what is new is what follows the steps that the old training held back.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from veml_vcs.errors import InvalidInputError
from veml_vcs.lifecycle.rebuild.request import RebuildRequest
from veml_vcs.lifecycle.rebuild.started import free_name, refuse_known
from veml_vcs.lifecycle.rebuild.state import Method, Rebuild
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.trainings.versions import TrainingVersion
from veml_vcs.samples.series.read import Series
from veml_vcs.training.forecasting.adapt import window_settings
from veml_vcs.training.forecasting.parts import WindowSettings
from veml_vcs.training.forecasting.plan import parts_of, read
from veml_vcs.training.held_back import part_of_use, uses_of
from veml_vcs.training.inputs import config_of_training, data_version
from veml_vcs.training.plan import Part
from veml_vcs.training.settings import apply_settings

_NO_VERDICT = "no verdict: veml drift looks at images, not at series"


def settle_series(repo: Repository, request: RebuildRequest, old: TrainingVersion) -> Rebuild:
    """Settle the rebuild of a forecaster, or refuse it. Nothing is written.

    Args:
        repo: The repository.
        request: What the user asks for; ``held_back`` is checked.
        old: The training that is rebuilt.

    Raises:
        NotFoundError: There is no such data version, or data is not here.
        ConflictError: A folder differs from its version, or a name is taken.
        InvalidInputError: The method or an option is not for series, the series cannot be learnt
            from together, or too few steps are new.
        FormatError: The new data is no series, or the old record does not say how it was trained.
    """
    _refuse_options(request, old)
    notes: list[str] = []
    data, record = data_version(repo, request.new, notes)
    refuse_known(old, data)
    config = config_of_training(repo, request.training)[0]
    settings = window_settings(apply_settings(config, request.settings))
    series = read(data)
    begin = _after_held_back(repo, old, series)
    if begin:
        notes.append(
            f"{data.path} goes on where what {old.label} held back ends: its steps from {begin} "
            "are new"
        )
    train, val = _parts(data.path, record, series, begin, settings, request.held_back)
    method, why = _method(repo, request, old, series)
    also = trained_on(repo, old) if method == "full" else ()
    windows = parts_of(repo, series, train, val, also, settings)  # refuses what does not fit
    return Rebuild(
        name=free_name(repo, request, old, method), training=old.label, version=old.id,
        method=method, why=why,
        new=Part(data.path, record, series.keys, {"steps": f"{begin}:{len(series.values)}"}),
        chosen=series.keys, test=val, trained_on=train, seed=request.seed, epochs=request.epochs,
        iterations=request.iterations, settings=request.settings, notes=tuple(notes),
        task="forecasting", windows=len(windows.train),
    )  # fmt: skip


def trained_on(repo: Repository, old: TrainingVersion) -> tuple[Part, ...]:
    """Return the steps that a training was trained on, of each of its series."""
    return tuple(part_of_use(repo, use) for use in uses_of(old, "train"))


def _refuse_options(request: RebuildRequest, old: TrainingVersion) -> None:
    """Refuse what is for samples with labels."""
    reasons = {
        "active": "the steps that follow are the labels of a series, so there is nothing to ask "
        "for",
        "adapt": "its networks have no batch normalisation whose statistics could be fitted; "
        "--method transfer fits the scale of the numbers and the weights, and needs no label "
        "either",
    }
    if request.method in reasons:
        raise InvalidInputError(
            f"--method {request.method}: {old.label} is a forecaster: {reasons[request.method]}",
            hint="--method full or transfer",
            kind="not-for-series",
        )
    for name, value in (
        ("--budget", request.budget), ("--labels-from", request.labels_from),
        ("--test", request.test), ("--to", request.to),
    ):  # fmt: skip
        if value is not None:
            raise InvalidInputError(
                f"{name}: {old.label} is a forecaster: it needs no labels, makes no data version, "
                "and is measured on the end of the new series",
                hint="--val-split 0.3 holds back the last 30 % of what is new",
                kind="not-for-series",
            )


def _after_held_back(repo: Repository, old: TrainingVersion, series: Series) -> int:
    """Return the step after those that the old training held back; 0 where they are not in it.

    A data version that has grown holds the old series at its beginning: neither what was trained on
    nor what was held back is new.
    """
    found = 0
    for use in old.record.data:
        if use.role == "val":
            part = part_of_use(repo, use)
            first, end = part.steps
            held = read(part.dataset(repo)).values[first:end]
            found = max(found, _end_of(held, series.values, first))
    return found


def _end_of(block: NDArray[Any], values: NDArray[Any], likely: int) -> int:
    """Return the row after a block of rows in values; 0 where it is not there.

    Args:
        block: float [B, N, F].
        values: float [T, N, F].
        likely: Where it begins if the series only grew: periodic ones have it in other places, too.
    """
    if not len(block) or block.shape[1:] != values.shape[1:]:
        return 0
    same = np.all((values == block[0]) | (np.isnan(values) & np.isnan(block[0])), axis=(1, 2))
    starts = np.flatnonzero(same[: max(0, len(values) - len(block) + 1)]).tolist()
    for start in (likely, *starts):
        if np.array_equal(values[start : start + len(block)], block, equal_nan=True):
            return int(start) + len(block)
    return 0


def _parts(
    path: str,
    record: str,
    series: Series,
    begin: int,
    settings: WindowSettings,
    held_back: float,
) -> tuple[Part, Part]:
    """Return what of the new series is trained on, and its end, to measure on."""
    steps = len(series.values)
    held = max(settings.ahead, round(held_back * (steps - begin)))
    border = steps - held
    if border - begin < settings.past + settings.ahead:
        raise InvalidInputError(
            f"{path}: {steps - begin} steps are new, {held} of which are measured on; the "
            f"{max(0, border - begin)} others are too few for windows of {settings.past} + "
            f"{settings.ahead} steps",
            hint="a smaller --val-split, or more data",
            kind="too-few-samples",
        )
    said = {"fraction": held / steps, "steps": f"{border}:{steps}"}
    return (
        Part(path, record, series.keys, {"steps": f"{begin}:{border}"}),
        Part(path, record, series.keys, said),
    )


def _method(
    repo: Repository, request: RebuildRequest, old: TrainingVersion, series: Series
) -> tuple[Method, str]:
    """Return the method, and why."""
    if request.method in ("full", "transfer"):
        return request.method, "the user asked for it"
    before = [read(part.dataset(repo)) for part in trained_on(repo, old)]
    if all(one.sensors == series.sensors and one.features == series.features for one in before):
        return "full", (
            f"{_NO_VERDICT}; the sensors are those of {old.label}, and training from scratch on "
            "old and new steps forgets least"
        )
    return "transfer", (
        f"{_NO_VERDICT}; the sensors are others than those of {old.label}, and one network is not "
        "trained on two graphs, so its weights are gone on with"
    )
