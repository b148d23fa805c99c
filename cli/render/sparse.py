"""Views of ``veml sparse``, and the one line that ``veml status`` has for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from veml_cli.render.line import Line, line
from veml_cli.render.words import plural

if TYPE_CHECKING:
    from veml_vcs.repository.sparse.verbs import SparseData, SparseResult


def sparse_lines(result: SparseResult) -> Iterator[Line]:
    """Yield what came and went, and what is in the work tree now."""
    for path, count in result.removed.items():
        yield line("left out ", plural(count, "file"), " of data ", (path, "name"))
    for path, count in result.written.items():
        yield line("brought back ", plural(count, "file"), " of data ", (path, "name"))
    yield from data_lines(result.datasets)


def data_lines(datasets: Sequence[SparseData]) -> Iterator[Line]:
    """Yield one data set a line, with its conditions below."""
    if not datasets:
        yield line("no data sets")
    width = max((len(one.path) for one in datasets), default=0)
    for one in datasets:
        said = {
            "all": "everything",
            "none": "no data",
            "some": f"{one.present:,} of {plural(one.samples, 'sample')}",
        }[one.mode]
        yield line((f"{one.path:<{width}}", "name"), "  ", said)
        for conditions in one.conditions:
            yield line("    ", (_options(conditions), "dim"))
        if one.stale:
            yield line(
                "    ",
                plural(one.stale, "sample"),
                " would come or go: what is said of them changed",
            )
            yield line(("    (use: veml sparse reapply)", "hint"))


def status_lines(sparse: Mapping[str, int | None]) -> Iterator[Line]:
    """Yield what status says of data that is left out: one line, and how to get it."""
    if not sparse:
        return
    parts = []
    none = [path for path, count in sparse.items() if count is None]
    count = sum(count or 0 for count in sparse.values())
    if count:
        parts.append(f"{plural(count, 'file')} left out")
    if none:
        parts.append(
            f"no data of {none[0]}" if len(none) == 1 else f"no data of {len(none)} data sets"
        )
    yield line(f"Sparse work tree: {', '.join(parts)} ", ('(see "veml sparse list")', "hint"))


def _options(conditions: Mapping[str, Any]) -> str:
    """Return conditions as the options they were given by."""
    words = []
    for name, value in conditions.items():
        words += [
            f"--{name} {one!r}" if isinstance(one, str) else f"--{name} {one}"
            for one in (value if isinstance(value, list) else [value])
        ]
    return " ".join(words)
