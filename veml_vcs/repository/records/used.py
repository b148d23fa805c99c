"""The data versions that a training names, by id: whatever became of branches and folders."""

from __future__ import annotations

from veml_vcs.errors import DamagedError, NotFoundError
from veml_vcs.repository.absent import require_here
from veml_vcs.repository.dataset import Dataset
from veml_vcs.repository.repository import Repository
from veml_vcs.samples.facts import Facts
from veml_vcs.versions.data import DataRecord, is_data_record, parse_data_record
from veml_vcs.versions.trainings import DataUse


def used_record(repo: Repository, use: DataUse) -> DataRecord:
    """Return a data version's record; its tree alone where Git does not have it (any more)."""
    try:
        data = repo.git.read_blob(use.version)
    except (KeyError, NotFoundError, DamagedError):
        data = b""
    if is_data_record(data):
        record = parse_data_record(data, use.path)
        if record.tree == use.tree:
            return record
    return DataRecord(use.tree, Facts("", ""))


def used_data(repo: Repository, use: DataUse) -> Dataset:
    """Open a data version that a training was made of, or measured on.

    Raises:
        NotFoundError: Its data is not in this clone.
    """
    record = used_record(repo, use)
    require_here(repo, use.path, record)
    return Dataset(repo, use.path, record)
