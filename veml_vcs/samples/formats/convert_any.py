"""From one format into another: boxes, class numbers, splits, and where images lie.

The result is what ``write`` of the target takes, and reading what it writes gives the result back.
What the target has no place for is left out, and named in a warning.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from veml_vcs.errors import InvalidInputError, NotFoundError
from veml_vcs.samples.facts import Annotation, ClassInfo, Facts
from veml_vcs.samples.formats.conversion import Source, Target
from veml_vcs.samples.formats.convert_boxed import to_coco, to_kitti, to_voc, to_yolo
from veml_vcs.samples.formats.convert_plain import to_files, to_folders
from veml_vcs.samples.formats.text import few

_NUMBERS = frozenset(("tables", "zarr"))
_TARGETS: Mapping[str, Callable[[Source], Target]] = {
    "coco": to_coco,
    "voc": to_voc,
    "yolo": to_yolo,
    "kitti": to_kitti,
    "folders": to_folders,
    "files": to_files,
}


@dataclass(frozen=True)
class Converted:
    """A data set in another format.

    Attributes:
        annotations: New sample key -> annotation.
        facts: With the layout that ``write`` needs.
        renamed: Old sample key -> new one, for every sample.
        warnings: What the target has no place for.
    """

    annotations: Mapping[str, Annotation]
    facts: Facts
    renamed: Mapping[str, str]
    warnings: tuple[str, ...] = ()


def convert(
    annotations: Mapping[str, Annotation],
    facts: Facts,
    target: str,
    sizes: Mapping[str, tuple[int, int]],
) -> Converted:
    """Convert annotations into another format.

    Args:
        annotations: Sample key -> annotation.
        facts: About the data set.
        target: Name of the format wanted.
        sizes: Sample key -> (width, height) in pixels, of every sample, also those without an
            annotation. An annotation that says its size may be missing here, unless its image
            should be renamed nonetheless.

    Raises:
        NotFoundError: There is no format ``target``.
        InvalidInputError: A box needs the image's size, and nothing says it; or one of the two is
            a format of numbers.
    """
    build = _TARGETS.get(target)
    refuse_numbers(facts.format, target)
    if build is None and target != facts.format:
        raise NotFoundError(f"format {target!r}: expected one of {', '.join(_TARGETS)}")
    samples = sorted({*annotations, *sizes})
    if build is None or (target == facts.format and facts.layout):
        return Converted(dict(annotations), facts, {key: key for key in samples})
    source = Source(
        annotations, facts, sizes, tuple(samples), _complete(facts.classes, annotations)
    )
    result = build(source)
    repeated = [key for key, count in Counter(result.renamed.values()).items() if count > 1]
    if repeated:
        raise InvalidInputError(f"two images would both become {few(repeated, len(repeated))}")
    ordered = dict(sorted(result.annotations.items()))
    warnings = (*source.left_behind(target), *result.warnings)
    return Converted(ordered, result.facts, result.renamed, warnings)


def refuse_numbers(source: str, target: str) -> None:
    """Refuse to convert between formats of images and formats of numbers.

    Args:
        source: Name of the format a data set is in.
        target: Name of the format wanted.

    Raises:
        InvalidInputError: One is a format of numbers, and it is not the other.
    """
    if source != target and {source, target} & _NUMBERS:
        raise InvalidInputError(
            f"images and numbers (tables, zarr) are not converted into each other: {source} to "
            f"{target}",
            hint="veml export without --format writes a data set as it is",
        )


def _complete(
    classes: tuple[ClassInfo, ...], annotations: Mapping[str, Annotation]
) -> tuple[ClassInfo, ...]:
    """Return the classes, and behind them those that occur without being listed."""
    known = {info.name for info in classes}
    seen: set[str] = set()
    for annotation in annotations.values():
        seen.update(obj["class"] for obj in annotation.get("objects", ()) if "class" in obj)
        seen.update(annotation.get("labels", ()))
    return (*classes, *(ClassInfo(name) for name in sorted(seen - known)))
