"""Views of sensor series with a graph: what one holds, and how two versions differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from veml_cli.render.line import Line, Style, joined, line
from veml_cli.render.tables import Cell, Column, table
from veml_cli.render.values import number
from veml_cli.render.words import plural, plus_minus

if TYPE_CHECKING:
    from veml_vcs.samples.series import EdgeChange, SeriesDiff, SeriesSummary

_LISTED = 4


def series_lines(found: SeriesSummary, width: int | None) -> Iterator[Line]:
    """Yield sensors, steps, features and edges of a series."""
    yield line()
    yield line(("series", "title"))
    between = f"  {found.first} … {found.last}" if found.first is not None else ""
    rows: list[list[Cell]] = [
        ["values", ", ".join(found.files)],
        ["time steps", f"{found.steps:,}{between}"],
        ["sensors", f"{found.sensors:,}{_some(found.sensor_names, found.sensors)}"],
        ["features", f"{found.features:,}{_some(found.feature_names, found.features)}"],
        ["missing", f"{found.missing:,} of {found.steps * found.sensors * found.features:,}"],
    ]
    if found.minimum is not None and found.maximum is not None and found.mean is not None:
        rows.append(["range", f"{number(found.minimum)} to {number(found.maximum)}, "
                              f"mean {number(found.mean)}"])  # fmt: skip
    if found.edges is not None:
        rows.append(["graph", found.graph or ""])
        ways = "both ways alike" if found.symmetric else "directed"
        loops = f", and {plural(found.loops, 'loop')}" if found.loops else ""
        rows.append(["edges", f"{found.edges:,} ({ways}){loops}"])
    yield from table((Column(), Column(shrinks=True)), rows, width=width)


def series_diff_lines(diff: SeriesDiff | None, limit: int) -> Iterator[Line]:
    """Yield how a series differs: steps, sensors, features, values, edges.

    Args:
        diff: The difference; None if there is none.
        limit: Sensors, steps and edges to list; 0 lists all.
    """
    if not diff:
        return
    old, new = ("x".join(map(str, shape)) for shape in (diff.old_shape, diff.new_shape))
    shape = f"{old} -> {new}" if old != new else new
    yield line("  series  ", (f"{shape} (time x sensor x feature)", "dim"))
    rows: list[list[Cell]] = []
    steps = plus_minus(diff.steps_added, diff.steps_removed, 0)
    if steps.pieces:
        rows.append(["steps", steps])
    for name, added, removed in (
        ("sensors", diff.sensors_added, diff.sensors_removed),
        ("features", diff.features_added, diff.features_removed),
    ):
        marked = [*_marked("-", removed, "removed", limit), *_marked("+", added, "added", limit)]
        if marked:
            rows.append([name, joined(marked, " ")])
    if diff.changed:
        rows.append(["values", _values(diff, limit)])
    edges = plus_minus(diff.edges_added, diff.edges_removed, diff.edges_changed)
    if edges.pieces:
        total = diff.edges_added + diff.edges_removed + diff.edges_changed
        shown = diff.edges[: min(limit, _LISTED) or None]
        rows.append(["edges", edges + line("  ") + _edges(shown, total)])
    yield from table((Column(), Column(shrinks=True)), rows, indent="    ")


def _some(names: Sequence[str], count: int) -> str:
    more = ", …" if count > len(names) else ""
    return f"  {', '.join(names)}{more}" if names else ""


def _marked(mark: str, names: Sequence[str], style: Style, limit: int) -> list[Line]:
    shown = names[: limit or None]
    found = [line((mark + name, style)) for name in shown]
    if len(names) > len(shown):
        found.append(line((f"… and {len(names) - len(shown):,} more", "dim")))
    return found


def _values(diff: SeriesDiff, limit: int) -> Line:
    most = min(limit, _LISTED) or None
    sensors = list(diff.by_sensor.items())
    listed = ", ".join(f"{name} {count:,}" for name, count in sensors[:most])
    more = ", …" if len(sensors) > len(sensors[:most]) else ""
    at = ", ".join(diff.steps[:most]) + (
        ", …" if diff.changed_steps > len(diff.steps[:most]) else ""
    )
    features = ", ".join(f"{name} {count:,}" for name, count in diff.by_feature.items())
    return line(
        (f"{diff.changed:,} changed", "changed"),
        f" at {plural(diff.changed_steps, 'step')} ({at})",
        f" of {plural(len(sensors), 'sensor')} ({listed}{more})",
        f": {features}" if features else "",
    )


def _edges(shown: Sequence[EdgeChange], total: int) -> Line:
    parts = []
    for one in shown:
        name = f"{one.start} -> {one.end} "
        if not one.old:
            parts.append(line((f"+{name}{number(one.new)}", "added")))
        elif not one.new:
            parts.append(line((f"-{name}{number(one.old)}", "removed")))
        else:
            parts.append(line((f"~{name}", "changed"), f"{number(one.old)} -> {number(one.new)}"))
    if total > len(shown):
        parts.append(line((f"… and {total - len(shown):,} more", "dim")))
    return joined(parts)
