"""Three-way merge of what belongs to a data set as a whole: classes by name, the rest by key."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from veml_vcs.repository.merging.conflict import DataConflict
from veml_vcs.repository.merging.rules import Settlement
from veml_vcs.samples.facts import ClassInfo, Facts
from veml_vcs.versions.data import DataRecord


def merge_facts(
    path: str,
    base: DataRecord | None,
    ours: DataRecord,
    theirs: DataRecord,
    settlement: Settlement,
    names_nothing: Callable[[DataRecord, str], bool] = lambda _record, _key: False,
) -> tuple[Facts, list[DataConflict]]:
    """Merge the facts of two versions.

    The layout is the union of all three: it says where things are written, and is recognised anew
    afterwards. A class is added, removed or changed by name. Two new classes that took the same
    number keep ours; theirs gets the next free one (annotations refer to names, so nothing else
    changes).

    A list, or an annotation file, that names no image on one side says nothing of how it names
    them; what the others say of that stands.

    Args:
        path: The data set.
        base: What both sides began as.
        ours: Our version.
        theirs: Their version.
        settlement: What settles contradictions.
        names_nothing: Tells whether a file of a version names no image at all.

    Returns:
        The merged facts, and a conflict for each class or dataset-level field that both sides
        changed differently (key ``class:NAME`` or ``field:NAME``); ours stands meanwhile.
    """
    conflicts: list[DataConflict] = []

    def settle(key: str, old: Any, left: Any, right: Any) -> Any:
        if left == right or right == old:
            return left
        if left == old:
            return right
        choice = settlement.side(path, (key, "fact-both", ""), _classes(key))
        conflicts.append(
            DataConflict(path, key, "fact-both", "", _json(old), _json(left), _json(right), choice)
        )
        return {"theirs": right, "base": old}.get(choice or "ours", left)

    facts = [record.facts if record else None for record in (base, ours, theirs)]
    tables = [{one.name: one for one in one_side.classes} if one_side else {} for one_side in facts]
    merged: dict[str, ClassInfo] = {}
    for name in dict.fromkeys([*tables[1], *tables[2]]):
        one = settle(f"class:{name}", *(table.get(name) for table in tables))
        if one is not None:
            merged[name] = one
    old_extra = dict(base.facts.extra) if base else {}
    extra = {}
    for name in dict.fromkeys([*ours.facts.extra, *theirs.facts.extra]):
        value = settle(
            f"field:{name}",
            old_extra.get(name),
            ours.facts.extra.get(name),
            theirs.facts.extra.get(name),
        )
        said = [(one, one.facts.extra.get(name)) for one in (ours, theirs, base) if one]
        value = _with_naming(name, value, said, names_nothing)
        if value is not None:
            extra[name] = value
    layout: dict[str, Any] = {}
    for one_side in (base, theirs, ours):
        _join(layout, one_side.facts.layout if one_side else {})
    for name, table in layout.items():
        if isinstance(table, dict):
            layout[name] = {}
            for key, value in table.items():
                sides = [(one, one.facts.layout.get(name)) for one in (ours, theirs, base) if one]
                said = [(one, of.get(key)) for one, of in sides if isinstance(of, Mapping)]
                layout[name][key] = _with_naming(key, value, said, names_nothing)
    return (
        Facts(ours.facts.format, ours.facts.task, _renumbered(merged, tables[1]), layout, extra),
        conflicts,
    )


def _with_naming(
    key: str,
    value: Any,
    said: Sequence[tuple[DataRecord, Any]],
    names_nothing: Callable[[DataRecord, str], bool],
) -> Any:
    """Return what is said of a file, with how it names images where a side had no occasion to."""
    if _naming(value) or not (value is None or isinstance(value, Mapping)):
        return value
    known = next((naming for _, one in said if (naming := _naming(one))), None)
    silent = next((record for record, one in said if not _naming(one)), None)
    if known is None or silent is None or not names_nothing(silent, key):
        return value
    return {**(value or {}), **known}


def _naming(value: Any) -> dict[str, Any]:
    """Return the part of what is said of a file that tells how it names images."""
    if not isinstance(value, Mapping):
        return {}
    return {name: value[name] for name in ("strip", "root", "with_suffix") if name in value}


def _classes(key: str) -> tuple[str, ...]:
    name = key.removeprefix("class:")
    return () if name == key else (name,)


def _renumbered(
    classes: dict[str, ClassInfo], ours: Mapping[str, ClassInfo]
) -> tuple[ClassInfo, ...]:
    """Give each class a number of its own; ours keep theirs."""
    taken = {one.id for name, one in classes.items() if name in ours}
    highest = max((one.id for one in classes.values() if one.id is not None), default=0)
    found = []
    for name, one in classes.items():
        if name not in ours and one.id is not None:
            if one.id in taken:
                highest += 1
                one = ClassInfo(name, highest, one.extra)
            taken.add(one.id)
        found.append(one)
    return tuple(found)


def _join(layout: dict[str, Any], more: Mapping[str, Any]) -> None:
    """Take over a layout's options; tables (folders, lists, files) entry by entry."""
    for name, value in more.items():
        old = layout.get(name)
        if isinstance(old, dict) and isinstance(value, dict):
            layout[name] = old | value
        else:
            layout[name] = value


def _json(value: Any) -> Any:
    if isinstance(value, ClassInfo):
        return {"name": value.name, "id": value.id, "extra": dict(value.extra)}
    return value
