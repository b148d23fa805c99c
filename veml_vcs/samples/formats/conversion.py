"""What all conversions share: the source, the target, names of images, what gets lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from veml_vcs.errors import InvalidInputError
from veml_vcs.samples.facts import Annotation, ClassInfo, Facts
from veml_vcs.samples.formats.boxes import Numbers
from veml_vcs.samples.formats.keys import base_of, without_suffix

BOXES = frozenset(("xyxy", "xywh", "cxcywhn"))


@dataclass(frozen=True)
class Target:
    """The result of one conversion; see ``convert.Converted``."""

    annotations: dict[str, Annotation]
    facts: Facts
    renamed: dict[str, str]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """A data set to be converted, and a list of what is left behind on the way.

    Attributes:
        annotations: Sample key -> annotation.
        facts: About the data set.
        sizes: Sample key -> (width, height) in pixels.
        samples: All keys, sorted.
        classes: All classes, listed or not.
    """

    annotations: Mapping[str, Annotation]
    facts: Facts
    sizes: Mapping[str, tuple[int, int]]
    samples: tuple[str, ...]
    classes: tuple[ClassInfo, ...]
    _lost: Counter[str] = field(default_factory=Counter)

    def size_of(self, key: str) -> tuple[float | None, float | None]:
        """Return an image's width and height in pixels as far as known."""
        if key in self.sizes:
            return self.sizes[key]
        annotation = self.annotations.get(key, {})
        return annotation.get("width"), annotation.get("height")

    def short_names(self) -> dict[str, str]:
        """Return a name for each sample that tells it from all others in one folder.

        The name itself where all are unique (without their extensions), else the whole key with
        ``_`` for slashes, else that and a number.
        """
        names = {key: base_of(key) for key in self.samples}
        if _are_unique(names.values()):
            return names
        names = {key: key.strip("/").replace("/", "_") for key in self.samples}
        taken: set[str] = set()
        for key, name in names.items():
            stem, suffix = without_suffix(name), name[len(without_suffix(name)) :]
            number = 1
            while without_suffix(names[key]).lower() in taken:
                number += 1
                names[key] = f"{stem}_{number}{suffix}"
            taken.add(without_suffix(names[key]).lower())
        return names

    def lose(self, names: Iterable[str]) -> None:
        """Note fields that the target has no place for."""
        self._lost.update(names)

    def drop(self, value: Mapping[str, Any], kept: Collection[str]) -> None:
        """Note all fields that are not among ``kept``."""
        self.lose(name for name in value if name not in kept)

    def left_behind(self, target: str) -> list[str]:
        """Return one warning for each kind of thing the target has no place for."""
        warnings = [
            f"{target} has no place for {name!r}: left out {count} time{'s' * (count > 1)}"
            for name, count in sorted(self._lost.items())
        ]
        lists = self.facts.layout.get("lists", {})
        for file, content in sorted(self.facts.extra.items()):
            if file not in lists:
                warnings.append(f"left behind, from {file}: {', '.join(sorted(content))}")
        return warnings


def _are_unique(names: Iterable[str]) -> bool:
    stems = [without_suffix(name).lower() for name in names]
    return len(set(stems)) == len(stems)


def boxed(box: Any, obj: Mapping[str, Any], key: str, source: Source) -> Numbers | None:
    """Call one of ``boxes.to_*`` with the image's size, and name the image if that fails.

    Raises:
        InvalidInputError: The size is needed and not known.
    """
    try:
        result: Numbers | None = box(obj, *source.size_of(key))
    except InvalidInputError as error:
        raise InvalidInputError(f"{key}: {error.message}") from error
    return result


def respelt(classes: Iterable[ClassInfo], spell: Callable[[str], str]) -> dict[str, str]:
    """Return class name -> the name that the target can hold.

    Raises:
        InvalidInputError: Two classes would get the same name.
    """
    names: dict[str, str] = {}
    taken: dict[str, str] = {}
    for info in classes:
        name = spell(info.name)
        if name in taken:
            raise InvalidInputError(
                f"classes {taken[name]!r} and {info.name!r} would both be called {name!r}"
            )
        taken[name] = info.name
        names[info.name] = name
    return names
