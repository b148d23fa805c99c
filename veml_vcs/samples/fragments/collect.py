"""Which objects of a store are needed, given which rows and nodes are.

The step of garbage collection between "this version is reachable" and "this pack may go".
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

import numpy as np

from veml_vcs.errors import DamagedError, NotFoundError
from veml_vcs.ids import DIGEST_BYTES, FragmentId, ObjectId, short
from veml_vcs.objects.local import Pack
from veml_vcs.objects.protocol import ObjectKind
from veml_vcs.samples.fragments.annotations import KIND as ANNOTATIONS
from veml_vcs.samples.fragments.catalog import Catalog
from veml_vcs.samples.fragments.content import KIND as CONTENT
from veml_vcs.samples.fragments.fragment import Fragment
from veml_vcs.samples.fragments.rewrite import rewritable
from veml_vcs.samples.fragments.vectors import KIND as VECTORS
from veml_vcs.samples.tree.mark import Marks

if TYPE_CHECKING:
    from numpy.typing import NDArray


_KINDS = frozenset(int(kind) for kind in ObjectKind)


@dataclass
class Survey:
    """What is needed of a store.

    Attributes:
        needed: The objects.
        dead: Fragments without a needed row.
        partial: Fragments with needed rows and others -> share of the bytes that is not needed.
        blocked: What stands in the way of removing anything: object -> why.
    """

    needed: set[ObjectId] = field(default_factory=set)
    dead: list[Fragment] = field(default_factory=list)
    partial: dict[FragmentId, float] = field(default_factory=dict)
    blocked: dict[str, str] = field(default_factory=dict)


def live_rows(fragment: Fragment, marks: Marks) -> NDArray[np.bool_]:
    """Return which rows of a fragment are marked: bool [rows]; all of a kind we do not know."""
    if fragment.kind in (CONTENT, VECTORS):
        marked: Collection[bytes] = marks.contents
    elif fragment.kind == ANNOTATIONS:
        marked = marks.annotations
    else:
        return np.ones(fragment.rows, bool)
    return np.fromiter((one in marked for one in row_ids(fragment)), bool, fragment.rows)


def row_ids(fragment: Fragment) -> list[bytes]:
    """Return a fragment's ids, one bytes object a row."""
    data = fragment.ids.tobytes()
    return [data[at : at + DIGEST_BYTES] for at in range(0, len(data), DIGEST_BYTES)]


def row_bytes(fragment: Fragment) -> NDArray[np.int64]:
    """Return the length of each content of a fragment: int64 [rows]; of other kinds, ones."""
    if fragment.kind != CONTENT:
        return np.ones(fragment.rows, np.int64)
    return np.diff(fragment.array("offsets", "int64"))


def survey(
    catalog: Catalog,
    packs: Iterable[Pack],
    marks: Marks,
    words: Collection[bytes],
    *,
    before_ns: int,
    superseded: Collection[FragmentId] = (),
) -> Survey:
    """Find the objects that are needed.

    Args:
        catalog: The fragments there are.
        packs: The packs there are.
        marks: What is reachable; what young objects lead to is added.
        words: Ids that something names: fragments and chunks among them are needed.
        before_ns: Objects of packs changed at or after this moment are needed.
        superseded: Fragments whose needed rows were written again; they are garbage as far as
            that still holds.
    """
    found = Survey()
    young: set[ObjectId] = set()
    young_nodes: list[ObjectId] = []
    named: set[ObjectId] = set()
    for pack in packs:
        if pack.damage is not None:
            found.blocked[f"pack {pack.name[:10]}"] = str(pack.damage)
        is_young = pack.modified_ns >= before_ns
        for row in pack.rows:
            if row.kind not in _KINDS:
                found.blocked[f"object {short(row.object_id)}"] = (
                    "of a kind this veml does not know"
                )
            if is_young:
                young.add(row.object_id)
                if row.kind == ObjectKind.NODE:
                    young_nodes.append(row.object_id)
            if row.object_id in words:
                named.add(row.object_id)
    _mark_young(catalog, marks, young_nodes)
    for fragment_id, error in catalog.unreadable.items():
        found.blocked[f"fragment {short(fragment_id)}"] = str(error)
    moved = moved_away(catalog, superseded, lambda fragment: live_rows(fragment, marks))
    gone: set[ObjectId] = set()
    for fragment in readable(catalog, found.blocked):
        objects = {ObjectId(fragment.id), *fragment.chunk_ids()}
        if fragment.id in moved:
            gone |= objects
            continue
        if ObjectId(fragment.id) in young or ObjectId(fragment.id) in named:
            found.needed |= objects
            continue
        live = live_rows(fragment, marks)
        if not live.any():
            found.dead.append(fragment)
            continue
        found.needed |= objects
        if not live.all() and rewritable(fragment):
            lengths = row_bytes(fragment)
            found.partial[fragment.id] = float(lengths[~live].sum() / max(1, lengths.sum()))
    found.needed |= marks.nodes | named | (young - gone)
    return found


def _mark_young(catalog: Catalog, marks: Marks, nodes: Iterable[ObjectId]) -> None:
    """Mark what young nodes lead to; that something is missing there is nobody's loss."""
    below = Marks(marks.nodes, marks.contents, marks.annotations)
    below.tree(catalog.store, nodes)
    marks.nodes.difference_update(below.missing)
    marks.nodes.difference_update(below.damaged)


def moved_away(
    catalog: Catalog,
    superseded: Collection[FragmentId],
    wanted: Callable[[Fragment], NDArray[np.bool_]],
) -> set[FragmentId]:
    """Return which of some fragments have each wanted row in a fragment that is not one of them."""
    if not superseded:
        return set()
    candidates: list[tuple[Fragment, set[bytes]]] = []
    elsewhere: dict[tuple[str, str], set[bytes]] = {}
    for fragment in readable(catalog):
        if fragment.id in superseded:
            ids = row_ids(fragment)
            rows = {ids[row] for row in np.flatnonzero(wanted(fragment)).tolist()}
            candidates.append((fragment, rows))
        else:
            group = elsewhere.setdefault((fragment.kind, fragment.space), set())
            group.update(row_ids(fragment))
    return {
        fragment.id
        for fragment, rows in candidates
        if rows <= elsewhere.get((fragment.kind, fragment.space), set())
    }


def readable(catalog: Catalog, blocked: dict[str, str] | None = None) -> list[Fragment]:
    """Return all fragments whose ids can be read, opened.

    Args:
        catalog: The fragments there are.
        blocked: Takes the others, and why.
    """
    found = []
    for number in catalog.numbers():
        try:
            fragment = catalog.fragment(number)
            _ = fragment.ids
        except (DamagedError, NotFoundError) as error:
            if blocked is not None:
                blocked[f"fragment {short(catalog.id_of(number))}"] = str(error)
            continue
        found.append(fragment)
    return found


def removal_order(
    fragments: Iterable[Fragment], packs: Iterable[Pack], gone: Collection[str]
) -> list[str]:
    """Return packs in an order in which a kill between two removals leaves no half fragment.

    A pack with a fragment's manifest goes before the packs with its chunks: chunks without a
    manifest are garbage, a manifest without its chunks is a fragment that cannot be read.

    Args:
        fragments: All fragments.
        packs: All packs.
        gone: Names of the packs to be removed.
    """
    places: dict[ObjectId, set[str]] = {}
    for pack in packs:
        for row in pack.rows:
            places.setdefault(row.object_id, set()).add(pack.name)
    before: dict[str, set[str]] = {name: set() for name in sorted(gone)}
    for fragment in fragments:
        manifests = places.get(ObjectId(fragment.id), set()) & before.keys()
        for chunk in fragment.chunk_ids() if manifests else ():
            for name in places.get(chunk, set()) & before.keys() if manifests else ():
                before[name] |= manifests - {name}
    try:
        return list(TopologicalSorter(before).static_order())
    except CycleError:  # packs that hold chunks for each other: no order is better
        return sorted(gone)
