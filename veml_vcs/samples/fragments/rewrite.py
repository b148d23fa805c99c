"""Write rows of fragments into new fragments: what is wanted, in the order that is wanted.

Nothing but the place of a row changes: every row keeps its id, and is checked against it on the
way. The old fragments are left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from veml_vcs.errors import DamagedError, NotFoundError
from veml_vcs.ids import FragmentId, SampleId
from veml_vcs.objects.protocol import ObjectWriter
from veml_vcs.samples.fragments import content, vectors
from veml_vcs.samples.fragments.annotations import KIND as ANNOTATIONS
from veml_vcs.samples.fragments.annotations import AnnotationReader, AnnotationWriter
from veml_vcs.samples.fragments.catalog import Catalog
from veml_vcs.samples.fragments.fragment import Fragment, FragmentBuilder

if TYPE_CHECKING:
    from numpy.typing import NDArray

_VECTOR_ROWS = 1 << 14
_RUN_ROWS = 1 << 12

Wanted = Callable[[Fragment], "NDArray[np.bool_]"]
"""Tells which rows of a fragment to take: bool [rows]."""

Done = Callable[[int], None]
"""Is told how many rows were just taken."""


class UnreadableFragmentError(DamagedError):
    """A row of a fragment cannot be taken over.

    Attributes:
        fragment: The fragment that has to stay as it is.
    """

    fragment: FragmentId = FragmentId(b"")


def every_row(fragment: Fragment) -> NDArray[np.bool_]:
    """Want all rows."""
    return np.ones(fragment.rows, bool)


def rewritable(fragment: Fragment) -> bool:
    """Tell whether rows of such a fragment can be put into another one."""
    if fragment.kind == content.KIND:
        return fragment.attributes.get("layout") in ("raw", "text")
    return fragment.kind in (ANNOTATIONS, vectors.KIND)


def group_of(fragment: Fragment) -> tuple[str, str]:
    """Return what two fragments must have in common to become one: kind, and layout or space."""
    layout = str(fragment.attributes.get("layout", ""))
    return fragment.kind, layout if fragment.kind == content.KIND else fragment.space


def rewrite_fragments(
    catalog: Catalog,
    writer: ObjectWriter,
    fragments: Sequence[Fragment],
    *,
    wanted: Wanted = every_row,
    rank: Mapping[bytes, int] | None = None,
    done: Done = lambda _rows: None,
) -> None:
    """Write the wanted rows of some fragments into as few new fragments as there must be.

    Args:
        catalog: Reads the rows.
        writer: Takes the new fragments.
        fragments: What to take rows from, of any kinds that are ``rewritable``.
        wanted: Which rows.
        rank: Row id -> place among the rows. Rows without one come last, in the order they are in.
        done: Is told of each step.

    Raises:
        UnreadableFragmentError: A row is damaged; what was written so far must not be published.
    """
    contents = content.ContentWriter(catalog, writer)
    reader = content.ContentReader(catalog)
    said = AnnotationWriter(catalog, writer)
    said_reader = AnnotationReader(catalog)
    groups: dict[tuple[str, str], list[Fragment]] = {}
    for fragment in fragments:
        groups.setdefault(group_of(fragment), []).append(fragment)
    for (kind, space), members in groups.items():
        order = _order(members, wanted, rank or {})
        if kind == vectors.KIND:
            _write_vectors(writer, space, members, order)
            done(len(order))
            continue
        for number, start, end in _runs(order):
            fragment = members[number]
            try:
                if kind == content.KIND:
                    for row in range(start, end):
                        one = SampleId(fragment.ids[row].tobytes())
                        data = reader.read_row(fragment, row, one)
                        contents.take(one, data, text=space == "text")
                else:
                    for said_id, annotation in said_reader.read_rows(fragment, start, end):
                        said.take(said_id, annotation)
            except (DamagedError, NotFoundError) as error:
                raise _unreadable(fragment, error) from error
            done(end - start)
    contents.finish()
    said.finish()


def _order(
    members: Sequence[Fragment], wanted: Wanted, rank: Mapping[bytes, int]
) -> NDArray[np.int64]:
    """Return the rows to take, in order: int64 [n, 2], position of the fragment and row."""
    parts = []
    ranks = []
    last = len(rank)
    for number, fragment in enumerate(members):
        try:
            rows = np.flatnonzero(wanted(fragment))
            data = fragment.ids.tobytes()
        except (DamagedError, NotFoundError) as error:
            raise _unreadable(fragment, error) from error
        part = np.empty((len(rows), 2), np.int64)
        part[:, 0] = number
        part[:, 1] = rows
        parts.append(part)
        ranks.append(
            np.fromiter(
                (rank.get(data[32 * row : 32 * row + 32], last) for row in rows.tolist()),
                np.int64,
                len(rows),
            )
        )
    places = np.concatenate(parts)
    chosen: NDArray[np.int64] = places[np.argsort(np.concatenate(ranks), kind="stable")]
    return chosen


def _runs(order: NDArray[np.int64]) -> Iterator[tuple[int, int, int]]:
    """Group rows that follow each other in one fragment: its position, first row, end."""
    start = 0
    rows = order.tolist()
    for i in range(1, len(rows) + 1):
        ends = (
            i == len(rows)
            or rows[i][0] != rows[start][0]
            or rows[i][1] != rows[i - 1][1] + 1
            or i - start == _RUN_ROWS
        )
        if ends:
            yield rows[start][0], rows[start][1], rows[i - 1][1] + 1
            start = i


def _write_vectors(
    writer: ObjectWriter, space: str, members: Sequence[Fragment], order: NDArray[np.int64]
) -> None:
    stored = []
    for fragment in members:
        try:
            found = fragment.array("vector", "float32")
            if found.ndim != 2 or len(found) != fragment.rows:
                raise DamagedError(f"vectors of shape {found.shape}")
            stored.append(found)
        except (DamagedError, NotFoundError) as error:
            raise _unreadable(fragment, error) from error
    seen: set[bytes] = set()
    by_dimension: dict[int, tuple[list[bytes], list[NDArray[np.float32]]]] = {}
    for number, row in order.tolist():
        one = members[number].ids[row].tobytes()
        if one not in seen:
            seen.add(one)
            ids, rows = by_dimension.setdefault(stored[number].shape[1], ([], []))
            ids.append(one)
            rows.append(stored[number][row])
    for dimension, (ids, rows) in by_dimension.items():
        for start in range(0, len(ids), _VECTOR_ROWS):
            builder = FragmentBuilder(
                writer, vectors.KIND, {"space": space, "dimension": dimension}
            )
            builder.add_array("vector", np.stack(rows[start : start + _VECTOR_ROWS]))
            builder.finish(ids[start : start + _VECTOR_ROWS])


def _unreadable(fragment: Fragment, error: Exception) -> UnreadableFragmentError:
    refusal = UnreadableFragmentError(str(error), hint="veml fsck lists all that is damaged")
    refusal.fragment = fragment.id
    return refusal
