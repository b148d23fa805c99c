"""Stashes: the list, and what bringing one back did."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from veml_cli.render.conflicts import conflict_lines, next_steps
from veml_cli.render.line import Line, line

if TYPE_CHECKING:
    from veml_vcs.repository.stashing.stash import StashEntry, StashResult


def list_lines(entries: Iterable[StashEntry]) -> Iterator[Line]:
    """Yield the stashes as ``git stash list`` does."""
    for one in entries:
        yield line((one.name, "id"), ": ", one.message)


def applied_lines(result: StashResult) -> Iterator[Line]:
    """Yield whether the stash is dropped, or what contradicts it."""
    if result.dropped:
        yield line("Dropped ", (result.entry.name, "id"), f" ({result.entry.commit})")
    if result.conflicts or result.files:
        yield from conflict_lines(result.conflicts, result.files)
        yield from next_steps(result.conflicts, result.files, "stash")
        yield line("The stash entry is kept in case you need it again.")
