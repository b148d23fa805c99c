"""Commits and tags whose header is not as Git writes it: Git reads them, so does veml.

Converters from other systems have left lines without a date, without a time zone or without a mail
address in many a history. Dulwich refuses most of them, and gives others no date.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping

from dulwich.objects import Commit, ObjectID, ShaFile, Tag

_WHO = re.compile(rb"^(author|committer|tagger)(?: (.*))?$", re.MULTILINE)
_BARE = re.compile(rb"^[^ \n]+\n", re.MULTILINE)
"""A header without a value."""
_DATE = re.compile(rb" *(\d{1,18})(?!\d)(?: +([+-])(\d{1,4})(?!\d))?")
_TRAILING_DATE = re.compile(rb"(?<! ) +\d+(?: +[+-]\d+)? *$")
_LARGEST = 1 << 24


class OddCommit(Commit):
    """A commit, its author and committer read as Git's ``split_ident_line`` does (ident.c).

    What is no date is 1970-01-01, what is no time zone is UTC. The bytes stay what they are.
    """

    __slots__ = ()

    def _deserialize(self, chunks: list[bytes]) -> None:
        plain, who = _mended(chunks)
        super()._deserialize([plain])
        author, committer = who.get(b"author", b""), who.get(b"committer", b"")
        self._author, self._author_time, self._author_timezone = _ident(author)
        self._committer, self._commit_time, self._commit_timezone = _ident(committer)


class OddTag(Tag):
    """An annotated tag, read in the same way."""

    __slots__ = ()

    def _deserialize(self, chunks: list[bytes]) -> None:
        plain, who = _mended(chunks)
        super()._deserialize([plain])
        if b"tagger" in who:
            self._tagger, self._tag_time, self._tag_timezone = _ident(who[b"tagger"])


def is_odd(found: ShaFile) -> bool:
    """Tell whether dulwich found an object to be without a name or a date that Git reads."""
    if isinstance(found, Commit):
        return None in (found.author, found.committer, found.author_time, found.commit_time)
    return isinstance(found, Tag) and found.tagger is not None and found.tag_time is None


def read_odd(kind: int, data: bytes, name: ObjectID) -> OddCommit | OddTag:
    """Return a commit or a tag.

    Args:
        kind: Dulwich's number of its type.
        data: Its bytes.
        name: Its id, against which they are checked.

    Raises:
        ValueError: It is neither.
        ChecksumMismatch: It is another object.
        ObjectFormatException: It is damaged.
    """
    if kind not in (Commit.type_num, Tag.type_num):
        raise ValueError("neither a commit nor a tag")
    found = OddCommit() if kind == Commit.type_num else OddTag()
    found.set_raw_chunks([data], verify_sha=name)
    return found


def inflated(data: bytes) -> tuple[int, bytes]:
    """Return the type of a loose object (0 is another one than these), and its bytes.

    Raises:
        ValueError: It is none, or larger than any of them (16 MiB).
        zlib.error: It is damaged.
    """
    plain = zlib.decompressobj().decompress(data, _LARGEST)
    if len(plain) == _LARGEST:
        raise ValueError("larger than a commit can be")
    head, _, data = plain.partition(b"\0")
    kinds = {b"commit": Commit.type_num, b"tag": Tag.type_num}
    return kinds.get(head.partition(b" ")[0], 0), data


def _mended(chunks: list[bytes]) -> tuple[bytes, Mapping[bytes, bytes]]:
    """Return an object that dulwich reads, and the first line of each who is named in it."""
    head, _, message = b"".join(chunks).partition(b"\n\n")
    who: dict[bytes, bytes] = {}
    for line in _WHO.finditer(head):
        who.setdefault(line[1], line[2] or b"")
    plain = _BARE.sub(b"", _WHO.sub(rb"\1 <> 0 +0000", head) + b"\n")
    return plain + b"\n" + message, who


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
