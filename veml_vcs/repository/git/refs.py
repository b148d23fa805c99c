"""Git's refs, written through veml's door: dulwich's container with its writing done anew.

As in Git: the ref's lock is held, the old value compared, the reflog written, then the new value
put in place; a change of the branch that HEAD is on stands in HEAD's reflog too. Unlike Git's files
backend, a ref and its folder are synced. Packed refs are read by dulwich and written here.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Mapping
from io import BytesIO

from dulwich.errors import PackedRefsException, RefFormatError
from dulwich.objects import ZERO_SHA, ObjectID
from dulwich.refs import (
    HEADREF,
    SYMREF,
    DiskRefsContainer,
    Ref,
    SymrefLoop,
    refname_is_safe,
    write_packed_refs,
)

from veml_vcs.errors import DamagedError
from veml_vcs.repository.git.lock import GitLock, LockFolder

_Told = tuple[bytes | None, int | None, int | None, bytes | None]
"""Who, when (Unix time), in which time zone (seconds), and what: for the reflog."""

_IS_ID = re.compile(rb"[0-9a-f]{40}(?:[0-9a-f]{24})?")


class GitRefs(DiskRefsContainer):
    """Git's refs on disk.

    Attributes:
        locks: Makes their locks; set by whoever opens this.
        flush: Called before a ref is set: whatever it may name is on the disk afterwards.
    """

    locks: LockFolder
    flush: Callable[[], None]

    def set_symbolic_ref(
        self,
        name: Ref,
        other: Ref,
        committer: bytes | None = None,
        timestamp: int | None = None,
        timezone: int | None = None,
        message: bytes | None = None,
    ) -> None:
        """Make a ref point at another one; HEAD's reflog gets both commits."""
        self._check_refname(name)
        self._check_refname(other)
        with self.lock(name) as lock:
            old, new = self.follow(name)[-1], self.follow(other)[-1]
            if new is not None:
                self._log(name, old, new, committer, timestamp, timezone, message)
            lock.commit(SYMREF + other + b"\n")

    def set_if_equals(
        self,
        name: Ref,
        old_ref: ObjectID | None,
        new_ref: ObjectID,
        committer: bytes | None = None,
        timestamp: int | None = None,
        timezone: int | None = None,
        message: bytes | None = None,
    ) -> bool:
        """Set a ref, or what it points at, if it is ``old_ref`` now (None: in any case).

        Returns:
            Whether it was set.
        """
        told = (committer, timestamp, timezone, message)
        return self._put(name, new_ref, lambda now: old_ref in (None, now or ZERO_SHA), told)

    def add_if_new(
        self,
        name: Ref,
        ref: ObjectID,
        committer: bytes | None = None,
        timestamp: int | None = None,
        timezone: int | None = None,
        message: bytes | None = None,
    ) -> bool:
        """Set a ref, or what it points at, if it is not there.

        Returns:
            Whether it was set.
        """
        told = (committer, timestamp, timezone, message)
        return self._put(name, ref, lambda now: now is None, told)

    def remove_if_equals(
        self,
        name: Ref,
        old_ref: ObjectID | None,
        committer: bytes | None = None,
        timestamp: int | None = None,
        timezone: int | None = None,
        message: bytes | None = None,
    ) -> bool:
        """Remove a ref if it is ``old_ref`` now (None: in any case).

        Returns:
            Whether it was removed.
        """
        self._check_refname(name)
        with self.lock(name):
            if old_ref is not None and (self._current(name) or ZERO_SHA) != old_ref:
                return False
            self.remove_locked(name)
            self._log(name, old_ref, None, committer, timestamp, timezone, message)
        self._remove_empty_folders(name)
        return True

    def lock(self, name: Ref) -> GitLock:
        """Return the lock of a ref, to be used as a context manager."""
        path = self._path(name)
        self.locks.files.make_folder(os.path.dirname(path))
        return self.locks.lock(path)

    def put_locked(self, name: Ref, value: ObjectID) -> None:
        """Set a ref whose lock the caller holds, and keeps."""
        self.locks.files.write_atomic(self._path(name), value + b"\n")

    def remove_locked(self, name: Ref) -> None:
        """Remove a ref whose lock the caller holds; nothing is logged."""
        # As in Git the packed one first: a kill in between must not bring an old value back.
        self._remove_packed_ref(name)
        path = self._path(name)
        if os.path.lexists(path) and not os.path.isdir(path):
            self.locks.files.remove(path)
            self.locks.files.fsync_folder(os.path.dirname(path))

    def add_packed_refs(self, new_refs: Mapping[Ref, ObjectID | None]) -> None:
        """Pack refs (None removes one), and remove the loose ones afterwards."""
        if not new_refs:
            return
        if HEADREF in new_refs:
            raise ValueError("cannot pack HEAD")
        self._write_packed(new_refs)
        for ref in new_refs:
            if os.path.lexists(self._path(ref)):
                self.locks.files.remove(self._path(ref))

    def _remove_packed_ref(self, name: Ref) -> None:
        if name in self.get_packed_refs():
            self._write_packed({name: None})

    def _write_packed(self, changes: Mapping[Ref, ObjectID | None]) -> None:
        path = os.path.join(os.fsdecode(self.path), "packed-refs")
        with self.locks.lock(path) as lock:
            self._invalidate_packed_refs_cache()
            packed = dict(self.get_packed_refs())
            peeled = dict(self._peeled_refs or {})
            for name, value in changes.items():
                peeled.pop(name, None)
                if value is None:
                    packed.pop(name, None)
                else:
                    packed[name] = value
            out = BytesIO()
            write_packed_refs(out, packed, peeled)
            lock.commit(out.getvalue())
        self._invalidate_packed_refs_cache()

    def follow(self, name: Ref) -> tuple[list[Ref], ObjectID | None]:
        """Follow a ref; symbolic ones that name each other lead to nothing, as in Git."""
        try:
            return super().follow(name)
        except SymrefLoop:
            return [name], None

    def as_dict(self, base: Ref | None = None) -> dict[Ref, ObjectID]:
        """Return the refs below a prefix and their values; as in Git without those damaged."""
        found: dict[Ref, ObjectID] = {}
        prefix = (base or b"").rstrip(b"/")
        for key in self.keys(base):
            with contextlib.suppress(KeyError, DamagedError):
                found[key] = self[Ref(prefix + b"/" + key if prefix else key)]
        return found

    def get_packed_refs(self) -> dict[Ref, ObjectID]:
        """Return the refs of ``packed-refs``.

        Raises:
            DamagedError: The file is not what somebody wrote.
        """
        try:
            found: dict[Ref, ObjectID] = super().get_packed_refs()
        except (PackedRefsException, ValueError) as error:
            self._invalidate_packed_refs_cache()
            path = os.path.join(os.fsdecode(self.path), "packed-refs")
            raise DamagedError(
                f"{path} is damaged: {error}",
                hint="mend the line in an editor: a commit's 40 digits, a space, the ref's name",
                kind="git-damaged",
            ) from error
        return found

    # -- helpers -------------------------------------------------------------------------------

    def _put(
        self, name: Ref, value: ObjectID, may: Callable[[ObjectID | None], bool], told: _Told
    ) -> bool:
        """Set a ref, or what it points at, where its value as it is now lets us; log it."""
        self._check_refname(name)
        self._check_ref_value(value)
        self.flush()
        real = self._real(name)
        self._refuse_packed_above(real)
        with self.lock(real) as lock:
            current = self._current(real)
            if not may(current):
                return False
            if current == value:
                return True
            for one in self._logged(name, real):
                self._log(one, current, value, *told)
            self._commit(lock, value + b"\n")
        return True

    def _read_loose_ref_file(self, name: Ref) -> bytes | None:
        """Return what a ref's file says.

        Raises:
            DamagedError: It is neither a commit's id nor the name of another ref.
        """
        found: bytes | None = super()._read_loose_ref_file(name)
        if found is None or not (name == HEADREF or name.startswith(b"refs/")):
            return found
        target = found[len(SYMREF) :].strip() if found.startswith(SYMREF) else None
        below = b"refs/heads/" if name == HEADREF else b"refs/"
        if _IS_ID.fullmatch(found) or (target is not None and target.startswith(below)):
            return found
        path = self._path(name)
        if name == HEADREF:
            hint = f'echo "ref: refs/heads/BRANCH" > {path}, with the branch you were on'
        else:
            log = os.path.join(os.fsdecode(self.path), "logs", os.fsdecode(name))
            hint = f"rm {path}, then git update-ref {os.fsdecode(name)} COMMIT; {log} tells which"
        raise DamagedError(
            f"{path} is damaged: it says {found[:60]!r}, neither the id of a commit nor a ref",
            hint=hint,
            kind="git-damaged",
        )

    def _path(self, name: Ref) -> str:
        return os.fsdecode(self.refpath(name))

    def _real(self, name: Ref) -> Ref:
        """Return the ref that a symbolic one points at, or itself."""
        try:
            real = Ref(self.follow(name)[0][-1])
        except (KeyError, IndexError):
            real = name
        if not refname_is_safe(real):
            raise RefFormatError(real)
        return real

    def _current(self, name: Ref) -> ObjectID | None:
        """Return a ref's value as it is on disk now."""
        found = self._read_loose_ref_file(name)
        return ObjectID(found) if found is not None else self.get_packed_refs().get(name)

    def _logged(self, name: Ref, real: Ref) -> list[Ref]:
        """Return the refs whose reflogs tell of a change: the ref, and HEAD if it is on it."""
        on_head = name == HEADREF or self._read_loose_ref_file(HEADREF) == SYMREF + real
        return [real, HEADREF] if on_head and real != HEADREF else [real]

    def _refuse_packed_above(self, name: Ref) -> None:
        packed = self.get_packed_refs()
        above = os.path.dirname(name)
        while above:
            if Ref(above) in packed:
                raise NotADirectoryError(self._path(name))
            above = os.path.dirname(above)

    def _commit(self, lock: GitLock, value: bytes) -> None:
        """Put a value in place, where a removed ref may have left empty folders."""
        if os.path.isdir(lock.path):
            for folder, _, _ in os.walk(lock.path, topdown=False):
                self.locks.files.remove_folder(folder)
        lock.commit(value)

    def _remove_empty_folders(self, name: Ref) -> None:
        """Remove folders that are empty now, so that a ref may bear their name."""
        parts = name.split(b"/")
        for end in range(len(parts) - 1, 2, -1):
            if not self.locks.files.remove_folder(self._path(Ref(b"/".join(parts[:end])))):
                return
