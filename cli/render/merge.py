"""What a merge did: where every sample and box of the result came from, and what contradicts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from veml_cli.render.conflicts import conflict_lines, next_steps
from veml_cli.render.line import Line, Piece, line
from veml_cli.render.records import stale_line
from veml_cli.render.words import key_name, plural
from veml_vcs.ids import short

if TYPE_CHECKING:
    from veml_vcs.repository.merging.data import DataMerge
    from veml_vcs.repository.merging.merge import MergeResult

_SHORT_ID = 7


def merge_lines(result: MergeResult, revision: str) -> Iterator[Line]:
    """Yield the result of a merge.

    Args:
        result: What the library did.
        revision: What was merged, as the user called it.
    """
    at: Piece = (short(result.commit, _SHORT_ID), "id")
    if result.kind == "up-to-date":
        yield line("Already up to date." + (" (nothing to squash)" if result.squash else ""))
        return
    if result.kind == "fast-forward":
        yield line("Fast-forward to ", at)
        return
    for data in result.data:
        yield from _data(data)
    for one in result.stale:
        of = "trained on" if one.kind == "training" else "made of"
        told = f"; its metrics stay those of what it was {of}"
        yield line(f"{one.kind} ") + stale_line(one) + line(told)
    if result.squash:
        yield line("Squash commit -- not updating HEAD")
    if result.kind == "conflicts":
        yield from conflict_lines(result.conflicts, result.files)
        yield from next_steps(
            result.conflicts, result.files, "squash" if result.squash else "merge"
        )
    elif result.kind == "stopped":
        yield line("Automatic merge went well; stopped before committing as requested")
    else:
        yield line("Merged ", (revision, "ref"), " as ", at)


def _data(data: DataMerge) -> Iterator[Line]:
    yield line("data ", (data.path, "name"), f"  {_samples(data)}")
    boxes = data.boxes
    if boxes.base or boxes.merged:
        added = boxes.added_ours + boxes.added_theirs + boxes.added_both
        removed = boxes.removed_ours + boxes.removed_theirs + boxes.removed_both
        yield line(
            "  boxes of samples that both sides changed: ",
            f"base {boxes.base:,} + added {added:,} - removed {removed:,} = {boxes.merged:,}",
        )
    settled = sum(1 for one in data.conflicts if one.choice is not None)
    if settled:
        yield line(f"  {plural(settled, 'conflict')} settled by rule")
    if data.rewritten:
        more = f" and {len(data.rewritten) - 1:,} more" if len(data.rewritten) > 1 else ""
        yield line(("  written anew: ", "dim"), (key_name(data.rewritten[0]) + more, "dim"))


def _samples(data: DataMerge) -> str:
    count = data.samples
    if data.record is None or not count:
        return "removed"
    return (
        f"base {count.get('base', 0):,} + added {count.get('added', 0):,} "
        f"- removed {count.get('removed', 0):,} = {count.get('merged', 0):,} samples"
    )
