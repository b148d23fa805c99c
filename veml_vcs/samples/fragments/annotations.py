"""Annotations in columns, by annotation id: fragments of kind ``annotations``.

Two tables: ``image`` has one row an annotation with every field but ``objects``; ``object`` has one
row an object. ``objects`` (int64 [rows + 1]) tells which objects belong to which annotation;
``listed`` (uint8 [rows]) whether the annotation has the field ``objects`` at all. Should that field
not be a list of JSON objects, it is a field of ``image`` like any other.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from veml_vcs.errors import DamagedError, InvalidInputError
from veml_vcs.ids import AnnotationId, FragmentId, short
from veml_vcs.objects.protocol import ObjectWriter
from veml_vcs.samples.annotations.canonical import has_id
from veml_vcs.samples.facts import Annotation
from veml_vcs.samples.fragments.catalog import Catalog
from veml_vcs.samples.fragments.columns import ColumnTable, write_columns
from veml_vcs.samples.fragments.fragment import Fragment, FragmentBuilder

if TYPE_CHECKING:
    from numpy.typing import NDArray

KIND = "annotations"
FRAGMENT_ROWS = 1 << 16
_OPEN_TABLES = 16


class AnnotationWriter:
    """Adds annotations that the store does not have yet.

    Args:
        catalog: Knows what is stored.
        writer: The batch that the fragments go into.
    """

    def __init__(self, catalog: Catalog, writer: ObjectWriter) -> None:
        catalog.refresh()  # what was collected since is not known any more
        self._catalog = catalog
        self._writer = writer
        self._seen: set[bytes] = set()
        self._ids: list[bytes] = []
        self._annotations: list[Annotation] = []

    def add_many(self, items: Sequence[tuple[AnnotationId, Annotation]]) -> None:
        """Add annotations with their ids; known ones are left out."""
        fresh = [item for item in items if item[0] not in self._seen]
        places = self._catalog.find_many([one for one, _ in fresh], KIND)
        for (annotation_id, annotation), place in zip(fresh, places[:, 0].tolist(), strict=True):
            if place < 0:
                self.take(annotation_id, annotation)

    def take(self, annotation_id: AnnotationId, annotation: Annotation) -> None:
        """Add an annotation whether it is stored or not, as a rewrite does; twice is once."""
        if annotation_id in self._seen:
            return
        self._seen.add(annotation_id)
        self._ids.append(annotation_id)
        self._annotations.append(annotation)
        if len(self._ids) == FRAGMENT_ROWS:
            self._flush()

    def finish(self) -> None:
        """Write what is still pending."""
        if self._ids:
            self._flush()

    def _flush(self) -> FragmentId:
        annotations, ids = self._annotations, self._ids
        self._annotations, self._ids = [], []
        lists = [_objects(one) for one in annotations]
        objects = [obj for one in lists if one for obj in one]
        counts = np.array([len(one or ()) for one in lists], np.int64)
        images = [
            one if listed is None else {field: one[field] for field in one if field != "objects"}
            for one, listed in zip(annotations, lists, strict=True)
        ]
        attributes: dict[str, Any] = {}
        builder = FragmentBuilder(self._writer, KIND, attributes)
        builder.add_array("objects", np.concatenate(([0], np.cumsum(counts))), zstd=True)
        listed = np.fromiter((one is not None for one in lists), np.uint8, len(lists))
        builder.add_array("listed", listed, zstd=True)
        builder.set_attribute("image", write_columns(builder, "image", images))
        builder.set_attribute("object", write_columns(builder, "object", objects))
        return builder.finish(ids)


def _objects(annotation: Annotation) -> list[dict[str, Any]] | None:
    """Return an annotation's objects, None if it has no list of JSON objects under that name."""
    objects = annotation.get("objects")
    if isinstance(objects, list) and all(isinstance(one, dict) for one in objects):
        return objects
    return None


class AnnotationReader:
    """Reads annotations by id; every one is checked against its id.

    Args:
        catalog: Knows where annotations lie.
    """

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self._tables: OrderedDict[FragmentId, _Tables] = OrderedDict()

    def read(self, annotation_id: AnnotationId) -> Annotation:
        """Return one annotation.

        Raises:
            NotFoundError: The store does not have it.
            DamagedError: What is stored is not what the id says.
        """
        return self.catalog.retrying(lambda: self._read(annotation_id))

    def _read(self, annotation_id: AnnotationId) -> Annotation:
        fragment, row = self.catalog.locate(annotation_id, KIND)
        return self._checked(annotation_id, self._open(fragment).rows(row, row + 1)[0], fragment)

    def read_many(self, ids: Iterable[AnnotationId]) -> dict[AnnotationId, Annotation]:
        """Return several annotations; rows that lie together are read together.

        Raises:
            NotFoundError: The store does not have one of them.
            DamagedError: What is stored is not what an id says.
        """
        wanted = list(dict.fromkeys(ids))
        return self.catalog.retrying(lambda: self._read_many(wanted))

    def _read_many(self, wanted: list[AnnotationId]) -> dict[AnnotationId, Annotation]:
        places = self.catalog.find_many(wanted, KIND)
        found: dict[AnnotationId, Annotation] = {}
        for i in np.flatnonzero(places[:, 0] < 0).tolist():
            found[wanted[i]] = self.read(wanted[i])
        for number in np.unique(places[places[:, 0] >= 0, 0]).tolist():
            chosen = np.flatnonzero(places[:, 0] == number)
            chosen = chosen[np.argsort(places[chosen, 1], kind="stable")]
            fragment = self.catalog.fragment(number)
            rows = self._open(fragment).rows_at(places[chosen, 1])
            for i, annotation in zip(chosen.tolist(), rows, strict=True):
                found[wanted[i]] = self._checked(wanted[i], annotation, fragment)
        return found

    def read_rows(
        self, fragment: Fragment, start: int, end: int
    ) -> list[tuple[AnnotationId, Annotation]]:
        """Return rows ``start`` to ``end`` of a fragment with their ids, each checked.

        Raises:
            DamagedError: What is stored is not what an id says.
        """
        ids = [AnnotationId(fragment.ids[row].tobytes()) for row in range(start, end)]
        found = self._open(fragment).rows(start, end)
        return [
            (one, self._checked(one, annotation, fragment))
            for one, annotation in zip(ids, found, strict=True)
        ]

    def _open(self, fragment: Fragment) -> _Tables:
        tables = self._tables.get(fragment.id)
        if tables is None:
            tables = self._tables[fragment.id] = _Tables(fragment)
            if len(self._tables) > _OPEN_TABLES:
                self._tables.popitem(last=False)
        return tables

    def _checked(
        self, annotation_id: AnnotationId, annotation: Annotation, fragment: Fragment
    ) -> Annotation:
        try:
            sound = has_id(annotation, annotation_id)
        except InvalidInputError:
            sound = False  # it holds what no annotation can
        if not sound:
            raise DamagedError(
                f"annotation {short(annotation_id)} is damaged in fragment {short(fragment.id)}",
                hint="veml fsck lists all that is damaged",
            )
        return annotation


class _Tables:
    """The two tables of one opened fragment."""

    def __init__(self, fragment: Fragment) -> None:
        self._offsets = fragment.array("objects", "int64")
        self._listed = fragment.array("listed", "uint8")
        if (
            self._offsets.shape != (fragment.rows + 1,)
            or self._listed.shape != (fragment.rows,)
            or self._offsets[0] != 0
            or (self._offsets[1:] < self._offsets[:-1]).any()
        ):
            raise DamagedError(f"fragment {short(fragment.id)}: object offsets do not fit")
        attributes = fragment.attributes
        self._images = ColumnTable(fragment, attributes.get("image"), fragment.rows)
        self._objects = ColumnTable(fragment, attributes.get("object"), int(self._offsets[-1]))

    def rows_at(self, rows: NDArray[np.int64]) -> list[Annotation]:
        """Return some rows; they must be increasing."""
        if len(rows) and int(rows[-1]) - int(rows[0]) == len(rows) - 1:
            return self.rows(int(rows[0]), int(rows[-1]) + 1)
        annotations = self._images.rows_at(rows)
        starts = self._offsets[rows]
        counts = self._offsets[rows + 1] - starts
        ends = np.cumsum(counts)
        # The objects of one annotation lie together, those of the next somewhere behind.
        inside = np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - counts, counts)
        objects = self._objects.rows_at(np.repeat(starts, counts) + inside)
        bounds = [0, *ends.tolist()]
        for i, (annotation, listed) in enumerate(
            zip(annotations, self._listed[rows].tolist(), strict=True)
        ):
            if listed:
                annotation["objects"] = objects[bounds[i] : bounds[i + 1]]
        return annotations

    def rows(self, start: int, end: int) -> list[Annotation]:
        annotations = self._images.rows_between(start, end)
        first = int(self._offsets[start])
        objects = self._objects.rows_between(first, int(self._offsets[end]))
        bounds = (self._offsets[start : end + 1] - first).tolist()
        for i, annotation in enumerate(annotations):
            if self._listed[start + i]:
                annotation["objects"] = objects[bounds[i] : bounds[i + 1]]
        return annotations
