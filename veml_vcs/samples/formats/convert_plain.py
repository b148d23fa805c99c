"""Conversions into formats without boxes: class folders, plain files."""

from __future__ import annotations

from veml_vcs.samples.facts import Annotation, ClassInfo, Facts
from veml_vcs.samples.formats.conversion import Source, Target, respelt
from veml_vcs.samples.formats.keys import SPLIT_FOLDERS
from veml_vcs.samples.formats.text import Tally

UNLABELLED = "_unlabelled"
MIXED = "_mixed"


def to_folders(source: Source) -> Target:
    """``[SPLIT/]CLASS/``: a label, or the one class among an image's objects.

    Images of no class, or of several, are kept apart in folders of their own.
    """
    short = source.short_names()
    folders = respelt(source.classes, _as_folder)
    has_splits = any(_split(annotation) for annotation in source.annotations.values())
    none = Tally(f"{{count}} images have no class, and were put into {UNLABELLED}: {{few}}")
    mixed = Tally(f"{{count}} images have several classes, and were put into {MIXED}: {{few}}")
    unsplit = Tally("{count} images are in no split, and were put into train: {few}")
    several = Tally("{count} images are in several splits, and were put into the first: {few}")
    annotations: dict[str, Annotation] = {}
    renamed: dict[str, str] = {}
    for key in source.samples:
        given = source.annotations.get(key, {})
        source.drop(given, ("labels", "splits", "width", "height", "id", "filename", "file_name"))
        found = set(given.get("labels", ()))
        found = found or {obj["class"] for obj in given.get("objects", ()) if "class" in obj}
        if not found:
            none.add(key)
        elif len(found) > 1:
            mixed.add(key)
        name = UNLABELLED if not found else MIXED if len(found) > 1 else folders[found.pop()]
        annotation: Annotation = {"labels": [name]}
        folder = name
        if has_splits:
            split = _split(given)
            if not split:
                unsplit.add(key)
            elif len(given["splits"]) > 1:
                several.add(key)
            annotation["splits"] = [split or "train"]
            folder = f"{split or 'train'}/{name}"
        renamed[key] = f"{folder}/{short[key]}"
        annotations[renamed[key]] = annotation
    names = sorted({annotation["labels"][0] for annotation in annotations.values()})
    classes = tuple(ClassInfo(name) for name in names)
    facts = Facts("folders", "classification", classes, {"root": ""})
    warnings = [w for tally in (none, mixed, unsplit, several) for w in tally.warnings()]
    return Target(annotations, facts, renamed, tuple(warnings))


def _as_folder(name: str) -> str:
    """Return a class name as the name of a folder."""
    plain = name.replace("/", "_").replace("\0", "_").strip()
    return plain if plain.strip(".") else f"_{plain}"


def _split(annotation: Annotation) -> str:
    """Return the first split that can be the name of a folder of splits, or nothing."""
    splits: list[str] = annotation.get("splits", [])
    return next((name for name in splits if name.lower() in SPLIT_FOLDERS), "")


def to_files(source: Source) -> Target:
    """Drop all annotations; images stay where they are."""
    for annotation in source.annotations.values():
        source.drop(annotation, ())
    return Target({}, Facts("files"), {key: key for key in source.samples})
