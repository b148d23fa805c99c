"""Commits whose author or committer line is not as Git writes it: Git reads them, so does veml.

Converters from other systems have left lines without a date, without a time zone or without a mail
address in many a history. Dulwich refuses most of them, and gives others no date.
"""

from __future__ import annotations

import re
import zlib

from dulwich.objects import Commit

_LINE = re.compile(rb"(author|committer)(?: ([^\n]*))?\n")
_DATE = re.compile(rb" *(\d{1,18})(?!\d)(?: +([+-])(\d{1,4})(?!\d))?")
_TRAILING_DATE = re.compile(rb" +\d+(?: +[+-]\d+)? *$")
_LARGEST_COMMIT = 1 << 24


class OddCommit(Commit):
    """A commit, its author and committer read as Git's ``split_ident_line`` does (ident.c).

    What is no date is 1970-01-01, what is no time zone is UTC. The bytes stay what they are.
    """

    __slots__ = ()

    def _deserialize(self, chunks: list[bytes]) -> None:
        head, separator, message = b"".join(chunks).partition(b"\n\n")
        plain = _LINE.sub(rb"\1 <> 0 +0000\n", head + b"\n")[:-1]
        super()._deserialize([plain + separator + message])
        # The first of each, as Git and dulwich take them.
        lines = {line[1]: line[2] or b"" for line in reversed([*_LINE.finditer(head + b"\n")])}
        self._author, self._author_time, self._author_timezone = _ident(lines.get(b"author", b""))
        self._committer, self._commit_time, self._commit_timezone = _ident(
            lines.get(b"committer", b"")
        )


def is_odd(commit: Commit) -> bool:
    """Tell whether dulwich found a commit to be without a name or a date."""
    return None in (commit.author, commit.committer, commit.author_time, commit.commit_time)


def inflated(data: bytes) -> bytes:
    """Return what a loose object holds, without its header.

    Raises:
        ValueError: It is none, or larger than any commit (16 MiB).
        zlib.error: It is damaged.
    """
    plain = zlib.decompressobj().decompress(data, _LARGEST_COMMIT)
    if len(plain) == _LARGEST_COMMIT:
        raise ValueError("larger than a commit can be")
    return plain[plain.index(b"\0") + 1 :]


def _ident(line: bytes) -> tuple[bytes, int, int]:
    """Return a person, seconds since 1970, and how far the zone is east of UTC in seconds."""
    end = line.rfind(b">")
    if end < 0:
        return _TRAILING_DATE.sub(b"", line) + b" <>", 0, 0
    date = _DATE.match(line, end + 1)
    if date is None:
        return line[: end + 1], 0, 0
    number = int(date[3] or 0)
    east = (number // 100 * 60 + number % 100) * 60
    return line[: end + 1], int(date[1]), -east if date[2] == b"-" else east
