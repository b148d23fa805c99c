"""Three-way merge of two records of a model: key by key of the config."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from veml_vcs.versions.configs.flat import MISSING, same
from veml_vcs.versions.models.record import ModelRecord

_SIDES = ("base", "ours", "theirs")


@dataclass(frozen=True)
class KeyConflict:
    """A key of a config that both sides changed, and differently.

    Attributes:
        key: The flat key; ``(config)`` stands for the path of the config itself, ``(ran)`` for a
            config that was run, so that nobody can tell by reading what a merged one says.
        base: The value both began with; None if there was none.
        ours: Our value.
        theirs: Their value.
        absent: The sides that have no such key: ``base``, ``ours``, ``theirs``.
    """

    key: str
    base: Any = None
    ours: Any = None
    theirs: Any = None
    absent: tuple[str, ...] = ()


@dataclass(frozen=True)
class ModelMerge:
    """A merged record; where the sides contradict each other, ours stands.

    Attributes:
        record: What was merged.
        conflicts: The contradictions, by key.
    """

    record: ModelRecord
    conflicts: tuple[KeyConflict, ...] = ()


def merge_model_records(
    base: ModelRecord | None, ours: ModelRecord, theirs: ModelRecord
) -> ModelMerge:
    """Merge two records that began as one.

    Args:
        base: The common ancestor's; None if both sides made theirs.
        ours: Our record.
        theirs: Their record.
    """
    old = {} if base is None else base.config
    config, conflicts = merge_configs(old, ours.config, theirs.config)
    if ours.ran or theirs.ran:
        found = conflict("(ran)", ours.path, ours.path, theirs.path)
        return ModelMerge(ours, (*conflicts, found))
    paths = (None if base is None else base.path, ours.path, theirs.path)
    path = _one(*paths)
    if path is None:
        conflicts = (*conflicts, conflict("(config)", *paths))
        path = ours.path
    files = _files(base, ours, theirs, path)
    merged = ModelRecord(files, config)
    if not merged.facts.architecture:  # each side removed a half of it
        return ModelMerge(ours, (*conflicts, conflict("model", None, "changed", "changed")))
    for one in (ours, theirs):
        if one.parameters is not None and _model(one.config) == _model(config):
            merged = ModelRecord(files, config, one.parameters)
    return ModelMerge(merged, conflicts)


def merge_configs(
    base: Mapping[str, Any], ours: Mapping[str, Any], theirs: Mapping[str, Any]
) -> tuple[dict[str, Any], tuple[KeyConflict, ...]]:
    """Merge two flat configs key by key; ours stands where they contradict each other.

    Args:
        base: What both began as.
        ours: Our config.
        theirs: Their config.

    Returns:
        The merged flat config, sorted, and the contradictions.
    """
    merged: dict[str, Any] = {}
    conflicts = []
    for key in sorted(base.keys() | ours.keys() | theirs.keys()):
        three = [side.get(key, MISSING) for side in (base, ours, theirs)]
        old, left, right = three
        chosen = left
        if same(left, old):
            chosen = right
        elif not (same(right, old) or same(left, right)):
            conflicts.append(conflict(key, *three))
        if chosen is not MISSING:
            merged[key] = chosen
    # One side made a dict of what is a value on the other.
    for key in list(merged):
        above = [key[:place] for place, char in enumerate(key) if char == "."]
        if any(one in merged for one in above):
            conflicts.append(conflict(
                key, *(side.get(key, MISSING) for side in (base, ours, theirs))
            ))  # fmt: skip
            for one in (key, *above):
                if one not in ours:
                    merged.pop(one, None)
    return merged, tuple(conflicts)


def conflict(key: str, base: Any, ours: Any, theirs: Any) -> KeyConflict:
    """Return a contradiction; ``MISSING`` stands for a side that has no such key."""
    three = (base, ours, theirs)
    old, left, right = (None if one is MISSING else one for one in three)
    absent = tuple(side for side, one in zip(_SIDES, three, strict=True) if one is MISSING)
    return KeyConflict(key, old, left, right, absent)


def _one(base: str | None, ours: str, theirs: str) -> str | None:
    """Return what a three-way merge of one value gives; None is a contradiction."""
    if ours == theirs or theirs == base:
        return ours
    return theirs if ours == base else None


def _files(
    base: ModelRecord | None, ours: ModelRecord, theirs: ModelRecord, path: str
) -> tuple[str, ...]:
    """Return the files of a merged config: ours, without what they dropped, with what they added.

    The order is that of reading; who reads the merged config knows better (``model add``).
    """
    old: Sequence[str] = () if base is None else base.files
    dropped = set(old) - set(theirs.files)
    added = [one for one in theirs.files if one not in old]
    return tuple(dict.fromkeys([path, *(x for x in ours.files if x not in dropped), *added]))


def _model(config: Mapping[str, Any]) -> dict[str, str]:
    return {key: repr(one) for key, one in config.items() if key.startswith("model.")}
