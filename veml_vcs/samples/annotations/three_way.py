"""Three-way merge of plain JSON values, of sets, and of orders: the pieces of ``merge``.

``MISSING`` stands for a field that a side does not have. Values are compared in their canonical
form, so that 48 and 48.0 are one number and ``True`` and 1 are not. Results share parts with what
they were made from.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from enum import Enum
from itertools import pairwise
from typing import Any, Final, TypeVar

from veml_vcs.samples.annotations.canonical import canonical_json, child_path
from veml_vcs.samples.annotations.conflicts import MISSING, ConflictKind, Ledger

_Node = TypeVar("_Node", bound=Hashable)
_EXACT = frozenset((str, int, bool, type(None)))


class Clash(Enum):
    """The type of ``CLASH``: both sides changed a value, differently."""

    CLASH = "clash"


CLASH: Final = Clash.CLASH


def same(a: Any, b: Any) -> bool:
    """Tell whether two JSON values, or ``MISSING``, have one canonical form.

    Raises:
        InvalidInputError: One is not a JSON value.
    """
    if a is b:
        return True
    if a is MISSING or b is MISSING:
        return False
    if type(a) is type(b) and type(a) in _EXACT:
        return bool(a == b)
    if a == b and repr(a) == repr(b):
        return True  # alike to the type of each number: the usual case, at a tenth of the cost
    return canonical_json(a) == canonical_json(b)


def settle(base: Any, ours: Any, theirs: Any) -> Any:
    """Merge three values as wholes: return what the side that changed it says, or ``CLASH``."""
    if same(ours, theirs) or same(base, theirs):
        return ours
    if same(base, ours):
        return theirs
    return CLASH


def merge_value(
    base: Any, ours: Any, theirs: Any, *, kind: ConflictKind, path: str, ledger: Ledger
) -> Any:
    """Merge three values, dicts key by key at every depth, everything else as a whole.

    Args:
        base: The value in the common ancestor, or ``MISSING``.
        ours: The value in ours, or ``MISSING``.
        theirs: The value in theirs, or ``MISSING``.
        kind: What a conflict here is.
        path: Where the value is, for conflicts.
        ledger: Takes the conflicts and decides what stands for them.

    Returns:
        The merged value, or ``MISSING``.
    """
    value = settle(base, ours, theirs)
    if value is not CLASH:
        return value
    start = {} if base is MISSING else base
    if not (isinstance(start, dict) and isinstance(ours, dict) and isinstance(theirs, dict)):
        return ledger.pick(kind, path, base, ours, theirs)
    merged = {}
    for name in all_names(ours, theirs, start):
        value = merge_value(
            start.get(name, MISSING),
            ours.get(name, MISSING),
            theirs.get(name, MISSING),
            kind=kind,
            path=child_path(path, name),
            ledger=ledger,
        )
        if value is not MISSING:
            merged[name] = value
    return merged


def all_names(*mappings: Mapping[str, Any]) -> list[str]:
    """Return the keys of all mappings, each once, in the order they are first seen."""
    return list(dict.fromkeys(name for mapping in mappings for name in mapping))


def merge_set(base: Sequence[_Node], ours: Sequence[_Node], theirs: Sequence[_Node]) -> list[_Node]:
    """Merge lists that are meant as sets: what either side added or removed is added or removed."""
    before, mine, yours = set(base), set(ours), set(theirs)
    kept = (mine & yours) | (mine - before) | (yours - before)
    return merge_order(base, ours, theirs, kept)


def merge_order(
    base: Sequence[_Node], ours: Sequence[_Node], theirs: Sequence[_Node], kept: Collection[_Node]
) -> list[_Node]:
    """Put nodes in the order of the side that arranged them anew, ours if both or neither did.

    What only the other side has follows what it followed there. Where both sides added something at
    one place, the leading side's comes first.

    Args:
        base: Nodes in the common ancestor's order, each once; as for ours and theirs.
        ours: Nodes in our order.
        theirs: Nodes in their order.
        kept: The nodes to arrange. Each is in ours, in theirs, or in both.
    """
    leading, other = ours, theirs
    if not _arranged_anew(base, ours) and _arranged_anew(base, theirs):
        leading, other = theirs, ours
    leading = [node for node in leading if node in kept]
    other = [node for node in other if node in kept]
    common = set(leading) & set(other)

    followers: dict[_Node | None, list[_Node]] = {}
    anchor: _Node | None = None  # None: before everything both sides have
    for node in other:
        if node in common:
            anchor = node
        else:
            followers.setdefault(anchor, []).append(node)

    arranged: list[_Node] = []
    anchor = None
    for node in leading:
        if node in common:
            arranged += followers.get(anchor, ())
            anchor = node
        arranged.append(node)
    return arranged + followers.get(anchor, [])


def _arranged_anew(base: Sequence[_Node], side: Sequence[_Node]) -> bool:
    places = {node: place for place, node in enumerate(base)}
    order = [places[node] for node in side if node in places]
    return any(a > b for a, b in pairwise(order))
