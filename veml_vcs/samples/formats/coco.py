"""COCO: one JSON file over many images: recognise and read (``coco_write`` writes).

The whole family has one schema (instances, keypoints, captions, panoptic): ``images``,
``annotations`` that name an image, ``categories``. A data set may have several files, over
different images (train and val) or the same ones (instances and captions):

* ``sources`` of a sample, where there is more than one file, are the files that list it;
* an object that not all of its sample's sources hold has a field ``source``, the file that does;
* where files differ in what they say of the image itself, the first file's fields stand in the
  annotation and the others' in ``entries``, file -> fields;
* class numbers that differ from ``Facts.classes`` are kept in ``Facts.extra[file]["categories"]``.

Only images that a file lists are samples: masks or depth maps beside them stay the files they are.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from veml_vcs.errors import InvalidInputError
from veml_vcs.samples.facts import Annotation, ClassInfo, Facts
from veml_vcs.samples.formats.base import (
    Format,
    Layout,
    Parsed,
    ReadFile,
    Refusal,
    Regrouped,
)
from veml_vcs.samples.formats.coco_changes import changed_part
from veml_vcs.samples.formats.coco_edits import plain_hints, regroup, samples_in
from veml_vcs.samples.formats.coco_file import CocoFile, read_file
from veml_vcs.samples.formats.coco_splice import splice
from veml_vcs.samples.formats.coco_write import sources_of, write_file
from veml_vcs.samples.formats.json_text import collector_paused, parse_json
from veml_vcs.samples.formats.keys import (
    SPLIT_FOLDERS,
    base_of,
    ending,
    folder_of,
    images_in,
    is_image,
    split_in,
    without_suffix,
)
from veml_vcs.samples.formats.lists import check_splits
from veml_vcs.samples.formats.names import Naming, fit
from veml_vcs.samples.formats.text import Tally

_MOST_FILES = 200
"""More JSON files than this, and they are one an image: not COCO."""

_TELLING = (b'"file_name"', b'"annotations"', b'"categories"')


class Coco(Format):
    """COCO."""

    name = "coco"
    needs = "a JSON file with a list 'images', each with an 'id' and a 'file_name'"

    def recognise(
        self, keys: Sequence[str], read: ReadFile, *, forced: bool = False
    ) -> Layout | Refusal:
        """See ``Format.recognise``."""
        candidates = _candidates(keys)
        if not candidates:
            return Refusal("no .json file, or one for each image")
        known = {key: key for key in images_in(keys)}
        samples: set[str] = set()
        files: dict[str, Any] = {}
        scratch: dict[str, Any] = {}
        hints: dict[str, Any] = {}
        for key in candidates:
            data = read(key)
            if b'"images"' not in data or not any(word in data for word in _TELLING):
                continue
            document = parse_json(data, key)
            names = _file_names(document)
            if names is None:
                continue
            naming = fit(names, known, key)
            hints = plain_hints(document, names, naming, known)
            samples.update(
                found for name in names if (found := naming.to_key(name, known)) is not None
            )
            files[key] = naming.to_json()
            split = _split_of(key)
            if split is not None:
                files[key]["split"] = split
            scratch[key] = (data, document)
        if not files:
            return Refusal("no .json file has a list 'images' with file names")
        if not samples and not forced:
            return Refusal(f"none of the images that {min(files)} lists is in the folder")
        unlisted = _unlisted(samples, known)
        samples |= unlisted
        ordered = {key: files[key] for key in sorted(files)}
        if hints:
            hints |= {"unlisted": sorted(unlisted), "loose": sorted(known.keys() - samples)}
        if len(files) > 1 or len(candidates) != len(ending(keys, ".json")):
            hints = {}
        return Layout(
            self.name,
            tuple(sorted(samples)),
            shared_sources=tuple(ordered),
            options={"files": ordered},
            scratch=scratch,
            hints=hints,
        )

    def read(self, layout: Layout, read: ReadFile, only: Collection[str] | None = None) -> Parsed:
        """See ``Format.read``."""
        known = {key: key for key in layout.samples}
        files = []
        for key in layout.shared_sources:
            options = layout.options["files"][key]
            document = _document(layout, key, read(key))
            with collector_paused():
                files.append(read_file(key, document, Naming.from_json(options), known))
        annotations = files[0].annotations if len(files) == 1 else _union(files)
        for file in files:
            split = layout.options["files"][file.key].get("split")
            if split is not None:
                for key in file.annotations:
                    splits = annotations[key].setdefault("splits", [])
                    if split not in splits:
                        splits.append(split)
                        splits.sort()
        absent = Tally("{count} images that are listed are not in the folder: {few}")
        for key in annotations:
            if key not in known:
                absent.add(key)
        classes, extra = _classes(files)
        facts = Facts(self.name, "detection", classes, dict(layout.options), extra)
        if only is not None:
            annotations = {key: annotations[key] for key in only if key in annotations}
        warnings = [warning for file in files for warning in file.warnings]
        ordered = dict(sorted(annotations.items()))
        return Parsed(ordered, facts, (*warnings, *absent.warnings()))

    def narrow(self, layout: Layout, key: str, old: bytes, new: bytes) -> bool:
        """See ``Format.narrow``."""
        document = changed_part(old, new, key)
        if document is not None:
            layout.scratch[key] = (new, document)
        return document is not None

    def splice(
        self,
        facts: Facts,
        key: str,
        data: bytes,
        others: Sequence[bytes],
        annotations: Mapping[str, Annotation],
    ) -> bytes | None:
        """See ``Format.splice``."""
        return splice(key, data, others, facts, annotations)

    def inert(self, key: str) -> bool:
        """See ``Format.inert``."""
        return not is_image(key) and not key.lower().endswith(".json")

    def samples_in(self, hints: Mapping[str, Any], keys: Collection[str]) -> list[str] | None:
        """See ``Format.samples_in``."""
        return samples_in(hints, keys) if hints else None

    def regroup(
        self,
        hints: Mapping[str, Any],
        keys: Collection[str],
        added: Collection[str],
        removed: Collection[str],
    ) -> Regrouped | None:
        """See ``Format.regroup``."""
        return regroup(hints, keys, added, removed) if hints else None

    def write(
        self,
        annotations: Mapping[str, Annotation],
        facts: Facts,
        only: Collection[str] | None = None,
    ) -> dict[str, bytes]:
        """See ``Format.write``.

        Ids stay as they are. An image or object without an id, or whose id an earlier one has
        (in order of keys), gets the next number after the file's largest.
        """
        files: Mapping[str, Any] = facts.layout.get("files", {})
        if annotations and not files:
            raise InvalidInputError("COCO: no file to write to; convert gives a layout")
        for key, annotation in annotations.items():
            check_splits(
                {key: annotation},
                [files[source].get("split", "") for source in sources_of(annotation, files)],
            )
        return {
            key: write_file(key, annotations, facts) for key in files if only is None or key in only
        }


def _unlisted(listed: set[str], images: Collection[str]) -> set[str]:
    """Return the images beside listed ones: samples that nobody has labelled yet.

    Not those in folders of their own (masks, thumbnails), nor those that differ from a listed one
    in the suffix alone.
    """
    folders = {folder_of(key) for key in listed}
    stems = {without_suffix(key) for key in listed}
    return {key for key in images if folder_of(key) in folders and without_suffix(key) not in stems}


def _candidates(keys: Sequence[str]) -> list[str]:
    """Return the JSON files that may speak of many images."""
    documents = ending(keys, ".json")
    if len(documents) > _MOST_FILES:
        stems = {without_suffix(base_of(key)) for key in images_in(keys)}
        documents = [key for key in documents if without_suffix(base_of(key)) not in stems]
    return documents if len(documents) <= _MOST_FILES else []


def _file_names(document: Any) -> list[str] | None:
    """Return the file names a document lists; None where it is of another schema."""
    if not isinstance(document, dict) or "images" not in document:
        return None
    images = document["images"]
    names = [
        image.get("file_name")
        for image in (images if isinstance(images, list) else ())
        if isinstance(image, dict)
    ]
    if not names and "annotations" not in document and "categories" not in document:
        return None
    return [name for name in names if isinstance(name, str)]


def _document(layout: Layout, key: str, data: bytes) -> Any:
    """Return the parsed file; ``read_file`` takes it apart, so a parsed one serves only once."""
    seen: tuple[bytes, Any] | None = layout.scratch.pop(key, None)
    return seen[1] if seen is not None and seen[0] == data else parse_json(data, key)


def _split_of(key: str) -> str | None:
    """Return the split a file speaks of: a word of its name, without the year, else its folder."""
    stem = without_suffix(base_of(key))
    for word in stem.replace("-", "_").replace(".", "_").split("_"):
        bare = word.strip("0123456789")
        if bare.lower() in SPLIT_FOLDERS:
            return bare
    return split_in(folder_of(key))


def _union(files: Sequence[CocoFile]) -> dict[str, Annotation]:
    """Bring what several files say of their images together."""
    sources: dict[str, list[CocoFile]] = {}
    for file in files:
        for key in file.annotations:
            sources.setdefault(key, []).append(file)
    result: dict[str, Annotation] = {}
    for key, speaking in sources.items():
        annotation = speaking[0].annotations[key]
        if len(speaking) > 1:
            annotation = _joined(key, speaking)
        annotation["sources"] = [file.key for file in speaking]
        result[key] = annotation
    return result


def _joined(key: str, files: Sequence[CocoFile]) -> Annotation:
    """Join what two or more files say of one image."""
    parts = [file.annotations[key] for file in files]
    lists = [part.pop("objects", None) for part in parts]
    annotation = dict(parts[0])
    entries = {
        file.key: part for file, part in zip(files[1:], parts[1:], strict=True) if part != parts[0]
    }
    if entries:
        annotation["entries"] = entries
    if all(objects is None for objects in lists):
        return annotation
    annotation["objects"] = joined = []
    rest = [list(objects or ()) for objects in lists]
    for obj in lists[0] or ():
        if all(obj in others for others in rest[1:]):
            for others in rest[1:]:
                others.remove(obj)
            joined.append(obj)
        else:
            joined.append({**obj, "source": files[0].key})
    for file, others in zip(files[1:], rest[1:], strict=True):
        joined.extend({**obj, "source": file.key} for obj in others)
    return annotation


def _classes(files: Sequence[CocoFile]) -> tuple[tuple[ClassInfo, ...], dict[str, Any]]:
    """Return the union of all class lists, by name, and what each file says besides."""
    classes: dict[str, ClassInfo] = {}
    for file in files:
        for info in file.classes or ():
            classes.setdefault(info.name, info)
    union = tuple(classes.values())
    extra: dict[str, Any] = {}
    for file in files:
        facts = dict(file.extra)
        if file.classes is None:
            facts["categories"] = None
        elif file.classes != union:
            facts["categories"] = [
                {**info.extra, "id": info.id, "class": info.name} for info in file.classes
            ]
        if facts:
            extra[file.key] = facts
    return union, extra
