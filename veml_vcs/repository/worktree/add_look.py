"""What ``add`` finds in a folder: by what was touched where that is enough, else as a whole."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

from veml_vcs.ids import SampleId
from veml_vcs.objects.protocol import ObjectWriter
from veml_vcs.repository.progress import Progress
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.sparse.left_out import left_out
from veml_vcs.repository.worktree.changes import entries_of
from veml_vcs.repository.worktree.edit import Edit, Look, find_edit, look
from veml_vcs.repository.worktree.reading import ReadFile
from veml_vcs.repository.worktree.scan import Stamp
from veml_vcs.repository.worktree.snapshot import Snapshot, take_snapshot
from veml_vcs.repository.worktree.store_snapshot import record_of, store_edit, store_snapshot
from veml_vcs.samples.tree import Change, Entry, build_tree
from veml_vcs.versions.data import DataRecord


class Found(ABC):
    """What a folder holds.

    Attributes:
        changes: How it differs from the base version.
        stamps: What the stat cache shall remember: key -> stamp.
        contents: Key -> content id, of these (and maybe more).
        hints: The layout's hints; see ``Layout``.
        hints_before: Those of other versions, as the stat cache has them.
        warnings: Sentences for the user.
    """

    changes: list[Change]
    stamps: Mapping[str, Stamp]
    contents: Mapping[str, SampleId]
    hints: Mapping[str, Any]
    hints_before: bytes
    warnings: tuple[str, ...]

    @abstractmethod
    def store(self, repo: Repository, writer: ObjectWriter) -> DataRecord:
        """Write annotations and tree, and return the record; contents must be in the batch."""

    @abstractmethod
    def preview(self) -> DataRecord:
        """Return the record without storing anything."""


class _FoundEdit(Found):
    """An edit of a version."""

    def __init__(self, base: DataRecord, seen: Look, edit: Edit) -> None:
        self._base, self._edit = base, edit
        self.changes = edit.changes
        self.stamps, self.contents = seen.files.stamps, seen.files.contents
        self.hints, self.warnings = edit.hints, edit.warnings
        self.hints_before = seen.cache.hints

    def store(self, repo: Repository, writer: ObjectWriter) -> DataRecord:
        """See ``Found.store``."""
        return store_edit(repo, self._edit, self._base, writer)

    def preview(self) -> DataRecord:
        """See ``Found.preview``."""
        return self._base


class _FoundWhole(Found):
    """All of a folder."""

    def __init__(
        self, base: DataRecord | None, base_entries: Mapping[str, Entry], snapshot: Snapshot
    ) -> None:
        self._base, self._base_entries, self._snapshot = base, base_entries, snapshot
        new = snapshot.entries
        self.changes = [
            Change(key, base_entries.get(key), entry)
            for key, entry in new.items()
            if base_entries.get(key) != entry
        ]
        self.changes += [
            Change(key, old, None) for key, old in base_entries.items() if key not in new
        ]
        self.stamps, self.contents = snapshot.stamps, snapshot.contents
        self.hints, self.warnings = snapshot.hints, snapshot.warnings
        self.hints_before = snapshot.hints_before

    def store(self, repo: Repository, writer: ObjectWriter) -> DataRecord:
        """See ``Found.store``."""
        return store_snapshot(repo, self._snapshot, self._base, self.changes, writer)

    def preview(self) -> DataRecord:
        """See ``Found.preview``."""
        from veml_vcs.objects.memory import MemoryObjectStore

        with MemoryObjectStore().write() as writer:
            return record_of(self._snapshot, build_tree(self._snapshot.entries.items(), writer), {})


def look_at(
    repo: Repository,
    path: str,
    base: DataRecord | None,
    external: tuple[str, ...],
    wanted_format: str | None,
    only: Callable[[str], bool] | None,
    sink: Callable[[ReadFile], object] | None,
    progress: Progress,
) -> Found:
    """Find out what a folder holds.

    Args:
        repo: The repository.
        path: The folder, from the repository's root.
        base: The version to compare with, None for a new data set.
        external: Annotation files outside the folder.
        wanted_format: The format the user named.
        only: Keys for which it is False are taken from the base, whatever is on disk.
        sink: Is given every file that had to be read.
        progress: Is told how far it is.
    """
    seen = None
    sparse = base is not None and bool(left_out(repo, path))
    # What is left out is not in the stat cache, so what was touched does not say all of an edit.
    if base is not None and only is None and external == base.annotations and not sparse:
        if wanted_format in (None, base.facts.format):
            seen = look(repo, path, base, sink, progress)
        edit = None if seen is None else find_edit(repo, base, seen)
        if seen is not None and edit is not None:
            return _FoundEdit(base, seen, edit)
    base_entries = entries_of(repo, base)
    snapshot = take_snapshot(
        repo,
        path,
        base,
        base_entries,
        external=external,
        wanted_format=wanted_format,
        only=only,
        sink=sink,
        files=None if seen is None else seen.files,
        progress=progress,
    )
    return _FoundWhole(base, base_entries, snapshot)
