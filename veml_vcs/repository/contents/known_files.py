"""What the kinds of files that veml understands share: which to compare, what a merge gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from veml_vcs.repository.merging.conflict import DataConflict
from veml_vcs.samples.tree import Change, Entry

ReadEntry: TypeAlias = Callable[[str, Entry], bytes | None]
"""Returns the bytes of a key's entry; None where they cannot be had."""


@dataclass(frozen=True)
class MergedFile:
    """The bytes of a merged file, and what both sides changed differently."""

    data: bytes
    conflicts: tuple[DataConflict, ...]


def both_sides(
    changes: Iterable[Change], read: ReadEntry, wanted: Callable[[str], bool]
) -> Iterator[tuple[str, bytes, bytes]]:
    """Yield key, old bytes and new bytes of wanted files that both sides have and that differ."""
    for change in changes:
        old, new = change.old, change.new
        if old is None or new is None or old.content == new.content or not wanted(change.key):
            continue
        if old.content is None or new.content is None:
            continue
        before, after = read(change.key, old), read(change.key, new)
        if before is not None and after is not None:
            yield change.key, before, after
