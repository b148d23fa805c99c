"""``veml data stats``: what is in a data version, in numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from veml_vcs.ids import VersionId
from veml_vcs.repository.contents.series import series_summary
from veml_vcs.repository.contents.zarr_store import record_arrays
from veml_vcs.repository.data.spread import Spread, spread
from veml_vcs.repository.data.table_statistics import TableStatistics, table_statistics
from veml_vcs.repository.data.version import open_version
from veml_vcs.repository.repository import Repository
from veml_vcs.samples.query import Conditions, Selector

if TYPE_CHECKING:
    from veml_vcs.samples.series import SeriesSummary
    from veml_vcs.samples.zarrs import ArraySummary

SMALL_AREA, LARGE_AREA = 32.0**2, 96.0**2
"""COCO's bounds between small, medium and large objects, in square pixels."""


@dataclass(frozen=True)
class ClassCounts:
    """How often one class occurs.

    Attributes:
        name: The class.
        objects: Its objects.
        samples: Samples that have it, as an object or a label.
        small: Its boxes below 32 x 32 pixels (COCO's bound).
        medium: Those up to 96 x 96.
        large: Those above.
    """

    name: str
    objects: int
    samples: int
    small: int = 0
    medium: int = 0
    large: int = 0


@dataclass(frozen=True)
class Statistics:
    """What is in a data version.

    Attributes:
        path: The data set.
        revision: Its revision; None is what is staged.
        version: Its version id.
        samples: Number of samples counted.
        total: Number of samples in the version.
        objects: Number of objects of the samples counted.
        unlabelled: Samples of which nothing is said, or that have neither label nor object.
        content_bytes: Sum of the sizes of the samples counted.
        classes: In the data set's order.
        splits: Split -> number of samples; ``""`` are those in none, if others are in one.
        image_sizes: (width, height) as text -> number of samples, the most frequent first.
        objects_per_sample: Spread of the number of objects, where there are any.
        box_width: Spread of the width of boxes, in pixels.
        box_height: Spread of their height, in pixels.
        box_area: Spread of the square root of their area, in pixels.
        sample_bytes: Spread of the sizes of samples, in bytes.
        series: Of a series of sensors: steps, sensors, features, edges; of the whole version.
        arrays: The arrays of a Zarr store; of the whole version.
        tables: The columns of the tables counted, where they are no series.
        notes: Sentences about what could not be told.
    """

    path: str
    revision: str | None
    version: VersionId
    samples: int
    total: int
    objects: int
    unlabelled: int
    content_bytes: int
    classes: tuple[ClassCounts, ...] = ()
    splits: Mapping[str, int] = field(default_factory=dict)
    image_sizes: Mapping[str, int] = field(default_factory=dict)
    objects_per_sample: Spread | None = None
    box_width: Spread | None = None
    box_height: Spread | None = None
    box_area: Spread | None = None
    sample_bytes: Spread | None = None
    series: SeriesSummary | None = None
    arrays: tuple[ArraySummary, ...] = ()
    tables: TableStatistics | None = None
    notes: tuple[str, ...] = ()


def statistics(
    repo: Repository, spec: str, conditions: Conditions, *, revision: str | None = None
) -> Statistics:
    """Count what is in a data version, or in the samples of it that meet conditions.

    Sizes of images of which nothing is said are read from the images.

    Args:
        repo: The repository.
        spec: ``PATH`` (as staged), ``REV:PATH`` or ``PATH@REV``.
        conditions: Which samples; all objects of a chosen sample are counted.
        revision: A revision, instead of one in ``spec``.

    Raises:
        NotFoundError: There is no such data version.
        InvalidInputError: A condition makes no sense.
    """
    source = open_version(repo, spec, revision)
    chosen = source.chosen(Selector(conditions))
    objects: Counter[str] = Counter()
    samples: Counter[str] = Counter()
    bounds: Counter[tuple[str, int]] = Counter()
    splits: Counter[str] = Counter()
    sizes: Counter[tuple[float, float]] = Counter()
    per_sample: list[int] = []
    boxes: list[tuple[float, float]] = []
    unlabelled = 0
    for sample in chosen.values():
        width, height = sample.size
        if width and height:
            sizes[width, height] += 1
        for name in sample.said.get("splits", ()) or ("",):
            splits[name] += 1
        for name in sample.classes:
            samples[name] += 1
        count = 0
        for obj in sample.objects():
            count += 1
            name = obj.obj.get("class")
            if isinstance(name, str):
                objects[name] += 1
            box = obj.box()
            if box is not None:
                boxes.append((box["width"], box["height"]))
                if isinstance(name, str):
                    bounds[name, _bound(box["area"])] += 1
        if "objects" in sample.said:
            per_sample.append(count)
        unlabelled += not count and not sample.said.get("labels")
    if set(splits) == {""}:
        splits.clear()
    names = dict.fromkeys([*(one.name for one in source.facts.classes), *sorted(samples)])
    extents = np.array(boxes, np.float64).reshape(-1, 2)
    byte_counts = [source.samples[key].size for key in chosen]
    series, note = series_summary(source.facts, source.entries, lambda key, _: source.read(key))
    notes = [] if note is None else [note]
    tables = None
    if series is None:
        tables, more = table_statistics(source, list(chosen))
        notes += more
    return Statistics(
        path=source.path,
        revision=source.revision,
        version=source.id,
        samples=len(chosen),
        total=source.record.samples,
        objects=sum(per_sample),
        unlabelled=unlabelled,
        content_bytes=sum(byte_counts),
        classes=tuple(
            ClassCounts(name, objects[name], samples[name], *(bounds[name, i] for i in range(3)))
            for name in names
        ),
        splits=dict(sorted(splits.items())),
        image_sizes={f"{w:g}x{h:g}": count for (w, h), count in sizes.most_common()},
        objects_per_sample=spread(per_sample, whole=True),
        box_width=spread(extents[:, 0]),
        box_height=spread(extents[:, 1]),
        box_area=spread(np.sqrt(np.abs(extents[:, 0] * extents[:, 1]))),
        sample_bytes=spread(byte_counts),
        series=series,
        arrays=record_arrays(repo, source.record),
        tables=tables,
        notes=tuple(notes),
    )


def _bound(area: float) -> int:
    """Return 0, 1 or 2 for small, medium or large."""
    return int(area >= SMALL_AREA) + int(area > LARGE_AREA)
