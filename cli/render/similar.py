"""The ranking of ``veml similar``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from veml_cli.render.bars import bar
from veml_cli.render.line import Line, Piece, line
from veml_cli.render.tables import Column, table
from veml_cli.render.words import plural

if TYPE_CHECKING:
    from veml_vcs.analysis.data_versions import Similarity, SimilarRow

_BAR_WIDTH = 20
_PLACES_LISTED = 3


def similar_lines(result: Similarity, width: int | None) -> Iterator[Line]:
    """Yield the ranking, nearest first, and what limits it."""
    yield line(
        "data ", (result.query, "name"), f"  {plural(result.samples, 'sample')}, ",
        f"embedded by {result.embedder}",
    )  # fmt: skip
    if result.rows:
        yield line()
        yield from _ranking(result, width)
        yield line()
        best = result.rows[0]
        how = f"has {_sameness(best)} as" if best.same_samples else "is nearest to"
        yield line((result.query, "name"), f" {how} ", (f"{best.revision}:{best.name}", "ref"))
        yield line(("energy distance: 0 is the same distribution; it ranks", "hint"))
        radius = f"{result.radius:.2f}"
        explained = f"core sets: mean distance of {result.k} centres (paper); radius {radius}"
        yield line((explained, "hint"))
    else:
        yield line("no other data version is known")
    for note in result.notes:
        yield line(("note: ", "warning"), note)


def _ranking(result: Similarity, width: int | None) -> Iterator[Line]:
    largest = max((row.energy or 0.0 for row in result.rows), default=0.0)
    rows: list[list[Piece]] = [_row(i, row, largest) for i, row in enumerate(result.rows, 1)]
    columns = (
        Column("#", right=True), Column("data set", shrinks=True), Column("at", shrinks=True),
        Column("samples", right=True), Column("energy", right=True), Column(),
        Column("core sets", right=True), Column(),
    )  # fmt: skip
    yield from table(columns, rows, width=width)


def _row(place: int, row: SimilarRow, largest: float) -> list[Piece]:
    # An unbiased estimate may fall below 0; more digits than these are noise.
    energy = "-" if row.energy is None else f"{row.energy:.3f}".replace("-0.000", "0.000")
    return [
        str(place),
        (row.name, "name"),
        (_places(row), "ref"),
        f"{row.samples:,}",
        energy,
        (bar(row.energy or 0.0, largest, _BAR_WIDTH), "bar"),
        f"{row.core_set_distance:.2f}",
        (_sameness(row), "added"),
    ]


def _places(row: SimilarRow) -> str:
    """Return where a row's versions are: ``main, night, v1.0 and 4 more``."""
    end = f":{row.name}"
    places = [one.removesuffix(end) for one in row.names] or [row.revision]
    left = len(places) - _PLACES_LISTED
    return ", ".join(places[:_PLACES_LISTED]) + (f" and {left} more" if left > 0 else "")


def _sameness(row: SimilarRow) -> str:
    if row.same:
        return "the same data"
    return "the same samples" if row.same_samples else ""
