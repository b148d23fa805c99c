"""The Git side of a veml repository: a small typed face over dulwich.

Nothing outside this room sees a dulwich object; paths are ``str`` relative to the repository's root
with ``/``, ids are hex ``str``.
"""

from __future__ import annotations

import contextlib
import os
import stat
import subprocess
import time
import weakref
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

from dulwich.errors import NotGitRepository
from dulwich.hooks import ShellHook
from dulwich.index import ConflictedIndexEntry, Index, IndexEntry, commit_tree
from dulwich.object_store import iter_tree_contents
from dulwich.objects import Blob, Commit, ObjectID, Tree
from dulwich.refs import HEADREF, Ref

from veml_vcs.errors import InvalidInputError, NotFoundError
from veml_vcs.ids import CommitId, VersionId, short
from veml_vcs.objects.files import Files
from veml_vcs.repository.git.disk import GitDisk
from veml_vcs.repository.git.hook import FunctionHook
from veml_vcs.repository.git.work_trees import detached_heads

REGULAR_MODE = 0o100644

_ON_BRANCH = b"ref: refs/heads/"

_MANY_PACKS = 50
"""Git's own ``gc.autoPackLimit``."""


@dataclass(frozen=True)
class TreeFile:
    """One file of a Git tree: its mode and its blob id."""

    mode: int
    blob: VersionId


@dataclass(frozen=True)
class Head:
    """Where HEAD stands.

    Attributes:
        branch: The branch's short name; None when HEAD is detached.
        commit: The commit; None on a branch without commits.
    """

    branch: str | None
    commit: CommitId | None


class GitRepo:
    """One Git repository with a work tree.

    Args:
        root: A folder in the work tree.
        files: All file operations go through it.

    Raises:
        NotFoundError: ``root`` is in no Git repository.
        InvalidInputError: The repository is bare.
    """

    def __init__(self, root: str, files: Files | None = None) -> None:
        self._files = files or Files()
        self.dulwich = _discover(root, self._files)
        if self.dulwich.bare:
            raise InvalidInputError(
                f"{root}: a bare repository has no work tree", hint="clone it and work in the clone"
            )
        self.root = os.path.realpath(os.fsdecode(self.dulwich.path))
        self.control_folder = os.path.realpath(os.fsdecode(self.dulwich.controldir()))
        self.common_folder = os.path.realpath(os.fsdecode(self.dulwich.commondir()))
        self.config = self.dulwich.get_config_stack()
        self._kept: dict[VersionId, bytes] = {}
        # Who opens without "with" need not close: dulwich would complain of it when Python ends.
        weakref.finalize(self, self.dulwich.close)

    def close(self) -> None:
        """Release open files."""
        self.dulwich.close()

    def setting(self, section: tuple[str, ...], name: str) -> str | None:
        """Return a value of Git's configuration, or None."""
        try:
            value = self.config.get(tuple(map(os.fsencode, section)), name.encode())
        except KeyError:
            return None
        return os.fsdecode(value)

    # -- hooks ---------------------------------------------------------------------------------

    def hook_path(self, name: str) -> str | None:
        """Return the file of a hook that a commit runs; None if that is none."""
        hook = self.dulwich.hooks.get(name)
        return os.fspath(hook.filepath) if isinstance(hook, ShellHook) else None

    def replace_hook(self, name: str, function: Callable[[], int]) -> None:
        """Call a function where a commit would run the file of a hook; not 0 refuses."""
        self.dulwich.hooks[name] = FunctionHook(name, function)

    # -- objects -------------------------------------------------------------------------------

    def read_blob(self, blob: VersionId) -> bytes:
        """Return the bytes of a blob.

        Raises:
            NotFoundError: Git does not have it.
        """
        if blob in self._kept:
            return self._kept[blob]
        try:
            found = self.dulwich.object_store[ObjectID(blob.encode())]
        except KeyError as error:
            raise NotFoundError(f"Git does not have the blob {short(blob)}") from error
        return bytes(found.as_raw_string())

    def write_blob(self, data: bytes) -> VersionId:
        """Store bytes as a blob and return its id."""
        blob = Blob.from_string(data)
        self.dulwich.object_store.add_object(blob)
        return VersionId(blob.id.decode())

    def batch(self) -> AbstractContextManager[None]:
        """Write the objects that are made in a block together, at its end or before a ref."""
        return self.dulwich.object_store.batch()

    def commit(self, commit: CommitId) -> Commit:
        """Return a commit.

        Raises:
            NotFoundError: Git does not have it, or it is not a commit.
        """
        try:
            found = self.dulwich.object_store[ObjectID(commit.encode())]
        except KeyError as error:
            raise NotFoundError(f"Git does not have the commit {short(commit)}") from error
        if not isinstance(found, Commit):
            raise NotFoundError(f"{short(commit)} is not a commit")
        return found

    def parents(self, commit: CommitId) -> list[CommitId]:
        """Return a commit's parents (grafts and shallow clones respected)."""
        parents = self.dulwich.get_parents(ObjectID(commit.encode()))
        return [CommitId(parent.decode()) for parent in parents]

    def files(self, commit: CommitId | None) -> dict[str, TreeFile]:
        """Return all files of a commit's tree; of None, nothing."""
        if commit is None:
            return {}
        return self.tree_files(self.commit(commit).tree)

    def tree_files(self, tree: bytes) -> dict[str, TreeFile]:
        """Return all files below a Git tree id."""
        found = {}
        for entry in iter_tree_contents(self.dulwich.object_store, ObjectID(tree)):
            assert entry.path is not None
            assert entry.mode is not None
            assert entry.sha is not None
            found[os.fsdecode(entry.path)] = TreeFile(entry.mode, VersionId(entry.sha.decode()))
        return found

    def worktree_file(self, path: str) -> TreeFile | None:
        """Return a work tree file as a blob; None if there is none (a folder may have its place).

        Its bytes are kept in memory for ``read_blob``: looking at a file writes nothing.
        """
        full = os.path.join(self.root, path)
        try:
            status = os.lstat(full)
        except (FileNotFoundError, NotADirectoryError):
            return None
        if stat.S_ISLNK(status.st_mode):
            return TreeFile(0o120000, self._keep_blob(os.fsencode(os.readlink(full))))
        if not stat.S_ISREG(status.st_mode):
            return None
        with open(full, "rb") as file:
            mode = REGULAR_MODE | (0o111 if status.st_mode & stat.S_IXUSR else 0)
            return TreeFile(mode, self._keep_blob(file.read()))

    def _keep_blob(self, data: bytes) -> VersionId:
        blob = blob_id(data)
        self._kept[blob] = data
        return blob

    def write_tree(self, files: dict[str, TreeFile]) -> ObjectID:
        """Write the Git tree of these files and return its id."""
        blobs = [
            (os.fsencode(path), ObjectID(file.blob.encode()), file.mode)
            for path, file in files.items()
        ]
        with self.batch():
            if not blobs:
                tree = Tree()
                self.dulwich.object_store.add_object(tree)
                return tree.id
            return commit_tree(self.dulwich.object_store, blobs)

    def tidy(self) -> None:
        """Let Git join its packs where there are many, as it does itself after a commit.

        dulwich's own automatic ``gc`` is not run: it prunes what it does not know to be needed.
        """
        folder = os.path.join(self.common_folder, "objects", "pack")
        packs = sum(name.endswith(".pack") for name in self._files.listdir(folder))
        if packs > _MANY_PACKS:
            with contextlib.suppress(FileNotFoundError):  # no git: more packs, nothing worse
                subprocess.run(
                    ["git", "-C", self.root, "gc", "--auto", "--quiet"],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    check=False,
                )

    # -- refs ----------------------------------------------------------------------------------

    def head(self) -> Head:
        """Return where HEAD stands.

        Raises:
            DamagedError: HEAD, or the ref of its branch, is damaged.
        """
        refs = self.dulwich.refs
        says = refs.read_ref(HEADREF) or b""
        branch = None
        if says.startswith(_ON_BRANCH):
            branch = os.fsdecode(says[len(_ON_BRANCH) :])
        try:
            commit: CommitId | None = CommitId(refs[HEADREF].decode())
        except KeyError:
            commit = None
        return Head(branch, commit)

    def branches(self) -> dict[str, CommitId]:
        """Return local branches and where they stand, by name."""
        return self._refs("refs/heads/")

    def tags(self) -> dict[str, CommitId]:
        """Return tags by name: the tag object's id where annotated, else the commit's."""
        return self._refs("refs/tags/")

    def all_commits(self) -> list[CommitId]:
        """Return the commits that any ref but a note names, then HEAD's, each once.

        Then those where HEAD is detached in another work tree, as for ``git log --all``: what is
        kept of them all, in files that they share, is then the same from each.
        """
        refs = self.dulwich.refs
        found: dict[CommitId, None] = {}
        for name in sorted(refs.allkeys(), key=lambda one: (one == HEADREF, one)):
            if name.startswith((b"refs/notes/", b"refs/veml/")):
                continue
            try:
                peeled = self.dulwich.object_store[self.dulwich.get_peeled(name)]
            except KeyError:
                continue  # a branch without commits, or a ref to what a shallow clone lacks
            if isinstance(peeled, Commit):
                found[CommitId(peeled.id.decode())] = None
        store = self.dulwich.object_store
        for one in detached_heads(self.common_folder):
            if one in store and isinstance(store[one], Commit):
                found[CommitId(one.decode())] = None
        return list(found)

    def remote_branches(self) -> dict[str, CommitId]:
        """Return remote-tracking branches and where they stand, by name (``origin/main``)."""
        found = self._refs("refs/remotes/")
        return {name: commit for name, commit in found.items() if not name.endswith("/HEAD")}

    def _refs(self, prefix: str) -> dict[str, CommitId]:
        found = self.dulwich.refs.as_dict(Ref(prefix.encode()))
        return {os.fsdecode(name): CommitId(sha.decode()) for name, sha in sorted(found.items())}

    def detach_head(self, commit: CommitId, message: bytes) -> None:
        """Point HEAD itself at a commit, in one step (dulwich would remove HEAD first)."""
        refs = self.dulwich.refs
        with refs.lock(HEADREF) as lock:
            self.log_move(HEADREF, self.head().commit, commit, message)
            lock.commit(commit.encode() + b"\n")

    def attach_head(self, branch: str, old: CommitId | None, message: bytes) -> None:
        """Put HEAD on a branch.

        Args:
            branch: Its short name.
            old: Where HEAD stood; dulwich would log that it stayed there.
            message: For the reflog.
        """
        self.dulwich.refs.set_symbolic_ref(HEADREF, Ref(b"refs/heads/" + os.fsencode(branch)))
        new = self.head().commit
        if new is not None:
            self.log_move(HEADREF, old, new, message)

    def move_head(self, old: CommitId, new: CommitId, message: bytes) -> bool:
        """Move HEAD, and the branch it is on, if it still stands at ``old``; log both.

        Returns:
            Whether it stood there.
        """
        before, after = ObjectID(old.encode()), ObjectID(new.encode())
        seconds, offset_seconds = _now()
        if not self.dulwich.refs.set_if_equals(
            HEADREF, before, after, timestamp=seconds, timezone=offset_seconds, message=message
        ):
            return False
        if old == new:  # as in Git, HEAD alone logs that it stayed
            self.log_move(HEADREF, old, new, message)
        return True

    def log_move(self, ref: Ref, old: CommitId | None, new: CommitId, message: bytes) -> None:
        """Append to a ref's reflog, in the local time zone as Git does."""
        seconds, offset_seconds = _now()
        self.dulwich.refs._log(
            ref,
            ObjectID(old.encode()) if old else None,
            ObjectID(new.encode()),
            timestamp=seconds,
            timezone=offset_seconds,
            message=message,
        )

    # -- index ---------------------------------------------------------------------------------

    def index(self) -> Index:
        """Open the index, to read it."""
        return self.dulwich.open_index(config=self.config)

    def changing_index(self) -> AbstractContextManager[Index]:
        """Open the index under its lock, to change it; it is written when the block ends."""
        return self.dulwich.changing_index()

    def staged_files(self) -> dict[str, TreeFile]:
        """Return the files of the index that are not in conflict."""
        return {
            os.fsdecode(path): TreeFile(entry.mode, VersionId(entry.sha.decode()))
            for path, entry in self.index().items()
            if isinstance(entry, IndexEntry)
        }

    def tracked_paths(self, suffix: str) -> set[str]:
        """Return the paths of the index that end so, those in conflict too."""
        end = os.fsencode(suffix)
        return {os.fsdecode(path) for path in self.index() if path.endswith(end)}

    def conflicted_paths(self) -> list[str]:
        """Return the paths of the index that have merge stages instead of one entry."""
        return sorted(
            os.fsdecode(path)
            for path, entry in self.index().items()
            if isinstance(entry, ConflictedIndexEntry)
        )

    def stage_blobs(self, blobs: dict[str, bytes]) -> dict[str, VersionId]:
        """Stage files whose bytes are given and already stand in the work tree.

        Args:
            blobs: Path -> bytes.
        """
        staged = {}
        with self.batch():
            for path, data in blobs.items():
                staged[path] = self.write_blob(data)
        if staged:
            with self.changing_index() as index:
                for path, blob in staged.items():
                    self._stage_entry(index, path, blob)
        return staged

    def _stage_entry(self, index: Index, path: str, blob: VersionId) -> None:
        full = os.path.join(self.root, path)
        status = os.lstat(full)
        mode = REGULAR_MODE | (0o111 if status.st_mode & stat.S_IXUSR else 0)
        index[os.fsencode(path)] = IndexEntry(
            ctime=(int(status.st_ctime), status.st_ctime_ns % 10**9),
            mtime=(int(status.st_mtime), status.st_mtime_ns % 10**9),
            dev=status.st_dev & 0xFFFFFFFF,
            ino=status.st_ino & 0xFFFFFFFF,
            mode=mode,
            uid=status.st_uid,
            gid=status.st_gid,
            size=status.st_size & 0xFFFFFFFF,
            sha=ObjectID(blob.encode()),
            flags=0,
        )

    def unstage(self, paths: list[str]) -> None:
        """Remove paths from the index."""
        if not paths:
            return
        with self.changing_index() as index:
            for path in paths:
                raw = os.fsencode(path)
                if raw in index:
                    del index[raw]

    def move_staged(
        self, names: Mapping[str, str], blobs: Mapping[str, bytes], gone: Iterable[str]
    ) -> None:
        """Give entries of the index other names, in one step with what changes beside them.

        Args:
            names: Path -> new path; an entry that is not there (any more) is left out.
            blobs: Path -> bytes that stand in the work tree now, to be staged.
            gone: Paths that leave the index.
        """
        with self.batch():
            staged = {path: self.write_blob(data) for path, data in blobs.items()}
        with self.changing_index() as index:
            raw = {os.fsencode(old): os.fsencode(new) for old, new in names.items()}
            moved = {new: index[old] for old, new in raw.items() if old in index}
            for leaving in (*raw, *map(os.fsencode, gone)):
                if leaving in index:
                    del index[leaving]
            for new, entry in moved.items():
                index[new] = entry
            for path, blob in staged.items():
                self._stage_entry(index, path, blob)

    def stage_file(self, path: str, file: TreeFile) -> None:
        """Stage a blob that Git has, whatever the file on disk holds.

        The entry has no stamp, so that the file is read when it is next compared.
        """
        self.stage_files({path: file})

    def stage_files(self, files: Mapping[str, TreeFile]) -> None:
        """Stage blobs that Git has; see ``stage_file``."""
        with self.changing_index() as index:
            for path, file in files.items():
                entry = _bare_entry(file)
                if entry is not None:
                    index[os.fsencode(path)] = entry

    def conflict_stages(
        self, path: str
    ) -> tuple[TreeFile | None, TreeFile | None, TreeFile | None]:
        """Return base, ours and theirs of a conflicted path."""
        entry = self.index()[os.fsencode(path)]
        if not isinstance(entry, ConflictedIndexEntry):
            raise NotFoundError(f"{path}: not in conflict", kind="no-conflict")
        return _file_of(entry.ancestor), _file_of(entry.this), _file_of(entry.other)

    def stage_conflicts(
        self, conflicts: Mapping[str, tuple[TreeFile | None, TreeFile | None, TreeFile | None]]
    ) -> None:
        """Record paths as conflicted, the way Git does: base, ours and theirs as stages 1 to 3."""
        with self.changing_index() as index:
            for path, (base, ours, theirs) in conflicts.items():
                index[os.fsencode(path)] = ConflictedIndexEntry(
                    ancestor=_bare_entry(base), this=_bare_entry(ours), other=_bare_entry(theirs)
                )

    # -- state files ---------------------------------------------------------------------------

    def read_state(self, name: str) -> bytes | None:
        """Return the content of a file like ``MERGE_HEAD`` in the control folder, or None."""
        found = self.dulwich.get_named_file(name)
        if found is None:
            return None
        with found:
            return found.read()

    def write_state(self, name: str, content: bytes | None) -> None:
        """Write a file like ``MERGE_HEAD``, or remove it (None)."""
        path = os.path.join(self.control_folder, name)
        if content is not None:
            self._files.write_atomic(path, content)
        elif os.path.lexists(path):
            self._files.remove(path)


def _discover(root: str, files: Files) -> GitDisk:
    folder = os.path.abspath(root)
    while True:
        try:
            return GitDisk(folder, files)
        except NotGitRepository as error:
            above = os.path.dirname(folder)
            if above == folder:
                raise NotFoundError(
                    f"not in a Git repository: {os.path.abspath(root)}", hint="veml init"
                ) from error
            folder = above


def _now() -> tuple[int, int]:
    """Return the Unix time, and how far the local time zone is east of UTC, both in seconds."""
    seconds = int(time.time())
    return seconds, time.localtime(seconds).tm_gmtoff


def blob_id(data: bytes) -> VersionId:
    """Return the Git blob id of bytes, without storing them."""
    return VersionId(Blob.from_string(data).id.decode())


def _bare_entry(file: TreeFile | None) -> IndexEntry | None:
    if file is None:
        return None
    zero = (0, 0)
    return IndexEntry(zero, zero, 0, 0, file.mode, 0, 0, 0, ObjectID(file.blob.encode()), 0)


def _file_of(entry: IndexEntry | None) -> TreeFile | None:
    return None if entry is None else TreeFile(entry.mode, VersionId(entry.sha.decode()))
