"""``veml gc``: remove what no version needs any more.

Mark (``roots.py``), think (``samples/fragments/collect.py``, ``objects/sweep.py``), write what is
needed of half-empty packs anew, and only then, alone with the store, think again and remove. The
race that this closes is written down in design note 015.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

import numpy as np

from veml_vcs.errors import (
    DamagedError,
    InvalidInputError,
    LockedError,
    NotFoundError,
    StorageError,
)
from veml_vcs.ids import FragmentId, ObjectId, VersionId
from veml_vcs.objects.local import Pack
from veml_vcs.objects.protocol import ObjectKind
from veml_vcs.objects.sweep import PackPlan, copy_order, plan_packs, removable
from veml_vcs.repository.git.work_trees import control_folders
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.upkeep.roots import RootFinder, Roots
from veml_vcs.samples.fragments.collect import (
    Survey,
    live_rows,
    readable,
    removal_order,
    row_bytes,
    row_ids,
    survey,
)
from veml_vcs.samples.fragments.content import KIND as CONTENT
from veml_vcs.samples.fragments.rewrite import UnreadableFragmentError, rewrite_fragments
from veml_vcs.samples.tree.mark import Marks

GRACE_SECONDS = 14 * 24 * 3600
THRESHOLD = 0.1
_RISKY_SECONDS = 3600
_FIRST_CALLS = 16


@dataclass(frozen=True)
class GoneVersion:
    """A data or training version that nothing leads to, and what of it goes.

    Attributes:
        name: ``commit:path`` where a commit of it is left, ``staged:id`` where it was only added.
        version: Its record's blob id.
        samples: Samples, files and tensors that go, not counting those of versions listed before.
        content_bytes: Their length.
    """

    name: str
    version: VersionId
    samples: int
    content_bytes: int


@dataclass(frozen=True)
class KeptBecause:
    """Something that could not be read, which keeps what may hang below it.

    Attributes:
        what: The object, pack, record or fragment.
        why: What is wrong, and who needs it.
        blocks: Whether nothing at all is removed because of it.
    """

    what: str
    why: str
    blocks: bool


@dataclass(frozen=True)
class GcResult:
    """What a collection did, or (``dry_run``) would do.

    Attributes:
        dry_run: Whether nothing was changed.
        freed_bytes: What the store is smaller by; an estimate where nothing was changed.
        store_bytes: Length of all packs before.
        packs_removed: Packs that were removed, and nothing written for them.
        packs_rewritten: Packs that were replaced by what is needed of them.
        packs_young: Packs that the grace period kept whole.
        versions: Which versions the removed samples were of, newest first.
        other_samples: Samples and files that go and are of no version Git still has.
        other_bytes: Their length.
        kept: What could not be read.
    """

    dry_run: bool
    freed_bytes: int
    store_bytes: int
    packs_removed: int
    packs_rewritten: int
    packs_young: int
    versions: tuple[GoneVersion, ...]
    other_samples: int
    other_bytes: int
    kept: tuple[KeptBecause, ...]

    @property
    def blocked(self) -> bool:
        """Whether nothing was removed because something could not be read."""
        return any(one.blocks for one in self.kept)


@dataclass
class _Plan:
    """What one look at everything says."""

    survey: Survey
    packs: list[Pack]
    pack_plan: PackPlan
    fragments: set[FragmentId] = field(default_factory=set)
    made: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)


def gc(
    repo: Repository,
    *,
    prune_before: float | None = None,
    dry_run: bool = False,
    threshold: float = THRESHOLD,
    ignore_missing: bool = False,
    progress: Progress = silent,
) -> GcResult:
    """Remove what nothing leads to.

    Args:
        repo: The repository.
        prune_before: Unix time; packs changed since then are kept whole. None is two weeks ago.
        dry_run: Change nothing, and tell what would go.
        threshold: Share of a pack that must be garbage for the pack to be rewritten, 0 to 1. With
            0, no byte of what is unreachable stays (in packs that are old enough).
        ignore_missing: Collect although versions are not complete in this clone, because their data
            was never fetched.
        progress: Is told how far it is.

    Raises:
        LockedError: Another command is at work; nothing was removed.
        InvalidInputError: The threshold is no share.
        StorageError: The system says no. Nothing that is needed was removed.
    """
    if not 0 <= threshold <= 1:
        raise InvalidInputError(f"threshold {threshold}: expected a share from 0 to 1")
    before = time.time() - GRACE_SECONDS if prune_before is None else prune_before
    collection = _Collection(repo, int(before * 1e9), threshold, ignore_missing, progress)
    return collection.run(dry_run=dry_run)


class _Collection:
    """One run."""

    def __init__(
        self,
        repo: Repository,
        before_ns: int,
        threshold: float,
        ignore_missing: bool,
        progress: Progress,
    ) -> None:
        self._repo = repo
        self._before_ns = before_ns
        self._threshold = threshold
        self._ignore_missing = ignore_missing
        self._progress = progress
        self._finder = RootFinder(repo)
        self._marks = Marks()
        self._marked: set[VersionId] = set()
        self._incomplete: dict[str, str] = {}

    def run(self, *, dry_run: bool) -> GcResult:
        repo = self._repo
        if not repo.has_data:
            return GcResult(dry_run, 0, 0, 0, 0, 0, (), 0, 0, ())
        if not dry_run:
            self._refuse_running_git()
        plan = self._think()
        store_bytes = sum(pack.size_bytes for pack in plan.packs)
        versions, rest = self._owners(plan)
        removed: set[str] = set()
        freed = plan.pack_plan.freed_bytes
        if not dry_run and not self._kept(plan, blocking=True):
            self._rewrite(plan)
            removed, freed = self._remove(plan, store_bytes)
        elif dry_run:
            removed = {*plan.pack_plan.remove, *plan.pack_plan.rewrite}
        blocked = self._kept(plan, blocking=True)
        return GcResult(
            dry_run=dry_run,
            freed_bytes=0 if blocked else freed,
            store_bytes=store_bytes,
            packs_removed=0 if blocked else len(removed & plan.pack_plan.remove),
            packs_rewritten=0 if blocked else len(removed & plan.pack_plan.rewrite),
            packs_young=sum(pack.modified_ns >= self._before_ns for pack in plan.packs),
            versions=versions,
            other_samples=len(rest),
            other_bytes=sum(rest.values()),
            kept=(*blocked, *self._kept(plan, blocking=False)),
        )

    # -- think ---------------------------------------------------------------------------------

    def _think(self, superseded: Collection[FragmentId] = ()) -> _Plan:
        """Look at everything: roots, marks, fragments, packs."""
        repo = self._repo
        self._progress("looking for versions", 0, 0)
        roots = self._finder.look()
        words = self._mark(roots)
        repo.store.refresh()
        repo.catalog.refresh()
        packs = list(repo.store.packs())
        found = survey(
            repo.catalog,
            packs,
            self._marks,
            words,
            before_ns=self._before_ns,
            superseded=superseded,
        )
        partly_dead: dict[ObjectId, int] = {}
        sizes = {row.object_id: row.stored_bytes for pack in packs for row in pack.rows}
        chosen = {
            one: share for one, share in found.partial.items() if share >= self._threshold and share
        }
        fragments = {one.id: one for one in readable(repo.catalog) if one.id in chosen}
        for one, fragment in fragments.items():
            for chunk in fragment.chunk_ids():
                partly_dead[chunk] = int(chosen[one] * sizes.get(chunk, 0))
        pack_plan = plan_packs(
            repo.store,
            packs,
            found.needed,
            partly_dead,
            before_ns=self._before_ns,
            threshold=self._threshold,
        )
        going = {
            row.object_id for pack in packs if pack.name in pack_plan.rewrite for row in pack.rows
        }
        rewritten = {
            one for one, fragment in fragments.items() if not going.isdisjoint(fragment.chunk_ids())
        }
        return _Plan(found, packs, pack_plan, rewritten)

    def _mark(self, roots: Roots) -> set[bytes]:
        """Mark what records lead to; return every digest that anything names."""
        store, marks = self._repo.store, self._marks
        words = set(roots.words)
        fresh = [version for version in roots.records if version not in self._marked]
        for done, version in enumerate(fresh):
            if done % _FIRST_CALLS == 0:
                self._progress("marking versions", done, len(fresh))
            self._marked.add(version)
            found = roots.records[version]
            tree = None if found.record is None else ObjectId(found.record.tree)
            missing, damaged = set(marks.missing), set(marks.damaged)
            if tree is not None and not marks.tree(store, [tree]):
                lost = len(marks.missing - missing)
                if marks.damaged.keys() - damaged:
                    first = next(iter(marks.damaged.keys() - damaged))
                    self._incomplete[found.name] = marks.damaged[first]
                elif not self._ignore_missing:
                    self._incomplete[found.name] = f"{lost} nodes of its tree are not in the store"
        for found in roots.records.values():
            words |= found.words
        words = {word for word in words if word not in marks.nodes}
        nodes = [ObjectId(word) for word in words if store.kind(word) == ObjectKind.NODE]
        marks.tree(store, nodes)
        marks.contents |= words
        marks.annotations |= words
        return words

    def _kept(self, plan: _Plan, *, blocking: bool) -> list[KeptBecause]:
        roots = self._finder.found
        if not blocking:
            found = [KeptBecause(what, why, False) for what, why in roots.problems.items()]
            return found + [
                KeptBecause(f"pack {pack[:10]}", why, False) for pack, why in plan.failed.items()
            ]
        blocked: dict[str, str] = {**roots.unreadable, **self._incomplete, **plan.survey.blocked}
        return [KeptBecause(what, why, True) for what, why in blocked.items()]

    def _owners(self, plan: _Plan) -> tuple[tuple[GoneVersion, ...], dict[bytes, int]]:
        """Return the versions that the garbage was of, and the rest: content id -> length."""
        gone: dict[bytes, int] = {}
        dead = {one.id for one in plan.survey.dead}
        going = {
            row.object_id
            for pack in plan.packs
            if pack.name in plan.pack_plan.remove | plan.pack_plan.rewrite
            for row in pack.rows
        }
        kept: set[bytes] = set()
        for fragment in readable(self._repo.catalog):
            if fragment.kind != CONTENT:
                continue
            ids, lengths = row_ids(fragment), row_bytes(fragment).tolist()
            if fragment.id in dead and not going.isdisjoint(fragment.chunk_ids()):
                gone.update(zip(ids, lengths, strict=True))
            elif fragment.id in plan.fragments:
                for row in np.flatnonzero(~live_rows(fragment, self._marks)).tolist():
                    gone[ids[row]] = lengths[row]
            else:
                kept.update(ids)
        for one in kept & gone.keys():
            del gone[one]
        versions = []
        marks = Marks(nodes=set(self._marks.nodes))
        for name, version, trees in self._finder.unreachable() if gone else ():
            marks.contents.clear()
            marks.tree(self._repo.store, [ObjectId(tree) for tree in trees])
            mine = [gone.pop(one) for one in marks.contents & gone.keys()]
            if mine:
                versions.append(GoneVersion(name, version, len(mine), sum(mine)))
        return tuple(versions), gone

    # -- act -----------------------------------------------------------------------------------

    def _rewrite(self, plan: _Plan) -> None:
        """Publish what is needed of the packs that are to be rewritten."""
        repo = self._repo
        while plan.pack_plan.rewrite - plan.failed.keys():
            replacing = plan.pack_plan.rewrite - plan.failed.keys()
            old = [one for one in readable(repo.catalog) if one.id in plan.fragments]
            moved = {ObjectId(one.id) for one in old}.union(*(one.chunk_ids() for one in old))
            kept = [one for one in readable(repo.catalog) if one.id not in plan.fragments]
            moved -= {ObjectId(one.id) for one in kept}.union(*(one.chunk_ids() for one in kept))
            packs = [pack for pack in plan.packs if pack.name in replacing]
            wanted = plan.pack_plan.needed - moved
            try:
                with repo.store.rewrite(replacing) as writer:
                    total = sum(one.rows for one in old)
                    rewrite_fragments(
                        repo.catalog,
                        writer,
                        old,
                        wanted=lambda fragment: live_rows(fragment, self._marks),
                        done=adding_up(self._progress, "moving rows", total),
                    )
                    order = copy_order(repo.store, packs, wanted)
                    for done, object_id in enumerate(order):
                        if done % 256 == 0:
                            self._progress("moving objects", done, len(order))
                        try:
                            writer.copy(object_id)
                        except (DamagedError, NotFoundError) as error:
                            raise _UnmovableError(object_id, error) from error
                # What came out as it went in is new, not old.
                plan.fragments = {one for one in plan.fragments if one not in writer}
                plan.made.update(writer.names)
                return
            except UnreadableFragmentError as error:
                plan.fragments.discard(error.fragment)
            except _UnmovableError as error:
                for pack in packs:
                    if any(row.object_id == error.object for row in pack.rows):
                        plan.failed[pack.name] = error.message
            except StorageError as error:
                if error.kind != "disk-full":
                    raise
                # What is garbage as a whole can still go, and makes room for the rest.
                plan.failed.update((pack, error.message) for pack in replacing)

    def _remove(self, plan: _Plan, store_bytes: int) -> tuple[set[str], int]:
        """Think again, alone with the store, and remove; return packs, and bytes freed."""
        repo = self._repo
        going = (plan.pack_plan.remove | plan.pack_plan.rewrite) - plan.failed.keys() - plan.made
        if not going:
            return set(), 0
        with repo.lock("veml gc"), repo.store.alone():
            self._refuse_running_git()
            again = self._think(plan.fragments)
            plan.survey.blocked.update(again.survey.blocked)
            if self._kept(plan, blocking=True):
                return set(), 0
            gone = removable(repo.store, again.packs, going, again.survey.needed)
            order = removal_order(readable(repo.catalog), again.packs, gone)
            repo.store.remove_packs(order)
            left = sum(pack.size_bytes for pack in again.packs if pack.name not in gone)
        repo.catalog.refresh()
        return gone, max(0, store_bytes - left)

    def _refuse_running_git(self) -> None:
        """With hardly any grace period, a Git command at work must end first."""
        if self._before_ns / 1e9 < time.time() - _RISKY_SECONDS:
            return
        for folder in control_folders(self._repo.git.common_folder):
            path = os.path.join(folder, "index.lock")
            if os.path.exists(path):
                raise LockedError(
                    f"a git command seems to be running ({path} exists), and what it stored a "
                    "moment ago would not be safe from --prune=now",
                    hint="wait for it to end, or use a grace period: veml gc --prune=1.day.ago",
                )


class _UnmovableError(DamagedError):
    """An object that no sound copy of is left."""

    def __init__(self, object_id: ObjectId, error: Exception) -> None:
        super().__init__(str(error))
        self.object = object_id


def adding_up(progress: Progress, what: str, total: int) -> Callable[[int], None]:
    """Return a callback that adds steps up and reports the sum."""
    done = 0

    def step(more: int) -> None:
        nonlocal done
        done += more
        progress(what, done, total)

    return step
