"""Merge the records of a model three-way: key by key, checked against the config that was merged.

The config is text and is merged as text, by whoever merges files; a record says what a config says.
So the merged config is read again. Where it says something else than merging the three records key
by key, or where the sides contradict each other in a key, that is a conflict: two changes that
touch no common line can still mean something that nobody meant (one side sets a depth in the
config, the other in what it inherits from).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from veml_vcs.errors import FormatError, NotFoundError
from veml_vcs.repository.git.repo import TreeFile
from veml_vcs.repository.merging.text import BLOB_KINDS
from veml_vcs.repository.models.read import Read, from_disk, from_git, record_of
from veml_vcs.repository.repository import Repository
from veml_vcs.samples.annotations import Choice
from veml_vcs.versions.configs.flat import MISSING, same
from veml_vcs.versions.kinds import MODEL
from veml_vcs.versions.models import (
    ModelRecord,
    compare_configs,
)
from veml_vcs.versions.models.merge import KeyConflict, conflict, merge_model_records

_WORDS = re.compile(rb"\w+|\s+|[^\w\s]")
_MOST_WORDS = 50_000

Three = tuple[TreeFile | None, TreeFile | None, TreeFile | None]


@dataclass(frozen=True)
class MergedModel:
    """The record of a model that both sides changed.

    Attributes:
        record: What the merged config says; while that cannot be read, the records merged key by
            key, ours where they contradict each other.
        conflicts: The keys that somebody has to look at.
        texts: Files of the config that conflict line by line, and do not word by word, merged so.
    """

    record: ModelRecord
    conflicts: tuple[KeyConflict, ...] = ()
    texts: Mapping[str, TreeFile] = field(default_factory=dict)


def merge_model(
    repo: Repository,
    path: str,
    three: Three,
    files: Mapping[str, TreeFile],
    conflicted: Mapping[str, Three],
    favour: Choice | None = None,
) -> MergedModel | None:
    """Merge the record of a model, after the files of its config.

    Args:
        repo: The repository.
        path: The record, from the repository's root.
        three: The record in the common ancestor, in ours and in theirs.
        files: The merged tree so far.
        conflicted: Files of it that are in conflict: base, ours, theirs.
        favour: The side that settles contradictions.

    Returns:
        None if one of the three is not there, or is no record of a model: then it is a file like
        any other.
    """
    records = _records(repo, path, three)
    if records is None:
        return None
    texts = sorted(set(records[1].files + records[2].files) & conflicted.keys())
    if not texts:
        return _checked(records, from_git(repo, files, "the merge"), favour)
    by_key = merge_model_records(*records)
    finer = {one: _merge_words(repo, conflicted[one]) for one in texts}
    if not by_key.conflicts and all(finer.values()):
        tried = {one: file for one, file in finer.items() if file is not None}
        found = _checked(records, from_git(repo, {**files, **tried}, "the merge"), favour)
        if not found.conflicts:
            return MergedModel(found.record, (), tried)
    return MergedModel(by_key.record, by_key.conflicts)


def model_conflicts(repo: Repository) -> dict[str, tuple[KeyConflict, ...]]:
    """Return the records of models that are in conflict in the index, and in which keys.

    They follow from the three stages, whoever left them: a merge, a rebase, a stash, of veml's or
    of plain git's.
    """
    found = {}
    for path in repo.git.conflicted_paths():
        if MODEL.may_be(path):
            records = _records(repo, path, repo.git.conflict_stages(path))
            if records is not None:
                found[path] = _checked(records, from_disk(repo), None).conflicts
    return found


def _records(
    repo: Repository, path: str, three: Three
) -> tuple[ModelRecord | None, ModelRecord, ModelRecord] | None:
    found: list[ModelRecord | None] = []
    for file in three:
        data = None if file is None else repo.git.read_blob(file.blob)
        if data is not None and not MODEL.is_record(data):
            return None
        try:
            found.append(None if data is None else MODEL.parse(data, path))
        except FormatError:
            return None
    base, ours, theirs = found
    return None if ours is None or theirs is None else (base, ours, theirs)


def _checked(
    records: tuple[ModelRecord | None, ModelRecord, ModelRecord],
    read: Read,
    favour: Choice | None,
) -> MergedModel:
    base, ours, theirs = records
    merged = merge_model_records(base, ours, theirs)
    if ours.ran or theirs.ran:
        return MergedModel(merged.record, merged.conflicts)
    try:
        now = record_of(merged.record.path, read, merged.record)
    except (FormatError, NotFoundError) as error:
        unread = conflict("(config)", None if base is None else base.path, ours.path, error.message)
        return MergedModel(merged.record, (*merged.conflicts, unread))
    known = {one.key for one in merged.conflicts}
    sides = [{} if base is None else base.config, ours.config, theirs.config]
    other = [
        conflict(one.key, *(side.get(one.key, MISSING) for side in sides))
        for one in compare_configs(merged.record.config, now.config)
        if one.key not in known
    ]
    left = [one for one in (*merged.conflicts, *other) if not _settled(one, now, records, favour)]
    return MergedModel(now, tuple(sorted(left, key=lambda one: one.key)))


def _merge_words(repo: Repository, three: Three) -> TreeFile | None:
    """Merge a text word by word; None where that conflicts, too.

    Two keys on one line, or on lines side by side, are one change to whoever merges lines. Words
    alone could be merged into anything: the result counts only if it reads as the keys do.
    """
    if any(file is None or file.mode not in BLOB_KINDS for file in three):
        return None
    from merge3 import Merge3

    sides = [_WORDS.findall(repo.git.read_blob(file.blob)) for file in three if file is not None]
    if max(map(len, sides)) > _MOST_WORDS:
        return None
    merged: list[bytes] = []
    for kind, *bounds in Merge3(sides[0], sides[1], sides[2]).merge_regions():
        if kind == "conflict":
            return None
        side = {"unchanged": 0, "b": 2}.get(kind, 1)
        merged += sides[side][bounds[0] : bounds[1]]
    assert three[1] is not None
    return TreeFile(three[1].mode, repo.git.write_blob(b"".join(merged)))


def _settled(
    one: KeyConflict,
    now: ModelRecord,
    records: tuple[ModelRecord | None, ModelRecord, ModelRecord],
    favour: Choice | None,
) -> bool:
    """Tell whether the merged config says of a key what the favoured side says."""
    if favour is None:
        return False
    side = dict(zip(("base", "ours", "theirs"), records, strict=True)).get(favour)
    wanted = MISSING if side is None else side.config.get(one.key, MISSING)
    return same(now.config.get(one.key, MISSING), wanted)
