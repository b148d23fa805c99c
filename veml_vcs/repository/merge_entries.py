"""Three-way merge of a data set's entries: which samples and files there are, with which bytes.

A sample's bytes and its annotation are merged apart from each other, because they are edited apart:
one side may replace an image while the other moves a box.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from veml_vcs.ids import AnnotationId, SampleId
from veml_vcs.repository.merge_state import DataConflict
from veml_vcs.samples.annotations import (
    Choice,
    MergeCounts,
    annotation_id,
    merge_annotation,
    resolve,
)
from veml_vcs.samples.facts import Annotation
from veml_vcs.samples.tree import Entry, EntryKind


@dataclass
class MergedEntries:
    """The result of merging entries.

    Attributes:
        changes: Key -> entry (None: removed) for every key that differs from ours.
        annotations: Annotations that the merge made, by id.
        conflicts: What both sides changed differently; ours (or what was changed, where the other
            side removed it) stands in ``changes`` meanwhile.
        counts: Where the objects of samples that both sides changed came from.
        both_files: Files that both sides changed, differently.
    """

    changes: dict[str, Entry | None] = field(default_factory=dict)
    annotations: dict[AnnotationId, Annotation] = field(default_factory=dict)
    conflicts: list[DataConflict] = field(default_factory=list)
    counts: MergeCounts = field(default_factory=MergeCounts)
    both_files: dict[str, tuple[Entry | None, Entry | None, Entry | None]] = field(
        default_factory=dict
    )


class EntryMerger:
    """Merges the entries that both sides changed.

    Args:
        dataset: The folder, for conflicts.
        annotations: The annotations of all entries in question, by id.
        choices: Key -> side, for conflicts that are settled.
        default: Side for all other conflicts; None leaves them open.
    """

    def __init__(
        self,
        dataset: str,
        annotations: Mapping[AnnotationId, Annotation],
        choices: Mapping[str, Choice],
        default: Choice | None,
    ) -> None:
        self._dataset = dataset
        self._annotations = annotations
        self._choices = choices
        self._default = default
        self.result = MergedEntries()

    def merge(self, key: str, base: Entry | None, ours: Entry | None, theirs: Entry | None) -> None:
        """Merge one key that differs between all three (or two) sides."""
        if ours == theirs:
            return
        if _is_file(base) and _is_file(ours) and _is_file(theirs):
            self.result.both_files[key] = (base, ours, theirs)
            return
        merged = self._merge_sample(key, base, ours, theirs)
        if merged != ours:
            self.result.changes[key] = merged

    def _merge_sample(
        self, key: str, base: Entry | None, ours: Entry | None, theirs: Entry | None
    ) -> Entry | None:
        if base is not None and (ours is None or theirs is None):
            return self._removed(key, base, ours, theirs)
        annotation = self._annotation(key, base, ours, theirs)
        content = self._content(key, base, ours, theirs)
        if content is None:
            if annotation is None:
                return None
            return Entry(EntryKind.ANNOTATION_ONLY, None, annotation)
        chosen = next(one for one in (ours, theirs, base) if one and one.content == content)
        kind = EntryKind.SAMPLE if _any_sample(ours, theirs) else EntryKind.FILE
        return chosen._replace(kind=kind, annotation=annotation)

    def _removed(
        self, key: str, base: Entry, ours: Entry | None, theirs: Entry | None
    ) -> Entry | None:
        """Merge a sample that one side removed and the other changed: the changed one stays."""
        choice = self._choice(key)
        kept = ours if ours is not None else theirs
        self._conflict(key, "removed-changed", "", base, ours, theirs, choice)
        if choice is None:
            return kept
        return {"ours": ours, "theirs": theirs, "base": base}[choice]

    def _content(
        self, key: str, base: Entry | None, ours: Entry | None, theirs: Entry | None
    ) -> SampleId | None:
        old, left, right = (one.content if one else None for one in (base, ours, theirs))
        if left == right or right == old:
            return left
        if left == old:
            return right
        choice = self._choice(key)
        self._conflict(key, "content-both", "bytes", base, ours, theirs, choice)
        if choice is None:
            return left if left is not None else right
        return {"ours": left, "theirs": right, "base": old}[choice]

    def _annotation(
        self, key: str, base: Entry | None, ours: Entry | None, theirs: Entry | None
    ) -> AnnotationId | None:
        old, left, right = (one.annotation if one else None for one in (base, ours, theirs))
        if left == right or right == old:
            return left
        if left == old:
            return right
        said = self._said(old), self._said(left), self._said(right)
        merge = merge_annotation(*said)
        self.result.counts = self.result.counts + merge.counts
        merged = merge.merged
        if merge.conflicts:
            choice = self._choice(key)
            for one in merge.conflicts:
                self.result.conflicts.append(
                    DataConflict(
                        self._dataset, key, str(one.kind), one.path, one.base, one.ours,
                        one.theirs, choice,
                    )
                )  # fmt: skip
            if choice is not None:
                merged = resolve(said[0], said[1], said[2], choice)
        if merged is None:
            return None
        found = annotation_id(merged)
        self.result.annotations[found] = merged
        return found

    def _said(self, one: AnnotationId | None) -> Annotation | None:
        return None if one is None else self._annotations[one]

    def _choice(self, key: str) -> Choice | None:
        return self._choices.get(key, self._default)

    def _conflict(
        self,
        key: str,
        kind: str,
        path: str,
        base: Entry | None,
        ours: Entry | None,
        theirs: Entry | None,
        choice: Choice | None,
    ) -> None:
        self.result.conflicts.append(
            DataConflict(
                self._dataset, key, kind, path, _say(base), _say(ours), _say(theirs), choice
            )
        )


def _is_file(entry: Entry | None) -> bool:
    return entry is None or entry.kind is EntryKind.FILE


def _any_sample(*entries: Entry | None) -> bool:
    return any(entry is not None and entry.kind is not EntryKind.FILE for entry in entries)


def _say(entry: Entry | None) -> dict[str, object] | None:
    """Describe an entry for a list of conflicts."""
    if entry is None:
        return None
    return {
        "bytes": entry.size,
        "content": entry.content.hex() if entry.content else None,
        "annotation": entry.annotation.hex() if entry.annotation else None,
    }
