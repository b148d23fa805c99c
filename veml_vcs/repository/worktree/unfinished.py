"""What a command is in the middle of: so that a kill leaves nothing behind, and it can go on.

Two kinds of notes, in one folder, written and read under the repository's lock:

* The temporary file of a user's file lies beside it. Before a command writes any, it notes the
  folders in a journal and removes that when it ends. What a dead command left there is removed.
* A command that needs several steps which each look finished (a branch, then HEAD) notes what it is
  about. The same command, run again, knows by it that it goes on and need not refuse.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from veml_vcs.errors import StorageError, VemlError
from veml_vcs.objects.files import TEMPORARY_PREFIX, Files

_INTENT = "intent-"
_DRAFT = "draft-"
MERGE = "merge "
"""How the note of a merge begins."""
SQUASH = "squash "
"""How the note of a commit begins that takes the message of a squash."""
REPLAYS = ("cherry-pick", "revert")
"""The first words of the notes of merges over another base."""


class Unfinished:
    """The notes of one work tree.

    Args:
        folder: Where they lie; it is made when it is needed.
        files: All file operations go through it.

    Attributes:
        interrupted: What the command was about that died last, or None. Forgotten by the next
            command, except for a merge (cherry-pick, revert) whose state was not written yet: that
            stands until it goes on or is given up, and stops a commit meanwhile.
    """

    def __init__(self, folder: str, files: Files) -> None:
        self._folder = folder
        self._files = files
        self.interrupted: str | None = None

    @contextmanager
    def writing(self, folders: Iterable[str]) -> Iterator[None]:
        """Note that files in these folders are written while the block runs.

        Args:
            folders: Absolute paths.

        Raises:
            StorageError: The system says no.
        """
        listed = b"\0".join(sorted(map(os.fsencode, set(folders))))
        if not listed:
            yield
            return
        path = self._new_path("")
        self._files.write_atomic(path, listed, durable=False)
        yield  # if the block raises, the next command looks whether it left something
        self._files.remove(path)

    @contextmanager
    def about(self, what: str) -> Iterator[None]:
        """Note what the block is about, until it ends, or refuses.

        A block that the system stops (a full disk, Control-C) is as good as killed: the note stays.

        Args:
            what: The same text for the same command on the same state.

        Raises:
            StorageError: The system says no.
        """
        path = self._new_path(_INTENT)
        # Held while the process lives: another lock taken inside must not sweep it. It gets its
        # name when all of it is there: half a note would be taken for what the command was about.
        with self._files.open_new(draft := self._new_path(_DRAFT)) as file:
            with self._files.removing_on_failure(draft):
                file.write(os.fsencode(what))
                file.flush()
                self._files.rename(draft, path)
            try:
                yield
            except VemlError as error:
                if not isinstance(error, StorageError):
                    self._files.remove(path)
                raise
            self._files.remove(path)
        if self.interrupted == what:
            self.forget()

    def forget(self) -> None:
        """Forget what was interrupted."""
        self.interrupted = None
        for path in self._paths(_INTENT):
            if self._is_dead(path):
                self._files.remove(path)

    def sweep(self, *, merging: bool) -> None:
        """Remove what dead commands left; note what the last one was about.

        Args:
            merging: A merge is under way whose state is complete: no merge was interrupted.
        """
        self.interrupted = None
        for path in self._paths(""):
            name = os.path.basename(path)
            if name.startswith(_DRAFT):
                if self._is_dead(path):
                    self._files.remove(path)  # of a command that did not begin
                continue
            if name.startswith(_INTENT):
                if self._is_dead(path):
                    self.interrupted = os.fsdecode(self._files.read(path)) or None
                    first = (self.interrupted or "").partition(" ")[0]
                    if merging or first not in (MERGE.strip(), *REPLAYS):
                        self._files.remove(path)
                continue
            for raw in self._files.read(path).split(b"\0"):
                self._clean(os.fsdecode(raw))
            self._files.remove(path)

    def _new_path(self, prefix: str) -> str:
        self._files.make_folder(self._folder, durable=False)
        return os.path.join(self._folder, f"{prefix}{os.getpid()}-{os.urandom(4).hex()}")

    def _paths(self, prefix: str) -> list[str]:
        return [
            os.path.join(self._folder, name)
            for name in self._files.listdir(self._folder)
            if name.startswith(prefix)
        ]

    def _is_dead(self, path: str) -> bool:
        """Tell whether the process that made a note is gone: nobody holds it."""
        with open(path, "rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return False
        return True

    def _clean(self, folder: str) -> None:
        if not os.path.isdir(folder) or os.path.islink(folder):
            return
        for name in self._files.listdir(folder):
            if name.startswith(TEMPORARY_PREFIX):
                self._files.remove(os.path.join(folder, name))
