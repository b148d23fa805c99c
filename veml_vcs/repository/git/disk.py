"""dulwich's repository with veml's door: objects, refs, reflogs and named files are written by it.

What is written how stands in ``git.objects``, ``git.refs`` and ``git.lock``. Nobody but ``GitRepo``
opens it.
"""

from __future__ import annotations

import os
import re
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import BinaryIO

from dulwich.config import Config
from dulwich.errors import ChecksumMismatch
from dulwich.file import SharedPerm, calc_shared_perm
from dulwich.index import Index, IndexChecksumWriter, write_index_dict
from dulwich.objects import ZERO_SHA, ObjectID
from dulwich.reflog import format_reflog_line
from dulwich.refs import Ref
from dulwich.repo import Repo

from veml_vcs.errors import DamagedError
from veml_vcs.objects.files import Files
from veml_vcs.repository.git.identity import identity_of
from veml_vcs.repository.git.lock import LockFolder
from veml_vcs.repository.git.objects import GitObjects
from veml_vcs.repository.git.refs import GitRefs

SCRATCH = os.path.join("veml", "tmp")
"""Where temporary files of Git's folder are made, below the folder that all work trees share."""

STASH = Ref(b"refs/stash")
"""The newest stash; its reflog is the list of all."""

_KEPT_EXTENSIONS = (b"REUC",)

_GRAFTS = os.path.join("info", "grafts")
_NAME = rb"(?:[0-9a-fA-F]{40}|[0-9a-fA-F]{64})"
_GRAFT = re.compile(_NAME + rb"(?:\s" + _NAME + rb")*")


class GitDisk(Repo):
    """A Git repository on disk whose every change goes through ``files``.

    Args:
        root: Its work tree.
        files: All file operations go through it.
    """

    refs: GitRefs
    object_store: GitObjects

    _shared: tuple[SharedPerm | None] | None = None

    def __init__(self, root: str, files: Files) -> None:
        super().__init__(root)
        common = os.path.realpath(os.fsdecode(self.commondir()))
        scratch = os.path.join(common, SCRATCH)
        files.use_scratch(scratch, common)
        self.files = files
        self.locks = LockFolder(common, scratch, files)
        plain = self.object_store
        objects = GitObjects.from_config(
            os.path.join(common, "objects"), self.get_config(), shared_perm=plain.shared_perm
        )
        assert isinstance(objects, GitObjects)
        objects.files = files
        self.object_store = objects
        plain.close()
        if type(self.refs).__name__ == "DiskRefsContainer":  # reftable is dulwich's own
            control = os.path.realpath(self._controldir)
            self.refs = GitRefs(common, control, logger=self._write_reflog)
            self.refs.locks = self.locks
            self.refs.flush = self.object_store.flush
        # dulwich's own would count 256 folders after each commit, and prune by age what it does
        # not know to be needed.
        self._autogc_disabled = True

    @contextmanager
    def changing_index(self) -> Iterator[Index]:
        """Read the index under its lock, and write it when the block ends; nothing if it raises.

        Git's convention, and its reason: what another program stages meanwhile is not undone.

        Raises:
            LockedError: Another program holds the index for too long.
            StorageError: The system says no.
        """
        config = self.get_config_stack()
        with self.locks.lock(os.path.realpath(self.index_path())) as lock:
            index = self.open_index(config=config)
            yield index
            self.object_store.flush()  # nothing names an object that is not on the disk
            data = _encode(index)
            if data != _read(lock.path):
                lock.commit(data, mode=self._index_mode())

    def open_index(self, config: Config | None = None) -> Index:
        """Open the index.

        Raises:
            DamagedError: It is not what somebody wrote.
        """
        try:
            return super().open_index(config)
        except (ChecksumMismatch, AssertionError, ValueError, struct.error, IndexError) as error:
            raise DamagedError(
                f"Git's index {self.index_path()} is damaged: {error or type(error).__name__}",
                hint=f"rm {self.index_path()}, then veml restore --staged . makes it from HEAD",
                kind="git-damaged",
            ) from error

    def _get_shared_repository_permissions(self) -> SharedPerm | None:
        """Return ``core.sharedRepository``, read once: dulwich parses the file at each look."""
        if self._shared is None:
            self._shared = (super()._get_shared_repository_permissions(),)
        return self._shared[0]

    def _index_mode(self) -> int | None:
        shared = self._get_shared_repository_permissions()
        return None if shared is None else calc_shared_perm(0o644, shared)

    def get_named_file(self, path: str | bytes, basedir: str | None = None) -> BinaryIO | None:
        """Open a file of Git's folder; of grafts, the lines that Git takes (``read_graft_line``).

        dulwich would end at a comment or an empty line, and take the last of two of one commit.
        """
        found: BinaryIO | None = super().get_named_file(path, basedir)
        if found is None or path != _GRAFTS:
            return found
        lines: dict[bytes, bytes] = {}
        with found:
            for line in map(bytes.rstrip, found):
                if _GRAFT.fullmatch(line):
                    lines.setdefault(line.split()[0].lower(), line.lower())
        return BytesIO(b"\n".join(lines.values()))

    def _put_named_file(self, path: str, contents: bytes) -> None:
        self.files.write_atomic(os.path.join(self.controldir(), path.lstrip("/")), contents)

    def _del_named_file(self, path: str) -> None:
        self.files.remove(os.path.join(self.controldir(), path))

    def _write_reflog(
        self,
        ref: bytes,
        old_sha: bytes,
        new_sha: bytes,
        committer: bytes | None,
        timestamp: int | None,
        timezone: int | None,
        message: bytes,
    ) -> None:
        """Append a line to a reflog.

        It is not synced (see docs/durability.md), but for that of the stash: it is all that names
        the older ones.
        """
        path = os.path.realpath(self._reflog_path(ref))
        if committer is None:
            who = identity_of(self.get_config_stack(), "COMMITTER", strict=False)
            committer = who.encode("utf-8", "surrogateescape")
        seconds = int(time.time()) if timestamp is None else timestamp
        line = format_reflog_line(old_sha, new_sha, committer, seconds, timezone or 0, message)
        if ref == STASH:
            self.files.make_folder(os.path.dirname(path))
            self.files.write_atomic(path, _read(path) + line + b"\n")
            return
        self.files.make_folder(os.path.dirname(path), durable=False)
        self.files.append(path, line + b"\n")

    def drop_stash(self, index: int, commit: bytes) -> bool:
        """Take one stash off the list, as ``git reflog delete --updateref --rewrite`` does.

        All of it under the lock of ``refs/stash``, which ``git stash`` takes too. The list is in
        the reflog of that ref, so that changes last, in one step: killed before, the same command
        does it; killed after, it was done.

        Args:
            index: Its place, 0 is the newest.
            commit: Which it is.

        Returns:
            Whether it stood there.

        Raises:
            LockedError: Another program holds the ref for too long.
            StorageError: The system says no.
        """
        path = os.path.realpath(self._reflog_path(STASH))
        with self.refs.lock(STASH):
            lines = _read(path).splitlines(keepends=True)
            place = len(lines) - 1 - index
            if place < 0 or lines[place].split(b" ")[1] != commit:
                return False
            del lines[place]
            before = ObjectID(lines[place - 1].split(b" ")[1]) if place else ZERO_SHA
            if place < len(lines):
                lines[place] = before + lines[place][len(before) :]
            elif lines:
                self.refs.put_locked(STASH, before)
            if lines:
                self.files.write_atomic(path, b"".join(lines))
            else:
                self.refs.remove_locked(STASH)
                self.files.remove(path)
                self.files.fsync_folder(os.path.dirname(path))
        return True


def _encode(index: Index) -> bytes:
    """Return the bytes of an index file.

    Extensions that describe the entries as they were (cached trees, untracked files) are left out:
    dulwich would write them back unchanged, and Git would believe them.
    """
    out = BytesIO()
    kept = [one for one in index._extensions if one.signature in _KEPT_EXTENSIONS]
    writer = out if index._skip_hash else IndexChecksumWriter(out, index.object_format)
    write_index_dict(
        writer,
        index._byname,
        version=index._version,
        extensions=kept,
        object_format=index.object_format,
    )
    if isinstance(writer, IndexChecksumWriter):
        writer.write_checksum()
    else:
        out.write(bytes(index.object_format.oid_length))
    return out.getvalue()


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""
