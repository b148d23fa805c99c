"""Write a data version's files into the work tree: what differs, each file whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from veml_vcs.errors import ConflictError, DamagedError, InvalidInputError, NotFoundError
from veml_vcs.ids import SampleId
from veml_vcs.repository.damage import gap_words
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.sparse.left_out import left_out, take_off
from veml_vcs.repository.sparse.rule import keep_out
from veml_vcs.repository.worktree.changes import FolderChanges, scan_dataset
from veml_vcs.repository.worktree.held import note_held
from veml_vcs.repository.worktree.hints import noted
from veml_vcs.repository.worktree.scan import Stamp, in_order, stamp_of
from veml_vcs.repository.worktree.statcache import load_statcache, save_statcache
from veml_vcs.samples.tree import Change, Entry, Gap, Tree, diff_trees
from veml_vcs.versions.data import DataRecord


def file_changes(
    repo: Repository,
    old: DataRecord | None,
    new: DataRecord | None,
    gaps: list[Gap] | None = None,
    old_gaps: list[Gap] | None = None,
) -> list[Change]:
    """Return how the files of two versions differ; what is said of a sample does not count.

    Args:
        repo: The repository.
        old: One version.
        new: The other.
        gaps: Takes what cannot be read of the new one; see ``diff_trees``.
        old_gaps: Takes what cannot be read of the old one.
    """
    trees = (old.tree if old else None, new.tree if new else None)
    changes = diff_trees(repo.store, *trees, gaps, old_gaps)
    return [change for change in changes if _file(change.old) != _file(change.new)]


def note_gaps(repo: Repository, path: str, gaps: Sequence[Gap]) -> None:
    """Have the command end with an error that names the keys which nobody knows any more.

    Args:
        repo: The repository.
        path: The data set.
        gaps: What cannot be read of its tree. What stands in the folder there stays.
    """
    for gap in gaps:
        repo.unwritten[os.path.join(repo.absolute(path), gap_words(gap))] = gap.error


def _file(entry: Entry | None) -> tuple[SampleId, bool] | None:
    if entry is None or entry.content is None:
        return None
    return entry.content, entry.executable


def refuse_lost_changes(
    path: str, changes: Sequence[Change], dirty: FolderChanges, command: str
) -> None:
    """Refuse to overwrite files whose bytes are in no version.

    Args:
        path: The data set.
        changes: What is about to be written.
        dirty: How the folder differs from the version it should hold.
        command: What the user typed, for the message.

    Raises:
        ConflictError: A file that would be written or removed has changes of its own.
    """
    if not dirty:
        return
    touched = {change.key: change.new for change in changes}
    lost = []
    for key in sorted({*dirty.added, *dirty.changed} & touched.keys()):
        new = touched[key]
        wanted = None if new is None else new.content
        if dirty.contents.get(key) != wanted:
            lost.append(key)
    lost += _obstacles(dirty.added, [key for key, new in touched.items() if new is not None])
    if lost and not dirty.missing:
        names = ", ".join(lost[:5]) + (f" and {len(lost) - 5} more" if len(lost) > 5 else "")
        raise ConflictError(
            f"{command} would overwrite uncommitted changes in {path}: {names}",
            hint=f"veml add {path} && veml commit, or veml restore {path}, or use --force",
            kind="would-lose-changes",
        )


def _obstacles(untracked: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """Return untracked files where a folder is wanted, or below where a file is wanted."""
    if not untracked:
        return []
    files = set(wanted)
    folders = {key[:i] for key in wanted for i, char in enumerate(key) if char == "/"}
    return [
        key
        for key in untracked
        if key in folders or any(key[:i] in files for i, char in enumerate(key) if char == "/")
    ]


def keep_shared(changes: list[Change], path: str, wanted: Mapping[str, DataRecord]) -> list[Change]:
    """Leave out the removal of annotation files that another data set (a renamed one) has too.

    Args:
        changes: What is about to be written of a data set.
        path: Its folder.
        wanted: All data sets of the version that is brought to the work tree.
    """
    kept = {"/" + file for name, one in wanted.items() if name != path for file in one.annotations}
    return (
        [one for one in changes if one.new is not None or one.key not in kept] if kept else changes
    )


def require_contents(repo: Repository, path: str, changes: Sequence[Change]) -> None:
    """Check before anything is touched that everything can be written.

    Raises:
        NotFoundError: The store lacks some contents, and no damage explains it (what damage took
            away is named file by file, and does not keep the rest from being written).
        ConflictError: A file or a link stands where the data set's folder belongs.
    """
    wanted = [c.new.content for c in changes if c.new is not None and c.new.content is not None]
    if wanted:
        _refuse_blocked_folder(repo, path)
    places = repo.catalog.find_many(wanted, "content")
    missing = int((places[:, 0] < 0).sum())
    if missing:
        repo.store.refresh()
        repo.catalog.refresh()
        missing = int((repo.catalog.find_many(wanted, "content")[:, 0] < 0).sum())
    if missing and not (repo.catalog.unreadable or repo.store.unreadable()):
        raise NotFoundError(
            f"{path}: {missing} of {len(wanted)} files are not in this clone's store; nothing was "
            "changed",
            hint="copy .git/veml/packs from a clone that has them",
            kind="data-missing",
        )


def _refuse_blocked_folder(repo: Repository, path: str) -> None:
    parts = path.split("/")
    for i in range(1, len(parts) + 1):
        full = repo.absolute("/".join(parts[:i]))
        if os.path.lexists(full) and (os.path.islink(full) or not os.path.isdir(full)):
            raise ConflictError(
                f"{full}: not a folder, but the data set {path} belongs there",
                hint="move it away",
                kind="would-lose-changes",
            )


class Written(dict[str, tuple[Stamp, SampleId]]):
    """What was written: key -> stamp and content id.

    Attributes:
        removed: How many files were removed.
    """

    removed = 0

    @property
    def touched(self) -> int:
        """How many files were written or removed."""
        return len(self) + self.removed


def write_changes(
    repo: Repository,
    path: str,
    changes: Sequence[Change],
    *,
    everything: bool = False,
    progress: Progress = silent,
) -> Written:
    """Bring files to the ``new`` side of ``changes``; return what was written.

    Every content is checked against its id before a file is replaced; files are replaced by rename.
    A content that is damaged does not keep the others from being written: what stood in its place
    stays, and ``repo.unwritten`` names it, which makes the command end with an error.

    Samples that a sparse work tree leaves out are not written, but for ``everything``.

    Raises:
        StorageError: The disk says no.
        InvalidInputError: A path leads through a symbolic link.
    """
    if not everything:
        changes, _ = keep_out(repo, path, changes)
    writer = _FolderWriter(repo, path)
    written = Written()
    gone = [change.key for change in changes if change.new is None or change.new.content is None]
    for key in gone:
        written.removed += writer.remove(key)
    writer.prune()  # first, so that a file can take the place of a folder
    put = [change for change in changes if change.new is not None and change.new.content]
    folders = {os.path.dirname(repo.key_path(path, change.key)) for change in put}
    with repo.unfinished.writing(folders):
        for done, change in enumerate(put):
            if done % 256 == 0:
                progress(f"writing {path}", done, len(put))
            entry = change.new
            if entry is not None and entry.content is not None:
                try:
                    data = repo.contents.read(entry.content)
                except (DamagedError, NotFoundError) as error:
                    repo.unwritten[repo.key_path(path, change.key)] = str(error)
                    continue
                stamp = writer.write(change.key, data, entry.executable)
                written[change.key] = (stamp, entry.content)
    if put:
        progress(f"writing {path}", len(put), len(put))
        take_off(repo, path, written)
    return written


def remember(
    repo: Repository,
    path: str,
    record: DataRecord,
    written: Mapping[str, tuple[Stamp, SampleId]],
    *,
    clean: bool,
    hints: Mapping[str, Any] | None = None,
) -> None:
    """Note that a folder holds a version now, and bring its stat cache to what was just written.

    Args:
        repo: The repository.
        path: The data set.
        record: The version the folder holds now.
        written: What ``write_changes`` returned.
        clean: Whether the folder matches the version as a whole.
        hints: The version's, where they were found anew; see ``Layout``.
    """
    cache_path = repo.statcache_path(path)
    cache = load_statcache(cache_path, repo.files)
    disk = scan_dataset(repo, path, record) or {}
    stamps: dict[str, Stamp] = {}
    contents: dict[str, SampleId] = {}
    absent = _count_left_out(repo, path, record, disk)
    total = record.samples + record.files
    complete = clean and len(disk) + absent == total and not repo.unwritten
    for key, stamp in disk.items():
        if key in written and written[key][0] == stamp:
            stamps[key], contents[key] = written[key]
        elif (known := cache.known(key, stamp)) is not None:
            stamps[key], contents[key] = stamp, known
        else:
            complete = False
    tree = record.tree if complete else bytes(32)
    found = noted(cache.hints, record, hints or {})
    save_statcache(cache_path, repo.files, tree, stamps, contents, found)
    note_held(repo, path, record)


def _count_left_out(
    repo: Repository, path: str, record: DataRecord, disk: Mapping[str, Stamp]
) -> int:
    """Return how many files of a version a sparse work tree leaves out."""
    out = left_out(repo, path)
    if not out:
        return 0
    if not disk and out.everything:
        return record.samples + record.files
    return sum(
        1
        for key, entry in Tree(repo.store, record.tree).items()
        if entry.content is not None and key in out and key not in disk
    )


def remember_changes(
    repo: Repository,
    path: str,
    old: DataRecord,
    new: DataRecord,
    changes: Sequence[Change],
    written: Mapping[str, tuple[Stamp, SampleId]],
    hints: Mapping[str, Any] | None = None,
) -> None:
    """Do what ``remember`` does, after a step between two versions, without listing the folder.

    Args:
        repo: The repository.
        path: The data set.
        old: The version that the folder held.
        new: The version it holds now.
        changes: The step.
        written: What ``write_changes`` returned.
        hints: The new version's, where they were found anew; see ``Layout``.
    """
    cache_path = repo.statcache_path(path)
    cache = load_statcache(cache_path, repo.files)
    touched = {change.key for change in changes}
    # A stamp too young to prove anything must not look old in the cache written now.
    unproven = set(cache.changed(cache.stamps)) - touched
    complete = cache.tree == old.tree and not repo.unwritten and not unproven
    gone = (touched - written.keys()) | unproven
    stamps = {key: stamp for key, stamp in cache.stamps.items() if key not in gone}
    known = len(stamps)
    stamps.update((key, stamp) for key, (stamp, _) in written.items())
    if len(stamps) > known:
        stamps = in_order(stamps)  # as the next scan lists them
    contents = cache.contents
    contents.update((key, content) for key, (_, content) in written.items())
    tree = new.tree if complete else bytes(32)
    found = noted(cache.hints, new, hints or {})
    save_statcache(cache_path, repo.files, tree, stamps, contents, found)
    note_held(repo, path, new)


def changes_from_nothing(entries: Mapping[str, Entry]) -> list[Change]:
    """Return the changes that write all of a version's files into an empty folder."""
    return [Change(key, None, entry) for key, entry in entries.items()]


class _FolderWriter:
    """Writes and removes files of one data set, never through a symbolic link."""

    def __init__(self, repo: Repository, path: str) -> None:
        self._repo = repo
        self._path = path
        self._safe: set[str] = set()
        self._emptied: set[str] = set()

    def write(self, key: str, data: bytes, executable: bool) -> Stamp:
        target = self._repo.key_path(self._path, key)
        self._make_safe(os.path.dirname(target))
        if os.path.isdir(target) and not os.path.islink(target):
            raise ConflictError(
                f"{target}: a folder stands where a file of the data set belongs",
                hint="move it away",
            )
        # Not synced: the store has the bytes. Renamed over the old file, never removed first, so
        # that there is the one or the other, whole, whenever the process is killed.
        mode = 0o777 if executable else 0o666
        return stamp_of(self._repo.files.write_atomic(target, data, durable=False, mode=mode))

    def remove(self, key: str) -> bool:
        """Remove a file; tell whether it was there."""
        target = self._repo.key_path(self._path, key)
        folder = os.path.dirname(target)
        if not os.path.lexists(target):
            return False
        self._make_safe(folder)
        self._repo.files.remove(target)
        self._emptied.add(folder)
        return True

    def prune(self) -> None:
        """Remove folders that lost their last file, up to the repository's root."""
        for folder in sorted(self._emptied, key=len, reverse=True):
            while folder != self._repo.root and folder.startswith(self._repo.root + os.sep):
                if not self._repo.files.remove_folder(folder):
                    break
                folder = os.path.dirname(folder)
        self._safe.clear()

    def _make_safe(self, folder: str) -> None:
        """Create a folder and make sure that no part of it below the root is a symbolic link."""
        if folder in self._safe:
            return
        if folder != self._repo.root:
            if not folder.startswith(self._repo.root + os.sep):
                raise InvalidInputError(f"{folder}: outside the repository")
            if (
                os.path.basename(folder).lower() == ".git"
            ):  # keys are checked too; this is the last door
                raise InvalidInputError(f"{folder}: nothing is written into Git's own folder")
            self._make_safe(os.path.dirname(folder))
            if os.path.islink(folder):
                raise InvalidInputError(
                    f"{folder}: a symbolic link; files of a data set are not written through it"
                )
            if not os.path.isdir(folder):
                self._repo.files.make_folder(folder, durable=False)
        self._safe.add(folder)
