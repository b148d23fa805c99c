"""What a fetch of data brought, in a few lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from veml_cli.render.line import Line, line
from veml_cli.render.words import plural, size

if TYPE_CHECKING:
    from veml_vcs.repository.sync import FetchResult

_LISTED = 10


def fetch_lines(result: FetchResult) -> Iterator[Line]:
    """Yield what was copied, and what the source lacks."""
    if not result.versions:
        yield line("no data sets there: nothing to fetch")
        return
    if result.files or result.annotations or result.nodes:
        counts = [
            plural(result.files, "file"),
            plural(result.annotations, "annotation"),
            size(result.content_bytes),
        ]
        yield line("fetched ", ", ".join(counts), " from ", (result.source, "name"))
    elif not result.missing:
        yield line("nothing to fetch: ", plural(result.versions, "version"), " complete here")
    for one in result.missing[:_LISTED]:
        yield line(("missing", "removed"), " ", one.version, f"  {one.reason}")
    left = len(result.missing) - _LISTED
    if left > 0:
        yield line((f"… and {left:,} more (--json lists all)", "dim"))
