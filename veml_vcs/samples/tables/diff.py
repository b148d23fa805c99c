"""What differs between two versions of a table: columns, rows, cells."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from veml_vcs.samples.tables.match import aligned, key_columns, row_ids
from veml_vcs.samples.tables.text import Table, agreeing

Pair = tuple[int | None, int | None]
Ids = tuple[list[tuple[str, ...]], list[tuple[str, ...]]]


@dataclass(frozen=True)
class CellChange:
    """One cell that differs: its column, the value before and after."""

    column: str
    old: str
    new: str


@dataclass(frozen=True)
class RowChange:
    """One row that was added, removed or changed.

    Attributes:
        row: Its key, or ``#12`` for the twelfth row (of the new version, else of the old one).
        kind: ``added``, ``removed`` or ``changed``.
        cells: The cells that differ, of columns that both versions have.
    """

    row: str
    kind: str
    cells: tuple[CellChange, ...] = ()


@dataclass(frozen=True)
class TableDiff:
    """How two versions of a table differ.

    Attributes:
        key_columns: The columns that tell rows apart; empty where rows are matched in order.
        old_rows: Number of rows before.
        new_rows: Number of rows after.
        columns_added: New columns.
        columns_removed: Columns that are gone.
        reordered: Whether the rows both have, or the columns, stand in another order.
        rows: Rows that differ, in the new order; removed ones where they stood.
        cells_by_column: Column -> number of cells that differ in rows both have.
        form: What differs in the form of the file alone: ``encoding``, ``delimiter``, ``header``,
            ``text`` (quotes, blanks, line ends).
    """

    key_columns: tuple[str, ...] = ()
    old_rows: int = 0
    new_rows: int = 0
    columns_added: tuple[str, ...] = ()
    columns_removed: tuple[str, ...] = ()
    reordered: bool = False
    rows: tuple[RowChange, ...] = ()
    cells_by_column: dict[str, int] = field(default_factory=dict)
    form: tuple[str, ...] = ()

    def count(self, kind: str) -> int:
        """Return how many rows were ``added``, ``removed`` or ``changed``."""
        return sum(1 for row in self.rows if row.kind == kind)

    def __bool__(self) -> bool:
        """Tell whether anything differs."""
        return bool(
            self.rows or self.columns_added or self.columns_removed or self.reordered or self.form
        )


def diff_tables(old: Table, new: Table) -> TableDiff:
    """Compare two versions of a table."""
    old, new = agreeing([old, new])
    names = key_columns([old, new])
    pairs, reordered = _pairs(old, new, names)
    shared = [name for name in old.columns if name in set(new.columns)]
    places = [(name, old.columns.index(name), new.columns.index(name)) for name in shared]
    whole = old.ragged or new.ragged
    rows: list[RowChange] = []
    counts: Counter[str] = Counter()
    ids = (row_ids(old, names), row_ids(new, names)) if names else ([], [])
    for i, j in pairs:
        label = _label(i, j, ids, bool(names))
        if i is None:
            rows.append(RowChange(label, "added"))
        elif j is None:
            rows.append(RowChange(label, "removed"))
        elif old.rows[i].cells != new.rows[j].cells:
            before, after = old.values(old.rows[i]), new.values(new.rows[j])
            cells: tuple[CellChange, ...] = ()
            if not whole:
                cells = tuple(
                    CellChange(name, before[a], after[b])
                    for name, a, b in places
                    if before[a] != after[b]
                )
            elif before != after:
                texts = (old.delimiter.join(before), new.delimiter.join(after))
                cells = (CellChange("", *texts),)
            if cells:
                rows.append(RowChange(label, "changed", cells))
                counts.update(cell.column for cell in cells)
    order = [new.columns.index(name) for name in shared]
    found = TableDiff(
        key_columns=names,
        old_rows=len(old.rows),
        new_rows=len(new.rows),
        columns_added=tuple(name for name in new.columns if name not in set(old.columns)),
        columns_removed=tuple(name for name in old.columns if name not in set(new.columns)),
        reordered=reordered or order != sorted(order),
        rows=tuple(rows),
        cells_by_column=dict(counts),
    )
    return found if found else _form(old, new, found)


def _form(old: Table, new: Table, found: TableDiff) -> TableDiff:
    """Name what differs where all values are the same."""
    form = [
        name
        for name, differs in (
            ("encoding", (old.encoding, old.mark) != (new.encoding, new.mark)),
            ("delimiter", old.delimiter != new.delimiter),
            ("header", (old.header is None) != (new.header is None)),
        )
        if differs
    ]
    if not form and (old.header, old.rows) != (new.header, new.rows):
        form = ["text"]
    return TableDiff(found.key_columns, found.old_rows, found.new_rows, form=tuple(form))


def _pairs(old: Table, new: Table, names: tuple[str, ...]) -> tuple[list[Pair], bool]:
    """Return matched places in the new order, and whether the rows both have were moved."""
    if not names:
        return list(aligned(old, new)), False
    old_ids = row_ids(old, names)
    places = {one: i for i, one in enumerate(old_ids)}
    new_ids = row_ids(new, names)
    there = set(new_ids)
    order = [places[one] for one in new_ids if one in places]
    pairs: list[Pair] = []
    gone = iter([i for i, one in enumerate(old_ids) if one not in there])
    waiting = next(gone, None)
    for j, one in enumerate(new_ids):
        i = places.get(one)
        while waiting is not None and i is not None and waiting < i:
            pairs.append((waiting, None))
            waiting = next(gone, None)
        pairs.append((i, j))
    if waiting is not None:
        pairs += [(waiting, None), *((i, None) for i in gone)]
    return pairs, order != sorted(order)


def _label(i: int | None, j: int | None, ids: Ids, keyed: bool) -> str:
    if keyed:
        return ", ".join(ids[1][j] if j is not None else ids[0][i] if i is not None else ())
    place = j if j is not None else i
    assert place is not None
    return f"#{place + 1}"
