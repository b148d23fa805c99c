"""Three-way merge of the objects of one annotation.

Each side's objects are matched to base (``match``), and each object is merged field by field:

* The box is one field, whatever form it is written in, and so is the class; dicts (``attributes``)
  are merged by key. One side changed it: taken. Both the same: taken once. Both differently: a
  conflict; ours stands until it is settled.
* Where both moved the box to different places, ``area`` and ``segmentation`` go with the box that
  is chosen: they describe the same shape, and the human has one question to answer, not three.
* Removed on one side, changed on the other: a conflict; the changed object stands, so that no work
  is lost. A new number (``id``) alone is no change.

Objects that both sides added are matched to each other, without regard to ids: two labelers' tools
both number their first new box max + 1, and that makes them no more the same box than two new boxes
of different numbers are different.

* Identical content: one object.
* Same class and IoU >= 0.9: two drawings of one thing, one object. Where one side merely says more,
  both are taken together; where they contradict each other (the box differs by a pixel), it is a
  conflict of the whole object.
* Everything else: two objects. If theirs has an id that ours gave to another object, theirs goes on
  without, and the writer of the format gives it a new one.

A conflict between two versions of one object can be settled with both: ours goes on under its id,
theirs becomes an object of its own beside it, without an id, so that the writer gives it a new one.

Ids are names, not statements, so they never conflict: ours is kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from veml_vcs.samples.annotations.boxes import BOX_FIELDS, SHAPE_FIELDS, AnnotatedObject
from veml_vcs.samples.annotations.canonical import canonical_json, child_path
from veml_vcs.samples.annotations.conflicts import (
    MISSING,
    Conflict,
    ConflictKind,
    Ledger,
    Resolution,
)
from veml_vcs.samples.annotations.counts import MergeCounts
from veml_vcs.samples.annotations.match import (
    ObjectKey,
    as_key,
    content_of,
    match_objects,
    object_key,
    pair_up,
    same_class,
    unique_keys,
)
from veml_vcs.samples.annotations.three_way import (
    CLASH,
    all_names,
    merge_order,
    merge_value,
    same,
    settle,
)

TWIN_IOU = 0.9
"""From here on, two new boxes of one class are two drawings of one thing."""


@dataclass(frozen=True)
class _Node:
    """One object of the merge: its index in each version that has it."""

    base: int | None
    ours: int | None
    theirs: int | None


def merge_objects(
    base: Sequence[AnnotatedObject],
    ours: Sequence[AnnotatedObject],
    theirs: Sequence[AnnotatedObject],
    *,
    size: tuple[float | None, float | None],
    ledger: Ledger,
) -> tuple[list[AnnotatedObject], MergeCounts]:
    """Merge two versions of a list of objects that began as ``base``.

    Args:
        base: Objects of the common ancestor.
        ours: Objects of our side.
        theirs: Objects of their side.
        size: Width and height of the image in pixels, if known.
        ledger: Takes the conflicts and decides what stands for them.

    Returns:
        The merged objects, in order, and where they came from.

    Raises:
        InvalidInputError: An object is not made of JSON values.
    """
    return _ObjectMerge(base, ours, theirs, size, ledger).run()


class _ObjectMerge:
    """The state of one merge of objects."""

    def __init__(
        self,
        base: Sequence[AnnotatedObject],
        ours: Sequence[AnnotatedObject],
        theirs: Sequence[AnnotatedObject],
        size: tuple[float | None, float | None],
        ledger: Ledger,
    ) -> None:
        self._base, self._ours, self._theirs = base, ours, theirs
        self._size = size
        self._ledger = ledger
        self._base_keys = unique_keys(base)
        self._our_keys = unique_keys(ours)
        self._our_new_keys = _keys(ours) - _keys(base)
        self._tally: Counter[str] = Counter()

    def run(self) -> tuple[list[AnnotatedObject], MergeCounts]:
        nodes = self._nodes()
        merged: dict[_Node, AnnotatedObject] = {}
        beside: dict[_Node, AnnotatedObject] = {}
        for node in nodes:
            self._ledger.classes = self._classes(node)
            known = len(self._ledger.conflicts)
            obj = self._merge_node(node)
            if obj is not MISSING:
                merged[node] = obj
            if any(one.choice == "both" for one in self._ledger.conflicts[known:]):
                beside[node] = self._theirs_beside(node, obj)
        self._ledger.classes = ()
        order = merge_order(
            [node for node in nodes if node.base is not None],
            _in_order({node.ours: node for node in nodes}),
            _in_order({node.theirs: node for node in nodes}),
            merged.keys(),
        )
        objects = [one[node] for node in order for one in (merged, beside) if node in one]
        counts = MergeCounts(base=len(self._base), merged=len(objects), **self._tally)
        if not counts.balanced:
            raise AssertionError(f"objects were lost or made up in a merge: {counts}")
        return objects, counts

    def _nodes(self) -> list[_Node]:
        width, height = self._size
        to_ours = match_objects(self._base, self._ours, width=width, height=height)
        to_theirs = match_objects(self._base, self._theirs, width=width, height=height)
        in_ours, in_theirs = dict(to_ours.pairs), dict(to_theirs.pairs)
        nodes = [
            _Node(index, in_ours.get(index), in_theirs.get(index))
            for index in range(len(self._base))
        ]
        twins = pair_up(
            [self._ours[index] for index in to_ours.added],
            [self._theirs[index] for index in to_theirs.added],
            {},
            _twin_rank,
            self._size,
        )
        nodes += [_Node(None, to_ours.added[i], to_theirs.added[j]) for i, j in twins.pairs]
        nodes += [_Node(None, to_ours.added[i], None) for i in twins.removed]
        nodes += [_Node(None, None, to_theirs.added[j]) for j in twins.added]
        return nodes

    def _classes(self, node: _Node) -> tuple[str, ...]:
        """Return the classes that the object has on any side."""
        sides = ((self._base, node.base), (self._ours, node.ours), (self._theirs, node.theirs))
        names = (objects[i].get("class") for objects, i in sides if i is not None)
        return tuple(dict.fromkeys(name for name in names if isinstance(name, str)))

    def _merge_node(self, node: _Node) -> Any:
        """Return the merged object, or ``MISSING`` if it is gone."""
        if node.base is None:
            return self._merge_added(node)
        base = self._base[node.base]
        if node.ours is not None and node.theirs is not None:
            ours, theirs = self._ours[node.ours], self._theirs[node.theirs]
            return self._merge_fields(base, ours, theirs, self._path(node), self._ledger)
        if node.ours is None and node.theirs is None:
            self._tally["removed_both"] += 1
            return MISSING
        return self._merge_removed(node, base)

    def _merge_removed(self, node: _Node, base: AnnotatedObject) -> Any:
        """Merge an object that one side removed."""
        ours: Any = MISSING if node.ours is None else self._ours[node.ours]
        theirs: Any = MISSING if node.theirs is None else self._theirs[node.theirs]
        obj: Any = MISSING
        if content_of(theirs if ours is MISSING else ours) != content_of(base):
            obj = self._ledger.pick(
                ConflictKind.REMOVED_CHANGED,
                self._path(node),
                base,
                ours,
                theirs,
                meanwhile="theirs" if ours is MISSING else "ours",
            )
        if obj is MISSING:
            self._tally["removed_ours" if ours is MISSING else "removed_theirs"] += 1
        elif obj is theirs:
            return self._without_taken_id(theirs)
        return obj

    def _merge_added(self, node: _Node) -> Any:
        if node.theirs is None:
            assert node.ours is not None
            self._tally["added_ours"] += 1
            return self._ours[node.ours]
        theirs = self._theirs[node.theirs]
        if node.ours is None:
            self._tally["added_theirs"] += 1
            return self._without_taken_id(theirs)
        ours = self._ours[node.ours]
        attempt = Ledger()
        obj: Any = self._merge_fields({}, ours, theirs, "", attempt)
        if attempt.conflicts:
            path = self._path(node)
            obj = self._ledger.pick(ConflictKind.ADDED_BOTH, path, MISSING, ours, theirs)
        if obj is MISSING:
            return obj
        self._tally["added_both"] += 1
        if obj is theirs and object_key(theirs) != object_key(ours):
            return self._without_taken_id(theirs)
        return obj

    def _theirs_beside(self, node: _Node, ours: AnnotatedObject) -> AnnotatedObject:
        """Return their version of an object of which both are kept, as an object of its own."""
        assert node.theirs is not None
        self._tally["added_theirs"] += 1
        theirs = self._theirs[node.theirs]
        if node.base is None:
            self._tally["added_both"] -= 1
            self._tally["added_ours"] += 1
            if object_key(theirs) != object_key(ours):
                return self._without_taken_id(theirs)
        else:
            assert node.ours is not None
            sides = (self._base[node.base], self._ours[node.ours], theirs)
            theirs = self._merge_fields(*sides, self._path(node), Ledger(self._for_theirs))
        return {name: value for name, value in theirs.items() if name != "id"}

    def _for_theirs(self, conflict: Conflict) -> Resolution | None:
        """Settle a conflict as the second of two objects has it."""
        choice = self._ledger.choice_of(replace(conflict, classes=self._ledger.classes))
        return "theirs" if choice == "both" else choice

    def _without_taken_id(self, theirs: AnnotatedObject) -> AnnotatedObject:
        if object_key(theirs) not in self._our_new_keys:
            return theirs
        return {name: value for name, value in theirs.items() if name != "id"}

    def _merge_fields(
        self,
        base: AnnotatedObject,
        ours: AnnotatedObject,
        theirs: AnnotatedObject,
        path: str,
        ledger: Ledger,
    ) -> AnnotatedObject:
        if same(ours, theirs):  # most objects: neither side touched them
            return ours
        names = all_names(ours, theirs, base)
        shape = settle(*(_part(obj, BOX_FIELDS) for obj in (base, ours, theirs)))
        settled: tuple[str, ...] = BOX_FIELDS
        if shape is CLASH:
            settled = BOX_FIELDS + SHAPE_FIELDS
            name = next(name for name in names if name in BOX_FIELDS)
            shapes = (_part(obj, settled) for obj in (base, ours, theirs))
            shape = ledger.pick(ConflictKind.MOVED_BOTH, f"{path}.{name}", *shapes)
        merged = {}
        for name in names:
            versions = [obj.get(name, MISSING) for obj in (base, ours, theirs)]
            if name in settled:
                value = shape.get(name, MISSING)
            elif name == "id":
                value = self._merge_id(*versions)
            else:
                kind = ConflictKind.CLASS_BOTH if name == "class" else ConflictKind.FIELD_BOTH
                value = merge_value(
                    *versions, kind=kind, path=child_path(path, name), ledger=ledger
                )
            if value is not MISSING:
                merged[name] = value
        return merged

    def _merge_id(self, base: Any, ours: Any, theirs: Any) -> Any:
        value = settle(base, ours, theirs)
        if value is CLASH or (value is not ours and as_key(value) in self._our_new_keys):
            return ours
        return value

    def _path(self, node: _Node) -> str:
        """Name the object for conflicts: by its id in base, or in ours if it is new there."""
        if node.base is not None:
            key = object_key(self._base[node.base])
            return _key_path(key) if key in self._base_keys else f"objects#{node.base}"
        assert node.ours is not None
        key = object_key(self._ours[node.ours])
        if key in self._our_keys and key in self._our_new_keys:
            return _key_path(key)
        return f"objects+{node.ours}"


def _twin_rank(ours: AnnotatedObject, theirs: AnnotatedObject, overlap: float) -> int | None:
    return 0 if overlap >= TWIN_IOU and same_class(ours, theirs) else None


def _keys(objects: Sequence[AnnotatedObject]) -> set[ObjectKey]:
    return {key for key in map(object_key, objects) if key is not None}


def _key_path(key: ObjectKey | None) -> str:
    return f"objects[id={canonical_json(key).decode()}]"


def _part(obj: AnnotatedObject, names: Collection[str]) -> AnnotatedObject:
    return {name: value for name, value in obj.items() if name in names}


def _in_order(nodes: dict[int | None, _Node]) -> list[_Node]:
    return [nodes[index] for index in sorted(index for index in nodes if index is not None)]
