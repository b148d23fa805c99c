"""What differs between two trees, at the cost of the difference."""

from __future__ import annotations

from typing import NamedTuple

from veml_vcs.errors import DamagedError, NotFoundError
from veml_vcs.ids import ObjectId, TreeId, short
from veml_vcs.objects.protocol import ObjectStore
from veml_vcs.samples.tree.alike import leaf_changes
from veml_vcs.samples.tree.entry import Entry, encode_key
from veml_vcs.samples.tree.read import Frontier, Gap, Place


class Change(NamedTuple):
    """How one key differs between two trees; None where the key is not there."""

    key: str
    old: Entry | None
    new: Entry | None


def diff_trees(
    store: ObjectStore,
    old: TreeId | None,
    new: TreeId | None,
    gaps: list[Gap] | None = None,
    old_gaps: list[Gap] | None = None,
) -> list[Change]:
    """Compare two trees and return what differs, in key order.

    Descends level by level and drops the nodes both sides share, so the cost is that of the
    difference. None stands for the empty tree.

    Args:
        store: Holds the nodes.
        old: One tree.
        new: The other.
        gaps: Takes what cannot be read of ``new``; nothing is said of the keys in it.
        old_gaps: Takes what cannot be read of ``old``; nothing is said of the keys in it. None,
            where there are ``gaps``: they count as not there.

    Raises:
        DamagedError: The nodes read are not a tree, and ``gaps`` is None.
    """
    if old == new:
        return []
    before = Frontier(store, old, [] if old_gaps is None and gaps is not None else old_gaps)
    after = Frontier(store, new, gaps)
    while before.level > 0 or after.level > 0:
        if before.level >= after.level:
            before.descend()
        if after.level > before.level:
            after.descend()
        if before.level == after.level:
            _drop_shared(before.nodes, after.nodes)
    changes = _take_pairs(store, before.nodes, after.nodes)
    olds, news = before.entries(), after.entries()
    changes += [
        Change(key, olds.get(key), news.get(key))
        for key in olds.keys() | news.keys()
        if olds.get(key) != news.get(key)
    ]
    unsaid = [*(gaps or ()), *(old_gaps or ())]
    if unsaid:
        changes = [one for one in changes if not any(gap.covers(one.key) for gap in unsaid)]
    changes.sort(key=lambda change: encode_key(change.key))
    return changes


def _drop_shared(before: dict[ObjectId, Place], after: dict[ObjectId, Place]) -> None:
    """Forget the nodes that are in both trees, of which both must say the same."""
    for node in before.keys() & after.keys():
        old, new = before.pop(node), after.pop(node)
        if old.ref != new.ref:
            raise DamagedError(f"tree node {short(node)}: {old.ref} in one tree, {new.ref} in one")


def _take_pairs(
    store: ObjectStore, before: dict[ObjectId, Place], after: dict[ObjectId, Place]
) -> list[Change]:
    """Compare the leaves that stand for the same range of keys in both trees; take them out.

    Most edits change what stands under keys, not the keys, and then nearly all leaves are such.
    """
    partners = {(place.after, place.ref.last_key): place for place in after.values()}
    changes = []
    for node, old in list(before.items()):
        new = partners.get((old.after, old.ref.last_key))
        if new is None:
            continue
        try:
            was, now = ((store.get(one.ref.node), one.ref) for one in (old, new))
            found = leaf_changes(was, now, old.after)
        except (DamagedError, NotFoundError):
            continue  # whoever lists all entries finds the same, and knows what to do about it
        del before[node], after[new.ref.node]
        changes += [Change(*one) for one in found]
    return changes
