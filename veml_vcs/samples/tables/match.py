"""Which row of one version of a table is which row of another.

By a **key**, where some columns tell all rows apart in every version: the first column, a column
that is called like a key, or the fewest leading columns together (date and station). A key is made
of whole numbers, times or texts, never of measurements: that all speeds differ is chance. Without a
key, rows are matched in order, by their content.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher

from veml_vcs.samples.tables.text import Row, Table

_KEY_NAMES = frozenset(
    ("id", "key", "index", "uuid", "guid", "no", "name", "filename", "file_name", "path",
     "timestamp", "time", "date", "datetime", "row", "sample", "image")
)  # fmt: skip
_MOST_COLUMNS = 6
_MOST_COMPARED = 4_000

RowId = tuple[str, ...]
"""The key of a row; without key columns, its place in the base's order or a mark of its own."""


def key_columns(tables: Sequence[Table]) -> tuple[str, ...]:
    """Return the columns that tell rows apart in all of these versions; empty if none do."""
    given = [table for table in tables if table.rows]
    if not given or any(table.ragged for table in tables):
        return ()
    first = given[0]
    shared = [name for name in first.columns if all(name in one.columns for one in tables)]
    named = [name for name in shared if name.lower().strip() in _KEY_NAMES or _ends_as_key(name)]
    for name in dict.fromkeys([*shared[:1], *named]):
        if all(_unique(one, (name,)) and _can_be_key(one, name) for one in given):
            return (name,)
    leading: list[str] = []
    for name in shared[:_MOST_COLUMNS]:
        if not all(_can_be_key(one, name) for one in given):
            break
        leading.append(name)
        if len(leading) > 1 and all(_unique(one, tuple(leading)) for one in given):
            return tuple(leading)
    return ()


def _ends_as_key(name: str) -> bool:
    low = name.lower().strip()
    return low.endswith(("_id", " id")) or name.endswith("Id") or low.startswith("__index_level_")


def _can_be_key(table: Table, name: str) -> bool:
    return all(value.strip() for value in table.column(name)) and table.kind(name) != "float"


def _unique(table: Table, names: tuple[str, ...]) -> bool:
    keys = list(zip(*(table.column(name) for name in names), strict=True))
    return len(set(keys)) == len(keys)


def row_ids(table: Table, names: tuple[str, ...]) -> list[RowId]:
    """Return the key of every row."""
    return list(zip(*(table.column(name) for name in names), strict=True))


def aligned(old: Table, new: Table) -> list[tuple[int | None, int | None]]:
    """Match the rows of two versions without a key, in order.

    Returns:
        (old place, new place), None for a row that is not there; in the order of both.
    """
    a, b = old.rows, new.rows
    start = 0
    while start < min(len(a), len(b)) and a[start].cells == b[start].cells:
        start += 1
    end = 0
    while end < min(len(a), len(b)) - start and a[-1 - end].cells == b[-1 - end].cells:
        end += 1
    pairs: list[tuple[int | None, int | None]] = [(i, i) for i in range(start)]
    left, right = range(start, len(a) - end), range(start, len(b) - end)
    if len(left) == len(right):
        pairs += zip(left, right, strict=True)  # as many rows as before: values were edited
    else:
        pairs += _sequence(a, b, left, right)
    pairs += [(len(a) - end + i, len(b) - end + i) for i in range(end)]
    return pairs


def _sequence(
    a: Sequence[Row], b: Sequence[Row], left: range, right: range
) -> list[tuple[int | None, int | None]]:
    """Match two runs of rows by content; runs that are too long only where rows are unique."""
    pairs: list[tuple[int | None, int | None]] = []
    if len(left) * len(right) == 0 or max(len(left), len(right)) > _MOST_COMPARED:
        return _by_content(a, b, left, right)
    matcher = SequenceMatcher(
        None, [a[i].cells for i in left], [b[i].cells for i in right], autojunk=False
    )
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal" or (tag == "replace" and i2 - i1 == j2 - j1):
            pairs += [(left[i1 + k], right[j1 + k]) for k in range(i2 - i1)]
        else:
            pairs += [(left[i], None) for i in range(i1, i2)]
            pairs += [(None, right[j]) for j in range(j1, j2)]
    return pairs


def _by_content(
    a: Sequence[Row], b: Sequence[Row], left: range, right: range
) -> list[tuple[int | None, int | None]]:
    counts_a, counts_b = Counter(a[i].cells for i in left), Counter(b[j].cells for j in right)
    places = {b[j].cells: j for j in right if counts_b[b[j].cells] == 1}
    pairs: list[tuple[int | None, int | None]] = []
    nxt = right.start
    for i in left:
        j = places.get(a[i].cells) if counts_a[a[i].cells] == 1 else None
        if j is None or j < nxt:
            pairs.append((i, None))
            continue
        pairs += [(None, k) for k in range(nxt, j)]
        pairs.append((i, j))
        nxt = j + 1
    return pairs + [(None, k) for k in range(nxt, right.stop)]
