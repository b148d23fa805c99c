"""Much of a history at once, read by the program git: three streams for any number of commits.

An object by dulwich costs 0.2 ms; git gives thousands in that time. What it gives is compared with
its id here, as dulwich's is; that holds for commits and blobs. Trees are compared by git itself.

veml needs no git: who reads by this has another way, and takes it after ``BulkError``, which says
no more than that this one is not to be had. Errors that a user reads are the other way's.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import threading
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import IO, Literal

from veml_vcs.repository.git.brought import SUFFIX, Brought, brought_of
from veml_vcs.repository.git.repo import GitRepo

_CHUNK = 1 << 20
_ID_DIGITS = 40
_PLAIN = (b":000000 100644 ", b":100644 100644 ")
"""How a file that is new, or another, begins that has one parent and a plain mode."""
_OLD, _NEW = slice(15, 15 + _ID_DIGITS), slice(16 + _ID_DIGITS, 16 + 2 * _ID_DIGITS)
_NONE = b"0" * _ID_DIGITS


class BulkError(Exception):
    """Git is not there, or does not read this; never shown."""


class Bulk:
    """Reads by the program git.

    Args:
        git: The repository.

    Raises:
        BulkError: There is no such program, or it is not known what it would say.
    """

    def __init__(self, git: GitRepo) -> None:
        program = shutil.which("git")
        if program is None or git.dulwich.object_format.hex_length != _ID_DIGITS:
            raise BulkError
        # Replaced objects are not dulwich's; grafts and shallow are known to both. What a partial
        # clone lacks is not fetched, one by one.
        self._command = [program, "--no-replace-objects", f"--git-dir={git.control_folder}"]
        self._environment = {
            name: value for name, value in os.environ.items()
            if not name.startswith("GIT_") or name == "GIT_EXEC_PATH"
        } | {"GIT_NO_LAZY_FETCH": "1"}  # fmt: skip

    def commits(
        self, heads: Iterable[str], without: Iterable[str] = ()
    ) -> dict[str, tuple[str, ...]]:
        """Return the commits that some reach and others do not: id -> parents, parents first.

        Args:
            heads: Where to start.
            without: Left out with all that they reach; one that Git has no more leaves out nothing.

        Raises:
            BulkError: Git does not read it.
        """
        feed = [*heads, *("^" + one for one in without)]
        arguments = (
            "rev-list",
            "--parents",
            "--topo-order",
            "--reverse",
            "--ignore-missing",
            "--stdin",
        )
        found: dict[str, tuple[str, ...]] = {}
        with self._run(arguments, feed) as out:
            for line in out:
                one, *parents = line.decode("ascii").split()
                found[one] = tuple(parents)
        return found

    def brought(self, commits: Iterable[str]) -> Iterator[tuple[str, list[Brought]]]:
        """Yield the records that commits brought, in their order; nothing of those without any.

        Raises:
            BulkError: Git does not read it.
        """
        arguments = (
            "diff-tree", "--stdin", "--root", "-c", "-r", "-z", "--raw", "--no-abbrev",
            "--no-renames", "--ignore-submodules=none", "--", f"*{SUFFIX.decode()}",
        )  # fmt: skip
        commit = ""
        items: list[Brought] = []
        with self._run(arguments, commits) as out:
            fields = _fields(out)
            for field in fields:
                if not field.startswith(b":"):
                    if items:
                        yield commit, items
                    commit, items = field.decode("ascii"), []
                    continue
                path = next(fields)
                if field.startswith(_PLAIN):  # nearly all, in a third of the time
                    was, sha = field[_OLD], field[_NEW]
                    if was != sha:
                        old = () if was == _NONE else (was.decode(),)
                        items.append(Brought(os.fsdecode(path), sha.decode(), old))
                    continue
                count = len(field) - len(field.lstrip(b":"))
                words = field[count:].split(b" ")
                modes = [int(one, 8) for one in words[: count + 1]]
                shas = words[count + 1 : 2 * count + 2]
                before = list(zip(modes, shas, strict=True))
                one = brought_of(path, before.pop(), before)
                if one is not None:
                    items.append(one)
        if items:
            yield commit, items

    def contents(
        self, ids: Iterable[str], kind: Literal["commit", "blob"]
    ) -> Iterator[tuple[str, bytes | None]]:
        """Yield objects with their bytes, in order; None where Git has none that is what it says.

        Raises:
            BulkError: Git does not read it.
        """
        wanted = list(ids)
        with self._run(("cat-file", "--batch", "--buffer"), wanted) as out:
            for one in wanted:
                words = out.readline().split()
                if len(words) != 3:  # ID missing
                    yield one, None
                    continue
                size = int(words[2])
                data = out.read(size + 1)[:-1]
                sound = words[1] == kind.encode() and len(data) == size
                name = hashlib.sha1(b"%s %d\0" % (words[1], size), usedforsecurity=False)
                name.update(data)
                yield one, data if sound and name.hexdigest() == one else None

    @contextmanager
    def _run(self, arguments: Collection[str], feed: Iterable[str]) -> Iterator[IO[bytes]]:
        """Run git; what it is asked for goes in while what it says comes out."""
        try:
            process = subprocess.Popen(
                [*self._command, *arguments], env=self._environment,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                bufsize=_CHUNK, pipesize=_CHUNK,  # more at a time: each process is woken less often
            )  # fmt: skip
        except OSError as error:
            raise BulkError from error
        assert process.stdin is not None
        assert process.stdout is not None
        feeder = threading.Thread(target=_feed, args=(process.stdin, feed), daemon=True)
        feeder.start()
        whole = False
        try:
            yield process.stdout
            whole = True
        except (ValueError, StopIteration) as error:  # ended in the middle
            raise BulkError from error
        finally:
            if not whole:
                process.kill()
            process.stdout.close()
            feeder.join()
            code = process.wait()
        if code != 0:
            raise BulkError


def _feed(pipe: IO[bytes], lines: Iterable[str]) -> None:
    try:
        with pipe:
            pipe.write("".join(f"{one}\n" for one in lines).encode("ascii"))
    except OSError:  # git has ended; its exit code says why
        pass


def _fields(out: IO[bytes]) -> Iterator[bytes]:
    """Yield what stands between NULs."""
    rest = b""
    while chunk := out.read(_CHUNK):
        *whole, rest = (rest + chunk).split(b"\0")
        yield from whole
    if rest:
        raise ValueError("ended in the middle")
