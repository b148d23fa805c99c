"""The training versions of a commit or of the index, and one of them by name with what it holds.

What is in the store is imported when it is asked for: ``veml status`` reads records alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from veml_vcs.repository.records.versions import MeasuredVersion, VersionSpec, open_version
from veml_vcs.repository.repository import Repository
from veml_vcs.versions.kinds import TRAINING
from veml_vcs.versions.trainings import TrainingRecord

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from veml_vcs.samples.tensors import Checkpoint


class TrainingVersion(MeasuredVersion[TrainingRecord]):
    """One training version; its heavy parts are read from the store when asked for."""

    kind = TRAINING

    def checkpoint(self) -> Checkpoint:
        """Return the weights, each tensor checked against its id.

        Raises:
            NotFoundError: This clone's store does not have them.
            DamagedError: What is stored is not what the record says.
        """
        from veml_vcs.samples.tensors import read_checkpoint

        repo = self.repository
        with self.reading("checkpoint"):
            return read_checkpoint(repo.store, repo.catalog, self.record.checkpoint.tree)

    def log(self) -> dict[str, NDArray[np.float64]]:
        """Return the log: column -> float64 [rows], NaN where a row says nothing; maybe empty.

        Raises:
            NotFoundError: This clone's store does not have it.
            DamagedError: What is stored is not what the record says.
        """
        from veml_vcs.repository.trainings.log import read_log

        with self.reading("log"):
            return {} if self.record.log is None else read_log(self.repository, self.record.log)


def open_training(repo: Repository, spec: VersionSpec | str) -> TrainingVersion:
    """Return one training version: ``NAME`` (as staged) or ``NAME@REV``.

    Raises:
        NotFoundError: There is no such training there.
        FormatError: What lies there is no record of a training.
    """
    return open_version(repo, TrainingVersion, spec)
