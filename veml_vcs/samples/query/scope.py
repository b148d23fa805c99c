"""What the names of an expression mean for one sample, and for one of its objects.

A field of the annotation is called as the annotation calls it (docs/design/002-annotations.md).
Besides them a sample has ``key``, ``bytes``, ``classes`` and ``fields``; an object has ``box``
(``x1 y1 x2 y2 width height area``, pixels), ``sample`` and ``fields``. Width and height of an image
of which nothing is said are read from the image itself, when an expression asks for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any, TypeAlias

from veml_vcs.samples.annotations.boxes import Box, box_of, image_size
from veml_vcs.samples.facts import Annotation

SizeOf: TypeAlias = Callable[[str], tuple[int, int] | None]
"""From a sample's key to its width and height in pixels, None where it is no image."""

SAMPLE_NAMES = frozenset(("key", "bytes", "classes", "fields", "width", "height", "objects"))
OBJECT_NAMES = frozenset(("box", "sample", "fields"))


class SampleScope:
    """One sample, as expressions see it.

    Args:
        key: The sample's key.
        size_bytes: Length of its bytes.
        annotation: What is said of it, if anything.
        size_of: Tells an image's size where the annotation does not.
    """

    def __init__(
        self, key: str, size_bytes: int, annotation: Annotation | None, size_of: SizeOf
    ) -> None:
        self.key = key
        self.said: Annotation = annotation if annotation is not None else {}
        self._bytes = size_bytes
        self._size_of = size_of

    @cached_property
    def size(self) -> tuple[float | None, float | None]:
        """Width and height in pixels, as the annotation says, else as the image does."""
        width, height = image_size(self.said)
        if width is None:
            found = self._size_of(self.key)
            if found is not None:
                return found
        return width, height

    @property
    def classes(self) -> list[str]:
        """Class names of its objects and labels, each once, sorted."""
        names = set(self.said.get("labels", ()))
        names.update(obj["class"] for obj in self.said.get("objects", ()) if "class" in obj)
        return sorted(name for name in names if isinstance(name, str))

    def get(self, name: str) -> Any:
        """Return the value of a name, None where it has none."""
        if name == "key":
            return self.key
        if name == "bytes":
            return self._bytes
        if name == "classes":
            return self.classes
        if name == "fields":
            return self.said
        if name in ("width", "height"):
            return self.size[name == "height"]
        return self.said.get(name)

    def objects(self) -> Iterator[ObjectScope]:
        """Yield the scopes of its objects."""
        for obj in self.said.get("objects", ()):
            yield ObjectScope(self, obj)


class ObjectScope:
    """One object of a sample, as expressions see it.

    Args:
        sample: Its sample.
        obj: The object.
    """

    __slots__ = ("obj", "sample")

    def __init__(self, sample: SampleScope, obj: Mapping[str, Any]) -> None:
        self.sample = sample
        self.obj = obj

    def get(self, name: str) -> Any:
        """Return the value of a name, None where it has none."""
        if name == "box":
            return self.box()
        if name == "sample":
            return self.sample
        if name == "fields":
            return self.obj
        return self.obj.get(name)

    def objects(self) -> Iterator[ObjectScope]:
        """Yield the object itself: ``count`` inside ``any`` asks of it alone."""
        yield self

    def box(self) -> dict[str, float] | None:
        """Return its box in pixels with its size; None where it has none."""
        corners = object_box(self.obj, self.sample)
        if corners is None:
            return None
        x1, y1, x2, y2 = corners
        width, height = x2 - x1, y2 - y1
        return {
            "x1": x1, "y1": y1, "x2": x2, "y2": y2,
            "width": width, "height": height, "area": width * height,
        }  # fmt: skip


def object_box(obj: Mapping[str, Any], sample: SampleScope) -> Box | None:
    """Return an object's box in pixels; of one that has only an outline, the box around it.

    None where it has neither, or is relative to an image whose size nothing tells.
    """
    relative = "cxcywhn" in obj or "segmentation_n" in obj
    width, height = sample.size if relative else (None, None)
    if relative and not (width and height):
        return None
    return box_of(obj, width, height)
