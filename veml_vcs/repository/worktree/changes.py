"""How a data set's folder differs from a version; reads only what stamps do not prove."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain

from veml_vcs.errors import StorageError
from veml_vcs.ids import DIGEST_BYTES, SampleId
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.sparse.left_out import left_out
from veml_vcs.repository.worktree.reading import read_files
from veml_vcs.repository.worktree.scan import Stamp, scan_folder, scan_parts, stamp_file
from veml_vcs.repository.worktree.statcache import (
    StatCache,
    StoredCache,
    load_statcache,
    read_statcache,
    save_statcache,
)
from veml_vcs.samples.tree import Change, Entry, Gap, Tree, encode_key
from veml_vcs.versions.data import DataRecord

_NO_TREE = bytes(DIGEST_BYTES)


@dataclass
class FolderChanges:
    """How a folder differs from a version; keys are sorted.

    Attributes:
        added: Files the version does not have.
        changed: Files with other bytes (or another execute bit).
        removed: Files the folder does not have.
        missing: The whole folder is gone.
        contents: Key -> content id in the folder, for ``added`` and ``changed``.
    """

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    missing: bool = False
    contents: dict[str, SampleId] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed or self.missing)

    def keys(self) -> set[str]:
        """Return all keys that differ."""
        return {*self.added, *self.changed, *self.removed}

    def forget(self, gaps: Sequence[Gap]) -> None:
        """Forget the files of which the version says nothing that can be read."""
        if gaps:
            self.added = [key for key in self.added if not any(gap.covers(key) for gap in gaps)]


def scan_dataset(repo: Repository, path: str, record: DataRecord) -> dict[str, Stamp] | None:
    """List a data set's files on disk, outside annotation files included; None if all are gone."""
    folder = repo.absolute(path)
    there = os.path.isdir(folder) and not os.path.islink(folder)
    found = scan_folder(folder) if there else {}
    for outside in record.annotations:
        stamp = stamp_file(repo.absolute(outside))
        if stamp is not None:
            found["/" + outside] = stamp
    return found if found or there else None


def folder_changes(
    repo: Repository,
    path: str,
    record: DataRecord,
    *,
    verify: bool = False,
    gaps: list[Gap] | None = None,
    progress: Progress = silent,
) -> FolderChanges:
    """Compare a data set's folder with a version of it.

    Args:
        repo: The repository.
        path: The folder, from the repository's root.
        record: The version.
        verify: Read every file, whatever the stat cache says.
        gaps: Takes what cannot be read of the version; files there count as ``added``.
        progress: Is told how far it is.
    """
    disk = scan_dataset(repo, path, record)
    cache_path = repo.statcache_path(path)
    stored = StoredCache() if verify else read_statcache(cache_path, repo.files)
    if disk and stored.clean(record.tree, disk):
        return FolderChanges()
    cache = stored.decoded()
    out = left_out(repo, path)
    gone = disk is None
    if gone and not out:
        return FolderChanges(missing=True)
    if not disk and out.everything:
        return FolderChanges()  # its data need not even be in this clone
    disk = disk or {}
    if cache.tree == record.tree and cache.clean(disk):
        return FolderChanges()
    # What is left out is not in the cache, but may have come back.
    known = not out or disk.keys() <= cache.stamps.keys()
    unknown: list[Gap] = []
    read = None if gaps is None else unknown
    expected = _expected(repo, record, cache if known else StatCache(), read)
    if gaps is not None:
        gaps += unknown
    contents = _contents(repo, path, disk, cache, progress)
    changes = FolderChanges()
    for key, stamp in disk.items():
        want = expected.get(key)
        if want is None:
            changes.added.append(key)
            changes.contents[key] = contents[key]
        elif want != (contents[key], stamp.executable):
            changes.changed.append(key)
            changes.contents[key] = contents[key]
    absent = [key for key in expected.keys() - disk.keys() if key not in out]
    changes.removed = sorted(absent, key=encode_key)
    changes.missing = gone and bool(absent)
    if not verify or not changes:
        tree = _NO_TREE if changes else record.tree
        if os.path.isdir(os.path.dirname(cache_path)) and tree != _NO_TREE and not unknown:
            # Looking must work on a disk that is full or read-only; the next look costs more there.
            with suppress(StorageError):
                save_statcache(cache_path, repo.files, tree, disk, contents, cache.hints)
    return changes


def may_differ(repo: Repository, path: str, record: DataRecord) -> bool:
    """Tell whether stamps leave it open that a folder differs from a version; reads no file.

    Ends at the first file that may: whoever goes on then looks at all of them again.
    """
    if left_out(repo, path).everything and not scan_dataset(repo, path, record):
        return False
    cache = load_statcache(repo.statcache_path(path), repo.files)
    folder = repo.absolute(path)
    if cache.tree != record.tree or os.path.islink(folder):
        return True
    outside = {"/" + file: stamp_file(repo.absolute(file)) for file in record.annotations}
    there = {key: stamp for key, stamp in outside.items() if stamp is not None}
    if not there and not os.path.isdir(folder):
        return True
    seen = 0
    for part in chain((there,), scan_parts(folder) if os.path.isdir(folder) else ()):
        if cache.changed(part):
            return True
        seen += len(part)
    return seen != len(cache.stamps)


def touched_changes(repo: Repository, path: str, changes: Sequence[Change]) -> FolderChanges | None:
    """Tell which of the files that are about to change are not what the old version has.

    Only these files are looked at, so the cost is that of the difference.

    Args:
        repo: The repository.
        path: The folder, from the repository's root.
        changes: From the version that the folder holds to another.

    Returns:
        The differences among the keys of ``changes``; None where a folder stands in the way of a
        file or the other way round, so that the whole folder has to be looked at.
    """
    cache = load_statcache(repo.statcache_path(path), repo.files)
    out = left_out(repo, path)
    found: dict[str, Stamp] = {}
    dirty = FolderChanges()
    for change in changes:
        full = repo.key_path(path, change.key)
        stamp = stamp_file(full)
        if stamp is not None:
            found[change.key] = stamp
        elif os.path.lexists(full) or (change.old is None and not _has_place(repo, full)):
            return None
    contents = _contents(repo, path, found, cache, silent)
    for change in changes:
        old, content = change.old, contents.get(change.key)
        if content is None:
            if old is not None and old.content is not None and change.key not in out:
                dirty.removed.append(change.key)
        elif old is None or old.content is None:
            dirty.added.append(change.key)
            dirty.contents[change.key] = content
        elif (old.content, old.executable) != (content, found[change.key].executable):
            dirty.changed.append(change.key)
            dirty.contents[change.key] = content
    return dirty


def _has_place(repo: Repository, full: str) -> bool:
    """Tell whether nothing but folders leads to where a new file belongs."""
    folder = os.path.dirname(full)
    while len(folder) > len(repo.root):
        if os.path.lexists(folder):
            return os.path.isdir(folder) and not os.path.islink(folder)
        folder = os.path.dirname(folder)
    return True


def _expected(
    repo: Repository, record: DataRecord, cache: StatCache, gaps: list[Gap] | None
) -> Mapping[str, tuple[SampleId, bool]]:
    """Return what the version has under each key: content and execute bit."""
    if not record.samples and not record.files:
        return {}
    if cache.tree == record.tree:
        return {key: (cache.contents[key], cache.stamps[key].executable) for key in cache.stamps}
    return {
        key: (entry.content, entry.executable)
        for key, entry in Tree(repo.store, record.tree).items(gaps)
        if entry.content is not None
    }


def _contents(
    repo: Repository, path: str, disk: Mapping[str, Stamp], cache: StatCache, progress: Progress
) -> dict[str, SampleId]:
    found: dict[str, SampleId] = {}
    wanted = []
    for key, stamp in disk.items():
        known = cache.known(key, stamp)
        if known is None:
            wanted.append((key, stamp))
        else:
            found[key] = known
    for done, file in enumerate(read_files(wanted, lambda key: repo.key_path(path, key))):
        if done % 256 == 0:
            progress("reading files", done, len(wanted))
        found[file.key] = file.content
    return found


def entries_of(
    repo: Repository, record: DataRecord | None, gaps: list[Gap] | None = None
) -> dict[str, Entry]:
    """Return a version's entries by key; of None, nothing.

    Args:
        repo: The repository.
        record: The version.
        gaps: Takes what cannot be read, which is left out then.
    """
    return {} if record is None else dict(Tree(repo.store, record.tree).items(gaps))
