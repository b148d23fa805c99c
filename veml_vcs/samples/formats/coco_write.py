"""One COCO file, written from annotations: the inverse of ``coco_file``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from veml_vcs.errors import InvalidInputError
from veml_vcs.samples.facts import Annotation, Facts
from veml_vcs.samples.formats.classes import numbered, source_fields, source_name
from veml_vcs.samples.formats.coco_file import IMAGE_RESERVED, OBJECT_RESERVED
from veml_vcs.samples.formats.json_text import collector_paused, dump_json
from veml_vcs.samples.formats.names import Naming
from veml_vcs.samples.formats.text import is_number, unescaped

_FIRST = ("info", "licenses")
_NUMBERS = frozenset((int, float))
Names: TypeAlias = dict[tuple[str, ...], tuple[str | None, ...]]
"""Fields of an object -> what COCO calls them; None for one that it says elsewhere."""
_OWN_NAMES = {"class": "category_id", "xywh": "bbox", "id": None}


def write_file(key: str, annotations: Mapping[str, Annotation], facts: Facts) -> bytes:
    """Write one file of a COCO data set.

    Args:
        key: The file.
        annotations: Sample key -> annotation, of all samples.
        facts: About the data set; ``layout["files"]`` lists its COCO files.

    Raises:
        InvalidInputError: COCO cannot hold what is said of a sample.
    """
    with collector_paused():
        return dump_json(_document(key, annotations, facts))


def _document(key: str, annotations: Mapping[str, Annotation], facts: Facts) -> dict[str, Any]:
    files: Mapping[str, Any] = facts.layout["files"]
    naming = Naming.from_json(files[key])
    extra: Mapping[str, Any] = facts.extra.get(key, {})
    samples = [
        sample for sample in sorted(annotations) if key in sources_of(annotations[sample], files)
    ]
    entries = [_image_entry(sample, annotations[sample], key, naming) for sample in samples]
    number_entries(entries)
    objects: list[dict[str, Any]] = []
    used: set[str] = set()
    names: Names = {}
    has_objects = False
    for sample, entry in zip(samples, entries, strict=True):
        annotation = annotations[sample]
        has_objects = has_objects or "objects" in annotation
        first = sources_of(annotation, files)[0]
        for obj in annotation.get("objects", ()):
            if _belongs(obj, annotation, key, first):
                objects.append(object_entry(obj, entry["id"], sample, names))
                if "class" in obj:
                    used.add(obj["class"])
    number_entries(objects)
    categories, numbers = categories_of(key, facts, extra, used)
    for obj in objects:
        if "category_id" in obj:
            obj["category_id"] = numbers[obj["category_id"]]

    document = {name: extra[name] for name in _FIRST if name in extra}
    document["images"] = entries
    if has_objects or not samples:
        document["annotations"] = objects
    if categories is not None:
        document["categories"] = categories
    rest = sorted(extra.keys() - {*_FIRST, "categories"})
    return {**document, **{name: extra[name] for name in rest}}


def sources_of(annotation: Annotation, files: Mapping[str, Any]) -> Sequence[str]:
    """Return the files that list a sample.

    A sample that names none (new, from elsewhere) goes to the file of its split, else to the first.
    """
    given = [source for source in annotation.get("sources", ()) if source in files]
    if given:
        return given
    splits = annotation.get("splits", ())
    fitting = [key for key, options in files.items() if options.get("split") in splits]
    return fitting[:1] or list(files)[:1]


def _belongs(obj: Mapping[str, Any], annotation: Annotation, key: str, first: str) -> bool:
    """Tell whether a file holds an object of an image it lists."""
    source = obj.get("source")
    if source is None:
        return True
    return bool(source == key or (key == first and source not in annotation.get("sources", ())))


def _image_entry(sample: str, annotation: Annotation, key: str, naming: Naming) -> dict[str, Any]:
    said = annotation.get("entries", {}).get(key, annotation)
    entry = {
        own: value
        for name, value in said.items()
        if (own := unescaped(name, IMAGE_RESERVED)) is not None
    }
    name = entry.pop("file_name", None) or naming.to_name(sample) or sample
    if "labels" in annotation:
        raise InvalidInputError(f"{sample}: COCO has no place for labels of a whole image")
    return {"id": entry.pop("id", None), "file_name": name, **entry}


def object_entry(
    obj: Mapping[str, Any], image_id: Any, sample: str, names: Names
) -> dict[str, Any]:
    """Return an object as COCO has it; ``names`` remembers what fields are called there."""
    fields = tuple(obj)
    own = names.get(fields)
    if own is None:
        own = names[fields] = tuple(_own_name(name, sample) for name in fields)
    entry: dict[Any, Any] = {"id": obj.get("id"), "image_id": image_id}
    entry.update(zip(own, obj.values(), strict=True))
    entry.pop(None, None)
    if "xywh" in obj:
        box = obj["xywh"]
        plain = type(box) is list and _NUMBERS.issuperset(map(type, box))
        if not isinstance(box, list) or len(box) != 4 or not (plain or all(map(is_number, box))):
            raise InvalidInputError(f"{sample}: xywh: expected four numbers, found {box!r}")
    return entry


def _own_name(name: str, sample: str) -> str | None:
    """Return what COCO calls a field of an object; None for one that it says elsewhere."""
    if name in ("xyxy", "cxcywhn"):
        raise InvalidInputError(f"{sample}: COCO boxes are xywh, found {name}")
    if name in _OWN_NAMES:
        return _OWN_NAMES[name]
    return unescaped(name, OBJECT_RESERVED)


def number_entries(entries: Sequence[dict[str, Any]]) -> None:
    """Give every entry an id of its own; see ``Coco.write``."""
    taken: set[Any] = set()
    homeless: list[dict[str, Any]] = []
    for entry in entries:
        number = entry.get("id")
        if number is None or number in taken:
            homeless.append(entry)
        else:
            taken.add(number)
    following = _after(taken)
    for entry in homeless:
        entry["id"] = next(following)


def _after(taken: set[Any]) -> Iterator[int]:
    """Yield the numbers after the largest of those taken, from 1 on where there is none."""
    number = max((int(value) for value in taken if is_number(value)), default=0)
    while True:
        number += 1
        yield number


def categories_of(
    key: str, facts: Facts, extra: Mapping[str, Any], used: set[str]
) -> tuple[list[dict[str, Any]] | None, dict[str, int]]:
    """Return a file's list of categories (None: it has none), and class name -> number."""
    least = min((info.id for info in facts.classes if info.id is not None), default=1)
    everywhere = numbered(facts.classes, least)
    infos = {info.name: info for info in facts.classes}
    if lost := sorted(used - infos.keys()):
        raise InvalidInputError(f"{key}: class {lost[0]!r} is not in the class list")
    own = extra.get("categories", ...)
    if own is ...:
        entries = [
            {"id": everywhere[info.name], "name": source_name(info), **source_fields(info)}
            for info in facts.classes
        ]
        return entries, everywhere
    entries = []
    numbers: dict[str, int] = {}
    for category in own or ():
        rest = {name: value for name, value in category.items() if name not in ("id", "class")}
        name = rest.pop("name", category["class"])
        entries.append({"id": category["id"], "name": name, **rest})
        numbers[category["class"]] = category["id"]
    taken = set(numbers.values())
    for name in sorted(used - numbers.keys(), key=everywhere.__getitem__):
        number = everywhere[name]
        if number in taken:
            number = max(taken) + 1
        taken.add(number)
        numbers[name] = number
        info = infos[name]
        entries.append({"id": number, "name": source_name(info), **source_fields(info)})
    return (entries if own is not None or entries else None), numbers
