"""``veml compact``: many small packs and fragments into few, and rows back into key order.

Everything in what is rewritten is taken over, needed or not: compaction cannot lose or revive
anything, because it does not ask what is reachable, and what a version contains stands in its tree.
New packs are published before old ones go, and those go only alone with the store; see ``gc.py``
and design note 015.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from veml_vcs.errors import DamagedError, NotFoundError
from veml_vcs.ids import FragmentId, ObjectId, TreeId
from veml_vcs.objects.local import Pack
from veml_vcs.objects.sweep import copy_order, removable
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.upkeep.gc import adding_up
from veml_vcs.samples.fragments.collect import moved_away, readable, removal_order, row_ids
from veml_vcs.samples.fragments.content import FRAGMENT_BYTES, LARGE_TEXT_BYTES
from veml_vcs.samples.fragments.content import KIND as CONTENT
from veml_vcs.samples.fragments.fragment import Fragment
from veml_vcs.samples.fragments.rewrite import (
    UnreadableFragmentError,
    every_row,
    group_of,
    rewritable,
    rewrite_fragments,
)
from veml_vcs.samples.fragments.vectors import KIND as VECTORS
from veml_vcs.samples.tree import Tree

SMALL_PACK_BYTES = 64 << 20
SMALL_FRAGMENT_BYTES = FRAGMENT_BYTES // 4
_DISORDER = 0.05
"""Share of rows that come before the row they follow, above which a fragment is put in order."""
_WORTH = 0.1
"""Share of a large pack that must be out of order for the pack to be rewritten."""


@dataclass(frozen=True)
class CompactResult:
    """What a compaction did, or (``dry_run``) would do.

    Attributes:
        dry_run: Whether nothing was changed.
        packs_before: Number of packs.
        packs_after: Number of packs afterwards; with ``dry_run`` the same as before.
        packs_rewritten: How many of them were (or would be) put into new ones.
        fragments_before: Number of fragments.
        fragments_after: Number of fragments afterwards.
        fragments_rewritten: How many of them were (or would be) put into new ones.
        bytes_before: Length of all packs.
        bytes_after: Length of all packs afterwards.
        left: Packs and fragments that could not be rewritten, and why.
    """

    dry_run: bool
    packs_before: int
    packs_after: int
    packs_rewritten: int
    fragments_before: int
    fragments_after: int
    fragments_rewritten: int
    bytes_before: int
    bytes_after: int
    left: dict[str, str]


def compact(
    repo: Repository,
    revision: str | None = None,
    *,
    everything: bool = False,
    dry_run: bool = False,
    progress: Progress = silent,
) -> CompactResult:
    """Rewrite small and disordered packs and fragments.

    Args:
        repo: The repository.
        revision: The commit whose data versions shall lie in key order; None is HEAD, or the
            index where there is no commit.
        everything: Rewrite all packs and fragments, not only those that are worth it.
        dry_run: Change nothing, and tell what would be done.
        progress: Is told how far it is.

    Raises:
        NotFoundError: There is no such revision.
        DamagedError: A fragment cannot be read: repair comes first.
        LockedError: Another command was at work for too long; nothing was removed.
        StorageError: The system says no. Nothing was removed.
    """
    store = repo.store
    store.refresh()
    repo.catalog.refresh()
    packs = list(store.packs())
    fragments = _sound_fragments(repo)
    rank = _rank(repo, revision, progress)
    chosen_packs = _choose_packs(packs, fragments, rank, everything)
    chosen = _choose_fragments(packs, fragments, rank, chosen_packs, everything)
    if len(chosen_packs) < 2 and not chosen:
        chosen_packs = set()  # one of one would be made
    left: dict[str, str] = {}
    gone: set[str] = set()
    if chosen_packs and not dry_run:
        chosen, made = _rewrite(repo, packs, fragments, chosen_packs, chosen, rank, left, progress)
        gone = _remove(repo, chosen_packs - left.keys() - made, chosen)
    elif dry_run:
        gone = chosen_packs
    after = packs if dry_run else list(store.packs())
    return CompactResult(
        dry_run=dry_run,
        packs_before=len(packs),
        packs_after=len(after),
        packs_rewritten=len(gone),
        fragments_before=len(fragments),
        fragments_after=len(repo.catalog.numbers()),
        fragments_rewritten=len(chosen) if gone else 0,
        bytes_before=sum(pack.size_bytes for pack in packs),
        bytes_after=sum(pack.size_bytes for pack in after),
        left={f"pack {name[:10]}": why for name, why in left.items()},
    )


def _sound_fragments(repo: Repository) -> list[Fragment]:
    """Return all fragments; one that cannot be read could need any chunk."""
    blocked: dict[str, str] = {}
    found = readable(repo.catalog, blocked)
    for error in repo.catalog.unreadable.values():
        raise error
    for what, why in blocked.items():
        raise DamagedError(f"{what}: {why}", hint="veml fsck --repair")
    return found


def _rank(repo: Repository, revision: str | None, progress: Progress) -> dict[bytes, int]:
    """Return the place of each row of the data versions of a commit: key order, set by set."""
    if revision is None and repo.git.head().commit is None:
        records = repo.staged_datasets()
    else:
        records = repo.datasets_at(repo.resolve(revision or "HEAD"))
    rank: dict[bytes, int] = {}
    for done, path in enumerate(sorted(records)):
        progress("reading versions", done, len(records))
        try:
            for entry in _entries(repo, records[path].tree):
                for row in entry:
                    rank.setdefault(row, len(rank))
        except NotFoundError:
            continue  # not in this clone: nothing of it can be put in order
    return rank


def _entries(repo: Repository, tree: TreeId) -> list[tuple[bytes, ...]]:
    return [
        tuple(one for one in (entry.content, entry.annotation) if one is not None)
        for _, entry in Tree(repo.store, tree).items()
    ]


def _is_disordered(fragment: Fragment, rank: Mapping[bytes, int]) -> bool:
    """Tell whether reading the version in key order jumps back and forth in the fragment."""
    if fragment.kind == VECTORS or not rewritable(fragment):
        return False  # vectors are read in bulk, by id
    places = [rank[one] for one in row_ids(fragment) if one in rank]
    steps = np.diff(np.array(places, np.int64))
    return bool(len(steps)) and bool((steps < 0).mean() > _DISORDER)


def _choose_packs(
    packs: Collection[Pack],
    fragments: Collection[Fragment],
    rank: Mapping[bytes, int],
    everything: bool,
) -> set[str]:
    sound = [pack for pack in packs if pack.damage is None]
    if everything:
        return {pack.name for pack in sound}
    chosen = {pack.name for pack in sound if pack.size_bytes < SMALL_PACK_BYTES}
    disordered: set[ObjectId] = set()
    for fragment in fragments:
        if _is_disordered(fragment, rank):
            disordered |= fragment.chunk_ids()
    for pack in sound:
        found = sum(row.stored_bytes for row in pack.rows if row.object_id in disordered)
        if found > _WORTH * pack.size_bytes:
            chosen.add(pack.name)
    return chosen


def _choose_fragments(
    packs: Collection[Pack],
    fragments: Collection[Fragment],
    rank: Mapping[bytes, int],
    chosen_packs: Collection[str],
    everything: bool,
) -> set[FragmentId]:
    """Choose among the fragments that lie in the chosen packs as a whole."""
    sizes: dict[ObjectId, int] = {}
    for pack in packs:
        if pack.name in chosen_packs:
            sizes.update((row.object_id, row.stored_bytes) for row in pack.rows)
    chosen: set[FragmentId] = set()
    small: dict[tuple[str, str], set[FragmentId]] = {}
    for fragment in fragments:
        objects = {ObjectId(fragment.id), *fragment.chunk_ids()}
        if not rewritable(fragment) or not objects <= sizes.keys():
            continue
        if everything or _is_disordered(fragment, rank):
            chosen.add(fragment.id)
        if sum(sizes[one] for one in objects) < SMALL_FRAGMENT_BYTES and not _is_alone(fragment):
            small.setdefault(group_of(fragment), set()).add(fragment.id)
    for group in small.values():
        if len(group) > 1:
            chosen |= group
    return chosen


def _is_alone(fragment: Fragment) -> bool:
    """Tell whether a fragment is that of one large text, which would come out as it went in."""
    return (
        fragment.kind == CONTENT
        and fragment.rows == 1
        and fragment.info("payload").shape[0] >= LARGE_TEXT_BYTES
    )


def _rewrite(
    repo: Repository,
    packs: Collection[Pack],
    fragments: Collection[Fragment],
    chosen_packs: Collection[str],
    chosen: set[FragmentId],
    rank: Mapping[bytes, int],
    left: dict[str, str],
    progress: Progress,
) -> tuple[set[FragmentId], set[str]]:
    """Publish all of the chosen packs anew.

    Returns:
        The fragments that are not needed any more, and the new packs. A fragment may come out as it
        went in, and a pack too: those are new, not old.
    """
    while replaced := set(chosen_packs) - left.keys():
        inside = [pack for pack in packs if pack.name in replaced]
        held = {row.object_id for pack in inside for row in pack.rows}
        old = [
            one
            for one in fragments
            if one.id in chosen and {ObjectId(one.id), *one.chunk_ids()} <= held
        ]
        chosen = {one.id for one in old}
        wanted = held - _only_of(fragments, chosen)
        try:
            with repo.store.rewrite(replaced) as writer:
                total = sum(one.rows for one in old)
                rewrite_fragments(
                    repo.catalog,
                    writer,
                    old,
                    rank=rank,
                    done=adding_up(progress, "moving rows", total),
                )
                order = copy_order(repo.store, inside, wanted)
                for done, object_id in enumerate(order):
                    if done % 256 == 0:
                        progress("moving objects", done, len(order))
                    try:
                        writer.copy(object_id)
                    except (DamagedError, NotFoundError) as error:
                        for pack in inside:
                            if any(row.object_id == object_id for row in pack.rows):
                                left[pack.name] = str(error)
                        raise
            return {one for one in chosen if one not in writer}, set(writer.names)
        except UnreadableFragmentError as error:
            chosen = chosen - {error.fragment}
        except (DamagedError, NotFoundError):
            if not replaced & left.keys():
                raise
    return set(), set()


def _only_of(fragments: Collection[Fragment], chosen: Collection[FragmentId]) -> set[ObjectId]:
    """Return the objects that belong to some fragments and to no other one."""
    mine: set[ObjectId] = set()
    others: set[ObjectId] = set()
    for fragment in fragments:
        objects = mine if fragment.id in chosen else others
        objects.add(ObjectId(fragment.id))
        objects |= fragment.chunk_ids()
    return mine - others


def _remove(
    repo: Repository, chosen_packs: Collection[str], rewritten: Collection[FragmentId]
) -> set[str]:
    """Remove what was replaced, alone with the store, as far as that still holds."""
    with repo.lock("veml compact"), repo.store.alone():
        repo.store.refresh()
        repo.catalog.refresh()
        fragments = _sound_fragments(repo)
        moved = moved_away(repo.catalog, rewritten, every_row)
        packs = list(repo.store.packs())
        needed = {row.object_id for pack in packs for row in pack.rows}
        needed -= _only_of(fragments, moved)
        gone = removable(repo.store, packs, chosen_packs, needed)
        repo.store.remove_packs(removal_order(fragments, packs, gone))
    repo.catalog.refresh()
    return gone
