"""Which packs may go, given what is needed: the part of garbage collection that knows packs.

What is needed is the caller's business. Here is the arithmetic: whole packs and parts of packs,
objects that are derived from others, objects that lie in several packs.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from veml_vcs.errors import DamagedError, NotFoundError
from veml_vcs.ids import ObjectId
from veml_vcs.objects.local import LocalObjectStore, Pack
from veml_vcs.objects.pack import Encoding, PackRow


@dataclass(frozen=True)
class PackPlan:
    """What to do with the packs of a store.

    Attributes:
        remove: Packs of which nothing is needed.
        rewrite: Packs to be replaced by what is needed of them.
        needed: What is needed, bases of derived objects that stay included.
        freed_bytes: What that frees, as far as it can be told before.
    """

    remove: frozenset[str]
    rewrite: frozenset[str]
    needed: frozenset[ObjectId]
    freed_bytes: int


def plan_packs(
    store: LocalObjectStore,
    packs: Sequence[Pack],
    needed: Collection[ObjectId],
    partly_dead: Mapping[ObjectId, int],
    *,
    before_ns: int,
    threshold: float,
) -> PackPlan:
    """Decide which packs to remove and which to rewrite.

    Args:
        store: The store.
        packs: Its packs.
        needed: Objects that must stay.
        partly_dead: Of needed objects of which only a part is needed, the bytes that are not.
        before_ns: Packs changed at or after this moment stay as they are.
        threshold: Share of a pack that must be garbage for it to be rewritten.
    """
    need = set(needed)
    while True:
        remove, rewrite, freed = set(), set(), 0
        bases: set[ObjectId] = set()
        for pack in packs:
            old = pack.damage is None and pack.modified_ns < before_ns
            dead = [row for row in pack.rows if row.object_id not in need] if old else []
            gain = sum(row.stored_bytes for row in dead)
            if old and len(dead) == len(pack.rows):
                remove.add(pack.name)
                freed += pack.size_bytes
                continue
            if old:
                gain += sum(partly_dead.get(row.object_id, 0) for row in pack.rows)
            if gain and gain >= threshold * pack.size_bytes:
                rewrite.add(pack.name)
                freed += gain
            else:
                bases |= _bases(store, pack)
        if bases <= need:
            return PackPlan(frozenset(remove), frozenset(rewrite), frozenset(need), freed)
        need |= bases


def removable(
    store: LocalObjectStore,
    packs: Sequence[Pack],
    going: Collection[str],
    needed: Collection[ObjectId],
) -> set[str]:
    """Return which packs may go now: each object is unneeded, or lies in a pack that stays.

    Args:
        store: The store.
        packs: Its packs, as they are now.
        going: The packs that were found to be replaceable or garbage.
        needed: What is needed, as of now.
    """
    left = {pack.name for pack in packs if pack.damage is None}.intersection(going)
    while True:
        staying: set[ObjectId] = set()
        need = set(needed)
        for pack in packs:
            if pack.name not in left:
                staying.update(row.object_id for row in pack.rows)
                need |= _bases(store, pack)
        need -= staying
        blocked = {
            pack.name
            for pack in packs
            if pack.name in left and any(row.object_id in need for row in pack.rows)
        }
        if not blocked:
            return left
        left -= blocked


def copy_order(
    store: LocalObjectStore, packs: Sequence[Pack], wanted: Collection[ObjectId]
) -> list[ObjectId]:
    """Return the wanted objects of some packs, each once: bases before what is derived from them.

    Tree nodes come first and chunks last, each in the order they lie in.
    """
    rows = [(pack.name, row) for pack in packs for row in pack.rows if row.object_id in wanted]
    rows.sort(key=lambda one: (one[1].kind != 1, one[1].kind != 2, one[0], one[1].offset))
    base_of: dict[ObjectId, ObjectId] = {}
    for name, row in rows:
        base = _base(store, name, row) if row.encoding == Encoding.DERIVED else None
        if base is not None and base in wanted:
            base_of.setdefault(row.object_id, base)
    order: dict[ObjectId, None] = {}
    for _, row in rows:
        chain = [row.object_id]
        while chain[-1] in base_of and base_of[chain[-1]] not in order:
            base = base_of[chain[-1]]
            if base in chain:
                break
            chain.append(base)
        order.update(dict.fromkeys(reversed(chain)))
    return list(order)


def _bases(store: LocalObjectStore, pack: Pack) -> set[ObjectId]:
    """Return what the objects of a pack are derived from."""
    found = (_base(store, pack.name, row) for row in pack.rows if row.encoding == Encoding.DERIVED)
    return {base for base in found if base is not None}


def _base(store: LocalObjectStore, pack: str, row: PackRow) -> ObjectId | None:
    try:
        return store.base_of(pack, row)
    except (DamagedError, NotFoundError):
        return None  # fsck names it; nothing can be derived from it any more
