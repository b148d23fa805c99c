"""What is left to settle in a merge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from veml_cli.render.conflict_boxes import box_lines
from veml_cli.render.conflicts import conflict_lines, next_steps
from veml_cli.render.line import Line, line
from veml_cli.render.words import plural

if TYPE_CHECKING:
    from veml_cli._conflicts import OpenConflicts
    from veml_vcs.repository.merging.conflict_boxes import ConflictBox
    from veml_vcs.repository.merging.resolve import ResolveResult


def open_lines(
    found: OpenConflicts, boxes: Mapping[str, Sequence[ConflictBox]], width: int | None = None
) -> Iterator[Line]:
    """Yield the open conflicts with their values, and what to type next.

    Args:
        found: What is open.
        boxes: ``DATASET/KEY`` -> the objects of the sample on both sides.
        width: Columns of the terminal.
    """
    if not (found.conflicts or found.files):
        step = (
            "commit" if found.kind in ("merge", "stash", "squash") else f"{found.kind} --continue"
        )
        yield line(f'No open conflicts (use "veml {step}" to conclude the {found.kind})')
        return
    yield from conflict_lines(found.conflicts, found.files)
    for name, rows in boxes.items():
        if rows:
            yield line("objects of ", (name, "name"))
            yield from box_lines(rows, width)
    yield from next_steps(found.conflicts, found.files, found.kind)


def resolved_lines(result: ResolveResult) -> Iterator[Line]:
    """Yield how many conflicts were settled and how many are left."""
    left = len(result.left) + len(result.files)
    yield line(f"settled {plural(result.settled, 'conflict')}, {left:,} left")
    if left:
        yield line(("veml resolve --list shows them", "hint"))
    else:
        yield line((_finish(result), "hint"))


def _finish(result: ResolveResult) -> str:
    if result.kind in ("merge", "squash"):
        return f"veml commit finishes the {result.kind}"
    if result.kind == "stash":
        return "veml stash drop drops the stash; veml commit keeps what it brought"
    return f"{'git' if result.by_git else 'veml'} {result.kind} --continue goes on"
