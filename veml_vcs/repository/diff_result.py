"""What a comparison of two states found: how samples, classes, data sets and files differ.

Values alone; ``diff`` makes them, and the command line shows them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from veml_vcs.repository.damage import Unreadable
from veml_vcs.repository.file_diff import FileDiff
from veml_vcs.samples.annotations import AnnotationDiff, DiffCounts
from veml_vcs.samples.tables import TableDiff
from veml_vcs.versions.data import ClassCount, DataRecord

if TYPE_CHECKING:
    from veml_vcs.repository.inferences.changes import InferenceDiff
    from veml_vcs.repository.models.changes import ModelDiff
    from veml_vcs.repository.trainings.changes import TrainingDiff
    from veml_vcs.samples.arrays import ArrayDiff
    from veml_vcs.samples.masks import MaskDiff
    from veml_vcs.samples.series import SeriesDiff


@dataclass(frozen=True)
class SampleDiff:
    """How one sample differs.

    Attributes:
        key: Its key; the new one if it was renamed.
        kind: ``added``, ``removed``, ``changed`` (its bytes), ``renamed`` or ``annotated``.
        old_key: Its old key, if it was renamed.
        old_bytes: Size before.
        new_bytes: Size after.
        annotation: How what is said about it differs.
        annotation_stays: Whether it came or went alone: what is said about it was and is there (an
            image that was deleted while its XML file, or a list of a split, still speaks of it).
    """

    key: str
    kind: str
    old_key: str | None = None
    old_bytes: int = 0
    new_bytes: int = 0
    annotation: AnnotationDiff = field(default_factory=AnnotationDiff)
    annotation_stays: bool = False


@dataclass(frozen=True)
class ClassDiff:
    """How often a class occurs, before and after."""

    name: str
    old: ClassCount
    new: ClassCount


@dataclass(frozen=True)
class DataDiff:
    """How a data set differs.

    Attributes:
        path: The folder.
        old: The record before; None if the data set is new.
        new: The record after; None if it is gone.
        samples: Each sample that differs, in key order.
        files: Other files that differ: key -> ``added``, ``removed`` or ``changed``.
        classes: Every class of either side, in the list's order.
        counts: Sums over all annotations.
        tables: How tables among the samples and files differ, by rows: key -> difference.
        masks: How class masks among the files differ, by pixels: key -> difference.
        arrays: How arrays in NPY and NPZ files differ, by elements: key, of an archive
            ``KEY[NAME]``, of a Zarr store the array's folder, -> difference.
        series: Of a series of sensors with their graph: how it differs by step, sensor, feature and
            edge.
        notes: Sentences about what could not be compared.
        unreadable: What cannot be read of either version; nothing else is said of it.
        absent: Whether the data of one of them is not in this clone: then this is what their
            records say, and no more.
    """

    path: str
    old: DataRecord | None
    new: DataRecord | None
    samples: tuple[SampleDiff, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    classes: tuple[ClassDiff, ...] = ()
    counts: DiffCounts = field(default_factory=DiffCounts)
    tables: Mapping[str, TableDiff] = field(default_factory=dict)
    masks: Mapping[str, MaskDiff] = field(default_factory=dict)
    arrays: Mapping[str, ArrayDiff] = field(default_factory=dict)
    series: SeriesDiff | None = None
    notes: tuple[str, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    absent: bool = False

    def count(self, kind: str) -> int:
        """Return how many samples differ in one way."""
        return sum(1 for sample in self.samples if sample.kind == kind)


@dataclass(frozen=True)
class RepoDiff:
    """How two states differ: data sets, named records, and ordinary files."""

    old: str
    new: str
    datasets: tuple[DataDiff, ...] = ()
    files: tuple[FileDiff, ...] = ()
    models: tuple[ModelDiff, ...] = ()
    trainings: tuple[TrainingDiff, ...] = ()
    inferences: tuple[InferenceDiff, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.datasets or self.files or self.models or self.trainings or self.inferences)

    @property
    def unreadable(self) -> tuple[Unreadable, ...]:
        """What could not be read at all."""
        return tuple(one for data in self.datasets for one in data.unreadable)
