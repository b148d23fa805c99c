"""Samples that one side of a merge gave another key, known by their bytes (docs/design/011).

A move is found, never stored. This module only finds moves; ``merging.entries`` merges them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from veml_vcs.ids import SampleId
from veml_vcs.samples.tree import Change, Entry, EntryKind


@dataclass(frozen=True)
class Move:
    """One sample that at least one side moved, and that both sides touched.

    Attributes:
        base: Its key in the common ancestor.
        ours: Its key on our side (``base`` if we did not move it), whether it is there or not.
        theirs: Its key on their side.
    """

    base: str
    ours: str
    theirs: str

    @property
    def keys(self) -> set[str]:
        """All keys it has or had."""
        return {self.base, self.ours, self.theirs}


def find_moves(ours: Mapping[str, Change], theirs: Mapping[str, Change]) -> list[Move]:
    """Return the moved samples that cannot be merged key by key, in order of their old keys.

    Args:
        ours: Key -> what our side did to it.
        theirs: Key -> what their side did to it.
    """
    our_moves, their_moves = _moves(ours.values()), _moves(theirs.values())
    found = []
    for key in sorted(our_moves.keys() | their_moves.keys()):
        move = Move(key, our_moves.get(key, key), their_moves.get(key, key))
        if key not in ours or key not in theirs:
            continue  # the other side left it alone
        filled = (move.ours != key and move.ours in theirs) or (
            move.theirs != key and move.theirs in ours
        )
        if move.ours == move.theirs or not filled:  # else the other side put something else there
            found.append(move)
    return found


def _moves(changes: Iterable[Change]) -> dict[str, str]:
    """Return old key -> new key of the samples that one side moved."""
    gone: defaultdict[SampleId, list[str]] = defaultdict(list)
    new: defaultdict[SampleId, list[str]] = defaultdict(list)
    for change in changes:
        if change.new is None and (content := _sample(change.old)) is not None:
            gone[content].append(change.key)
        elif change.old is None and (content := _sample(change.new)) is not None:
            new[content].append(change.key)
    found: dict[str, str] = {}
    for content in gone.keys() & new.keys():
        found.update(_pair(gone[content], new[content]))
    return found


def _pair(gone: list[str], new: list[str]) -> dict[str, str]:
    """Pair the keys that one content left with those it came to."""
    if len(gone) == len(new) == 1:
        return {gone[0]: new[0]}
    old_names, new_names = _by_name(gone), _by_name(new)
    return {old_names[name]: new_names[name] for name in old_names.keys() & new_names.keys()}


def _by_name(keys: Collection[str]) -> dict[str, str]:
    """Return base name -> key, for base names that only one key has."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for key in keys:
        found[key.rpartition("/")[2]].append(key)
    return {name: listed[0] for name, listed in found.items() if len(listed) == 1}


def _sample(entry: Entry | None) -> SampleId | None:
    return entry.content if entry is not None and entry.kind is EntryKind.SAMPLE else None
