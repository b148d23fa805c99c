"""Both sides of a merge changed one training, or one inference version: a conflict of the whole.

A metric belongs to one checkpoint, or file, on one data version. A record in which a merge by line
had put the metrics of one side beside the checkpoint of the other would lie, so nothing of it is
merged. A model says what its config says, and is merged by key (``models/merging``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from veml_vcs.errors import FormatError, InvalidInputError
from veml_vcs.repository.git.repo import TreeFile
from veml_vcs.repository.inferences.changes import inference_diff
from veml_vcs.repository.records.changes import RecordDiff
from veml_vcs.repository.records.versions import record_of_file
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.trainings.changes import training_diff
from veml_vcs.versions.kinds import INFERENCE, TRAINING, RecordKind, measured_at

Three = tuple[TreeFile | None, TreeFile | None, TreeFile | None]

_DIFF: dict[str, Callable[[str, Any, Any], RecordDiff]] = {
    TRAINING.name: training_diff,
    INFERENCE.name: inference_diff,
}


@dataclass(frozen=True)
class RecordConflict:
    """A version that both sides of a merge changed, and differently.

    Attributes:
        kind: ``training`` or ``inference``.
        name: Its name.
        path: Its record, from the repository's root.
        ours: What we did to it, since the common ancestor.
        theirs: What they did.
    """

    kind: str
    name: str
    path: str
    ours: RecordDiff
    theirs: RecordDiff


def whole_kind(repo: Repository, path: str, three: Three) -> RecordKind[Any] | None:
    """Return the kind of which our and their file at a path are records that can be read.

    None: they are no such records, and merged as other files are.
    """
    kind = measured_at(path)
    sides = [] if kind is None else [record_of_file(repo, kind, path, one) for one in three[1:]]
    return kind if sides and None not in sides else None


def record_conflicts(repo: Repository) -> dict[str, RecordConflict]:
    """Return the records of trainings and inference versions in conflict in the index, by path."""
    found = {}
    for path in repo.git.conflicted_paths():
        kind = measured_at(path)
        if kind is None:
            continue
        base, ours, theirs = (
            record_of_file(repo, kind, path, one) for one in repo.git.conflict_stages(path)
        )
        if ours is not None and theirs is not None:
            name, diff = kind.name_of(path), _DIFF[kind.name]
            found[path] = RecordConflict(
                kind.name, name, path, diff(name, base, ours), diff(name, base, theirs)
            )
    return found


def settled_alone(repo: Repository, path: str, three: Three) -> bool:
    """Tell whether ours and theirs are of one deployment that was measured twice: ours stands."""
    if not INFERENCE.may_be(path) or three[1] is None or three[2] is None:
        return False
    ours, theirs = (repo.git.read_blob(one.blob) for one in three[1:] if one is not None)
    return measured_twice(ours, theirs, path)


def measured_twice(ours: bytes, theirs: bytes, path: str) -> bool:
    """Tell whether two records are of one deployment, and differ in its latency alone."""
    if not (INFERENCE.is_record(ours) and INFERENCE.is_record(theirs)):
        return False
    try:
        one, other = (INFERENCE.parse(data, path) for data in (ours, theirs))
    except FormatError:
        return False
    return one.same_but_for_latency(other)


def how_to_settle(path: str) -> str:
    """Return what to type to settle a conflict of a whole record."""
    average = "|--average" if TRAINING.may_be(path) else ""
    return f"veml resolve {path} --ours|--theirs|--base{average}"


def refuse_both(repo: Repository, path: str, three: Three) -> None:
    """Refuse to keep the lines of both sides of such a record.

    Raises:
        InvalidInputError: It is one.
    """
    kind = whole_kind(repo, path, three)
    if kind is not None:
        average = ", --average" if kind is TRAINING else ""
        raise InvalidInputError(
            f"{path}: two versions of {kind.a_name} cannot both be one; it is still in conflict",
            hint=f"veml resolve {path} --ours (or --theirs, --base{average})",
            kind="not-both",
        )
