"""What a training or inference version said of samples, beside those samples.

Kept with it, of its validation data; or just asked, of any data version.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from veml_vcs.errors import DamagedError, NotFoundError
from veml_vcs.ids import VersionId
from veml_vcs.repository.dataset import Dataset, Sample
from veml_vcs.repository.records.used import used_data
from veml_vcs.repository.records.versions import MeasuredVersion
from veml_vcs.samples.facts import Annotation

Judged = MeasuredVersion[Any]
"""Whose record can keep what was said."""
Predictions = dict[str, dict[str, Annotation]]
"""Data set's folder -> sample's key -> what was said."""


@dataclass(frozen=True)
class Said:
    """What was said of samples of data versions.

    Attributes:
        kind: ``training`` or ``inference``.
        name: Who said it, as the user named it.
        version: Its version id.
        task: ``detection``, ``classification`` or ``forecasting``.
        classes: Those that it knows, in its order.
        predictions: What was said.
        data: Data set's folder -> the data version.
    """

    kind: str
    name: str
    version: VersionId
    task: str
    classes: tuple[str, ...]
    predictions: Predictions
    data: dict[str, Dataset]


def said_of(version: Judged) -> Said:
    """Return what was kept with a version, of its validation data.

    Raises:
        NotFoundError: It has no predictions, or they or the data are not in this clone.
    """
    record = version.record
    return Said(
        version.kind.name, version.label, version.id, record.task, tuple(record.per_class),
        predictions_of(version), _val_data(version),
    )  # fmt: skip


def predictions_of(version: Judged) -> Predictions:
    """Return what a version said.

    Raises:
        NotFoundError: It said nothing, or that is not in this clone.
    """
    predictions = version.predictions()
    if not predictions:
        raise NotFoundError(
            f"{version.label}: has no predictions to look at", kind="no-predictions"
        )
    return predictions


def _val_data(version: Judged) -> dict[str, Dataset]:
    """Return the data versions that a version was validated on, by folder.

    Raises:
        NotFoundError: One is not in this clone.
    """
    repo = version.repository
    return {use.path: used_data(repo, use) for use in version.record.data if use.role == "val"}


def said_samples(found: Said) -> list[tuple[str, Sample, Annotation]]:
    """Return data set's folder, sample, and what was said of it, in the order of the keys.

    Raises:
        NotFoundError: A sample is not in this clone.
        DamagedError: Something was said of what the data does not have.
    """
    samples = []
    for path, said in found.predictions.items():
        if path not in found.data:
            raise DamagedError(f"{found.name}: predictions of {path}, which is not its val data")
        dataset = found.data[path]
        for key, annotation in sorted(said.items()):
            try:
                samples.append((path, dataset[key], annotation))
            except (KeyError, NotFoundError) as error:
                raise DamagedError(
                    f"{found.name}: a prediction of {path}/{key}, which its data does not have"
                ) from error
    return samples
