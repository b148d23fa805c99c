"""Three-way merge of one data set: entries, classes, and the annotation files that say it all.

Annotation files are never merged as text. A file that only one side changed is taken as it is; one
that both changed is written anew from the merged annotations. Then the merged data set is read back
with its format's own reader and compared with what the merge decided, so that no box can be lost
between the two; if they differ, the files in question are written anew, and if they still differ,
the merge is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from veml_vcs.errors import ConflictError, FormatError, NotFoundError
from veml_vcs.ids import AnnotationId, SampleId, digest
from veml_vcs.objects.protocol import ObjectWriter
from veml_vcs.repository.contents.known_files import MergedFile
from veml_vcs.repository.contents.tables import merger_of
from veml_vcs.repository.merging.conflict import DataConflict
from veml_vcs.repository.merging.entries import (
    EntryMerger,
    MergedEntries,
    merge_execute_bit,
    refuse_file_folder,
)
from veml_vcs.repository.merging.facts import merge_facts
from veml_vcs.repository.merging.moves import find_moves
from veml_vcs.repository.merging.rules import Settlement
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.worktree.changes import entries_of
from veml_vcs.repository.worktree.snapshot import Counts, class_order
from veml_vcs.samples.annotations import MergeCounts, annotation_id
from veml_vcs.samples.facts import Annotation, Facts
from veml_vcs.samples.formats import Layout, Parsed, ReadFile, detect, get_format
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
    """

    path: str
    record: DataRecord | None
    conflicts: tuple[DataConflict, ...] = ()
    samples: Mapping[str, int] = field(default_factory=dict)
    boxes: MergeCounts = field(default_factory=MergeCounts)
    rewritten: tuple[str, ...] = ()


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
        self._our_entries = entries_of(repo, ours)
        self._made: dict[str, bytes] = {}
        self._known: dict[AnnotationId, Annotation] = {}
        self._format_name = _format_of(ours, theirs) or ours.facts.format
        self._format = get_format(self._format_name)
        self._renumbered: set[str] = set()
        self._own_sources: set[str] | None = None
        self._looked_at: Collection[str] = ()

    def run(self) -> DataMerge:
        merged = self._merge_entries()
        entries = dict(self._our_entries)
        _apply(entries, merged.changes)
        refuse_file_folder(self._path, self._our_entries, entries, merged.changes)
        conflicts = list(merged.conflicts)
        rewrite = set(merged.both_files)
        facts, fact_conflicts = merge_facts(
            self._path, *self._records, self._settlement, self._names_nothing
        )
        conflicts += fact_conflicts
        annotations = dict(merged.annotations)
        for _ in range(_ROUNDS):
            self._write_sources(entries, annotations, facts, rewrite, merged, conflicts)
            layout = self._layout(entries)
            if layout is None:
                wrong = set(self._format.write(self._said(entries, annotations), facts))
                rewrite |= wrong
                continue
            parsed = self._read_back(layout, entries, annotations)
            wrong = self._wrong_sources(layout, parsed, entries, annotations, facts)
            if not wrong:
                break
            rewrite |= wrong
        else:
            raise ConflictError(
                f"{self._path}: the merged annotation files would not say what both sides said "
                f"({', '.join(sorted(wrong)[:3])}); nothing was merged",
                kind="merge-not-faithful",
            )
        self._adopt(layout, parsed, entries, annotations)
        if not entries:
            numbers = self._sample_numbers(entries)
            return DataMerge(self._path, None, tuple(conflicts), numbers, merged.counts)
        return self._finish(layout, parsed, entries, annotations, merged, conflicts, rewrite)

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
        self._known.update(self._repo.annotations.read_many(wanted))
        merger = EntryMerger(self._path, self._known, self._settlement)
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

        entries = (entries_of(self._repo, base), self._our_entries, entries_of(self._repo, theirs))
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
        self._made[key] = merged.data
        result.conflicts += merged.conflicts
        result.changes[key] = ours._replace(
            content=SampleId(digest(merged.data)),
            size=len(merged.data),
            executable=merge_execute_bit(base, ours, theirs),
        )
        return True

    # -- annotation files ----------------------------------------------------------------------

    def _write_sources(
        self,
        entries: dict[str, Entry],
        annotations: dict[Any, Annotation],
        facts: Any,
        rewrite: set[str],
        merged: MergedEntries,
        conflicts: list[DataConflict],
    ) -> None:
        """Write the files in ``rewrite`` anew, or settle those that are no annotation files."""
        todo = [key for key in sorted(rewrite) if key not in self._made]
        if not todo:
            return
        written: Mapping[str, bytes] = {}
        if self._format.has_files:
            written = self._format.write(self._said(entries, annotations), facts, todo)
        for key in todo:
            if key in written:
                self._put(entries, key, written[key])
                if key in merged.both_files:
                    executable = merge_execute_bit(*merged.both_files[key])
                    entries[key] = entries[key]._replace(executable=executable)
            elif key in merged.both_files and not self._speaks_of_one_sample(key):
                self._settle_file(entries, key, merged, conflicts)
            else:
                entries.pop(key, None)  # nothing is left to say in it

    def _speaks_of_one_sample(self, key: str) -> bool:
        """Tell whether a file is the annotation file of one sample, on either side or in base."""
        if self._own_sources is None:
            self._own_sources = set()
            for record in self._records:
                entries = entries_of(self._repo, record)
                if record is not None and entries:
                    layout = detect(
                        sorted(entries_files(entries)),
                        self._stored(entries),
                        wanted=record.facts.format,
                    )
                    self._own_sources.update(layout.own_source.values())
        return key in self._own_sources

    def _settle_file(
        self,
        entries: dict[str, Entry],
        key: str,
        merged: MergedEntries,
        conflicts: list[DataConflict],
    ) -> None:
        base, ours, theirs = merged.both_files[key]
        executable = merge_execute_bit(base, ours, theirs)
        data, clean = self._merge_text(base, ours, theirs)
        choice = self._settlement.side(self._path, (key, "file-both", ""))
        if clean:
            self._put(entries, key, data)
            entries[key] = entries[key]._replace(executable=executable)
            return
        if not any(one.key == key for one in conflicts):
            conflicts.append(DataConflict(self._path, key, "file-both", choice=choice))
        chosen = {"theirs": theirs, "base": base}.get(choice or "ours", ours)
        if chosen is None and choice is None:
            chosen = theirs
        if chosen is not None and ours is not None and theirs is not None:
            chosen = chosen._replace(executable=executable)
        _apply(entries, {key: chosen})

    def _merge_text(
        self, base: Entry | None, ours: Entry | None, theirs: Entry | None
    ) -> tuple[bytes, bool]:
        from merge3 import Merge3

        if ours is None or theirs is None:
            return b"", False
        texts = [
            self._repo.contents.read(one.content).splitlines(keepends=True)
            if one is not None and one.content is not None
            else []
            for one in (base, ours, theirs)
        ]
        if any(b"\0" in line for text in texts for line in text):
            return b"", False
        merge = Merge3(texts[0], texts[1], texts[2])
        clean = all(group[0] != "conflict" for group in merge.merge_groups())
        return b"".join(merge.merge_lines()) if clean else b"", clean

    def _put(self, entries: dict[str, Entry], key: str, data: bytes) -> None:
        self._made[key] = data
        old = entries.get(key)
        entries[key] = Entry(
            EntryKind.FILE, SampleId(digest(data)), None, len(data), bool(old and old.executable)
        )

    def _said(
        self, entries: Mapping[str, Entry], annotations: Mapping[Any, Annotation]
    ) -> dict[str, Annotation]:
        """Return what the merged version says of every sample."""
        wanted = {
            key: entry.annotation for key, entry in entries.items() if entry.annotation is not None
        }
        unread = {one for one in wanted.values() if one not in annotations} - self._known.keys()
        self._known.update(self._repo.annotations.read_many(unread))
        return {
            key: annotations[one] if one in annotations else self._known[one]
            for key, one in wanted.items()
        }

    # -- reading back --------------------------------------------------------------------------

    def _reader(self, entries: Mapping[str, Entry]) -> ReadFile:
        stored = self._stored(entries)
        return lambda key: self._made[key] if key in self._made else stored(key)

    def _layout(self, entries: Mapping[str, Entry]) -> Layout | None:
        """Recognise the merged data set in both sides' format.

        Where it does not fit any more, because the last image went with what ours removed and what
        theirs removed, any format will do; None if something is said of samples all the same.
        """
        keys, read = sorted(entries_files(entries)), self._reader(entries)
        try:
            return detect(keys, read, wanted=self._format_name)
        except FormatError as error:
            if error.kind != "format-refused":
                raise
        if any(entry.annotation is not None for entry in entries.values()):
            return None
        layout = detect(keys, read)
        self._format = get_format(layout.format)
        return layout

    def _stored(self, entries: Mapping[str, Entry]) -> ReadFile:
        def read(key: str) -> bytes:
            entry = entries.get(key)
            if entry is None or entry.content is None:
                raise NotFoundError(f"{self._path}: the merge has no file {key}")
            return self._repo.contents.read(entry.content)

        return read

    def _read_back(
        self, layout: Layout, entries: Mapping[str, Entry], annotations: Mapping[Any, Annotation]
    ) -> Parsed:
        """Read the samples whose annotation or files differ from ours with the format's reader."""
        everything = layout.options != self._ours.facts.layout or any(
            self._our_entries.get(key) != entries.get(key) for key in layout.shared_sources
        )
        only = None
        if not everything:
            alone = (k for k, e in entries.items() if e.kind is EntryKind.ANNOTATION_ONLY)
            only = {key for key in (*layout.samples, *layout.own_source, *alone)
                    if self._may_differ(key, layout, entries)}  # fmt: skip
        self._looked_at = entries.keys() if only is None else only
        return self._format.read(layout, self._reader(entries), only)

    def _may_differ(self, key: str, layout: Layout, entries: Mapping[str, Entry]) -> bool:
        """Tell whether the files may say something else of a sample than they do on our side."""
        entry = entries.get(key)
        if entry is None or entry != self._our_entries.get(key):
            return True
        source = layout.own_source.get(key)
        if source is None:  # is its file gone?
            return self._format.pairs and entry.annotation is not None
        return self._our_entries.get(source) != entries.get(source)

    def _wrong_sources(
        self,
        layout: Layout,
        parsed: Parsed,
        entries: Mapping[str, Entry],
        annotations: Mapping[Any, Annotation],
        facts: Facts,
    ) -> set[str]:
        """Return the files that must be written anew because they say something else."""
        expected = self._said(
            {
                key: entry
                for key, entry in entries.items()
                if key in self._looked_at or self._our_entries.get(key) != entry
            },
            annotations,
        )
        wrong: set[str] = set()
        for key in expected.keys() | parsed.annotations.keys():
            said, found = expected.get(key), parsed.annotations.get(key)
            if said == found:
                continue
            if _without_ids(said) == _without_ids(found) or (
                found is None and said is not None and self._is_split_alone(entries[key], said)
            ):
                self._renumbered.add(key)
                continue
            sources = self._sources(key, said, layout, facts)
            wrong |= sources
            if not sources:
                self._renumbered.add(key)  # no file says it: what the reader sees in the key stands
        return wrong

    @staticmethod
    def _is_split_alone(entry: Entry, said: Annotation) -> bool:
        """Tell whether nothing is left of a sample but the split that its folder stood for.

        One side removed the image, the other its boxes. Where a file lists it, the reader finds it.
        """
        return entry.kind is EntryKind.ANNOTATION_ONLY and said.keys() <= {"splits"}

    def _sources(self, key: str, said: Annotation | None, layout: Layout, facts: Facts) -> set[str]:
        """Return the files that have to say what is said of a sample, unwritten ones first."""
        if not self._format.has_files:
            return set()
        shared = set(layout.shared_sources)
        written = set(self._format.write({key: said}, facts)) if said is not None else set()
        own = {layout.own_source[key]} if key in layout.own_source else written - shared
        return own - self._made.keys() or written | shared or own

    def _adopt(
        self,
        layout: Layout,
        parsed: Parsed,
        entries: dict[str, Entry],
        annotations: dict[Any, Annotation],
    ) -> None:
        """Take over the ids that the writer gave to new boxes and images, and what keys say."""
        samples = set(layout.samples)
        for key in self._renumbered:
            said = parsed.annotations.get(key)
            found = None if said is None else annotation_id(said)
            entry = entries.get(key)
            if entry is None:
                entry = Entry(EntryKind.ANNOTATION_ONLY, None)
            if said is None and entry.kind is EntryKind.ANNOTATION_ONLY:
                del entries[key]
            elif entry.annotation != found:
                if said is not None and found is not None:
                    annotations[found] = said
                kind = EntryKind.SAMPLE if key in samples else entry.kind
                entries[key] = entry._replace(annotation=found, kind=kind)
        for key, entry in list(entries.items()):
            if entry.kind is EntryKind.SAMPLE and key not in samples:
                entries[key] = entry._replace(kind=EntryKind.FILE, annotation=None)
            elif entry.kind is EntryKind.FILE and key in samples:
                entries[key] = entry._replace(kind=EntryKind.SAMPLE)

    # -- the result ----------------------------------------------------------------------------

    def _finish(
        self,
        layout: Layout,
        parsed: Parsed,
        entries: dict[str, Entry],
        annotations: dict[Any, Annotation],
        merged: MergedEntries,
        conflicts: list[DataConflict],
        rewrite: set[str],
    ) -> DataMerge:
        from veml_vcs.samples.fragments.annotations import AnnotationWriter
        from veml_vcs.samples.fragments.content import ContentWriter

        contents = ContentWriter(self._repo.catalog, self._writer)
        for key, data in sorted(self._made.items()):
            contents.add(SampleId(digest(data)), data, key)
        contents.finish()
        used = {entry.annotation for entry in entries.values()}
        saver = AnnotationWriter(self._repo.catalog, self._writer)
        saver.add_many([(one, said) for one, said in annotations.items() if one in used])
        saver.finish()
        changes: dict[str, Entry | None] = {
            key: entry for key, entry in entries.items() if self._our_entries.get(key) != entry
        }
        changes.update((key, None) for key in self._our_entries if key not in entries)
        tree = (
            update_tree(self._repo.store, self._ours.tree, changes, self._writer)
            if self._our_entries
            else build_tree(entries.items(), self._writer)
        )
        counts = self._counts(changes, annotations)
        facts = replace(parsed.facts, classes=self._classes(parsed, counts))
        record = replace(
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
        return DataMerge(
            self._path,
            record,
            tuple(conflicts),
            self._sample_numbers(entries),
            merged.counts,
            tuple(sorted(key for key in rewrite if key in self._made)),
        )

    def _counts(
        self, changes: Mapping[str, Entry | None], annotations: Mapping[Any, Annotation]
    ) -> Counts:
        counts = Counts(self._ours.class_counts, self._ours.objects)
        pairs = [(self._our_entries.get(key), entry) for key, entry in changes.items()]
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

    def _sample_numbers(self, entries: Mapping[str, Entry]) -> dict[str, int]:
        """Count samples, and check that base + added - removed = merged."""
        base = self._records[0]
        known = dict(self._base_changes)
        for key, entry in self._our_entries.items():
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


def entries_files(entries: Mapping[str, Entry]) -> list[str]:
    """Return the keys that have bytes."""
    return [key for key, entry in entries.items() if entry.content is not None]


def _is_sample(entry: Entry | None) -> bool:
    return entry is not None and entry.kind is EntryKind.SAMPLE


def _samples(entries: Mapping[str, Entry]) -> int:
    return sum(1 for entry in entries.values() if entry.kind is EntryKind.SAMPLE)


def _apply(entries: dict[str, Entry], changes: Mapping[str, Entry | None]) -> None:
    for key, entry in changes.items():
        if entry is None:
            entries.pop(key, None)
        else:
            entries[key] = entry


def _without_ids(annotation: Annotation | None) -> Any:
    """Return an annotation without the numbers that a format's writer may give anew."""
    if annotation is None:
        return None
    rest = {name: value for name, value in annotation.items() if name != "id"}
    if "objects" in rest:
        rest["objects"] = [
            {name: value for name, value in obj.items() if name != "id"} for obj in rest["objects"]
        ]
    return rest
