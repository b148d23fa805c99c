"""Three-way merge of a data set's entries: which samples and files there are, with which bytes.

A sample's bytes and its annotation are merged apart from each other, because they are edited apart:
one side may replace an image while the other moves a box.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field

from veml_vcs.errors import ConflictError
from veml_vcs.ids import AnnotationId, SampleId
from veml_vcs.repository.merging.conflict import DataConflict
from veml_vcs.repository.merging.moves import Move
from veml_vcs.repository.merging.rules import Settlement
from veml_vcs.samples.annotations import (
    Choice,
    Conflict,
    MergeCounts,
    Resolution,
    annotation_id,
    merge_annotation,
)
from veml_vcs.samples.facts import Annotation
from veml_vcs.samples.tree import Entry, EntryKind

PLACE_FIELDS = ("labels", "splits")
"""What may be said of a sample by the folder it lies in."""


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
        settlement: What settles conflicts.
    """

    def __init__(
        self,
        dataset: str,
        annotations: Mapping[AnnotationId, Annotation],
        settlement: Settlement,
    ) -> None:
        self._dataset = dataset
        self._annotations = annotations
        self._settlement = settlement
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

    def merge_moved(
        self, move: Move, base: Entry, ours: Entry | None, theirs: Entry | None
    ) -> None:
        """Merge a sample that one side or both moved; see docs/design/011.

        Args:
            move: Its keys.
            base: Its entry in the common ancestor.
            ours: Its entry under ``move.ours``; None if we removed it.
            theirs: Its entry under ``move.theirs``; None if they removed it.
        """
        self.result.changes.update(dict.fromkeys(move.keys))
        if ours is None or theirs is None:
            kept_key, kept = (move.ours, ours) if ours is not None else (move.theirs, theirs)
            places = (move.base, move.ours, move.theirs)
            choice = self._conflict(kept_key, "removed-changed", "", base, ours, theirs, places)
            if choice is not None:
                kept_key, kept = {
                    "base": (move.base, base),
                    "ours": (move.ours, ours),
                    "theirs": (move.theirs, theirs),
                }[choice]
            self.result.changes[kept_key] = kept
            return
        place = key = move.ours if move.ours != move.base else move.theirs
        lead = None
        if move.ours != move.theirs and move.base not in (move.ours, move.theirs):
            choice = self._settlement.side(self._dataset, (key, "place-both", "place"))
            self.result.conflicts.append(
                DataConflict(
                    self._dataset, key, "place-both", "place", move.base, move.ours, move.theirs,
                    choice,
                )
            )  # fmt: skip
            lead = choice or "ours"
            place = {"base": move.base, "ours": move.ours, "theirs": move.theirs}[lead]
        self.result.changes[place] = self._merge_sample(key, base, ours, theirs, lead)

    def _merge_sample(
        self,
        key: str,
        base: Entry | None,
        ours: Entry | None,
        theirs: Entry | None,
        lead: Choice | None = None,
    ) -> Entry | None:
        if base is not None and (ours is None or theirs is None):
            return self._removed(key, base, ours, theirs)
        annotation = self._annotation(key, base, ours, theirs, lead)
        content = self._content(key, base, ours, theirs)
        if content is None:
            if annotation is None:
                return None
            return Entry(EntryKind.ANNOTATION_ONLY, None, annotation)
        chosen = next(one for one in (ours, theirs, base) if one and one.content == content)
        kind = EntryKind.SAMPLE if _any_sample(ours, theirs) else EntryKind.FILE
        executable = merge_execute_bit(base, ours, theirs)
        return chosen._replace(kind=kind, annotation=annotation, executable=executable)

    def _removed(
        self, key: str, base: Entry, ours: Entry | None, theirs: Entry | None
    ) -> Entry | None:
        """Merge a sample that one side removed and the other changed: the changed one stays.

        One of which the other side only removed a part (its image, or what is said of it) is gone:
        nothing was changed that is not removed.
        """
        kept = ours if ours is not None else theirs
        if kept is None or self._is_part(kept, base):
            return None
        choice = self._conflict(key, "removed-changed", "", base, ours, theirs)
        if choice is None:
            return kept
        return {"ours": ours, "theirs": theirs, "base": base}[choice]

    def _is_part(self, entry: Entry, whole: Entry) -> bool:
        """Tell whether an entry has nothing that another one does not have."""
        alone = entry._replace(annotation=None)
        if entry.content is not None and alone != whole._replace(annotation=None):
            return False
        said, all_said = self._said(entry.annotation) or {}, self._said(whole.annotation) or {}
        return all(name in all_said and all_said[name] == value for name, value in said.items())

    def _content(
        self, key: str, base: Entry | None, ours: Entry | None, theirs: Entry | None
    ) -> SampleId | None:
        old, left, right = (one.content if one else None for one in (base, ours, theirs))
        if left == right or right == old:
            return left
        if left == old:
            return right
        kind = "content-both" if left is not None and right is not None else "removed-changed"
        choice = self._conflict(key, kind, "bytes", base, ours, theirs)
        if choice is None:
            return left if left is not None else right
        return {"ours": left, "theirs": right, "base": old}[choice]

    def _annotation(
        self,
        key: str,
        base: Entry | None,
        ours: Entry | None,
        theirs: Entry | None,
        lead: Choice | None,
    ) -> AnnotationId | None:
        old, left, right = (one.annotation if one else None for one in (base, ours, theirs))
        if lead is None:
            if left == right or right == old:
                return left
            if left == old:
                return right
        said = self._said(old), self._said(left), self._said(right)
        if lead is not None:
            leader = dict(zip(("base", "ours", "theirs"), said, strict=True))[lead]
            said = (
                _placed_as(said[0], leader),
                _placed_as(said[1], leader),
                _placed_as(said[2], leader),
            )
        merge = merge_annotation(*said, chooser=lambda one: self._choice(key, one))
        self.result.counts = self.result.counts + merge.counts
        merged = merge.merged
        for one in merge.conflicts:
            self.result.conflicts.append(
                DataConflict(
                    self._dataset, key, str(one.kind), one.path, one.base, one.ours, one.theirs,
                    one.choice,
                )
            )  # fmt: skip
        if merged is None:
            return None
        found = annotation_id(merged)
        self.result.annotations[found] = merged
        return found

    def _said(self, one: AnnotationId | None) -> Annotation | None:
        return None if one is None else self._annotations[one]

    def _choice(self, key: str, one: Conflict) -> Resolution | None:
        return self._settlement.of_object(
            self._dataset, (key, str(one.kind), one.path), one.classes
        )

    def _conflict(
        self,
        key: str,
        kind: str,
        path: str,
        base: Entry | None,
        ours: Entry | None,
        theirs: Entry | None,
        places: tuple[str, str, str] | None = None,
    ) -> Choice | None:
        choice = self._settlement.side(self._dataset, (key, kind, path))
        said = [_say(one) for one in (base, ours, theirs)]
        for one, place in zip(said, places or (), strict=False):
            if one is not None:
                one["key"] = place
        self.result.conflicts.append(
            DataConflict(self._dataset, key, kind, path, said[0], said[1], said[2], choice)
        )
        return choice


def _is_file(entry: Entry | None) -> bool:
    return entry is None or entry.kind is EntryKind.FILE


def _any_sample(*entries: Entry | None) -> bool:
    return any(entry is not None and entry.kind is not EntryKind.FILE for entry in entries)


def merge_execute_bit(base: Entry | None, ours: Entry | None, theirs: Entry | None) -> bool:
    """Return whether the merged file may be executed: as the side says that changed it."""
    old, left, right = (
        one is not None and one.content is not None and one.executable
        for one in (base, ours, theirs)
    )
    if theirs is None or theirs.content is None:
        return left
    if ours is None or ours.content is None or left == old:
        return right
    return left


def refuse_file_folder(
    dataset: str,
    ours: Mapping[str, Entry],
    entries: Mapping[str, Entry],
    changes: Mapping[str, Entry | None],
) -> None:
    """Refuse a key that is a file on one side and a folder on the other: no disk holds both.

    Args:
        dataset: The folder, for the message.
        ours: Our entries.
        entries: The merged entries.
        changes: What the merge changed of ours.

    Raises:
        ConflictError: There is such a key.
    """
    new = [key for key in changes if key not in ours and key in entries and entries[key].content]
    if not new:
        return
    files = sorted(key for key, entry in entries.items() if entry.content is not None)
    known = set(files)
    clash = [key[:i] for key in new for i, char in enumerate(key)
             if char == "/" and key[:i] in known]  # fmt: skip
    for key in new:
        below = bisect_left(files, key + "/")
        if below < len(files) and files[below].startswith(key + "/"):
            clash.append(key)
    if clash:
        raise ConflictError(
            f"{dataset}/{min(clash)} is a file on one side and a folder on the other; nothing was "
            "merged",
            hint="rename it on one side, commit, and merge again",
        )


def _placed_as(annotation: Annotation | None, leader: Annotation | None) -> Annotation | None:
    """Return an annotation with the labels and splits of the side whose place was chosen."""
    if annotation is None:
        return None
    rest = {name: value for name, value in annotation.items() if name not in PLACE_FIELDS}
    return rest | {name: value for name, value in (leader or {}).items() if name in PLACE_FIELDS}


def _say(entry: Entry | None) -> dict[str, object] | None:
    """Describe an entry for a list of conflicts."""
    if entry is None:
        return None
    return {
        "bytes": entry.size,
        "content": entry.content.hex() if entry.content else None,
        "annotation": entry.annotation.hex() if entry.annotation else None,
    }
