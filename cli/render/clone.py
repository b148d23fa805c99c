"""What a clone brought, in a few lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from veml_cli.render.fetch import fetch_lines
from veml_cli.render.line import Line, line
from veml_cli.render.simple import followed_lines

if TYPE_CHECKING:
    from veml_vcs.repository.clone import CloneResult


def clone_lines(result: CloneResult) -> Iterator[Line]:
    """Yield where the clone is, and what data came along."""
    yield line("cloned into ", (result.root, "name"))
    if result.fetched is not None:
        yield from fetch_lines(result.fetched)
    if result.followed is not None:
        yield from followed_lines(result.followed)
    if result.hint is not None:
        some = result.fetched is not None and bool(result.fetched.missing)
        yield line("not all data came along" if some else "the data did not come along")
        yield line((f"  (use: {result.hint})", "hint"))
