"""Views of the data commands: lists of samples, statistics, what an operation made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from veml_cli.render.arrays import store_lines
from veml_cli.render.bars import bar
from veml_cli.render.line import Line, line
from veml_cli.render.series import series_lines
from veml_cli.render.tables import Cell, Column, table
from veml_cli.render.values import number, value_text
from veml_cli.render.words import plural, size

if TYPE_CHECKING:
    from veml_vcs.repository.data.listing import ListedDataSet, Listing
    from veml_vcs.repository.data.operate import Operated
    from veml_vcs.repository.data.spread import Spread
    from veml_vcs.repository.data.statistics import Statistics
    from veml_vcs.repository.data.table_statistics import TableStatistics

_BAR_WIDTH = 24
_SIZES_LISTED = 6
_COLUMNS_LISTED = 40


def key_lines(found: Listing) -> Iterator[Line]:
    """Yield the keys alone."""
    for one in found.samples:
        yield line(one.key)


def listing_lines(found: Listing, chosen: int, width: int | None) -> Iterator[Line]:
    """Yield samples as a table, and how many of how many they are.

    Args:
        found: The samples listed.
        chosen: How many met the conditions.
        width: Columns of the terminal; None is unlimited.
    """
    labelled = any(one.objects is not None for one in found.samples)
    split = any(one.splits for one in found.samples)
    sized = any(one.width for one in found.samples)
    columns = [Column("key", shrinks=True), Column("size", right=True)]
    columns += [Column("pixels", right=True)] if sized else []
    columns += [Column("objects", right=True)] if labelled else []
    columns += [Column("classes", shrinks=True)]
    columns += [Column("split")] if split else []
    rows: list[list[Cell]] = []
    for one in found.samples:
        row: list[Cell] = [(one.key, "name"), size(one.size_bytes)]
        pixels = f"{one.width:g}x{one.height:g}" if one.width and one.height else ""
        row += [pixels] if sized else []
        row += ["" if one.objects is None else f"{one.objects:,}"] if labelled else []
        row += [", ".join(one.classes)]
        row += [", ".join(one.splits)] if split else []
        rows.append(row)
    if rows:
        yield from table(columns, rows, indent="", width=width)
    shown = len(found.samples)
    more = f", {shown:,} shown" if shown < chosen else ""
    yield line((f"{chosen:,} of {plural(found.total, 'sample')}{more}", "dim"))


def data_set_lines(found: Sequence[ListedDataSet], total: int, width: int | None) -> Iterator[Line]:
    """Yield data sets as a table, and how many of how many they are."""
    columns = (
        Column("data set", shrinks=True), Column("format"), Column("task"),
        Column("samples", right=True), Column("objects", right=True), Column("classes", right=True),
        Column("size", right=True),
    )  # fmt: skip
    rows: list[list[Cell]] = [
        [(one.path, "name"), one.format, one.task, f"{one.samples:,}",
         f"{one.objects:,}" if one.objects else "", f"{len(one.classes):,}" if one.classes else "",
         size(one.content_bytes)]
        for one in found
    ]  # fmt: skip
    if rows:
        yield from table(columns, rows, indent="", width=width)
    shown = f", {len(found):,} shown" if len(found) < total else ""
    yield line((f"{plural(total, 'data set')}{shown}", "dim"))


def statistics_lines(found: Statistics, width: int | None) -> Iterator[Line]:
    """Yield tables with bars: classes, splits, sizes."""
    where = "" if found.revision is None else f" at {found.revision}"
    yield line(("data ", "title"), (found.path, "name"), where)
    part = "" if found.samples == found.total else f" of {found.total:,}"
    rows: list[list[Cell]] = [["samples", f"{found.samples:,}{part}"]]
    if not (found.tables or found.series or found.arrays):  # numbers have no labels
        rows.append(["objects", f"{found.objects:,}"])
        rows.append(["without any label", f"{found.unlabelled:,}"])
    rows.append(["size", size(found.content_bytes)])
    yield from table((Column(), Column()), rows, width=width)
    if found.series is not None:
        yield from series_lines(found.series, width)
    yield from store_lines(found.arrays, width)
    if found.tables is not None:
        yield from column_lines(found.tables, width)
    yield from (line(("note  ", "dim"), (one, "hint")) for one in found.notes)
    yield from _classes(found, width)
    yield from _counted("split", {n or "(none)": c for n, c in found.splits.items()}, width)
    yield from _counted("image size", found.image_sizes, width)
    spreads = {
        "objects a sample": found.objects_per_sample,
        "box width (px)": found.box_width,
        "box height (px)": found.box_height,
        "box side, √area (px)": found.box_area,
        "sample size (bytes)": found.sample_bytes,
    }
    given = {name: one for name, one in spreads.items() if one is not None}
    if given:
        yield line()
        columns = (
            Column(), *(Column(title, right=True) for title in
                        ("min", "median", "mean", "max")), Column("from min to max"),
        )  # fmt: skip
        yield from table(columns, [_spread_row(n, one) for n, one in given.items()], width=width)


def _classes(found: Statistics, width: int | None) -> Iterator[Line]:
    if not found.classes:
        return
    boxes = any(one.small or one.medium or one.large for one in found.classes)
    most = max(max(one.objects, one.samples) for one in found.classes)
    columns = [
        Column("class", shrinks=True), Column("objects", right=True),
        Column("samples", right=True), Column(),
    ]  # fmt: skip
    columns += [Column(name, right=True) for name in ("<32²", "<96²", "≥96²")] if boxes else []
    rows: list[list[Cell]] = []
    for one in found.classes:
        row: list[Cell] = [
            one.name, f"{one.objects:,}", f"{one.samples:,}",
            (bar(one.objects or one.samples, most, _BAR_WIDTH), "bar"),
        ]  # fmt: skip
        row += [f"{one.small:,}", f"{one.medium:,}", f"{one.large:,}"] if boxes else []
        rows.append(row)
    yield line()
    yield from table(columns, rows, width=width)


def _counted(title: str, counts: object, width: int | None) -> Iterator[Line]:
    assert isinstance(counts, dict)
    if not counts:
        return
    most = max(counts.values())
    shown = list(counts.items())[:_SIZES_LISTED]
    rows: list[list[Cell]] = [
        [name, f"{count:,}", (bar(count, most, _BAR_WIDTH), "bar")] for name, count in shown
    ]
    yield line()
    yield from table(
        (Column(title, shrinks=True), Column("samples", right=True), Column()), rows, width=width
    )
    if len(counts) > len(shown):
        yield line((f"  … and {len(counts) - len(shown):,} more (--json lists all)", "dim"))


def column_lines(found: TableStatistics, width: int | None) -> Iterator[Line]:
    """Yield the columns of all tables together, with how their numbers are distributed."""
    yield line()
    yield line(f"{plural(found.rows, 'row')} in {plural(found.tables, 'table')}")
    some = any(one.tables < found.tables for one in found.columns)
    columns = [
        Column("column", shrinks=True), Column("kind"), Column("missing", right=True),
        Column("min", right=True), Column("median", right=True), Column("mean", right=True),
        Column("max", right=True), Column("from min to max"),
    ]  # fmt: skip
    columns += [Column("tables", right=True)] if some else []
    rows: list[list[Cell]] = []
    for one in found.columns[:_COLUMNS_LISTED]:
        row: list[Cell] = [(one.name, "name"), one.kind, f"{one.missing:,}" if one.missing else ""]
        if one.spread is not None:
            row += _spread_row("", one.spread)[1:]
        else:
            low, high = value_text(one.minimum or "", 16), value_text(one.maximum or "", 16)
            row += [low, "", "", high, ""]
        rows.append([*row, f"{one.tables:,}"] if some else row)
    yield from table(columns, rows, width=width)
    if len(found.columns) > _COLUMNS_LISTED:
        more = len(found.columns) - _COLUMNS_LISTED
        yield line((f"  … and {more:,} more columns (--json lists all)", "dim"))


def _spread_row(name: str, one: Spread) -> list[Cell]:
    return [
        name, _short(one.minimum), _short(one.median), _short(one.mean), _short(one.maximum),
        (_profile(one.counts), "bar"),
    ]  # fmt: skip


def _short(value: float) -> str:
    if abs(value) >= 100 or float(value).is_integer():
        return f"{value:,.0f}"
    if abs(value) < 0.1:
        return f"{value:.2g}"
    return number(round(value, 2))


def _profile(counts: Sequence[int]) -> str:
    """Return a histogram one line high."""
    marks = "▁▂▃▄▅▆▇█"
    most = max(counts, default=0)
    return "".join("·" if not one else marks[min(7, int(8 * one / most))] for one in counts)


def operated_lines(done: Operated, width: int | None) -> Iterator[Line]:
    """Yield what a data operation made, and what may be typed next."""
    record = done.record
    word = "would stage data " if done.dry_run else "staged data "
    yield line(
        word, (done.path, "name"),
        f"  {plural(record.samples, 'sample')} (from {done.samples_before:,}), "
        f"{plural(record.objects, 'object')} (from {done.objects_before:,})",
    )  # fmt: skip
    derived = record.derived
    rows: list[list[Cell]] = [["operation", str(derived.get("operation", ""))]]
    rows += [[name, value_text(value)] for name, value in derived.get("arguments", {}).items()]
    rows += [["from", f"{one['data']}  {one['version'][:10]}"] for one in derived.get("from", ())]
    rows += [["written anew", one] for one in done.rewritten[:_SIZES_LISTED]]
    if len(done.rewritten) > _SIZES_LISTED:
        rows.append(["", f"… and {len(done.rewritten) - _SIZES_LISTED:,} more"])
    yield from table((Column(), Column(shrinks=True)), rows, width=width)
    if not done.dry_run and not done.written:
        yield line((f"  the folder was left alone; veml restore {done.path} writes it", "hint"))
