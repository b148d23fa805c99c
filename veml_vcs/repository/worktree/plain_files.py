"""Ordinary files on disk against Git's trees and index: which differ, what is in the way, writing.

As Git does it: a file whose stamp is the index's is unchanged, unless the stamp is so young that a
later change could bear the same one (dulwich's own comparison leaves that out).
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from dulwich.diff_tree import CHANGE_DELETE, TreeChange, tree_changes
from dulwich.index import (
    EXTENDED_FLAG_INTEND_TO_ADD,
    FLAG_EXTENDED,
    ConflictedIndexEntry,
    IndexEntry,
    InvalidPathError,
    _skip_worktree_entry,
    _sparse_checkout_matcher,
    get_path_element_validator,
    index_entry_from_directory,
    index_entry_from_stat,
    unchanged_entry_flags,
    validate_path,
    verify_leading_dirs,
    verify_tree_path,
)
from dulwich.objects import Blob, ObjectID, TreeEntry

from veml_vcs.errors import ConflictError, FormatError
from veml_vcs.ids import VersionId
from veml_vcs.repository.datasets import owner_of
from veml_vcs.repository.git.repo import TreeFile
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.worktree.reading import read_file

if TYPE_CHECKING:
    from dulwich.filters import FilterBlobNormalizer  # the email package comes with it

_LINK_MODE = 0o120000
_MODULE_MODE = 0o160000
_TICK_NS = 20_000_000
"""File systems stamp with the kernel's tick (1-10 ms), not with the clock."""


def unstaged_paths(repo: Repository) -> list[str]:
    """Return files that Git tracks which differ on disk from the index, or are in conflict."""
    found = []
    trusted_ns = _index_time_ns(repo) - _TICK_NS
    compare = _Comparison(repo)
    for raw, entry in repo.git.index().items():
        if isinstance(entry, ConflictedIndexEntry) or compare.differs(raw, entry, trusted_ns):
            found.append(os.fsdecode(raw))
    return sorted(found)


def refuse_hostile_paths(repo: Repository, files: Collection[str]) -> None:
    """Refuse a Git tree with a path that leads out of the work tree or into ``.git``.

    Args:
        repo: The repository.
        files: Paths of the tree, before anything of it is written.

    Raises:
        FormatError: There is such a path; Git refuses it too.
    """
    is_safe = get_path_element_validator(repo.git.config)
    for path in files:
        if not validate_path(os.fsencode(path), is_safe):
            raise FormatError(
                f"{path!r:.200}: not a usable path in a work tree; nothing was changed",
                hint="this history was made to do harm, or by a broken tool; do not use it",
                kind="hostile-path",
            )


def same_on_disk(repo: Repository, path: str, file: TreeFile | None) -> bool:
    """Tell whether a path holds these bytes, or, for None, nothing."""
    full = repo.absolute(path)
    try:
        status = os.lstat(full)
    except (FileNotFoundError, NotADirectoryError):
        return file is None
    if file is None or _mode_of(status) != file.mode:
        return False
    return (
        _Comparison(repo).blob_id(os.fsencode(path), os.fsencode(full), status)
        == file.blob.encode()
    )


def in_the_way(repo: Repository, path: str, file: TreeFile, tracked: Collection[str]) -> bool:
    """Tell whether something that is not tracked stands where a file is to be written.

    Args:
        repo: The repository.
        path: Where.
        file: What shall stand there; the same bytes are not in the way.
        tracked: Files that will be removed or replaced.
    """
    for i in (i for i, char in enumerate(path) if char == "/"):
        parent = repo.absolute(path[:i])
        if os.path.lexists(parent) and (os.path.islink(parent) or not os.path.isdir(parent)):
            return path[:i] not in tracked
    full = repo.absolute(path)
    if os.path.isdir(full) and not os.path.islink(full):
        below = (
            os.path.relpath(os.path.join(folder, name), repo.root)
            for folder, _, names in os.walk(full)
            for name in names
        )
        return any(one not in tracked for one in below)
    return os.path.lexists(full) and path not in tracked and not same_on_disk(repo, path, file)


def write_plain(repo: Repository, path: str, file: TreeFile) -> None:
    """Write one file as Git's tree has it: link, execute bit, line ends and filters included."""
    with repo.unfinished.writing([os.path.dirname(repo.absolute(path))]):
        _PlainWriter(repo).write(path, file)


def remove_plain(repo: Repository, path: str) -> None:
    """Remove one file, and the folders that it was the last in; the index stays as it is."""
    _PlainWriter(repo).remove(path)


def move_plain(
    repo: Repository,
    old_tree: ObjectID | None,
    new_tree: ObjectID,
    datasets: Collection[str],
    skip: Collection[str] = (),
) -> None:
    """Bring ordinary files and the index from one Git tree to another.

    Args:
        repo: The repository.
        old_tree: What the work tree holds; None is nothing.
        new_tree: What it shall hold.
        datasets: Folders of data sets in the new tree. Files that Git tracked there before veml
            did go from the index only: the data set has written its own.
        skip: Paths to leave alone.
    """
    git = repo.git.dulwich
    gone, put = [], {}
    for change in tree_changes(git.object_store, old_tree, new_tree):
        path = os.fsdecode(_path_of(change))
        if change.type != CHANGE_DELETE:
            if path not in skip and change.new is not None:
                put[path] = _tree_file(change.new)
        elif path not in skip or owner_of(datasets, path) is not None:
            gone.append(path)
    wanted = _sparse_checkout_matcher(git, repo.git.config, "utf-8")
    writer = _PlainWriter(repo)
    folders = {os.path.dirname(repo.absolute(path)) for path in put}
    with repo.unfinished.writing(folders), repo.git.changing_index() as index:
        for path in gone:
            if owner_of(datasets, path) is None:
                writer.remove(path)
            if os.fsencode(path) in index:
                del index[os.fsencode(path)]
        for path, file in put.items():
            raw, blob = os.fsencode(path), ObjectID(file.blob.encode())
            if wanted is not None and not wanted(raw):
                if raw in index and not _is_skipped(index[raw]):
                    writer.remove(path)
                index[raw] = _skip_worktree_entry(blob, file.mode)
                continue
            status = writer.write(path, file)
            flags, extended = unchanged_entry_flags(index, raw, blob, file.mode)
            entry = index_entry_from_stat(status, blob, file.mode, flags, extended)
            if wanted is not None:
                entry.set_skip_worktree(False)
            index[raw] = entry


def stage_plain(repo: Repository, paths: Sequence[str]) -> None:
    """Stage files as they are on disk; those that are gone leave the index.

    Raises:
        ConflictError: A file kept changing while it was read.
        StorageError: A file cannot be read.
    """
    normalizer = repo.git.dulwich.get_blob_normalizer(config=repo.git.config)
    staged: dict[bytes, IndexEntry | None] = {}
    with repo.git.batch():
        for path in paths:
            raw = os.fsencode(path)
            staged[raw] = None
            try:
                status = os.lstat(repo.absolute(path))
            except (FileNotFoundError, NotADirectoryError):
                continue
            if stat.S_ISDIR(status.st_mode):
                staged[raw] = index_entry_from_directory(status, os.fsencode(repo.absolute(path)))
                continue
            if stat.S_ISLNK(status.st_mode):
                data = os.readlink(os.fsencode(repo.absolute(path)))
            elif stat.S_ISREG(status.st_mode):
                read = read_file(path, repo.absolute(path))
                data, status = read.data, read.status
            else:
                continue
            blob = Blob.from_string(data)
            if stat.S_ISREG(status.st_mode):
                blob = normalizer.checkin_normalize(blob, raw)
            repo.git.dulwich.object_store.add_object(blob)
            staged[raw] = index_entry_from_stat(status, blob.id)
    with repo.git.changing_index() as index:
        for raw, entry in staged.items():
            if entry is not None:
                flags, extended = unchanged_entry_flags(index, raw, entry.sha, entry.mode)
                extended &= ~EXTENDED_FLAG_INTEND_TO_ADD  # the content is staged now
                entry.flags = flags if extended else flags & ~FLAG_EXTENDED
                entry.extended_flags = extended
                index[raw] = entry
            elif raw in index:
                del index[raw]


class _PlainWriter:
    """Writes and removes ordinary files, never through a symbolic link, each in one step."""

    def __init__(self, repo: Repository) -> None:
        self._repo = repo
        self._files = repo.files
        self._normalizer: FilterBlobNormalizer | None = None
        self._is_safe = get_path_element_validator(repo.git.config)
        self._checked: list[bytes] = []

    def write(self, path: str, file: TreeFile) -> os.stat_result:
        """Make a path what a Git tree says; a file that is so already is left alone."""
        full = self._repo.absolute(path)
        self._check(path)
        folder = os.path.dirname(full)
        if not os.path.isdir(folder):
            self._refuse_file_above(path)
            self._files.make_folder(folder, durable=False)
        if file.mode == _MODULE_MODE:
            if os.path.lexists(full) and (os.path.islink(full) or not os.path.isdir(full)):
                self._files.remove(full)
            self._files.make_folder(full, durable=False)
            return os.lstat(full)
        if same_on_disk(self._repo, path, file):
            return os.lstat(full)
        data = self._repo.git.read_blob(file.blob)
        if os.path.isdir(full) and not os.path.islink(full):
            self._clear_folder(full)
        if file.mode == _LINK_MODE:
            self._files.symlink(data, full)
            return os.lstat(full)
        if self._normalizer is None:
            git = self._repo.git
            self._normalizer = git.dulwich.get_blob_normalizer(config=git.config)
        blob = self._normalizer.checkout_normalize(Blob.from_string(data), os.fsencode(path))
        mode = 0o777 if file.mode & stat.S_IXUSR else 0o666
        # Not synced: Git has the bytes.
        self._files.write_atomic(full, blob.as_raw_string(), durable=False, mode=mode)
        return os.lstat(full)

    def remove(self, path: str) -> None:
        """Remove a file, and the folders that it was the last in."""
        full = self._repo.absolute(path)
        try:
            verify_leading_dirs(os.fsencode(path), [], os.fsencode(self._repo.root))
        except InvalidPathError:
            return  # behind a symbolic link: not the file that Git tracked
        if not os.path.lexists(full):
            return
        if os.path.isdir(full) and not os.path.islink(full):
            self._files.remove_folder(full)  # a submodule; kept if there is something in it
        else:
            self._files.remove(full)
        self._checked.clear()
        folder = os.path.dirname(full)
        while folder != self._repo.root and self._files.remove_folder(folder):
            folder = os.path.dirname(folder)

    def _check(self, path: str) -> None:
        try:
            root = os.fsencode(self._repo.root)
            verify_tree_path(os.fsencode(path), self._is_safe, self._checked, root)
        except InvalidPathError as error:
            raise FormatError(
                f"{path!r:.200}: not a usable path in this work tree",
                hint="a part of it is a symbolic link, or a name that Git refuses",
                kind="hostile-path",
            ) from error

    def _refuse_file_above(self, path: str) -> None:
        """Refuse to write below a file: nobody knows whether its bytes are stored."""
        for i in (i for i, char in enumerate(path) if char == "/"):
            parent = self._repo.absolute(path[:i])
            if os.path.lexists(parent) and not os.path.isdir(parent):
                raise ConflictError(
                    f"{parent}: a file stands where a folder belongs, for {path}",
                    hint="move it away",
                    kind="would-lose-changes",
                )

    def _clear_folder(self, full: str) -> None:
        """Remove empty folders where a file is to be written."""
        for folder, _, _ in os.walk(full, topdown=False):
            if not self._files.remove_folder(folder):
                raise ConflictError(
                    f"{full}: a folder that is not empty stands where a file belongs",
                    hint="move it away",
                    kind="would-lose-changes",
                )


def _tree_file(entry: TreeEntry) -> TreeFile:
    assert entry.mode is not None
    assert entry.sha is not None
    return TreeFile(entry.mode, VersionId(entry.sha.decode()))


def _is_skipped(entry: object) -> bool:
    return isinstance(entry, IndexEntry) and entry.skip_worktree


def _path_of(change: TreeChange) -> bytes:
    for side in (change.new, change.old):
        if side is not None and side.path is not None:
            return side.path
    return b""


def drop_conflicts(repo: Repository) -> None:
    """Remove paths that are still in conflict: the tree that was just checked out lacks them."""
    paths = repo.git.conflicted_paths()
    for path in paths:
        if os.path.lexists(repo.absolute(path)):
            repo.files.remove(repo.absolute(path))
    if paths:
        repo.git.unstage(paths)


def restore_modified(repo: Repository, files: Mapping[str, TreeFile]) -> None:
    """Write the files that differ from the index anew, as ``files`` has them."""
    for path in unstaged_paths(repo):
        if path in files:
            write_plain(repo, path, files[path])
            repo.git.stage_file(path, files[path])


def _index_time_ns(repo: Repository) -> int:
    with contextlib.suppress(FileNotFoundError):
        return os.stat(repo.git.dulwich.index_path()).st_mtime_ns
    return 0


def _mode_of(status: os.stat_result) -> int:
    """Return the mode that Git would note for a file."""
    if stat.S_ISLNK(status.st_mode):
        return _LINK_MODE
    if not stat.S_ISREG(status.st_mode):
        return stat.S_IFMT(status.st_mode)
    return 0o100755 if status.st_mode & stat.S_IXUSR else 0o100644


class _Comparison:
    """Compares files with index entries; filters are set up only if a file must be read."""

    def __init__(self, repo: Repository) -> None:
        self._git = repo.git.dulwich
        self._config = repo.git.config
        self._root = os.fsencode(repo.root)
        self._normalizer: FilterBlobNormalizer | None = None
        self._trust_mode = self._config.get_boolean((b"core",), b"filemode", True)

    def differs(self, raw: bytes, entry: IndexEntry, trusted_ns: int) -> bool:
        if entry.skip_worktree:
            return False
        full = os.path.join(self._root, raw)
        try:
            status = os.lstat(full)
        except (FileNotFoundError, NotADirectoryError):
            return True
        if entry.mode == _MODULE_MODE:
            return not stat.S_ISDIR(status.st_mode)
        mode = _mode_of(status)
        if mode != entry.mode and (self._trust_mode or mode & 0o170000 != entry.mode & 0o170000):
            return True
        if status.st_mtime_ns < trusted_ns and _stamp(status) == _noted(entry):
            return False
        return self.blob_id(raw, full, status, entry.sha) != entry.sha

    def blob_id(
        self, raw: bytes, full: bytes, status: os.stat_result, staged: bytes | None = None
    ) -> bytes:
        """Return the id of the blob that Git would make of a file.

        Args:
            raw: Its path from the repository's root.
            full: Where it is.
            status: What the system says of it.
            staged: The blob in the index. A file of just these bytes is taken for it: filters have
                made it, and Git does not convert line ends that are in the index as they are.
        """
        if stat.S_ISLNK(status.st_mode):
            return Blob.from_string(os.readlink(full)).id
        if not stat.S_ISREG(status.st_mode):
            return b""
        with open(full, "rb") as file:
            blob = Blob.from_string(file.read())
        if blob.id == staged:
            return staged
        if self._normalizer is None:
            self._normalizer = self._git.get_blob_normalizer(config=self._config)
        return self._normalizer.checkin_normalize(blob, raw).id


def _stamp(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_size & 0xFFFFFFFF, status.st_mtime_ns, status.st_ctime_ns


def _noted(entry: IndexEntry) -> tuple[int, int, int]:
    return entry.size, _nanoseconds(entry.mtime), _nanoseconds(entry.ctime)


def _nanoseconds(time: float | tuple[int, int]) -> int:
    return time[0] * 10**9 + time[1] if isinstance(time, tuple) else int(time * 10**9)
