"""Class lists: names made unique, numbers made complete."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from veml_vcs.samples.facts import ClassInfo

_NAME_IN_SOURCE = "name"


def unique_classes(
    given: Iterable[tuple[int, str, Mapping[str, Any]]], key: str
) -> tuple[tuple[ClassInfo, ...], list[str]]:
    """Build a class list whose names are unique, since annotations refer to names.

    Some tools list one name under two numbers (Roboflow writes a super-category as a class). The
    later ones are called ``name#number`` here; the name in the source is kept beside it.

    Args:
        given: Number, name and further fields of each class; numbers are unique.
        key: The file, for warnings.

    Returns:
        The classes, and warnings.
    """
    classes: dict[str, ClassInfo] = {}
    warnings = []
    given = list(given)
    taken = {name for _, name, _ in given}
    for number, name, extra in given:
        if name in classes:
            own = f"{name}#{number}"
            while own in taken:
                own += "#"
            taken.add(own)
            warnings.append(
                f"{key}: class {name!r} has the numbers {classes[name].id} and {number}; "
                f"the latter is called {own!r} here"
            )
            classes[own] = ClassInfo(own, number, {**extra, _NAME_IN_SOURCE: name})
        else:
            classes[name] = ClassInfo(name, number, dict(extra))
    return tuple(classes.values()), warnings


def source_name(info: ClassInfo) -> str:
    """Return the name a class has in its source."""
    name = info.extra.get(_NAME_IN_SOURCE)
    return name if isinstance(name, str) else info.name


def source_fields(info: ClassInfo) -> dict[str, Any]:
    """Return what a source says of a class besides number and name."""
    return {name: value for name, value in info.extra.items() if name != _NAME_IN_SOURCE}


def numbered(classes: Sequence[ClassInfo], first: int) -> dict[str, int]:
    """Return name -> number for all classes: given numbers stay, others go on after the largest.

    Args:
        classes: In order. A number that is taken by an earlier class counts as none.
        first: The smallest number the format uses.
    """
    result: dict[str, int] = {}
    taken: set[int] = set()
    for info in classes:
        if info.id is not None and info.id >= first and info.id not in taken:
            result[info.name] = info.id
            taken.add(info.id)
    following = max(taken, default=first - 1) + 1
    for info in classes:
        if info.name not in result:
            result[info.name] = following
            following += 1
    return {info.name: result[info.name] for info in classes}
