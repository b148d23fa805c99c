"""Facts about a whole data set: format, classes, and what its annotation files say at the top."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Annotation: TypeAlias = dict[str, Any]
"""What is said about one sample; see docs/design/002-annotations.md."""


@dataclass(frozen=True)
class ClassInfo:
    """One class of a data set.

    Attributes:
        name: Unique within the data set; annotations refer to it.
        id: The source's number for it, if it has one.
        extra: Whatever else the source says (``supercategory``, ``color``...), JSON values.
    """

    name: str
    id: int | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Facts:
    """What belongs to a data version as a whole.

    Attributes:
        format: Name of the format the folder is in: ``coco``, ``voc``, ``yolo``, ``kitti``,
            ``folders``, ``tables``, ``zarr``, or ``files`` (samples without annotations).
        task: ``detection``, ``classification``, ``tabular``, ``series`` (values of sensors and
            their graph), ``arrays`` or ``none``.
        classes: In the source's order.
        layout: How the files are arranged, as far as the format needs it to read and write them
            again (JSON values): for example the folder of labels.
        extra: Dataset-level content of annotation files that is neither class nor sample, keyed by
            the file's key (COCO ``info``, ``licenses``, unknown top-level fields).
    """

    format: str
    task: str = "none"
    classes: tuple[ClassInfo, ...] = ()
    layout: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
