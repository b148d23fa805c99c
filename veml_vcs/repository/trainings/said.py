"""What a training or inference version said of its validation samples, beside those samples."""

from __future__ import annotations

from veml_vcs.errors import DamagedError, NotFoundError
from veml_vcs.repository.dataset import Dataset, Sample
from veml_vcs.repository.inferences.versions import InferenceVersion
from veml_vcs.repository.trainings.used import used_data
from veml_vcs.repository.trainings.versions import TrainingVersion
from veml_vcs.samples.facts import Annotation

Judged = TrainingVersion | InferenceVersion
"""Whose record can keep what was said."""
Predictions = dict[str, dict[str, Annotation]]
"""Data set's folder -> sample's key -> what was said."""


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


def val_data(version: Judged) -> dict[str, Dataset]:
    """Return the data versions that a version was validated on, by folder.

    Raises:
        NotFoundError: One is not in this clone.
    """
    repo = version.repository
    return {use.path: used_data(repo, use) for use in version.record.data if use.role == "val"}


def said_samples(version: Judged) -> list[tuple[str, Sample, Annotation]]:
    """Return data set's folder, sample, and what was said of it, in the order of the keys.

    Raises:
        NotFoundError: The version has no predictions, or they or the data are not in this clone.
        DamagedError: Something was said of what the data does not have.
    """
    opened = val_data(version)
    found = []
    for path, said in predictions_of(version).items():
        if path not in opened:
            raise DamagedError(f"{version.label}: predictions of {path}, which is not its val data")
        dataset = opened[path]
        for key, annotation in sorted(said.items()):
            try:
                found.append((path, dataset[key], annotation))
            except (KeyError, NotFoundError) as error:
                raise DamagedError(
                    f"{version.label}: a prediction of {path}/{key}, which its data does not have"
                ) from error
    return found
