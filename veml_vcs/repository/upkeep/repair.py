"""``veml fsck --repair``: replace what is damaged by what is sound, wherever that is found.

In this order: what is sound in a damaged pack; files of the work tree whose bytes fit; another
clone; annotations read anew from the stored annotation files. A damaged pack is moved to
``quarantine/``, never deleted. Nothing is believed: every object, row and tree is stored under the
hash of what was found, so a repair cannot put anything wrong in the place of what was lost.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field

from veml_vcs.errors import DamagedError, NotFoundError, VemlError
from veml_vcs.ids import FragmentId, ObjectId, SampleId, digest
from veml_vcs.objects.local import Pack
from veml_vcs.objects.pack_writer import PackWriter
from veml_vcs.objects.protocol import ObjectKind, ObjectWriter
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.source import open_source
from veml_vcs.repository.sync import copy_versions
from veml_vcs.repository.upkeep.fsck import Damage, FsckResult, examine
from veml_vcs.repository.worktree.snapshot import take_snapshot
from veml_vcs.repository.worktree.store_snapshot import store_snapshot
from veml_vcs.samples.annotations.canonical import annotation_id
from veml_vcs.samples.formats import detect, get_format
from veml_vcs.samples.fragments.annotations import KIND as ANNOTATIONS
from veml_vcs.samples.fragments.annotations import AnnotationReader, AnnotationWriter
from veml_vcs.samples.fragments.collect import row_ids
from veml_vcs.samples.fragments.content import KIND as CONTENT
from veml_vcs.samples.fragments.content import ContentWriter, salvage
from veml_vcs.samples.fragments.fragment import Fragment
from veml_vcs.samples.tree import Entry, Tree
from veml_vcs.versions.data import DataRecord


@dataclass(frozen=True)
class RepairResult:
    """What a repair found and did.

    Attributes:
        before: What was wrong.
        after: What still is.
        quarantined: Damaged packs that were replaced, by file name.
        recovered: Where something was found -> number of rows and nodes it gave.
        unreachable_source: Why the other clone could not be used, if it could not.
    """

    before: FsckResult
    after: FsckResult
    quarantined: tuple[str, ...] = ()
    recovered: dict[str, int] = field(default_factory=dict)
    unreachable_source: str | None = None


def repair(
    repo: Repository, source: str | None = None, *, progress: Progress = silent
) -> RepairResult:
    """Mend what can be mended.

    Args:
        repo: The repository.
        source: Another clone's folder; None is the remote, if it is on this machine.
        progress: Is told how far it is.

    Raises:
        LockedError: Another command is at work.
        NotFoundError: ``source`` is named and no repository.
        StorageError: The system says no. Everything is at least as it was.
    """
    _drop_caches(repo)
    before, damage = examine(repo, progress=progress)
    if not before.problems:
        return RepairResult(before, before)
    recovered: dict[str, int] = {}
    quarantined = _replace_packs(repo, damage, recovered)
    refused: str | None = None

    def clone(repo: Repository, damage: Damage, recovered: dict[str, int]) -> None:
        nonlocal refused
        refused = _from_clone(repo, damage, source, recovered, progress)

    after = before
    for step in (_from_work_tree, _trees_from_work_tree, clone, _from_annotation_files):
        after, damage = examine(repo, progress=progress)
        if not damage.broken:
            break
        step(repo, damage, recovered)
    else:
        after, _ = examine(repo, progress=progress)
    return RepairResult(before, after, quarantined, recovered, refused)


def _drop_caches(repo: Repository) -> None:
    """Remove what is derived, so that it is made anew."""
    for name in ("objects", "catalog"):
        repo.files.remove(os.path.join(repo.folder, "cache", name))


# -- what is sound in damaged packs ----------------------------------------------------------------


def _replace_packs(repo: Repository, damage: Damage, recovered: dict[str, int]) -> tuple[str, ...]:
    """Copy what is sound in the damaged packs, and quarantine them."""
    store = repo.store
    with repo.lock("veml fsck --repair"):
        lost = {one for one in damage.objects if not _is_sound(repo, one)}
        fragments = _fragments(repo)
        hit = [
            one
            for one in fragments
            if any(chunk in lost or chunk not in store for chunk in one.chunk_ids())
        ]
        dropped = _only_of(hit, [one for one in fragments if one not in hit])
        manifests = {ObjectId(one.id) for one in hit}
        packs = [
            pack
            for pack in store.packs()
            if pack.name in damage.packs or any(row.object_id in manifests for row in pack.rows)
        ]
        names = [pack.name for pack in packs]
        if not names:
            return ()
        rows = 0
        with store.rewrite(names) as writer:
            for pack in packs:
                for row in pack.rows:
                    if row.object_id in dropped or row.object_id in lost:
                        continue
                    try:
                        rows += writer.copy(row.object_id)
                    except (DamagedError, NotFoundError):
                        continue  # it is derived from what is damaged, and was named for that
            rows += _salvage_objects(repo, writer, packs, dropped)
            rows += _salvage_rows(repo, writer, hit, damage)
        with store.alone():
            store.quarantine(names)
        repo.catalog.refresh()
    if rows:
        recovered["damaged packs"] = rows
    return tuple(names)


def _salvage_objects(
    repo: Repository, writer: PackWriter, packs: list[Pack], dropped: set[ObjectId]
) -> int:
    """Write the sound objects of packs whose tables are damaged; return how many."""
    taken: set[ObjectId] = set()  # the writer leaves out what another pack has, and so says less
    while True:
        before = len(taken)
        for pack in packs:
            if pack.damage is None:
                continue
            # The base of a derived object may be in another damaged pack: until nothing is new.
            for object_id, kind, data in repo.store.salvage(pack.name, writer.get):
                if object_id not in dropped and object_id not in taken:
                    writer.put(data, kind=kind, compress=kind != ObjectKind.CHUNK)
                    taken.add(object_id)
        if len(taken) == before:
            return len(taken)


def _fragments(repo: Repository) -> list[Fragment]:
    """Return every fragment whose manifest can be read, whatever became of its chunks."""
    found = []
    for one in sorted(repo.store.ids(ObjectKind.FRAGMENT)):
        try:
            found.append(Fragment(repo.store, FragmentId(one)))
        except (DamagedError, NotFoundError):
            continue  # damaged, and named for that; or of a newer veml
    return found


def _is_sound(repo: Repository, object_id: ObjectId) -> bool:
    try:
        repo.store.get(object_id)
    except VemlError:
        return False
    return True


def _only_of(mine: list[Fragment], others: list[Fragment]) -> set[ObjectId]:
    """Return the objects of some fragments that no other one has."""
    found = {ObjectId(one.id) for one in mine}.union(*(one.chunk_ids() for one in mine))
    return found.difference(*(one.chunk_ids() for one in others))


def _salvage_rows(
    repo: Repository, writer: ObjectWriter, hit: list[Fragment], damage: Damage
) -> int:
    """Write the sound rows of fragments that lost a chunk into new fragments."""
    contents = ContentWriter(repo.catalog, writer)
    said = AnnotationWriter(repo.catalog, writer)
    reader = AnnotationReader(repo.catalog)
    count = 0
    for fragment in hit:
        if fragment.kind == CONTENT:
            known = _known_ids(fragment)
            text = fragment.attributes.get("layout") == "text"
            for data in salvage(fragment):
                content = SampleId(digest(data))
                if content in known or content in damage.contents:
                    contents.take(content, data, text=text)
                    count += 1
        elif fragment.kind == ANNOTATIONS:
            for row in range(len(_known_ids(fragment))):
                try:
                    [(one, annotation)] = reader.read_rows(fragment, row, row + 1)
                except VemlError:
                    continue
                said.take(one, annotation)
                count += 1
    contents.finish()
    said.finish()
    return count


def _known_ids(fragment: Fragment) -> dict[bytes, None]:
    """Return a fragment's ids in order; none if they are what is damaged."""
    try:
        return dict.fromkeys(row_ids(fragment))
    except (DamagedError, NotFoundError):
        return {}


# -- files of the work tree -----------------------------------------------------------------------


def _broken(damage: Damage) -> dict[str, DataRecord]:
    return {name: damage.records[name] for name in sorted(damage.broken) if name in damage.records}


def _entries(repo: Repository, record: DataRecord) -> dict[str, Entry]:
    """Return a version's entries; none if its tree is not whole."""
    try:
        return dict(Tree(repo.store, record.tree).items())
    except (DamagedError, NotFoundError):
        return {}


def _from_work_tree(repo: Repository, damage: Damage, recovered: dict[str, int]) -> None:
    """Store files of the work tree that are what a version lacks."""
    tried: set[str] = set()
    found = 0
    with repo.lock("veml fsck --repair"), repo.store.write() as writer:
        contents = ContentWriter(repo.catalog, writer)
        for name, record in _broken(damage).items():
            for key, entry in _entries(repo, record).items():
                path = repo.key_path(name.split(":", 1)[1], key)
                if entry.content not in damage.contents or path in tried:
                    continue
                data = _read_file(path, entry.size)
                if data is None:
                    tried.add(path)
                elif entry.content is not None and digest(data) == entry.content:
                    found += contents.add(entry.content, data, key)
        contents.finish()
    repo.catalog.refresh()
    if found:
        recovered["work tree"] = recovered.get("work tree", 0) + found


def _read_file(path: str, size: int) -> bytes | None:
    """Return a regular file's bytes if it has the right length."""
    try:
        status = os.lstat(path)
        if not stat.S_ISREG(status.st_mode) or status.st_size != size:
            return None
        with open(path, "rb") as file:
            return file.read(size + 1)
    except OSError:
        return None


class _AnotherVersionError(Exception):
    """The folder is not the version that is looked for."""


def _trees_from_work_tree(repo: Repository, damage: Damage, recovered: dict[str, int]) -> None:
    """Make the version of each folder anew; where it is the one that is broken, that mends it."""
    broken = _broken(damage)
    for path, record in repo.staged_datasets().items():
        if record.tree not in {one.tree for one in broken.values()}:
            continue
        if not os.path.isdir(repo.absolute(path)):
            continue
        try:
            with repo.lock("veml fsck --repair"), repo.store.write() as writer:
                contents = ContentWriter(repo.catalog, writer)
                snapshot = take_snapshot(
                    repo,
                    path,
                    None,
                    {},
                    external=record.annotations,
                    wanted_format=record.facts.format,
                    sink=_adder(contents),
                    verify=True,
                )
                contents.finish()
                made = store_snapshot(repo, snapshot, None, (), writer)
                if made.tree != record.tree:
                    raise _AnotherVersionError
        except (_AnotherVersionError, VemlError):
            continue  # it was edited since, or cannot be read as a data set: no help from here
        repo.catalog.refresh()
        recovered["work tree"] = recovered.get("work tree", 0) + 1


def _adder(contents: ContentWriter) -> Callable[[object], object]:
    return lambda file: contents.add(file.content, file.data, file.key)  # type: ignore[attr-defined]


# -- another clone, and the annotation files -------------------------------------------------------


def _from_clone(
    repo: Repository,
    damage: Damage,
    source: str | None,
    recovered: dict[str, int],
    progress: Progress,
) -> str | None:
    """Copy what is missing from another clone; return why it cannot be used."""
    try:
        opened = open_source(repo, source)
    except VemlError as error:
        if source is not None:
            raise
        return error.message
    with opened:
        wanted = {name: (one.tree,) for name, one in _broken(damage).items()}
        wanted |= {name: (damage.trees[name],) for name in damage.broken if name in damage.trees}
        done, _ = copy_versions(repo, opened, wanted, progress)
    if count := done.files + done.annotations + done.nodes:
        recovered["clone"] = count
    return None


def _from_annotation_files(repo: Repository, damage: Damage, recovered: dict[str, int]) -> None:
    """Read annotations again from the annotation files, which are stored as they were."""
    found = 0
    for record in _broken(damage).values():
        entries = _entries(repo, record)
        if not any(one.annotation in damage.annotations for one in entries.values()):
            continue
        keys = sorted(key for key, one in entries.items() if one.content is not None)
        try:
            read = _reader(repo, entries)
            layout = detect(keys, read, wanted=record.facts.format)
            parsed = get_format(layout.format).read(layout, read, None)
        except VemlError:
            continue  # a file of it is missing too
        with repo.lock("veml fsck --repair"), repo.store.write() as writer:
            said = AnnotationWriter(repo.catalog, writer)
            lacking = [
                (one, annotation)
                for annotation in parsed.annotations.values()
                if (one := annotation_id(annotation)) in damage.annotations
            ]
            said.add_many(lacking)
            said.finish()
            found += len(lacking)
        repo.catalog.refresh()
    if found:
        recovered["annotation files"] = found


def _reader(repo: Repository, entries: dict[str, Entry]) -> Callable[[str], bytes]:
    def read(key: str) -> bytes:
        content = entries[key].content
        if content is None:
            raise NotFoundError(f"{key}: an annotation without a sample has no bytes")
        return repo.contents.read(content)

    return read
