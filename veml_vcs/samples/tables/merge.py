"""Three-way merge of a table: by row and column, like a merge of boxes.

Rows are known by their key (``match.key_columns``); columns by their name. A cell that one side
changed is taken; one that both changed differently is a conflict, as is a row that one side removed
and the other changed. Rows and columns that a side added or removed are added or removed; order is
that of the side that arranged them anew. A row whose cells all come from one side keeps that side's
text, quotes and line end included.

Without a key, rows are known by their place among the base's (each side's are matched with it in
order), so that two sides may edit and append independently. Both appending *different* rows to a
table without a key gives both, ours first; appending the same rows gives them once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from veml_vcs.errors import FormatError
from veml_vcs.samples.annotations.conflicts import Choice
from veml_vcs.samples.annotations.three_way import merge_order
from veml_vcs.samples.tables.match import aligned, key_columns, row_ids
from veml_vcs.samples.tables.text import Row, Table, agreeing, quoted, value_of

_ABSENT = None


@dataclass(frozen=True)
class TableConflict:
    """One cell or row that both sides changed, each in its own way.

    Attributes:
        kind: ``cell-both``, ``row-both`` (both added a row of this key, or a ragged one) or
            ``row-removed-changed``.
        path: ``rows[KEY].COLUMN`` or ``rows[KEY]``.
        base: The value in the common ancestor; None if there was none.
        ours: The value on our side; None if there is none.
        theirs: The value on their side; None if there is none.
    """

    kind: str
    path: str
    base: Any
    ours: Any
    theirs: Any


@dataclass(frozen=True)
class TableMerge:
    """The merge of a table.

    Attributes:
        table: The result; where there are conflicts, what is chosen, else ours (the changed row,
            where the other side removed it).
        conflicts: What both sides changed differently.
        rows: Numbers of rows: ``base``, ``added``, ``removed``, ``merged``.
    """

    table: Table
    conflicts: tuple[TableConflict, ...]
    rows: Mapping[str, int]


def merge_tables(
    base: Table | None, ours: Table, theirs: Table, choice: Choice | None = None
) -> TableMerge:
    """Merge two versions of a table that began as ``base``.

    Args:
        base: The common ancestor; None if there was none.
        ours: Our side's.
        theirs: Their side's.
        choice: The side all conflicts are settled to; None leaves them open.

    Raises:
        FormatError: The versions cannot be merged by rows: one has column names and another does
            not, or our encoding has no place for a character of theirs.
    """
    start = base if base is not None else replace(ours, rows=())
    start, ours, theirs = agreeing([start, ours, theirs])
    sides = (start, ours, theirs)
    if len({one.header is None for one in sides}) > 1:
        raise FormatError("one version names its columns, another does not")
    merge = _Merge(sides, choice)
    found = merge.run()
    found.table.to_bytes()  # raises where the encoding has no place for what theirs says
    return found


class _Merge:
    """The state of one merge."""

    def __init__(self, sides: tuple[Table, Table, Table], choice: Choice | None) -> None:
        self._sides = sides
        self._choice = choice
        self._ids, self._keyed = _known_rows(sides)
        self._whole = any(one.ragged for one in sides)
        self._conflicts: list[TableConflict] = []
        self._columns = self._merged_columns()
        # Rows can be taken whole where all sides have the same columns, cut the same way.
        self._alike = len({(one.columns, one.delimiter) for one in sides}) == 1

    def run(self) -> TableMerge:
        base, ours, _ = self._sides
        rows = [dict(zip(ids, one.rows, strict=True))
                for ids, one in zip(self._ids, self._sides, strict=True)]  # fmt: skip
        merged: dict[Any, Row] = {}
        for one in dict.fromkeys([*self._ids[1], *self._ids[2]]):
            row = self._row(one, *(side.get(one) for side in rows))
            if row is not None:
                merged[one] = row
        order = merge_order(self._ids[0], self._ids[1], self._ids[2], merged.keys())
        result = [merged[one] for one in order]
        header = self._header()
        table = replace(ours, header=header, rows=_with_ends(result, ours))
        added = len([one for one in merged if one not in rows[0]])
        removed = len([one for one in rows[0] if one not in merged])
        numbers = {"base": len(base.rows), "added": added, "removed": removed,
                   "merged": len(result)}  # fmt: skip
        if numbers["base"] + added - removed != len(result):
            raise AssertionError(f"rows were lost or made up in a merge: {numbers}")
        return TableMerge(table, tuple(self._conflicts), numbers)

    # -- columns -------------------------------------------------------------------------------

    def _merged_columns(self) -> list[str]:
        base, ours, theirs = (list(one.columns) for one in self._sides)
        old, left, right = set(base), set(ours), set(theirs)
        kept = (left & right) | (left - old) | (right - old)
        if not any(self._ids[0]) and not self._sides[0].rows:
            kept = left | right
        return merge_order(base, ours, theirs, kept)

    def _header(self) -> Row | None:
        ours, theirs = self._sides[1], self._sides[2]
        if ours.header is None or theirs.header is None or tuple(self._columns) == ours.columns:
            return ours.header
        cells = [
            ours.header.cells[ours.columns.index(name)]
            if name in ours.columns
            else _as_ours(theirs.header.cells[theirs.columns.index(name)], ours.header, ours)
            for name in self._columns
        ]
        return Row(tuple(cells), ours.header.end)

    # -- rows ----------------------------------------------------------------------------------

    def _row(self, one: Any, base: Row | None, ours: Row | None, theirs: Row | None) -> Row | None:
        if ours is None or theirs is None:
            return self._row_of_one_side(one, base, ours, theirs)
        if self._whole:
            return self._whole_row(one, base, ours, theirs)
        return self._cells(one, base, ours, theirs)

    def _row_of_one_side(
        self, one: Any, base: Row | None, ours: Row | None, theirs: Row | None
    ) -> Row | None:
        side = 1 if ours is not None else 2
        row = ours if ours is not None else theirs
        assert row is not None
        if base is not None:
            before = self._named(base, 0)
            after = self._named(row, side)
            changed = any(before[name] != after[name] for name in before.keys() & after.keys())
            if not changed and not self._whole:
                return None
            if self._whole and base.cells == row.cells:
                return None
            self._conflicts.append(
                TableConflict("row-removed-changed", self._path(one), _say(base), _say(ours),
                              _say(theirs))
            )  # fmt: skip
            chosen = {"ours": ours, "theirs": theirs, "base": base, None: row}[self._choice]
            if chosen is None:
                return None
            side = {id(base): 0, id(ours): 1, id(theirs): 2}[id(chosen)]
            row = chosen
        return self._fitted(row, side)

    def _whole_row(self, one: Any, base: Row | None, ours: Row, theirs: Row) -> Row:
        if ours.cells == theirs.cells or (base is not None and theirs.cells == base.cells):
            return ours
        if base is not None and ours.cells == base.cells:
            return theirs
        self._conflicts.append(
            TableConflict("row-both", self._path(one), _say(base), _say(ours), _say(theirs))
        )
        return {"theirs": theirs, "base": base or ours}.get(self._choice or "ours", ours)

    def _cells(self, one: Any, base: Row | None, ours: Row, theirs: Row) -> Row:
        if self._alike:
            if ours.cells == theirs.cells or (base is not None and theirs.cells == base.cells):
                return ours
            if base is not None and ours.cells == base.cells:
                return theirs
        old = {} if base is None else self._named(base, 0)
        left, right = self._named(ours, 1), self._named(theirs, 2)
        cells = []
        untouched = tuple(self._columns) == self._sides[1].columns
        for name in self._columns:
            texts = [side.get(name) for side in (old, left, right)]
            cell, settled = self._cell(*texts)
            if not settled:
                self._conflicts.append(
                    TableConflict(
                        "cell-both" if base is not None else "row-both",
                        f"{self._path(one)}.{name}",
                        *(None if text is None else value_of(text) for text in texts),
                    )
                )
            if cell is not left.get(name):
                untouched = False
            cells.append(cell if cell is left.get(name) else _as_ours(cell, ours, self._sides[1]))
        return ours if untouched else Row(tuple(cells), ours.end)

    def _cell(self, base: str | None, ours: str | None, theirs: str | None) -> tuple[str, bool]:
        """Return the text of a merged cell, and whether it is no conflict."""
        if theirs is None:
            return ours or "", True
        if ours is None:
            return theirs, True
        old, left, right = (None if one is None else value_of(one) for one in (base, ours, theirs))
        if left == right or right == old:
            return ours, True
        if left == old:
            return theirs, True
        chosen = {"theirs": theirs, "base": base if base is not None else ours}
        return chosen.get(self._choice or "ours", ours), False

    def _fitted(self, row: Row, side: int) -> Row:
        """Return a row with the merged columns, empty where it has none."""
        table = self._sides[side]
        if self._whole or table.columns == tuple(self._columns):
            return row if side == 1 or table.delimiter == self._sides[1].delimiter else Row(
                tuple(_as_ours(cell, row, self._sides[1]) for cell in row.cells), row.end
            )  # fmt: skip
        named = self._named(row, side)
        return Row(tuple(named.get(name, "") for name in self._columns), row.end)

    def _named(self, row: Row, side: int) -> dict[str, str]:
        return dict(zip(self._sides[side].columns, row.cells, strict=False))

    def _path(self, one: Any) -> str:
        if self._keyed:
            return f"rows[{', '.join(one)}]"
        return f"rows[#{one + 1}]" if isinstance(one, int) else f"rows[+{one[-1] + 1}]"


def _known_rows(sides: tuple[Table, Table, Table]) -> tuple[list[list[Any]], bool]:
    """Return a name for each row of each side, the same for the same row."""
    names = key_columns(sides)
    if names:
        return [list(row_ids(one, names)) for one in sides], True
    base = sides[0]
    ids: list[list[Any]] = [list(range(len(base.rows)))]
    for side in sides[1:]:
        own: list[Any] = []
        counts: dict[tuple[str, ...], int] = {}
        for i, j in aligned(base, side):
            if j is None:
                continue
            if i is not None:
                own.append(i)
            else:
                cells = side.rows[j].cells
                counts[cells] = counts.get(cells, 0) + 1
                own.append(("new", cells, counts[cells], j))
        ids.append(own)
    # A row both sides added is one row: its place in the side's table does not count.
    ours = {one[:3]: one for one in ids[1] if isinstance(one, tuple)}
    ids[2] = [ours.get(one[:3], ("theirs", *one[1:])) if isinstance(one, tuple) else one
              for one in ids[2]]  # fmt: skip
    return ids, False


def _with_ends(rows: Sequence[Row], ours: Table) -> tuple[Row, ...]:
    """Give every row a line end, and the last one what our last row has."""
    source = [*([ours.header] if ours.header is not None else []), *ours.rows]
    usual = next((row.end for row in source if row.end), "\n")
    last = source[-1].end if source else usual
    result = [row if row.end else Row(row.cells, usual) for row in rows]
    if result and result[-1].end != last:
        result[-1] = Row(result[-1].cells, last)
    return tuple(result)


def _as_ours(text: str, like: Row, ours: Table) -> str:
    """Return a cell of theirs so that it can stand in our file."""
    value = value_of(text)
    if text != value or not any(char in value for char in (ours.delimiter, '"', "\n", "\r")):
        return text
    return quoted(value, "", ours.delimiter)


def _say(row: Row | None) -> list[str] | None:
    return None if row is None else [value_of(cell) for cell in row.cells]
