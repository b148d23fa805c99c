"""Write the annotation files of a merged data set anew, and settle the other files."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property

from veml_vcs.repository.merging.conflict import DataConflict
from veml_vcs.repository.merging.draft import Draft, files_of
from veml_vcs.repository.merging.entries import MergedEntries, merge_execute_bit
from veml_vcs.repository.merging.rules import Settlement
from veml_vcs.repository.merging.text import merge_text
from veml_vcs.repository.worktree.changes import entries_of
from veml_vcs.samples.facts import Facts
from veml_vcs.samples.formats import Format, detect
from veml_vcs.samples.tree import Entry
from veml_vcs.versions.data import DataRecord


class SourceWriter:
    """Writes files that both sides changed, or that would not say what was merged.

    Args:
        draft: The merge; files are put into it.
        records: Base, ours and theirs.
        merged: What became of the entries.
        settlement: What settles conflicts.
        conflicts: Grows by the files that are in conflict.
    """

    def __init__(
        self,
        draft: Draft,
        records: Sequence[DataRecord | None],
        merged: MergedEntries,
        settlement: Settlement,
        conflicts: list[DataConflict],
    ) -> None:
        self._draft = draft
        self._records = records
        self._merged = merged
        self._settlement = settlement
        self._conflicts = conflicts

    def write(self, form: Format, facts: Facts, keys: Collection[str]) -> None:
        """Write files anew, or settle those that are no annotation files."""
        draft, both = self._draft, self._merged.both_files
        todo = [key for key in sorted(keys) if key not in draft.made]
        if not todo:
            return
        written: Mapping[str, bytes] = {}
        if form.has_files:
            written = form.write(draft.said(), facts, todo)
        for key in todo:
            if key in written:
                draft.put(key, written[key])
                if key in both:
                    self._set_executable(key, merge_execute_bit(*both[key]))
            elif key in both and key not in self._own_sources:
                self._settle(key)
            else:
                draft.entries.pop(key, None)  # nothing is left to say in it

    @cached_property
    def _own_sources(self) -> set[str]:
        """The files that speak of one sample, on either side or in base."""
        found: set[str] = set()
        for record in self._records:
            entries = entries_of(self._draft.repo, record)
            if record is not None and entries:
                read = self._draft.stored(entries)
                layout = detect(files_of(entries), read, wanted=record.facts.format)
                found.update(layout.own_source.values())
        return found

    def _settle(self, key: str) -> None:
        base, ours, theirs = self._merged.both_files[key]
        executable = merge_execute_bit(base, ours, theirs)
        name = (key, "file-both", "")
        data, clean = self._merge_text(base, ours, theirs)
        united = None
        if not clean and self._settlement.of_text(self._draft.path, name) == "both":
            united = self._united(base, ours, theirs)
        choice = "both" if united is not None else self._settlement.side(self._draft.path, name)
        if united is not None or clean:
            self._draft.put(key, data if united is None else united)
            self._set_executable(key, executable)
        if clean:
            return
        if not any(one.key == key for one in self._conflicts):
            self._conflicts.append(DataConflict(self._draft.path, key, "file-both", choice=choice))
        if united is not None:
            return
        chosen = {"theirs": theirs, "base": base}.get(choice or "ours", ours)
        if chosen is None and choice is None:
            chosen = theirs
        if chosen is not None and ours is not None and theirs is not None:
            chosen = chosen._replace(executable=executable)
        self._draft.apply({key: chosen})

    def _set_executable(self, key: str, executable: bool) -> None:
        entries = self._draft.entries
        entries[key] = entries[key]._replace(executable=executable)

    def _united(self, base: Entry | None, ours: Entry | None, theirs: Entry | None) -> bytes | None:
        """Return a text with the lines of both sides; None if it is no text, or one removed it."""
        if ours is None or theirs is None:
            return None
        data = [
            b""
            if one is None or one.content is None
            else bytes(self._draft.repo.contents.read(one.content))
            for one in (base, ours, theirs)
        ]
        text, conflict = merge_text(data[0], data[1], data[2], names=("", ""), favour="both")
        return None if conflict else text

    def _merge_text(
        self, base: Entry | None, ours: Entry | None, theirs: Entry | None
    ) -> tuple[bytes, bool]:
        from merge3 import Merge3

        if ours is None or theirs is None:
            return b"", False
        texts = [
            self._draft.repo.contents.read(one.content).splitlines(keepends=True)
            if one is not None and one.content is not None
            else []
            for one in (base, ours, theirs)
        ]
        if any(b"\0" in line for text in texts for line in text):
            return b"", False
        merge = Merge3(texts[0], texts[1], texts[2])
        clean = all(group[0] != "conflict" for group in merge.merge_groups())
        return b"".join(merge.merge_lines()) if clean else b"", clean
