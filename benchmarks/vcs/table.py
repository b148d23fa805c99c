"""Turns costs into Markdown: CPU with its ratio to the limit, wall, bytes written, fsync calls."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence

from benchmarks.vcs.measure import Cost

Results = Mapping[str, Mapping[str, Sequence[Cost]]]
"""Step -> tool -> one cost a round. Both in the order they are shown."""

NOTHING = "–"

# Below this a process has hardly started, and a ratio says nothing.
_LEAST_SECONDS = 0.005


def median_cost(costs: Sequence[Cost]) -> Cost:
    """Return the median of each number over the rounds, and the first note there is."""
    fsyncs = [cost.fsyncs for cost in costs if cost.fsyncs is not None]
    return Cost(
        cpu_seconds=statistics.median(cost.cpu_seconds for cost in costs),
        wall_seconds=statistics.median(cost.wall_seconds for cost in costs),
        written_bytes=round(statistics.median(cost.written_bytes for cost in costs)),
        fsyncs=round(statistics.median(fsyncs)) if fsyncs else None,
        note=next((cost.note for cost in costs if cost.note), ""),
    )


def cpu_table(results: Results, tools: Sequence[str], limit: str) -> str:
    """Return CPU seconds of the process tree, each with its multiple of the limit's."""

    def show(cost: Cost, bound: Cost | None) -> str:
        text = _seconds(cost.cpu_seconds)
        if bound is not None and bound.cpu_seconds >= _LEAST_SECONDS:
            text += f" ({cost.cpu_seconds / bound.cpu_seconds:.1f} x)"
        return text

    return _table("CPU seconds (multiple of the limit)", results, tools, limit, show)


def wall_table(results: Results, tools: Sequence[str], limit: str) -> str:
    """Return wall seconds."""
    return _table(
        "wall seconds", results, tools, limit, lambda cost, _: _seconds(cost.wall_seconds)
    )


def written_table(results: Results, tools: Sequence[str], limit: str) -> str:
    """Return megabytes written, of the steps that write."""

    def show(cost: Cost, _: Cost | None) -> str:
        return f"{cost.written_bytes / 1e6:.2f}" if cost.written_bytes else NOTHING

    return _table("MB written", results, tools, limit, show)


def fsync_table(results: Results, tools: Sequence[str], limit: str) -> str:
    """Return the number of fsync calls and their like."""

    def show(cost: Cost, _: Cost | None) -> str:
        return NOTHING if cost.fsyncs is None else str(cost.fsyncs)

    return _table("fsync calls", results, tools, limit, show)


def store_table(store_bytes: Mapping[str, int], limit: str) -> str:
    """Return the store's size after the edits, as a multiple of the data's."""
    lines = ["| store | MB | multiple of the data |", "| --- | --- | --- |"]
    data_bytes = store_bytes[limit]
    for tool, size_bytes in store_bytes.items():
        name = "the data itself" if tool == limit else tool
        lines.append(f"| {name} | {size_bytes / 1e6:.1f} | {size_bytes / data_bytes:.3f} |")
    return "\n".join(lines) + "\n"


def _seconds(seconds: float) -> str:
    """Return a time with two digits after the point, three where two would say little."""
    return f"{seconds:.2f}" if seconds >= 0.1 else f"{seconds:.3f}"


def _table(
    title: str,
    results: Results,
    tools: Sequence[str],
    limit: str,
    show: Callable[[Cost, Cost | None], str],
) -> str:
    """Return a table of steps by tools.

    Args:
        title: Heading of the first column.
        results: What was measured.
        tools: Names of the columns.
        limit: Name of the tool the others are compared with.
        show: Turns a cost, and the limit's cost of that step unless it is the limit itself or
            there is none, into a cell.
    """
    lines = [f"| {title} | " + " | ".join(tools) + " |", "| --- " * (len(tools) + 1) + "|"]
    for step, by_tool in results.items():
        if not by_tool:
            continue
        bound = median_cost(by_tool[limit]) if limit in by_tool else None
        cells = []
        for tool in tools:
            if tool not in by_tool:
                cells.append(NOTHING)
                continue
            cost = median_cost(by_tool[tool])
            cells.append(f"{show(cost, None if tool == limit else bound)} {cost.note}".rstrip())
        lines.append(f"| {step} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"
