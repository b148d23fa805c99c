"""Ordinary files on disk against Git's trees and index: which differ, what is in the way, writing.

As Git does it: a file whose stamp is the index's is unchanged, unless the stamp is so young that a
later change could bear the same one (dulwich's own comparison leaves that out).
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Collection, Mapping

from dulwich.diff_tree import CHANGE_DELETE, TreeChange, tree_changes
from dulwich.filters import FilterBlobNormalizer
from dulwich.index import (
    ConflictedIndexEntry,
    IndexEntry,
    get_path_element_validator,
    update_working_tree,
    validate_path,
)
from dulwich.objects import Blob, ObjectID

from veml_vcs.errors import FormatError
from veml_vcs.repository.datasets import owner_of
from veml_vcs.repository.git import TreeFile
from veml_vcs.repository.repository import Repository

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
    full = repo.absolute(path)
    repo.files.make_folder(os.path.dirname(full))
    data = repo.git.read_blob(file.blob)
    if file.mode == _LINK_MODE:
        if os.path.lexists(full):
            repo.files.remove(full)
        os.symlink(data, os.fsencode(full))
        return
    git = repo.git.dulwich
    normalizer = git.get_blob_normalizer(config=repo.git.config)
    blob = normalizer.checkout_normalize(Blob.from_string(data), os.fsencode(path))
    repo.files.write_atomic(full, blob.as_raw_string(), durable=False)
    if file.mode & stat.S_IXUSR:
        os.chmod(full, 0o755)


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
    changes, taken_over = [], []
    for change in tree_changes(git.object_store, old_tree, new_tree):
        path = change.old.path if change.type == CHANGE_DELETE and change.old else None
        if path is not None and owner_of(datasets, os.fsdecode(path)) is not None:
            taken_over.append(os.fsdecode(path))
        elif os.fsdecode(_path_of(change)) not in skip:
            changes.append(change)
    update_working_tree(
        git,
        old_tree,
        new_tree,
        change_iterator=iter(changes),
        allow_overwrite_modified=True,
        blob_normalizer=git.get_blob_normalizer(config=repo.git.config, tree=new_tree),
        config=repo.git.config,
    )
    if taken_over:
        repo.git.unstage(taken_over)


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
        return self.blob_id(raw, full, status) != entry.sha

    def blob_id(self, raw: bytes, full: bytes, status: os.stat_result) -> bytes:
        if stat.S_ISLNK(status.st_mode):
            return Blob.from_string(os.readlink(full)).id
        if not stat.S_ISREG(status.st_mode):
            return b""
        with open(full, "rb") as file:
            blob = Blob.from_string(file.read())
        if self._normalizer is None:
            self._normalizer = self._git.get_blob_normalizer(config=self._config)
        return self._normalizer.checkin_normalize(blob, raw).id


def _stamp(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_size & 0xFFFFFFFF, status.st_mtime_ns, status.st_ctime_ns


def _noted(entry: IndexEntry) -> tuple[int, int, int]:
    return entry.size, _nanoseconds(entry.mtime), _nanoseconds(entry.ctime)


def _nanoseconds(time: float | tuple[int, int]) -> int:
    return time[0] * 10**9 + time[1] if isinstance(time, tuple) else int(time * 10**9)
