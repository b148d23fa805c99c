"""Class folders: the folder an image lies in is its class; folders above may be splits.

``[root/][train/]cat/1.jpg``. There are no annotation files: everything is in the keys.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from veml_vcs.errors import InvalidInputError
from veml_vcs.samples.facts import Annotation, ClassInfo, Facts
from veml_vcs.samples.formats.base import Format, Layout, Parsed, ReadFile, Refusal
from veml_vcs.samples.formats.keys import (
    IMAGE_FOLDERS,
    SPLIT_FOLDERS,
    base_of,
    folder_of,
    images_in,
)
from veml_vcs.samples.formats.text import few

_NO_CLASSES = SPLIT_FOLDERS.union(
    (name.lower() for name in IMAGE_FOLDERS), ("masks", "mask", "labels", "annotations", "depth")
)


class Folders(Format):
    """Class folders."""

    name = "folders"
    needs = "at least two folders of images, named by class, side by side (or below split folders)"
    has_files = False

    def recognise(
        self, keys: Sequence[str], read: ReadFile, *, forced: bool = False
    ) -> Layout | Refusal:
        """See ``Format.recognise``."""
        images = images_in(keys)
        folders = sorted({folder_of(image) for image in images})
        inner = [folder for folder in folders if folder]
        if not inner:
            return Refusal("no images in folders")
        if forced:
            root = _common_root(inner)
        else:
            places = {_place(folder) for folder in inner}
            root = min(place[0] for place in places)
            classes = sorted({place[2] for place in places})
            refusal = _doubt(folders, places, classes)
            if refusal is not None:
                return refusal
        speaking = {folder for folder in inner if _says(folder, root) is not None}
        samples = tuple(key for key in images if folder_of(key) in speaking)
        return Layout(self.name, samples, {}, (), {"root": root})

    def read(self, layout: Layout, read: ReadFile, only: Collection[str] | None = None) -> Parsed:
        """See ``Format.read``."""
        root = layout.options.get("root", "")
        wanted = None if only is None else frozenset(only)
        said: dict[str, Annotation | None] = {}
        annotations: dict[str, Annotation] = {}
        for key in layout.samples:
            if wanted is not None and key not in wanted:
                continue
            folder = folder_of(key)
            if folder not in said:
                said[folder] = _says(folder, root)
            annotation = said[folder]
            if annotation is not None:
                own: Annotation = {"labels": annotation["labels"].copy()}
                if "splits" in annotation:
                    own["splits"] = annotation["splits"].copy()
                annotations[key] = own
        names = sorted({a["labels"][0] for a in said.values() if a is not None})
        classes = tuple(ClassInfo(name) for name in names)
        facts = Facts(self.name, "classification", classes, dict(layout.options))
        return Parsed(annotations, facts)

    def write(
        self,
        annotations: Mapping[str, Annotation],
        facts: Facts,
        only: Collection[str] | None = None,
    ) -> dict[str, bytes]:
        """See ``Format.write``. Nothing is written; what is said must agree with the keys."""
        root = facts.layout.get("root", "")
        for key, annotation in annotations.items():
            implied = _says(folder_of(key), root)
            if annotation != implied:
                raise InvalidInputError(
                    f"{key}: its folder says {implied}, the annotation says {annotation!r:.200}; "
                    "with class folders, an image of another class is a file in another folder"
                )
        return {}


def _place(folder: str) -> tuple[str, str, str]:
    """Take a folder of images apart: root, split (or nothing), class."""
    above, name = folder_of(folder), base_of(folder)
    if base_of(above).lower() in SPLIT_FOLDERS:
        return folder_of(above), base_of(above), name
    return above, "", name


def _doubt(
    folders: Sequence[str], places: Collection[tuple[str, str, str]], classes: Sequence[str]
) -> Refusal | None:
    """Return why these are no class folders, or None."""
    if "" in folders:
        return Refusal("images lie beside the folders, not only in them")
    if len({root for root, _, _ in places}) > 1:
        return Refusal(f"folders of images lie at different depths: {few(folders, len(folders))}")
    if len({bool(split) for _, split, _ in places}) > 1:
        return Refusal("some folders of images lie below splits, others do not")
    if len(classes) < 2:
        return Refusal(f"there is one folder of images, {classes[0]!r}, and no other class")
    if names := [name for name in classes if name.lower() in _NO_CLASSES]:
        return Refusal(f"the folder {names[0]!r} is not named like a class")
    return None


def _common_root(folders: Sequence[str]) -> str:
    """Return the deepest folder that holds all class folders and splits."""
    common = folder_of(folders[0])
    for folder in folders:
        while common and not folder.startswith(common + "/"):
            common = folder_of(common)
    while common and base_of(common).lower() in SPLIT_FOLDERS:
        common = folder_of(common)
    return common


def _says(folder: str, root: str) -> Annotation | None:
    """Return what lying in a folder says of a sample; None outside class folders."""
    if root:
        if not folder.startswith(root + "/"):
            return None
        folder = folder[len(root) + 1 :]
    if not folder:
        return None
    first, _, rest = folder.partition("/")
    if rest and first.lower() in SPLIT_FOLDERS:
        return {"labels": [rest.partition("/")[0]], "splits": [first]}
    return {"labels": [first]}
