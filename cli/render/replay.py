"""What ``cherry-pick`` and ``revert`` did."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from veml_cli.render.conflicts import conflict_lines, next_steps
from veml_cli.render.line import Line, line
from veml_cli.render.simple import SHORT_ID, commit_lines
from veml_cli.render.words import plural
from veml_vcs.ids import short

if TYPE_CHECKING:
    from veml_vcs.repository.merging.replay import ReplayResult


def replay_lines(result: ReplayResult, kind: str) -> Iterator[Line]:
    """Yield the new commits, and the conflicts with what to type next."""
    for one in result.commits:
        yield from commit_lines(one)
    for commit in result.empty:
        yield line((short(commit, SHORT_ID), "id"), " has nothing that is not here already")
    if result.kind == "stopped":
        yield line('changes are staged; nothing was committed (use "veml commit")')
    if result.kind == "conflicts":
        yield line(f"could not {kind} ", (short(result.at or "", SHORT_ID), "id"), " cleanly")
        yield from conflict_lines(result.conflicts, result.files)
        yield from next_steps(result.conflicts, result.files, kind)
        if result.todo:
            yield line((f"{plural(len(result.todo), 'commit')} to go after it", "hint"))
