"""The log of a training version in the store, out and in: a checkpoint of float64 columns.

The checkpoint is ``samples.tensors``, predictions are ``records/predictions``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from veml_vcs.errors import DamagedError, InvalidInputError
from veml_vcs.ids import short
from veml_vcs.repository.repository import Repository
from veml_vcs.samples.tensors import Checkpoint, Tensor, read_checkpoint, write_checkpoint
from veml_vcs.versions.trainings import LogFacts

if TYPE_CHECKING:
    from numpy.typing import NDArray


def write_log(repo: Repository, log: Mapping[str, Sequence[float]]) -> LogFacts | None:
    """Store a log; None if it says nothing.

    Raises:
        InvalidInputError: Its columns are not of one length.
    """
    if not log:
        return None
    lengths = {name: len(column) for name, column in log.items()}
    if len(set(lengths.values())) > 1:
        raise InvalidInputError(f"the log's columns are not of one length: {lengths!r:.200}")
    tensors = {}
    for name, column in log.items():
        values = np.asarray(column, "<f8")
        tensors[name] = Tensor("F64", values.shape, values.tobytes())
    stored = write_checkpoint(repo.store, repo.catalog, Checkpoint(tensors))
    return LogFacts(stored.tree, next(iter(lengths.values())), tuple(sorted(log)))


def read_log(repo: Repository, log: LogFacts) -> dict[str, NDArray[np.float64]]:
    """Return the columns of a log: float64 [rows] each, NaN where a row says nothing.

    Raises:
        DamagedError: What is stored is not what the record says.
        NotFoundError: This clone does not have it.
    """
    found = read_checkpoint(repo.store, repo.catalog, log.tree).tensors
    sound = all(one.dtype == "F64" and one.shape == (log.rows,) for one in found.values())
    if not sound or tuple(sorted(found)) != log.columns:
        raise DamagedError(f"log {short(log.tree)}: other columns than its record says")
    return {name: np.frombuffer(one.data, "<f8") for name, one in sorted(found.items())}
