"""Whether there are trainings at all: asked by every command before anything heavy is imported."""

from __future__ import annotations

from veml_vcs.versions.data import RECORD_SUFFIX

TRAININGS_FOLDER = "trainings/"


def may_be_training(path: str) -> bool:
    """Tell by its path alone whether a file can be the record of a training."""
    return path.startswith(TRAININGS_FOLDER) and path.endswith(RECORD_SUFFIX)


def is_training(data: bytes) -> bool:
    """Tell cheaply whether a file describes a training version, as ``is_training_record`` does."""
    return b'\n "kind": "training",\n' in data
