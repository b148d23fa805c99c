"""What ``reset`` did."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from veml_cli.render.line import Line, line
from veml_cli.render.simple import SHORT_ID
from veml_cli.render.words import plural
from veml_vcs.ids import short

if TYPE_CHECKING:
    from veml_vcs.repository.reset import ResetResult
    from veml_vcs.repository.status import Status


def reset_lines(result: ResetResult) -> Iterator[Line]:
    """Yield where HEAD is now, and which data sets were written."""
    if result.mode != "hard":
        return
    at = short(result.commit, SHORT_ID)
    yield line("HEAD is now at ", (at, "id"), " ", result.subject)
    for path, count in result.written.items():
        yield line("  data ", (path, "name"), "  ", plural(count, "file"), " written or removed")


def loose_lines(status: Status) -> Iterator[Line]:
    """Yield what differs between index and work tree, as ``git reset`` lists it."""
    paths = {f"{path}/": "M" for path in status.changed_data}
    paths |= {
        path: "D" if kind == "deleted" else "M" for path, kind in status.changed_files.items()
    }
    if paths:
        yield line("Unstaged changes after reset:")
    for path in sorted(paths):
        yield Line(((paths[path], ""), ("\t", ""), *line(path).pieces))
