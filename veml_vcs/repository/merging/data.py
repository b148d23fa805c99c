"""Three-way merge of one data set: entries, classes, and the annotation files that say it all.

Annotation files are never merged as text. A file that only one side changed is taken as it is; one
that both changed is written anew from the merged annotations (``sources``), or, where only boxes of
some images differ, made out of ours by changing these (``splice``). Then the merged data set is
read back with its format's own reader and compared with what the merge decided (``read_back``), so
that no box can be lost between the two; if they differ, the files in question are written anew, and
if they still differ, the merge is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from veml_vcs.errors import ConflictError
from veml_vcs.ids import SampleId, digest
from veml_vcs.objects.protocol import ObjectWriter
from veml_vcs.repository.contents.known_files import MergedFile
from veml_vcs.repository.contents.tables import merger_of
from veml_vcs.repository.merging.conflict import DataConflict
from veml_vcs.repository.merging.draft import Draft
from veml_vcs.repository.merging.entries import (
    EntryMerger,
    MergedEntries,
    merge_execute_bit,
    refuse_file_folder,
)
from veml_vcs.repository.merging.facts import merge_facts
from veml_vcs.repository.merging.moves import find_moves
from veml_vcs.repository.merging.read_back import ReadBack
from veml_vcs.repository.merging.rules import Settlement
from veml_vcs.repository.merging.sources import SourceWriter
from veml_vcs.repository.merging.splice import splice_source
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.worktree.changes import entries_of
from veml_vcs.repository.worktree.hints import recall
from veml_vcs.repository.worktree.snapshot import Counts, class_order
from veml_vcs.repository.worktree.statcache import load_statcache
from veml_vcs.samples.annotations import MergeCounts
from veml_vcs.samples.formats import Layout, Parsed
from veml_vcs.samples.tree import Entry, EntryKind, Tree, build_tree, diff_trees, update_tree
from veml_vcs.versions.data import DataRecord

if TYPE_CHECKING:
    from veml_vcs.repository.merging.zarr_merge import StoreMerge

_ROUNDS = 4
_NUMBERS = frozenset(("tables", "zarr"))


@dataclass
class DataMerge:
    """The merge of one data set.

    Attributes:
        path: The folder.
        record: The merged version; None if the data set is gone.
        conflicts: What both sides changed differently, settled or not.
        samples: Numbers of samples: ``base``, ``added``, ``removed``, ``merged``.
        boxes: Where the objects of samples that both sides changed came from.
        rewritten: Annotation files that were written anew.
        hints: What the merged version's layout told besides; see ``Layout``.
    """

    path: str
    record: DataRecord | None
    conflicts: tuple[DataConflict, ...] = ()
    samples: Mapping[str, int] = field(default_factory=dict)
    boxes: MergeCounts = field(default_factory=MergeCounts)
    rewritten: tuple[str, ...] = ()
    hints: Mapping[str, Any] = field(default_factory=dict)


def merge_data(
    repo: Repository,
    path: str,
    base: DataRecord | None,
    ours: DataRecord | None,
    theirs: DataRecord | None,
    writer: ObjectWriter,
    *,
    settlement: Settlement | None = None,
) -> DataMerge:
    """Merge two versions of a data set that began as ``base``.

    Args:
        repo: The repository.
        path: The folder, from the repository's root.
        base: The common ancestor's version; None if it had none.
        ours: Our version; None if we removed the data set.
        theirs: Their version; None if they removed it.
        writer: Takes what the merge makes.
        settlement: What settles conflicts; None leaves all open.

    Raises:
        ConflictError: The two sides cannot be merged at all (other formats, or a removed data set
            that the other side changed), or the result would not say what both sides said.
    """
    if ours == theirs or theirs == base:
        return DataMerge(path, ours)
    if ours == base:
        return DataMerge(path, theirs)
    if ours is None or theirs is None:
        choice = settlement.side(path, ("", "dataset-removed-changed", "")) if settlement else None
        kept = ours if ours is not None else theirs
        conflict = DataConflict(path, "", "dataset-removed-changed", choice=choice)
        if choice is not None:
            kept = {"ours": ours, "theirs": theirs, "base": base}[choice]
        return DataMerge(path, kept, (conflict,))
    if _format_of(ours, theirs) is None:
        raise ConflictError(
            f"{path}: one side is in the format {ours.facts.format}, the other in "
            f"{theirs.facts.format}; they cannot be merged",
            hint="veml export one of them in the other's format first",
        )
    return _Merge(repo, path, base, ours, theirs, writer, settlement or Settlement()).run()


class _Merge:
    """One merge of a data set that both sides changed."""

    def __init__(
        self,
        repo: Repository,
        path: str,
        base: DataRecord | None,
        ours: DataRecord,
        theirs: DataRecord,
        writer: ObjectWriter,
        settlement: Settlement,
    ) -> None:
        self._repo = repo
        self._path = path
        self._records = (base, ours, theirs)
        self._ours = ours
        self._writer = writer
        self._settlement = settlement
        self._draft = Draft(repo, path, entries_of(repo, ours))
        self._format_name = _format_of(ours, theirs) or ours.facts.format

    def run(self) -> DataMerge:
        draft, merged = self._draft, self._merge_entries()
        draft.apply(merged.changes)
        draft.annotations.update(merged.annotations)
        refuse_file_folder(self._path, draft.ours, draft.entries, merged.changes)
        facts, fact_conflicts = merge_facts(
            self._path, *self._records, self._settlement, self._names_nothing
        )
        conflicts = [*merged.conflicts, *fact_conflicts]
        rewrite = set(merged.both_files)
        spliced = splice_source(draft, self._records, merged, facts)
        if spliced is not None:
            return self._result(*spliced, self._hints_of_ours(), conflicts, merged, rewrite)
        back = ReadBack(draft, self._ours, self._format_name)
        sources = SourceWriter(draft, self._records, merged, self._settlement, conflicts)
        for _ in range(_ROUNDS):
            sources.write(back.form, facts, rewrite)
            layout = back.layout()
            if layout is None:
                wrong = set(back.form.write(draft.said(), facts))
                rewrite |= wrong
                continue
            parsed = back.read(layout)
            wrong = back.wrong_sources(layout, parsed, facts)
            if not wrong:
                break
            rewrite |= wrong
        else:
            raise ConflictError(
                f"{self._path}: the merged annotation files would not say what both sides said "
                f"({', '.join(sorted(wrong)[:3])}); nothing was merged",
                kind="merge-not-faithful",
            )
        back.adopt(layout, parsed)
        if not draft.entries:
            numbers = self._sample_numbers()
            return DataMerge(self._path, None, tuple(conflicts), numbers, merged.counts)
        return self._result(layout, parsed, layout.hints, conflicts, merged, rewrite)

    def _result(
        self,
        layout: Layout,
        parsed: Parsed,
        hints: Mapping[str, Any],
        conflicts: list[DataConflict],
        merged: MergedEntries,
        rewrite: Collection[str],
    ) -> DataMerge:
        record = self._store(layout, parsed)
        rewritten = tuple(sorted(key for key in rewrite if key in self._draft.made))
        numbers = self._sample_numbers()
        return DataMerge(
            self._path, record, tuple(conflicts), numbers, merged.counts, rewritten, hints
        )

    def _hints_of_ours(self) -> Mapping[str, Any]:
        """Return the hints of our version: they hold where only words about samples differ."""
        cache = load_statcache(self._repo.statcache_path(self._path), self._repo.files)
        return recall(cache.hints, self._ours)

    def _names_nothing(self, record: DataRecord, key: str) -> bool:
        """Tell whether a list or an annotation file of a version names no image at all."""
        entry = Tree(self._repo.store, record.tree).get(key)
        if entry is None or entry.content is None:
            return False
        data = bytes(self._repo.contents.read(entry.content)).strip()
        return not data or (data.startswith(b"{") and b'"file_name"' not in data)

    # -- entries -------------------------------------------------------------------------------

    def _merge_entries(self) -> MergedEntries:
        base, ours, theirs = self._records
        store = self._repo.store
        root = base.tree if base else None
        left = {c.key: c for c in diff_trees(store, root, ours.tree if ours else None)}
        right = {c.key: c for c in diff_trees(store, root, theirs.tree if theirs else None)}
        stores = self._store_merge(base, theirs)
        # A chunk's name is its place in the array: the same bytes elsewhere did not move there.
        moves = find_moves(left, right) if stores is None else []
        moved = {key for move in moves for key in move.keys}
        both = (left.keys() & right.keys()) | moved
        self._base_changes = {key: change.old for key, change in (right | left).items()}
        wanted = {
            entry.annotation
            for key in both
            for change in (left.get(key), right.get(key))
            for entry in ((change.old, change.new) if change is not None else ())
            if entry is not None and entry.annotation is not None
        }
        self._draft.known.update(self._repo.annotations.read_many(wanted))
        merger = EntryMerger(self._path, self._draft.known, self._settlement)
        for move in moves:
            old = left[move.base].old
            assert old is not None
            merger.merge_moved(move, old, left[move.ours].new, right[move.theirs].new)
        settled: Mapping[str, Entry | None] = {}
        if stores is not None:
            settled, found = stores.settle_layouts(left, right)
            merger.result.changes.update(settled)
            merger.result.conflicts += found
        for key, change in right.items():
            if key in moved or key in settled:
                continue
            if key not in left:
                merger.result.changes[key] = change.new
            else:
                by_content = merger_of(key) if stores is None else stores.merger_of(key)
                sides = (change.old, left[key].new, change.new)
                if not self._merge_content(key, *sides, by_content, merger.result):
                    merger.merge(key, *sides)
        return merger.result

    def _store_merge(self, base: DataRecord | None, theirs: DataRecord | None) -> StoreMerge | None:
        """Return what merges a Zarr store; None if the data set is none."""
        if self._format_name != "zarr":
            return None
        from veml_vcs.repository.merging.zarr_merge import StoreMerge

        entries = (entries_of(self._repo, base), self._draft.ours, entries_of(self._repo, theirs))
        return StoreMerge(self._path, entries, self._repo.contents.read, self._settlement)

    def _merge_content(
        self,
        key: str,
        base: Entry | None,
        ours: Entry | None,
        theirs: Entry | None,
        merge: Callable[..., MergedFile | None] | None,
        result: MergedEntries,
    ) -> bool:
        """Merge a file that both sides changed by its content: table, class mask or array.

        Returns:
            Whether that was done.
        """
        if merge is None or ours is None or theirs is None or ours.content == theirs.content:
            return False
        sides = (ours, theirs) if base is None else (ours, theirs, base)
        if any(one.annotation is not None or one.content is None for one in sides):
            return False
        if base is not None and base.content in (ours.content, theirs.content):
            return False
        read = self._repo.contents.read
        texts = [None if one is None or one.content is None else read(one.content)
                 for one in (base, ours, theirs)]  # fmt: skip
        assert texts[1] is not None
        assert texts[2] is not None
        choice = self._settlement.whole(self._path, key)
        merged = merge(self._path, key, texts[0], texts[1], texts[2], choice)
        if merged is None:
            return False
        self._draft.made[key] = merged.data
        result.conflicts += merged.conflicts
        result.changes[key] = ours._replace(
            content=SampleId(digest(merged.data)),
            size=len(merged.data),
            executable=merge_execute_bit(base, ours, theirs),
        )
        return True

    # -- the result ----------------------------------------------------------------------------

    def _store(self, layout: Layout, parsed: Parsed) -> DataRecord:
        """Store what the merge made, and return the record."""
        from veml_vcs.samples.fragments.annotations import AnnotationWriter
        from veml_vcs.samples.fragments.content import ContentWriter

        draft, entries = self._draft, self._draft.entries
        contents = ContentWriter(self._repo.catalog, self._writer)
        for key, data in sorted(draft.made.items()):
            contents.add(SampleId(digest(data)), data, key)
        contents.finish()
        used = {entry.annotation for entry in entries.values()}
        saver = AnnotationWriter(self._repo.catalog, self._writer)
        saver.add_many([(one, said) for one, said in draft.annotations.items() if one in used])
        saver.finish()
        changes: dict[str, Entry | None] = {
            key: entry for key, entry in entries.items() if draft.ours.get(key) != entry
        }
        changes.update((key, None) for key in draft.ours if key not in entries)
        tree = (
            update_tree(self._repo.store, self._ours.tree, changes, self._writer)
            if draft.ours
            else build_tree(entries.items(), self._writer)
        )
        counts = self._counts(changes)
        facts = replace(parsed.facts, classes=self._classes(parsed, counts))
        return replace(
            self._ours,
            tree=tree,
            facts=facts,
            samples=_samples(entries),
            files=sum(1 for entry in entries.values() if entry.kind is EntryKind.FILE),
            objects=counts.objects,
            content_bytes=sum(entry.size for entry in entries.values()),
            class_counts=counts.result(),
            sources=layout.shared_sources,
            annotations=tuple(sorted(key[1:] for key in entries if key.startswith("/"))),
            derived={},
        )

    def _counts(self, changes: Mapping[str, Entry | None]) -> Counts:
        annotations = self._draft.annotations
        counts = Counts(self._ours.class_counts, self._ours.objects)
        pairs = [(self._draft.ours.get(key), entry) for key, entry in changes.items()]
        wanted = {
            one.annotation
            for pair in pairs
            for one in pair
            if one is not None and one.annotation is not None and one.annotation not in annotations
        }
        found = {**self._repo.annotations.read_many(wanted), **annotations}
        for old, new in pairs:
            if old is not None and old.annotation is not None:
                counts.add(found[old.annotation], -1)
            if new is not None and new.annotation is not None:
                counts.add(found[new.annotation], 1)
        return counts

    def _classes(self, parsed: Parsed, counts: Counts) -> Any:
        """Complete the class list where only some samples were read back."""
        listed = {one.name for one in parsed.facts.classes}
        occurring = counts.result()
        missing = [
            one
            for record in self._records
            if record is not None
            for one in record.facts.classes
            if one.name not in listed and one.name in occurring
        ]
        if not missing:
            return parsed.facts.classes
        unique = {one.name: one for one in [*parsed.facts.classes, *missing]}
        return tuple(sorted(unique.values(), key=class_order))

    def _sample_numbers(self) -> dict[str, int]:
        """Count samples, and check that base + added - removed = merged."""
        entries = self._draft.entries
        base = self._records[0]
        known = dict(self._base_changes)
        for key, entry in self._draft.ours.items():
            if key not in known and _is_sample(entry) != _is_sample(entries.get(key)):
                known[key] = entry  # without any image, every file is a sample
        before = {key for key, old in known.items() if _is_sample(old)}
        after = {key for key in known if _is_sample(entries.get(key))}
        numbers = {
            "base": base.samples if base else 0,
            "added": len(after - before),
            "removed": len(before - after),
            "merged": _samples(entries),
        }
        if numbers["base"] + numbers["added"] - numbers["removed"] != numbers["merged"]:
            raise AssertionError(f"{self._path}: the merge does not conserve samples: {numbers}")
        return numbers


def _format_of(ours: DataRecord, theirs: DataRecord) -> str | None:
    """Return the format that both sides can be merged in; None if there is none.

    Numbers (tables, Zarr) may be plain files to the other side, to which nobody said so or which an
    older veml recorded: nothing is said of any sample then, and no file is written by a format.
    """
    names = {ours.facts.format, theirs.facts.format}
    if len(names) == 1:
        return ours.facts.format
    understood = names - {"files"}
    return understood.pop() if len(understood) == 1 and understood <= _NUMBERS else None


def _is_sample(entry: Entry | None) -> bool:
    return entry is not None and entry.kind is EntryKind.SAMPLE


def _samples(entries: Mapping[str, Entry]) -> int:
    return sum(1 for entry in entries.values() if entry.kind is EntryKind.SAMPLE)
