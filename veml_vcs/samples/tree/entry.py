"""One entry of a data version's tree: what stands under a key."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

from veml_vcs.errors import InvalidInputError
from veml_vcs.ids import AnnotationId, SampleId

MAX_KEY_BYTES = 4096
# HFS+ leaves these out of file names, so that ".g\u200cit" is ".git" there; Git's own list.
_IGNORED_BY_HFS = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")


class EntryKind(IntEnum):
    """What an entry is."""

    SAMPLE = 1
    FILE = 2
    ANNOTATION_ONLY = 3
    """Named in an annotation file, absent from the folder; kept so that nothing said is lost."""


class Entry(NamedTuple):
    """What stands under one key.

    Attributes:
        kind: Sample, other file, or annotation without a sample.
        content: SHA-256 of the bytes; None only for ``ANNOTATION_ONLY``.
        annotation: Id of what is said about the sample; None for files and unannotated samples.
        size: Length of the bytes.
        executable: Whether the file's owner may execute it.
    """

    kind: EntryKind
    content: SampleId | None
    annotation: AnnotationId | None = None
    size: int = 0
    executable: bool = False


def encode_key(key: str) -> bytes:
    """Return the bytes a key is sorted, hashed and stored by (a POSIX file name's own bytes).

    Raises:
        InvalidInputError: No bytes decode to this key: it holds a surrogate that stands for no
            undecodable byte.
    """
    try:
        raw = key.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise _unusable(key, str(error)) from error
    if not key.isascii() and decode_key(raw) != key:
        raise _unusable(key, "surrogates that hide valid UTF-8")
    return raw


def decode_key(raw: bytes) -> str:
    """Return the key whose bytes are ``raw``."""
    return raw.decode("utf-8", "surrogateescape")


def check_key(key: str) -> str:
    """Return ``key`` if it can be a key of a data set.

    A key is a POSIX path relative to the data set's folder, or, with a leading ``/``, relative to
    the root of the repository. Keys of a cloned repository come from strangers, so this is checked
    wherever a tree is read.

    Raises:
        InvalidInputError: The key is empty, too long, holds a NUL or a surrogate that stands for
            no byte, or has a part that is empty, ``.``, ``..`` or ``.git``.
    """
    path = key[1:] if key.startswith("/") else key
    if not path or "\0" in key or len(encode_key(key)) > MAX_KEY_BYTES:
        raise _unusable(key, "empty, too long, or with a NUL")
    if not key.isascii():
        path = _IGNORED_BY_HFS.sub("", path) or "."
    if path[0] in "./" or path[-1] == "/" or "/." in path or "//" in path:
        for part in path.split("/"):
            if part in ("", ".", "..") or part.lower() == ".git":
                raise _unusable(key, f"part {part!r}")
    return key


def all_plain(keys: Sequence[str]) -> bool:
    """Tell, quickly, that ``check_key`` would accept all of these; False where it may not.

    Args:
        keys: At least one, ASCII alone.
    """
    joined = "\0".join(keys)
    return (
        joined.count("\0") == len(keys) - 1
        and joined[:1] not in ("", ".", "/", "\0")
        and joined[-1] not in ("/", "\0")
        and not ("/." in joined or "//" in joined or "\0." in joined)
        and not ("\0/" in joined or "/\0" in joined or "\0\0" in joined)
        and (len(joined) <= MAX_KEY_BYTES or max(map(len, keys)) <= MAX_KEY_BYTES)
    )


def _unusable(key: str, why: str) -> InvalidInputError:
    return InvalidInputError(f"not a usable file name in a data set: {key[:80]!r} ({why})")
