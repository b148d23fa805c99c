"""How many samples differ between two trees, remembered, so that it is counted once.

``add`` knows what it changed; ``commit``, ``status`` and ``log`` say it again, each time for the
same two trees. The numbers follow from the trees alone, so they are kept under the two ids. The
file is a cache: it may be deleted, and what is damaged or of another form counts as empty.

The file: magic, SHA-256 of the rest, then rows of 104 bytes: ids of both trees, five u64.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Iterable
from contextlib import suppress
from typing import NamedTuple

from veml_vcs.errors import NotFoundError, StorageError
from veml_vcs.ids import DIGEST_BYTES, TreeId
from veml_vcs.repository.repository import Repository
from veml_vcs.samples.tree import Change, EntryKind, Gap, diff_trees

_MAGIC = b"veml changes 1\n"
_ROW = struct.Struct("<32s32s5Q")
_MOST = 2048
"""Pairs remembered: 200 KB, the newest."""


class ChangeCounts(NamedTuple):
    """How a tree differs from another one.

    Attributes:
        added: Number of new samples.
        changed: Number of samples with other bytes.
        annotated: Number of samples whose annotation alone differs.
        removed: Number of samples that are gone.
        files: Number of other files that differ.
    """

    added: int = 0
    changed: int = 0
    annotated: int = 0
    removed: int = 0
    files: int = 0


def count_changes(changes: Iterable[Change]) -> ChangeCounts:
    """Count changes."""
    added = changed = annotated = removed = files = 0
    for _, old, new in changes:
        was = old is not None and old.kind is EntryKind.SAMPLE
        now = new is not None and new.kind is EntryKind.SAMPLE
        if not was and not now:
            files += 1
        elif not was:
            added += 1
        elif not now:
            removed += 1
        elif old and new and old.content != new.content:
            changed += 1
        else:
            annotated += 1
    return ChangeCounts(added, changed, annotated, removed, files)


def counts_between(
    repo: Repository,
    old: TreeId,
    new: TreeId,
    gaps: list[Gap] | None = None,
    old_gaps: list[Gap] | None = None,
) -> ChangeCounts:
    """Return how many samples differ between two trees of the store.

    Args:
        repo: The repository.
        old: One tree.
        new: The other.
        gaps: Takes what cannot be read of ``new``, which is not counted then.
        old_gaps: The same of ``old``.

    Raises:
        NotFoundError: The store lacks a node, and the numbers are not remembered.
        DamagedError: The nodes read are not a tree.
    """
    known = _load(repo).get((old, new))
    if known is None:
        known = count_changes(diff_trees(repo.store, old, new, gaps, old_gaps))
        if not (gaps or old_gaps):
            remember_counts(repo, old, new, known)
    return known


def remember_counts(repo: Repository, old: TreeId, new: TreeId, counts: ChangeCounts) -> None:
    """Keep the numbers of a pair of trees."""
    known = _load(repo)
    known.pop((old, new), None)
    rows = [*known.items(), ((old, new), counts)][-_MOST:]
    body = b"".join(_ROW.pack(*pair, *numbers) for pair, numbers in rows)
    # Looking must work on a disk that is full or read-only.
    with suppress(StorageError):
        repo.files.make_folder(os.path.dirname(_path(repo)), durable=False)  # an old store, a clone
        data = _MAGIC + hashlib.sha256(body).digest() + body
        repo.files.write_atomic(_path(repo), data, durable=False)


def _load(repo: Repository) -> dict[tuple[TreeId, TreeId], ChangeCounts]:
    try:
        data = repo.files.read(_path(repo))
    except (NotFoundError, StorageError):
        return {}
    start = len(_MAGIC) + DIGEST_BYTES
    body = data[start:]
    sound = data[: len(_MAGIC)] == _MAGIC and len(body) % _ROW.size == 0
    if not sound or hashlib.sha256(body).digest() != data[len(_MAGIC) : start]:
        return {}
    return {
        (TreeId(old), TreeId(new)): ChangeCounts(*numbers)
        for old, new, *numbers in _ROW.iter_unpack(body)
    }


def _path(repo: Repository) -> str:
    return os.path.join(repo.folder, "cache", "changes")
