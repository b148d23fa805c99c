"""What every command asks of named records, before anything heavy is imported.

Reading the record of a model brings in the reader of configs, and a diff of trainings that of
tensors; a repository without models and trainings shall not pay for it in each ``status``, ``diff``
and ``commit``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from veml_vcs.errors import FormatError
from veml_vcs.ids import TreeId, short
from veml_vcs.versions.data import RECORD_SUFFIX, is_data_record, parse_data_record
from veml_vcs.versions.kinds import (
    INFERENCE,
    MODEL,
    TRAINING,
    RecordKind,
    kind_at,
    measured_at,
    readable,
)

if TYPE_CHECKING:
    from veml_vcs.repository.git.repo import TreeFile
    from veml_vcs.repository.inferences.changes import InferenceDiff
    from veml_vcs.repository.models.changes import ModelDiff
    from veml_vcs.repository.records.merging import RecordConflict
    from veml_vcs.repository.records.stale import StaleRecord
    from veml_vcs.repository.repository import Repository
    from veml_vcs.repository.trainings.changes import TrainingDiff


@dataclass(frozen=True)
class RecordDiffs:
    """How the named records of two states differ.

    Attributes:
        models: Models that do.
        trainings: Trainings that do.
        inferences: Inference versions that do.
    """

    models: tuple[ModelDiff, ...] = ()
    trainings: tuple[TrainingDiff, ...] = ()
    inferences: tuple[InferenceDiff, ...] = ()

    @property
    def paths(self) -> set[str]:
        """The records, from the repository's root."""
        return {one.path for one in (*self.models, *self.trainings, *self.inferences)}


def record_diffs(
    repo: Repository,
    before: Mapping[str, TreeFile],
    after: Mapping[str, TreeFile],
    wanted: Callable[[str], bool] = lambda _path: True,
    *,
    layers: bool = False,
) -> RecordDiffs:
    """Compare the named records of two Git trees, or of one and the index.

    Args:
        repo: The repository.
        before: The files of the first.
        after: The files of the second.
        wanted: Tells whether a path is asked for.
        layers: Compare checkpoints of trainings, too; that reads the tensors that differ.
    """
    models: tuple[ModelDiff, ...] = ()
    trainings: tuple[TrainingDiff, ...] = ()
    inferences: tuple[InferenceDiff, ...] = ()
    if _any_differs(MODEL, before, after):
        from veml_vcs.repository.models.changes import model_diffs

        models = model_diffs(repo, before, after, wanted)
    if _any_differs(TRAINING, before, after):
        from veml_vcs.repository.trainings.changes import training_diffs

        trainings = training_diffs(repo, before, after, wanted, layers=layers)
    if _any_differs(INFERENCE, before, after):
        from veml_vcs.repository.inferences.changes import inference_diffs

        inferences = inference_diffs(repo, before, after, wanted)
    return RecordDiffs(models, trainings, inferences)


def _any_differs(
    kind: RecordKind[Any], before: Mapping[str, TreeFile], after: Mapping[str, TreeFile]
) -> bool:
    paths = filter(kind.may_be, {*before, *after})
    return any(before.get(path) != after.get(path) for path in paths)


def any_stale_records(
    repo: Repository, files: Mapping[str, TreeFile], conflicted: Collection[str] = ()
) -> tuple[StaleRecord, ...]:
    """Return ``stale_records`` where a file may be a training's or an inference version's record.

    Args:
        repo: The repository.
        files: The Git tree, or the index.
        conflicted: Paths in conflict: what they will be is not known yet.
    """
    if not any(map(measured_at, files)):
        return ()
    from veml_vcs.repository.records.stale import stale_records

    return tuple(one for one in stale_records(repo, files) if one.needs not in conflicted)


def any_record_conflicts(repo: Repository, conflicted: Iterable[str]) -> dict[str, RecordConflict]:
    """Return ``record_conflicts`` where a path in conflict may be such a record."""
    if not any(map(measured_at, conflicted)):
        return {}
    from veml_vcs.repository.records.merging import record_conflicts

    return record_conflicts(repo)


def stored_parts(repo: Repository, files: Mapping[str, TreeFile]) -> Iterator[tuple[str, TreeId]]:
    """Yield the heavy parts of all named records: ``trainings/NAME (checkpoint)``, and its tree."""
    for path, file in files.items():
        if kind_at(path) is None:
            continue
        record = readable(repo.git.read_blob(file.blob))
        for part, found in ({} if record is None else record.parts).items():
            yield f"{path.removesuffix(RECORD_SUFFIX)} ({part})", found.tree


def trees_of(data: bytes, path: str) -> tuple[TreeId, ...]:
    """Return the trees that hold what a record stands for; none if it is no such record.

    Args:
        data: The record's bytes.
        path: Where it lies, for messages.

    Raises:
        FormatError: It is the record of a data version that cannot be read.
    """
    if is_data_record(data):
        return (parse_data_record(data, path).tree,)
    record = readable(data)
    return () if record is None else tuple(part.tree for part in record.parts.values())


def used_trees(data: bytes, path: str) -> dict[str, TreeId]:
    """Return the trees of the data versions that a record names: ``FOLDER VERSION`` -> tree.

    What a training learnt from is mostly an older version than that of its commit: without it
    nobody can measure or rebuild.

    Args:
        data: The record's bytes.
        path: Where it lies.
    """
    kind = measured_at(path)
    if kind is None or not kind.is_record(data):
        return {}
    with contextlib.suppress(FormatError):
        uses = kind.parse(data, path).data
        return {f"{one.path} {short(one.version, 7)}": one.tree for one in uses}
    return {}
