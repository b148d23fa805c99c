"""Read a merged data set with its format's own reader, and compare it with what was decided.

So no box can be lost between the two. Where they differ, the files in question are named, to be
written anew.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from veml_vcs.errors import FormatError
from veml_vcs.repository.merging.draft import Draft
from veml_vcs.samples.annotations import annotation_id
from veml_vcs.samples.facts import Annotation, Facts
from veml_vcs.samples.formats import Layout, Parsed, detect, get_format
from veml_vcs.samples.tree import Entry, EntryKind
from veml_vcs.versions.data import DataRecord


class ReadBack:
    """Reads one merge back, as often as it is written.

    Args:
        draft: The merge.
        ours: Our record.
        format_name: The format that both sides are merged in.

    Attributes:
        form: The format; another one where the first does not fit what is left.
    """

    def __init__(self, draft: Draft, ours: DataRecord, format_name: str) -> None:
        self._draft = draft
        self._ours = ours
        self._format_name = format_name
        self.form = get_format(format_name)
        self._renumbered: set[str] = set()
        self._looked_at: Collection[str] = ()

    def layout(self) -> Layout | None:
        """Recognise the merged data set in both sides' format.

        Where it does not fit any more, because the last image went with what ours removed and what
        theirs removed, any format will do; None if something is said of samples all the same.
        """
        draft = self._draft
        try:
            return detect(draft.files(), draft.read, wanted=self._format_name)
        except FormatError as error:
            if error.kind != "format-refused":
                raise
        if any(entry.annotation is not None for entry in draft.entries.values()):
            return None
        layout = detect(draft.files(), draft.read)
        self.form = get_format(layout.format)
        return layout

    def read(self, layout: Layout) -> Parsed:
        """Read the samples whose annotation or files differ from ours with the format's reader."""
        entries = self._draft.entries
        everything = layout.options != self._ours.facts.layout or any(
            self._draft.ours.get(key) != entries.get(key) for key in layout.shared_sources
        )
        only = None
        if not everything:
            alone = (k for k, e in entries.items() if e.kind is EntryKind.ANNOTATION_ONLY)
            only = {
                key
                for key in (*layout.samples, *layout.own_source, *alone)
                if self._may_differ(key, layout)
            }
        self._looked_at = entries.keys() if only is None else only
        return self.form.read(layout, self._draft.read, only)

    def _may_differ(self, key: str, layout: Layout) -> bool:
        """Tell whether the files may say something else of a sample than they do on our side."""
        ours, entries = self._draft.ours, self._draft.entries
        entry = entries.get(key)
        if entry is None or entry != ours.get(key):
            return True
        source = layout.own_source.get(key)
        if source is None:  # is its file gone?
            return self.form.pairs and entry.annotation is not None
        return ours.get(source) != entries.get(source)

    def wrong_sources(self, layout: Layout, parsed: Parsed, facts: Facts) -> set[str]:
        """Return the files that must be written anew because they say something else."""
        draft = self._draft
        expected = draft.said(
            {
                key: entry
                for key, entry in draft.entries.items()
                if key in self._looked_at or draft.ours.get(key) != entry
            }
        )
        wrong: set[str] = set()
        for key in expected.keys() | parsed.annotations.keys():
            said, found = expected.get(key), parsed.annotations.get(key)
            if said == found:
                continue
            if _without_ids(said) == _without_ids(found) or (
                found is None and said is not None and _is_split_alone(draft.entries[key], said)
            ):
                self._renumbered.add(key)
                continue
            sources = self._sources(key, said, layout, facts)
            wrong |= sources
            if not sources:
                self._renumbered.add(key)  # no file says it: what the reader sees in the key stands
        return wrong

    def _sources(self, key: str, said: Annotation | None, layout: Layout, facts: Facts) -> set[str]:
        """Return the files that have to say what is said of a sample, unwritten ones first."""
        if not self.form.has_files:
            return set()
        shared = set(layout.shared_sources)
        written = set(self.form.write({key: said}, facts)) if said is not None else set()
        own = {layout.own_source[key]} if key in layout.own_source else written - shared
        return own - self._draft.made.keys() or written | shared or own

    def adopt(self, layout: Layout, parsed: Parsed) -> None:
        """Take over the ids that the writer gave to new boxes and images, and what keys say."""
        entries, samples = self._draft.entries, set(layout.samples)
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
                    self._draft.annotations[found] = said
                kind = EntryKind.SAMPLE if key in samples else entry.kind
                entries[key] = entry._replace(annotation=found, kind=kind)
        for key, entry in list(entries.items()):
            if entry.kind is EntryKind.SAMPLE and key not in samples:
                entries[key] = entry._replace(kind=EntryKind.FILE, annotation=None)
            elif entry.kind is EntryKind.FILE and key in samples:
                entries[key] = entry._replace(kind=EntryKind.SAMPLE)


def _is_split_alone(entry: Entry, said: Annotation) -> bool:
    """Tell whether nothing is left of a sample but the split that its folder stood for.

    One side removed the image, the other its boxes. Where a file lists it, the reader finds it.
    """
    return entry.kind is EntryKind.ANNOTATION_ONLY and said.keys() <= {"splits"}


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
