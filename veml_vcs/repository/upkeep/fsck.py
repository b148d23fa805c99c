"""``veml fsck``: check everything; name what is missing or damaged, and the versions it hits.

Every byte of the packs is hashed against its object's id, every sample against its own id, every
tree is walked, every entry looked up, every record that anything in Git leads to is read and
compared with its tree. ``upkeep/repair.py`` mends.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from dulwich.refs import Ref

from veml_vcs.errors import DamagedError, NotFoundError, VemlError
from veml_vcs.ids import AnnotationId, ObjectId, SampleId, TreeId, short
from veml_vcs.repository.git.notes import NOTES_PREFIX, TRACKING_PREFIX, note_blobs
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.upkeep.gc import adding_up
from veml_vcs.repository.upkeep.promised import promised_trees
from veml_vcs.repository.upkeep.roots import RootFinder
from veml_vcs.repository.worktree.snapshot import Counts
from veml_vcs.samples.fragments.annotations import KIND as ANNOTATIONS
from veml_vcs.samples.fragments.collect import readable, row_ids
from veml_vcs.samples.fragments.content import KIND as CONTENT
from veml_vcs.samples.tree import Entry, EntryKind, Tree
from veml_vcs.samples.tree.mark import Marks
from veml_vcs.samples.tree.node import ChildRef
from veml_vcs.samples.tree.read import leaves, read_leaf
from veml_vcs.versions.data import DataRecord, dataset_path

if TYPE_CHECKING:
    from veml_vcs.versions.kinds import StoredPart


@dataclass(frozen=True)
class FsckProblem:
    """One thing that is wrong.

    Attributes:
        kind: ``damaged`` (bytes that are not what they should be), ``missing`` (something that is
            needed and nowhere), ``unreadable`` (a record, tree or fragment that makes no sense),
            ``counts`` (a record that does not say what its tree holds), ``git`` (an object of Git),
            ``newer`` (only a newer veml can read it).
        what: The object, sample, record.
        where: The pack, fragment or commit it is in, or what was found.
        versions: Data, training and inference versions that it hits, as ``commit:path``,
            ``commit:path/key`` or ``commit:path (checkpoint)/tensor``.
    """

    kind: str
    what: str
    where: str
    versions: tuple[str, ...] = ()


@dataclass(frozen=True)
class FsckResult:
    """What was checked, and what was found.

    Attributes:
        objects: Number of objects that were re-hashed.
        versions: Number of data, training and inference versions that were walked.
        samples: Number of distinct entries that were looked up.
        problems: Everything that is wrong; empty is good.
        absent: Versions that were never in this clone, and that the clone it came from has.
    """

    objects: int
    versions: int
    samples: int
    problems: tuple[FsckProblem, ...]
    absent: tuple[str, ...] = ()


@dataclass
class Damage:
    """What is wrong, by id, for whoever wants to mend it.

    Attributes:
        packs: Packs with anything wrong in them.
        objects: Damaged objects, and the pack.
        contents: Contents that cannot be read, and where they should be.
        annotations: Annotations that cannot be read, and where they should be.
        missing: Nodes that trees need and nobody has (sound).
        keys: Content, annotation or node -> the places in versions that need it.
        records: The data versions there are, by ``commit:path``.
        trees: The trees of training and inference versions, by ``commit:path (checkpoint)``.
        broken: Names of the versions that are not whole.
    """

    packs: set[str] = field(default_factory=set)
    objects: dict[ObjectId, str] = field(default_factory=dict)
    contents: dict[bytes, str] = field(default_factory=dict)
    annotations: dict[bytes, str] = field(default_factory=dict)
    missing: dict[ObjectId, str] = field(default_factory=dict)
    keys: dict[bytes, list[str]] = field(default_factory=dict)
    records: dict[str, DataRecord] = field(default_factory=dict)
    trees: dict[str, TreeId] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)


def fsck(repo: Repository, *, full: bool = False, progress: Progress = silent) -> FsckResult:
    """Check the store, and every data version that anything in Git leads to.

    Goes on after each problem. ``git fsck`` checks Git's other objects.

    Args:
        repo: The repository.
        full: Also read every annotation and compare it with its id, and every record's class
            counts with the annotations. Their bytes are hashed in any case.
        progress: Is told how far it is.
    """
    return examine(repo, full=full, partial=True, progress=progress)[0]


def examine(
    repo: Repository, *, full: bool = False, partial: bool = False, progress: Progress = silent
) -> tuple[FsckResult, Damage]:
    """Check everything, and return what is wrong for people and by id; see ``fsck``.

    Args:
        repo: The repository.
        full: Also read every annotation, and compare class counts.
        partial: Versions that another clone has and that were never here are not wrong.
        progress: Is told how far it is.
    """
    check = _Check(repo, full, progress, partial)
    result = check.run()
    return result, check.damage


class _Check:
    """One run."""

    def __init__(
        self, repo: Repository, full: bool, progress: Progress, partial: bool = False
    ) -> None:
        self._repo = repo
        self._partial = partial
        self._absent: list[str] = []
        self._full = full
        self._progress = progress
        self._problems: list[FsckProblem] = []
        self._leaves: dict[ObjectId, tuple[ChildRef, int, Counts | None]] = {}
        self._contents: set[SampleId] = set()
        self._annotations: set[AnnotationId] = set()
        self._entries = 0
        self._named_versions = 0
        self._sizes: dict[str, int] = {}
        self.damage = Damage()

    def run(self) -> FsckResult:
        self._objects()
        self._fragments()
        self._git()
        if self._partial:
            self._leave_absent()
        self._versions()
        self._look_up()
        if self._needs_names():
            self._name()
        self._report()
        objects = sum(1 for _ in self._repo.store.ids())
        versions = len(self.damage.records) + self._named_versions
        return FsckResult(
            objects, versions, self._entries, tuple(self._problems), tuple(self._absent)
        )

    # -- the store -----------------------------------------------------------------------------

    def _objects(self) -> None:
        repo = self._repo
        total = sum(pack.size_bytes for pack in repo.store.packs())
        for problem in repo.store.verify(adding_up(self._progress, "hashing objects", total)):
            pack = os.path.basename(problem.pack)
            self.damage.packs.add(pack)
            if problem.object_id is None:
                self._problems.append(FsckProblem("damaged", problem.what, f"pack {pack[:10]}"))
            else:
                self.damage.objects[problem.object_id] = f"pack {pack[:10]}"

    def _fragments(self) -> None:
        """Hash every sample; read every annotation where that is asked for or there is damage."""
        repo, damage = self._repo, self.damage
        repo.catalog.refresh()
        blocked: dict[str, str] = {}
        fragments = readable(repo.catalog, blocked)
        for one, error in repo.catalog.unreadable.items():
            if error.kind == "newer-format" or ObjectId(one) not in damage.objects:
                blocked[f"fragment {short(one)}"] = str(error)
        for what, why in blocked.items():
            self._problems.append(FsckProblem("unreadable", what, why))
        total = sum(one.rows for one in fragments if one.kind == CONTENT)
        step = adding_up(self._progress, "hashing samples", total)
        for fragment in fragments:
            where = f"fragment {short(fragment.id)}"
            if fragment.kind == CONTENT:
                for row, content in enumerate(row_ids(fragment)):
                    try:
                        repo.contents.read_row(fragment, row, SampleId(content))
                    except VemlError:
                        damage.contents[content] = f"{where}, row {row}"
                    if row % 256 == 255:
                        step(256)
            elif fragment.kind == ANNOTATIONS and (
                self._full or not damage.objects.keys().isdisjoint(fragment.chunk_ids())
            ):
                for row, said in enumerate(row_ids(fragment)):
                    try:
                        repo.annotations.read_rows(fragment, row, row + 1)
                    except VemlError:
                        damage.annotations[said] = f"{where}, row {row}"

    # -- Git's side ----------------------------------------------------------------------------

    def _git(self) -> None:
        self._progress("looking for versions", 0, 0)
        self._refs()
        finder = RootFinder(self._repo)
        found = finder.look()
        for what, why in found.unreadable.items():
            self._problems.append(FsckProblem("newer", what, why))
        for what, why in found.named.items():
            self._problems.append(FsckProblem("unreadable", what, why))
        for what, why in found.problems.items():
            kind = "unreadable" if ":" in what else "git"
            self._problems.append(FsckProblem(kind, what, why))
        for path, name in found.paths.items():
            try:
                dataset_path(path)
            except VemlError as error:
                self._problems.append(FsckProblem("unreadable", path, name, (str(error),)))
        trees: set[bytes] = set()
        for one in found.records.values():
            if one.parts:
                self._named(one.name, one.parts)
            if one.record is None:
                continue
            if not (one.record.tree in trees and one.name.startswith("file:")):
                trees.add(one.record.tree)
                self.damage.records[one.name] = one.record

    def _named(self, name: str, parts: Mapping[str, StoredPart]) -> None:
        """Remember the trees of a named version, and how many entries each should have."""
        self._named_versions += 1
        known = set(self.damage.trees.values())
        for part, found in parts.items():
            if found.tree not in known or not name.startswith("file:"):
                self.damage.trees[f"{name} ({part})"] = found.tree
                self._sizes[f"{name} ({part})"] = found.entries

    def _refs(self) -> None:
        """Find refs that are damaged, or name what Git does not have."""
        git = self._repo.git.dulwich
        try:
            names = sorted(git.refs.allkeys())
        except DamagedError as error:
            self._problems.append(FsckProblem("git", "packed-refs", error.message))
            return
        for name in names:
            try:
                value = git.refs[name]
            except DamagedError as error:
                self._problems.append(FsckProblem("git", os.fsdecode(name), error.message))
                continue
            except KeyError:
                continue  # a branch without commits yet
            try:
                git.object_store[value]
                if name.startswith((NOTES_PREFIX.encode(), TRACKING_PREFIX.encode())):
                    self._notes(name)
            except KeyError:
                what = f"names {os.fsdecode(value)[:7]}, which Git does not have"
                self._problems.append(FsckProblem("git", os.fsdecode(name), what))
            except DamagedError as error:
                self._problems.append(FsckProblem("git", os.fsdecode(name), error.message))

    def _notes(self, ref: bytes) -> None:
        """Find notes that cannot be read.

        Raises:
            DamagedError: None can be found.
        """
        for version, blob in note_blobs(self._repo, Ref(ref)).items():
            try:
                self._repo.git.dulwich.object_store[blob]
            except (DamagedError, KeyError) as error:
                where = f"the note on {short(version)}: {error}"
                self._problems.append(FsckProblem("git", os.fsdecode(ref), where))

    def _leave_absent(self) -> None:
        """Take out the versions that this clone never had, unless damage may have hidden them."""
        damage, store = self.damage, self._repo.store
        if damage.packs or damage.objects:
            return
        trees = {name: one.tree for name, one in damage.records.items()} | damage.trees
        gone = {name: tree for name, tree in trees.items() if tree not in store}
        if not gone:
            return
        promised = promised_trees(self._repo)
        for name in [name for name, tree in gone.items() if tree in promised]:
            self._absent.append(name)
            damage.records.pop(name, None)
            damage.trees.pop(name, None)

    # -- trees ---------------------------------------------------------------------------------

    def _versions(self) -> None:
        records = self.damage.records
        for done, (name, record) in enumerate(records.items()):
            self._progress("walking versions", done, len(records))
            try:
                self._version(name, record)
            except (DamagedError, NotFoundError) as error:
                self.damage.broken.add(name)
                self._problems.append(
                    FsckProblem("unreadable", f"tree of {name}", str(error), (name,))
                )

        for name, tree in self.damage.trees.items():
            try:
                self._tree(name, tree)
            except (DamagedError, NotFoundError) as error:
                self.damage.broken.add(name)
                self._problems.append(
                    FsckProblem("unreadable", f"tree of {name}", str(error), (name,))
                )

    def _tree(self, name: str, tree: TreeId) -> None:
        """Walk a tree of a training or inference version, and compare the number of its entries."""
        entries = 0
        for place in leaves(self._repo.store, tree):
            items = read_leaf(self._repo.store, place)
            files, _ = self._take(entry for _, entry in items)
            entries += len(items) - files  # what else a checkpoint says is a file
        if entries != self._sizes[name]:
            wrong = f"says {self._sizes[name]:,} entries, its tree has {entries:,}"
            self._problems.append(FsckProblem("counts", f"record of {name}", wrong, (name,)))

    def _version(self, name: str, record: DataRecord) -> None:
        """Walk a version's tree, each leaf once in all of history, and compare the counts."""
        store = self._repo.store
        files = objects = 0
        classes: dict[str, tuple[int, int]] = {}
        for place in leaves(store, record.tree):
            known = self._leaves.get(place.ref.node)
            if known is None:
                items = read_leaf(store, place)
                known = (place.ref, *self._take(entry for _, entry in items))
                self._leaves[place.ref.node] = known
            elif known[0] != place.ref:
                raise DamagedError(f"tree node {short(place.ref.node)} is said to be two things")
            files += known[1]
            if known[2] is not None:
                objects += known[2].objects
                for one, count in known[2].result().items():
                    old = classes.get(one, (0, 0))
                    classes[one] = (old[0] + count.objects, old[1] + count.samples)
        sums = Tree(store, record.tree).sums()
        pairs = [
            ("samples", record.samples, sums.samples),
            ("files", record.files, files),
            ("bytes", record.content_bytes, sums.content_bytes),
        ]
        if self._full and not self.damage.annotations:
            pairs.append(("objects", record.objects, objects))
            for one in sorted(classes.keys() | record.class_counts.keys()):
                said = record.class_counts.get(one)
                told = (0, 0) if said is None else (said.objects, said.samples)
                if told != classes.get(one, (0, 0)):
                    found = classes.get(one, (0, 0))
                    pairs += [(f"class {one!r}", told[i], found[i]) for i in (0, 1)]
        wrong = [
            f"{what} {told}, its tree has {real}" for what, told, real in pairs if told != real
        ]
        if wrong:
            self._problems.append(
                FsckProblem("counts", f"record of {name}", "; ".join(wrong), (name,))
            )

    def _take(self, entries: Iterable[Entry]) -> tuple[int, Counts | None]:
        """Remember what a leaf needs; return its number of files, and what its objects are."""
        files = 0
        said: list[AnnotationId] = []
        for entry in entries:
            self._entries += 1
            files += entry.kind is EntryKind.FILE
            if entry.content is not None:
                self._contents.add(entry.content)
            if entry.annotation is not None:
                self._annotations.add(entry.annotation)
                said.append(entry.annotation)
        if not self._full or self.damage.annotations:
            return files, None
        counts = Counts()
        try:
            found = self._repo.annotations.read_many(said)
        except VemlError:
            return files, None  # what is missing is reported when it is looked up
        for one in said:
            counts.add(found[one], 1)
        return files, counts

    def _look_up(self) -> None:
        """Find what trees need and no fragment has."""
        for kind, ids, into in (
            (CONTENT, list(self._contents), self.damage.contents),
            (ANNOTATIONS, list(self._annotations), self.damage.annotations),
        ):
            places = self._repo.catalog.find_many(ids, kind)[:, 0]
            for at in np.flatnonzero(places < 0).tolist():
                into.setdefault(ids[at], "")

    # -- names ---------------------------------------------------------------------------------

    def _needs_names(self) -> bool:
        damage = self.damage
        return bool(damage.contents or damage.annotations or damage.objects or damage.broken)

    def _name(self) -> None:
        """Walk every version again, as a whole, to name whom the damage hits."""
        damage = self.damage
        trees = {name: one.tree for name, one in damage.records.items()} | damage.trees
        for done, (name, tree) in enumerate(trees.items()):
            self._progress("naming versions", done, len(trees))
            self._name_nodes(name, tree)
            if name in damage.broken:
                continue
            for key, entry in Tree(self._repo.store, tree).items():
                for one in (entry.content, entry.annotation):
                    if one is not None and (one in damage.contents or one in damage.annotations):
                        damage.keys.setdefault(one, []).append(f"{name}/{key}")
                        damage.broken.add(name)

    def _name_nodes(self, name: str, tree: TreeId) -> None:
        marks = Marks()
        marks.tree(self._repo.store, [ObjectId(tree)])
        for node in {*marks.missing, *marks.damaged}:
            self.damage.keys.setdefault(node, []).append(name)
            if node not in self.damage.objects:
                self.damage.missing[node] = name

    def _report(self) -> None:
        damage = self.damage
        for object_id, where in damage.objects.items():
            hit = tuple(damage.keys.get(object_id, ()))
            self._problems.append(FsckProblem("damaged", f"object {short(object_id)}", where, hit))
        for node, name in damage.missing.items():
            hit = tuple(damage.keys.get(node, (name,)))
            self._problems.append(
                FsckProblem("missing", f"tree node {short(node)}", "the store", hit)
            )
        for word, found in (("sample", damage.contents), ("annotation", damage.annotations)):
            for one, where in found.items():
                kind = "damaged" if where else "missing"
                hit = tuple(damage.keys.get(one, ()))
                self._problems.append(
                    FsckProblem(kind, f"{word} {short(one)}", where or "the store", hit)
                )
