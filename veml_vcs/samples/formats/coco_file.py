"""One COCO file, checked and turned into annotations.

Reading takes the parsed document apart instead of copying it: a file may hold millions of objects.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from veml_vcs.samples.facts import Annotation, ClassInfo
from veml_vcs.samples.formats.classes import unique_classes
from veml_vcs.samples.formats.names import Naming
from veml_vcs.samples.formats.text import Tally, escaped, is_number, malformed

IMAGE_RESERVED = frozenset(("objects", "labels", "splits", "sources", "entries"))
OBJECT_RESERVED = frozenset(("class", "xywh", "xyxy", "cxcywhn", "source"))
_NUMBERS = frozenset((int, float))
_ID_TYPES = frozenset((int, str, float))
"""Tools on data frames write whole numbers as 1.0."""
_MISSING = object()


@dataclass(frozen=True)
class CocoFile:
    """What one file says.

    Attributes:
        key: The file.
        annotations: Key -> annotation, of present and absent images.
        classes: None where the file has no ``categories``.
        extra: Its other top-level fields.
        warnings: Sentences for the user.
    """

    key: str
    annotations: dict[str, Annotation]
    classes: tuple[ClassInfo, ...] | None
    extra: dict[str, Any]
    warnings: tuple[str, ...]


def read_file(key: str, document: Any, naming: Naming, known: Mapping[str, str]) -> CocoFile:
    """Turn a parsed file into annotations.

    Args:
        key: The file.
        document: Its content; belongs to this function from now on.
        naming: How its file names mean keys.
        known: Keys of the images that are present, to themselves.

    Raises:
        FormatError: The content is no COCO; names the place.
    """
    if not isinstance(document, dict):
        raise malformed(key, "the top", "an object", _kind(document))
    images = document.pop("images", None)
    objects = document.pop("annotations", None)
    categories = document.pop("categories", None)
    if not isinstance(images, list):
        raise malformed(key, "images", "a list", _kind(images))
    classes: tuple[ClassInfo, ...] | None = None
    warnings: list[str] = []
    if categories is not None:
        classes, warnings = _read_categories(key, categories)
    annotations, by_id = _read_images(key, images, naming, known)
    if objects is not None:
        warnings += _read_objects(key, objects, by_id, classes or ())
    return CocoFile(key, annotations, classes, document, tuple(warnings))


def _read_categories(key: str, categories: Any) -> tuple[tuple[ClassInfo, ...], list[str]]:
    if not isinstance(categories, list):
        raise malformed(key, "categories", "a list", _kind(categories))
    given: list[tuple[int, str, dict[str, Any]]] = []
    seen: dict[int, int] = {}
    for index, category in enumerate(categories):
        place = f"categories[{index}]"
        if not isinstance(category, dict):
            raise malformed(key, place, "an object", _kind(category))
        number = category.pop("id", None)
        if not is_number(number) or int(number) != number:
            raise malformed(key, f"{place}.id", "a whole number", _kind(number))
        number = int(number)
        if number in seen:
            expected = f"a number other than that of categories[{seen[number]}]"
            raise malformed(key, f"{place}.id", expected, str(number))
        seen[number] = index
        name = category.pop("name", None)
        if not isinstance(name, str) or not name:
            raise malformed(key, f"{place}.name", "text", _kind(name))
        given.append((number, name, category))
    return unique_classes(given, key)


def _read_images(
    key: str, images: list[Any], naming: Naming, known: Mapping[str, str]
) -> tuple[dict[str, Annotation], dict[int | str, Annotation]]:
    """Return the annotations, without objects, by key and by image id."""
    annotations: dict[str, Annotation] = {}
    by_id: dict[int | str, Annotation] = {}
    for index, image in enumerate(images):
        if type(image) is not dict:
            raise malformed(key, f"images[{index}]", "an object", _kind(image))
        number: Any = image.get("id")
        if type(number) not in _ID_TYPES:
            raise malformed(key, f"images[{index}].id", "a number or text", _kind(number))
        if number in by_id:
            raise malformed(key, f"images[{index}].id", "an id of its own", f"{number!r} again")
        for size in ("width", "height"):
            if size in image and not is_number(image[size]):
                raise malformed(key, f"images[{index}].{size}", "a number", _kind(image[size]))
        if not IMAGE_RESERVED.isdisjoint(image) or "$" in "".join(image):
            image = {escaped(name, IMAGE_RESERVED): value for name, value in image.items()}
        sample = _sample_of(image, naming, known)
        if sample is None:
            found = _kind(image.get("file_name"))
            raise malformed(key, f"images[{index}].file_name", "the name of a file", found)
        if sample in annotations:
            found = f"{sample!r} again (image ids {annotations[sample]['id']!r} and {number!r})"
            raise malformed(key, f"images[{index}].file_name", "an image not listed before", found)
        annotations[sample] = by_id[number] = image
    return annotations, by_id


def _sample_of(image: dict[str, Any], naming: Naming, known: Mapping[str, str]) -> str | None:
    """Return the key an image entry means; a file name that it does not tell stays in it."""
    name = image.get("file_name")
    if not isinstance(name, str) or "\0" in name:
        return None
    sample = naming.to_key(name, known)
    if sample is None:
        sample = naming.absent_key(name)
    if sample is not None and naming.to_name(sample) == name:
        del image["file_name"]
    return sample


def _read_objects(
    key: str,
    objects: Any,
    by_id: Mapping[int | str, Annotation],
    classes: tuple[ClassInfo, ...],
) -> list[str]:
    """Put each object into its image's annotation; returns warnings."""
    if not isinstance(objects, list):
        raise malformed(key, "annotations", "a list", _kind(objects))
    for annotation in by_id.values():
        annotation["objects"] = []
    names = {info.id: info.name for info in classes}
    repeated = Tally("{count} objects have an id that another one has: {few}", where=key)
    odd = Tally("{count} boxes have a negative size or reach out of their image: {few}", where=key)
    ids: set[int | str] = set()
    for index, obj in enumerate(objects):
        if type(obj) is not dict:
            raise malformed(key, f"annotations[{index}]", "an object", _kind(obj))
        number = obj.get("id", _MISSING)
        if number is not _MISSING:
            if type(number) not in _ID_TYPES:
                raise malformed(key, f"annotations[{index}].id", "a number or text", _kind(number))
            if number in ids:
                repeated.add(f"{number!r} (annotations[{index}])")
            ids.add(number)
        if not OBJECT_RESERVED.isdisjoint(obj) or "$" in "".join(obj):
            obj = {escaped(name, OBJECT_RESERVED): value for name, value in obj.items()}
        image_id = obj.pop("image_id", None)
        image = by_id.get(image_id) if type(image_id) in _ID_TYPES else None
        if image is None:
            expected = "the id of one of the images"
            raise malformed(key, f"annotations[{index}].image_id", expected, _kind(image_id))
        category = obj.pop("category_id", _MISSING)
        if category is not _MISSING:
            name = names.get(category) if type(category) in _NUMBERS else None
            if name is None:
                expected = "the id of one of the categories"
                raise malformed(key, f"annotations[{index}].category_id", expected, _kind(category))
            obj["class"] = name
        box = obj.pop("bbox", _MISSING)
        if box is not _MISSING:
            if type(box) is not list or len(box) != 4 or not _NUMBERS.issuperset(map(type, box)):
                expected = "four numbers (x, y, width, height)"
                raise malformed(key, f"annotations[{index}].bbox", expected, _kind(box))
            obj["xywh"] = box
            if _is_odd(box, image):
                odd.add(f"annotations[{index}]")
        image["objects"].append(obj)
    return [*repeated.warnings(), *odd.warnings()]


def _is_odd(box: list[int | float], image: Annotation) -> bool:
    """Tell whether a box has a negative size or lies outside by more than a pixel."""
    left, top, width, height = box
    return (
        width < 0
        or height < 0
        or left < -1
        or top < -1
        or left + width > image.get("width", left + width) + 1
        or top + height > image.get("height", top + height) + 1
    )


def _kind(value: object) -> str:
    """Show a value for a message."""
    return "nothing" if value is None else f"{value!r:.60}"
