"""The kinds of id, each its own type, so that mypy catches one passed for another.

Everything in the veml store is named by a SHA-256 digest (32 raw bytes in memory, 64 hex digits in
text). A *version id* is the Git blob id of a record: 40 hex digits, as Git prints them.
"""

from __future__ import annotations

import hashlib
from typing import NewType, TypeAlias

from veml_vcs.errors import InvalidInputError

DIGEST_BYTES = 32

Buffer: TypeAlias = bytes | bytearray | memoryview

ObjectId = NewType("ObjectId", bytes)
"""SHA-256 of a stored object: a chunk, a tree node, a fragment manifest."""

SampleId = NewType("SampleId", bytes)
"""SHA-256 of the bytes of one sample, or of one other file of a data set."""

AnnotationId = NewType("AnnotationId", bytes)
"""SHA-256 of the canonical form of one annotation."""

TreeId = NewType("TreeId", bytes)
"""Digest of the root node of a data version's tree. Every node is an object, so it is one too."""

FragmentId = NewType("FragmentId", bytes)
"""SHA-256 of a fragment's manifest."""

VersionId = NewType("VersionId", str)
"""Git blob id (hex) of a record."""

CommitId = NewType("CommitId", str)
"""Git commit id (hex)."""


def digest(data: Buffer) -> bytes:
    """Return the 32-byte SHA-256 of ``data``."""
    return hashlib.sha256(data).digest()


def parse_hex(text: str, what: str = "digest") -> bytes:
    """Turn 64 hex digits into 32 raw bytes.

    Raises:
        InvalidInputError: ``text`` is not exactly 64 lower-case hex digits.
    """
    if len(text) != 2 * DIGEST_BYTES or text.strip("0123456789abcdef"):
        raise InvalidInputError(f"{what}: expected 64 lower-case hex digits, found {text[:80]!r}")
    return bytes.fromhex(text)


def short(identifier: bytes | str, digits: int = 10) -> str:
    """Return the first digits of an id, for messages."""
    return (identifier if isinstance(identifier, str) else identifier.hex())[:digits]
