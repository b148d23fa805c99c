"""What each file of a data set's folder was when it was last read, so that nothing is read twice.

As Git's index: a file whose size, mtime and inode are those remembered is taken as unchanged,
unless it was last changed so close to the moment the cache was written that a later change could
bear the same time stamp (a *racily clean* file: it is read again). The cache is derived and local;
losing it costs reading the folder once.

Beside the stamps stand *hints* of the versions that the folder held (see ``hints``).

The file: magic, SHA-256 of the rest, tree, count, then columns (size, mtime, inode as uint64; flags
as bytes; content ids), the length of the keys joined by NUL (u64), these, and the hints.
Standard library only, because ``status`` must start fast.
"""

from __future__ import annotations

import hashlib
import os
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from operator import itemgetter
from typing import Any, NamedTuple

from veml_vcs.ids import DIGEST_BYTES, SampleId
from veml_vcs.objects.files import Files
from veml_vcs.repository.worktree.scan import Stamp
from veml_vcs.samples.tree.entry import decode_key, encode_key

_MAGIC = b"veml statcache 3\n"
_TICK_NS = 20_000_000
"""File systems stamp with the kernel's tick (1-10 ms), not with the clock."""
_MTIME = Stamp._fields.index("mtime_ns")


@dataclass
class StatCache:
    """Remembered stamps and content ids.

    Attributes:
        tree: Digest of the tree whose entries the whole folder was last known to match, if any.
        written_ns: mtime of the cache file; stamps at or after it prove nothing.
        stamps: Key -> stamp.
        contents: Key -> SHA-256 of the bytes it had with that stamp.
        hints: What is known of versions besides; see ``hints``.
    """

    tree: bytes = bytes(DIGEST_BYTES)
    written_ns: int = 0
    stamps: dict[str, Stamp] = field(default_factory=dict)
    contents: dict[str, SampleId] = field(default_factory=dict)
    hints: bytes = b""

    def known(self, key: str, stamp: Stamp) -> SampleId | None:
        """Return the content id of a file if its stamp proves that it is unchanged."""
        if self.stamps.get(key) != stamp or stamp.mtime_ns >= self.written_ns - _TICK_NS:
            return None
        return self.contents[key]

    def clean(self, found: Mapping[str, Stamp]) -> bool:
        """Tell whether a folder's files are exactly those remembered, by their stamps."""
        if found != self.stamps:
            return False
        newest = max(map(itemgetter(_MTIME), found.values()), default=0)
        return newest < self.written_ns - _TICK_NS

    def changed(self, found: Mapping[str, Stamp]) -> list[str]:
        """Return the keys whose stamps differ, or prove nothing."""
        limit = self.written_ns - _TICK_NS
        stamps = self.stamps
        return [
            key
            for key, stamp in found.items()
            if stamps.get(key) != stamp or stamp.mtime_ns >= limit
        ]


class StoredCache(NamedTuple):
    """A cache as it lies on disk.

    Attributes:
        body: What follows the checksum; empty if there is no sound cache.
        written_ns: mtime of the file.
    """

    body: bytes = b""
    written_ns: int = 0

    def clean(self, tree: bytes, found: Mapping[str, Stamp]) -> bool:
        """Tell whether files in the order of a scan are plainly those of a tree, by their stamps.

        As ``StatCache.clean``, in a quarter of the time; False also if files are remembered in
        another order.
        """
        if self.body[:DIGEST_BYTES] != tree or not found:
            return False
        columns = list(zip(*found.values(), strict=True))
        keys, numbers = _encode(found, columns)
        at = len(tree) + len(numbers)
        if self.body[len(tree) : at] != numbers:
            return False
        at += DIGEST_BYTES * len(found)
        if self.body[at : at + len(keys)] != keys:
            return False
        newest: int = max(columns[_MTIME])
        return newest < self.written_ns - _TICK_NS

    def decoded(self) -> StatCache:
        """Return what is remembered; nothing where that cannot be read."""
        if not self.body:
            return StatCache()
        try:
            return _decode(self.body, self.written_ns)
        except ValueError:
            return StatCache()


def read_statcache(path: str, files: Files) -> StoredCache:
    """Read a cache and check it; a missing or damaged one is empty."""
    try:
        written_ns = os.stat(path).st_mtime_ns
        data = bytes(files.read(path))
    except FileNotFoundError:
        return StoredCache()
    start = len(_MAGIC) + DIGEST_BYTES
    body = data[start:]
    if data[: len(_MAGIC)] != _MAGIC or hashlib.sha256(body).digest() != data[len(_MAGIC) : start]:
        return StoredCache()
    return StoredCache(body, written_ns)


def load_statcache(path: str, files: Files) -> StatCache:
    """Read a cache; a missing or damaged one is empty."""
    return read_statcache(path, files).decoded()


def _decode(body: bytes, written_ns: int) -> StatCache:
    """Read what follows the checksum; ValueError if that is no cache."""
    tree, at = body[:DIGEST_BYTES], DIGEST_BYTES
    count = int.from_bytes(body[at : at + 8], "little")
    at += 8
    columns = []
    for _ in range(3):
        column = array("Q")
        column.frombytes(body[at : at + 8 * count])
        columns.append(column)
        at += 8 * count
    flags = body[at : at + count]
    at += count
    ids = body[at : at + DIGEST_BYTES * count]
    at += DIGEST_BYTES * count
    length = int.from_bytes(body[at : at + 8], "little")
    at += 8
    keys = decode_key(body[at : at + length]).split("\0") if count else []
    # As Stamp(*row) for each row, but at the speed of tuple.
    rows = map(partial(tuple.__new__, Stamp), zip(*columns, map(bool, flags), strict=True))
    stamps = dict(zip(keys, rows, strict=True))
    pieces: list[Any] = [ids[i : i + DIGEST_BYTES] for i in range(0, len(ids), DIGEST_BYTES)]
    contents: dict[str, SampleId] = dict(zip(keys, pieces, strict=True))
    if len(ids) != DIGEST_BYTES * count or len(stamps) != count:
        raise ValueError(f"{len(keys)} keys of {count} files")
    return StatCache(tree, written_ns, stamps, contents, body[at + length :])


def save_statcache(
    path: str,
    files: Files,
    tree: bytes,
    stamps: Mapping[str, Stamp],
    contents: Mapping[str, SampleId],
    hints: bytes = b"",
) -> None:
    """Write a cache.

    Args:
        path: Where it goes.
        files: All file operations go through it.
        tree: Digest of the tree that the folder matches as a whole, or 32 zero bytes.
        stamps: Key -> stamp.
        contents: Key -> content id, of the same keys (and maybe more).
        hints: See ``hints``.
    """
    columns = list(zip(*stamps.values(), strict=True)) or [()] * len(Stamp._fields)
    keys, numbers = _encode(stamps, columns)
    body = b"".join((tree, numbers, *map(contents.__getitem__, stamps), keys, hints))
    files.write_atomic(path, _MAGIC + hashlib.sha256(body).digest() + body, durable=False)


def _encode(keys: Iterable[str], columns: Sequence[Sequence[int]]) -> tuple[bytes, bytes]:
    """Return keys and stamps as they are stored, each with its length before it."""
    joined = encode_key("\0".join(keys))
    numbers = (
        len(columns[0]).to_bytes(8, "little"),
        *(array("Q", column).tobytes() for column in columns[:3]),
        bytes(columns[3]),
    )
    return len(joined).to_bytes(8, "little") + joined, b"".join(numbers)
