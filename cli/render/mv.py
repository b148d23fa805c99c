"""The view of ``veml mv``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from veml_cli.render.line import Line, line
from veml_cli.render.words import plural

if TYPE_CHECKING:
    from veml_vcs.repository.moving.mv import MvResult

_LISTED = 20


def moved_lines(result: MvResult) -> Iterator[Line]:
    """Yield what was moved, and which annotation files say so."""
    for old, new in result.datasets.items():
        yield line("mv data ", (old, "name"), " -> ", (new, "name"))
    for path, names in result.keys.items():
        yield line("mv ", plural(len(names), "file"), " of data ", (path, "name"))
        for old, new in list(names.items())[:_LISTED]:
            yield line("  ", old, " -> ", new)
        if len(names) > _LISTED:
            yield line((f"  and {len(names) - _LISTED:,} more (--json lists all)", "dim"))
    if result.across:
        yield line("mv ", plural(len(result.across), "file"), " between data sets")
    for old, new in list(result.across.items())[:_LISTED]:
        yield line("  ", old, " -> ", new)
    if len(result.across) > _LISTED:
        yield line((f"  and {len(result.across) - _LISTED:,} more (--json lists all)", "dim"))
    for old, new in (*result.outside.items(), *result.files.items()):
        yield line("mv ", old, " -> ", new)
    for path, files in result.rewritten.items():
        for file in files[:_LISTED]:
            yield line("  written anew in ", (path, "name"), ": ", file)
        if len(files) > _LISTED:
            yield line((f"  and {len(files) - _LISTED:,} more", "dim"))
