"""Which classes are taken for which: the part that the views of classifiers and detectors share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from veml_cli.render.line import Line, line
from veml_cli.render.words import plural

if TYPE_CHECKING:
    from veml_vcs.analysis.confusion import Confusion

_LISTED = 10


def confusion_lines(confusions: Sequence[Confusion]) -> Iterator[Line]:
    """Yield the most frequent ones, after an empty line; nothing where there are none."""
    if not confusions:
        return
    yield line()
    yield line(("taken for another class:", "title"))
    for one in confusions[:_LISTED]:
        yield line("  ", (one.truth, "name"), " as ", (one.said, "name"), f"  {one.count:,}")
    left = len(confusions) - _LISTED
    if left > 0:
        yield line((f"  … and {plural(left, 'pair')} more (--json lists all)", "dim"))
