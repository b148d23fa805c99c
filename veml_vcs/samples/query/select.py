"""Choose samples, and objects inside them, by conditions.

A sample is chosen if all conditions on samples hold and enough of its objects meet all conditions
on objects: at least one, or as many as ``min_objects`` and ``max_objects`` say. So
``classes=("car",), max_objects=0`` are the samples without a car. A label of the whole sample
counts for ``classes`` like an object.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any

from veml_vcs.errors import InvalidInputError
from veml_vcs.samples.facts import Annotation
from veml_vcs.samples.query.expression import Expression, holds, parse
from veml_vcs.samples.query.scope import OBJECT_NAMES, SAMPLE_NAMES, ObjectScope, SampleScope

_MOST_NAMED = 12


@dataclass(frozen=True)
class Conditions:
    """What a sample, and the objects in it, must be like; empty conditions hold for everything.

    Attributes:
        classes: Objects (or labels) of any of these classes.
        keys: Samples whose key matches any of these shell patterns (``*`` matches slashes too).
        splits: Samples in any of these splits.
        min_area: Objects with a box of at least so many square pixels.
        max_area: Objects with a box of at most so many square pixels.
        min_objects: Samples with at least so many objects that meet the conditions on objects.
        max_objects: Samples with at most so many.
        where: An expression that must hold for the sample.
        objects: An expression that must hold for an object.
    """

    classes: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    splits: tuple[str, ...] = ()
    min_area: float | None = None
    max_area: float | None = None
    min_objects: int | None = None
    max_objects: int | None = None
    where: str | None = None
    objects: str | None = None

    def __bool__(self) -> bool:
        return self != Conditions()

    @property
    def about_objects(self) -> bool:
        """Whether there is a condition on objects."""
        return bool(self.classes or self.objects) or not (self.min_area is self.max_area is None)

    def arguments(self) -> dict[str, Any]:
        """Return what was said, canonical: sets sorted, expressions printed anew.

        Raises:
            InvalidInputError: An expression cannot be parsed.
        """
        said: dict[str, Any] = {
            "class": sorted(set(self.classes)),
            "key": sorted(set(self.keys)),
            "split": sorted(set(self.splits)),
            "min-area": self.min_area,
            "max-area": self.max_area,
            "min-objects": self.min_objects,
            "max-objects": self.max_objects,
            "where": None if self.where is None else str(parse(self.where)),
            "object": None if self.objects is None else str(parse(self.objects)),
        }
        return {name: value for name, value in said.items() if value is not None and value != []}


class Selector:
    """Conditions, parsed and ready to be asked.

    Args:
        conditions: The conditions.

    Raises:
        InvalidInputError: An expression cannot be parsed, or a number makes no sense.
    """

    def __init__(self, conditions: Conditions) -> None:
        self.conditions = conditions
        self._where = None if conditions.where is None else parse(conditions.where)
        self._object = None if conditions.objects is None else parse(conditions.objects)
        low, high = conditions.min_objects, conditions.max_objects
        if low is not None and high is not None and low > high:
            raise InvalidInputError(f"at least {low} and at most {high} objects: nothing is both")
        # Conditions on objects ask for one, unless something says how many.
        self._least = low if low is not None else int(conditions.about_objects and high is None)
        self._most = high

    def chooses(self, sample: SampleScope) -> bool:
        """Tell whether a sample is chosen."""
        said, wanted = sample.said, self.conditions
        if wanted.keys and not any(fnmatchcase(sample.key, one) for one in wanted.keys):
            return False
        if wanted.splits and set(wanted.splits).isdisjoint(said.get("splits", ())):
            return False
        if self._where is not None and not holds(self._where.value(sample)):
            return False
        if not self._least and self._most is None:
            return True
        count = sum(map(self.means, sample.objects()))
        if self._labels_count:
            count += sum(label in wanted.classes for label in said.get("labels", ()))
        return count >= self._least and (self._most is None or count <= self._most)

    @cached_property
    def _labels_count(self) -> bool:
        only_class = Conditions(
            classes=self.conditions.classes,
            keys=self.conditions.keys,
            splits=self.conditions.splits,
            min_objects=self.conditions.min_objects,
            max_objects=self.conditions.max_objects,
            where=self.conditions.where,
        )
        return bool(self.conditions.classes) and self.conditions == only_class

    def means(self, obj: ObjectScope) -> bool:
        """Tell whether an object meets all conditions on objects."""
        wanted = self.conditions
        if wanted.classes and obj.obj.get("class") not in wanted.classes:
            return False
        if wanted.min_area is not None or wanted.max_area is not None:
            box = obj.box()
            if box is None:
                return False
            if wanted.min_area is not None and box["area"] < wanted.min_area:
                return False
            if wanted.max_area is not None and box["area"] > wanted.max_area:
                return False
        return self._object is None or holds(self._object.value(obj))

    def without_others(self, sample: SampleScope) -> Annotation:
        """Return a sample's annotation with the objects alone that meet the conditions."""
        if "objects" not in sample.said:
            return sample.said
        kept = [one.obj for one in sample.objects() if self.means(one)]
        if len(kept) == len(sample.said["objects"]):
            return sample.said
        return {**sample.said, "objects": kept}

    def check_names(self, annotations: Iterable[Annotation], classes: Sequence[str]) -> None:
        """Refuse what cannot be meant: fields that no sample has, unknown classes and splits.

        Args:
            annotations: All that is said in the data set.
            classes: Its class list.

        Raises:
            InvalidInputError: Something is named that is nowhere; says what is near.
        """
        wanted = self.conditions
        expressions = [one for one in (self._where, self._object) if one is not None]
        if not (expressions or wanted.classes or wanted.splits):
            return
        fields: set[str] = set()
        inner: set[str] = set()
        splits: set[str] = set()
        seen = set(classes)
        for said in annotations:
            fields.update(said)
            splits.update(said.get("splits", ()))
            seen.update(said.get("labels", ()))
            for obj in said.get("objects", ()):
                inner.update(obj)
                seen.update(filter(lambda name: isinstance(name, str), [obj.get("class")]))
        for name in wanted.classes:
            _check(name, seen, "class")
        for name in wanted.splits:
            _check(name, splits, "split")
        for asked, inside in _asked(self._where, self._object):
            if inside:
                _check(asked, inner | OBJECT_NAMES, "field of an object")
            else:
                _check(asked, fields | SAMPLE_NAMES, "field of a sample")


def _asked(where: Expression | None, objects: Expression | None) -> list[tuple[str, bool]]:
    names = [] if where is None else list(where.names())
    return names + ([] if objects is None else list(objects.names(inside=True)))


def _check(name: str, known: set[str] | frozenset[str], what: str) -> None:
    if name in known:
        return
    near = get_close_matches(name, known, 3) or sorted(known)[:_MOST_NAMED]
    raise InvalidInputError(
        f"no {what} {name!r} in this data set",
        hint=f"there is {', '.join(near)}" if near else None,
        kind="unknown-name",
    )


def selected(selector: Selector, samples: Mapping[str, SampleScope]) -> dict[str, SampleScope]:
    """Return the samples that are chosen, in the order given."""
    return {key: one for key, one in samples.items() if selector.chooses(one)}
