"""What the name of a file tells: whether it is an image, its folder, its split.

A key is a POSIX path relative to the data set's folder; one that begins with ``/`` lies outside.
"""

from __future__ import annotations

from collections.abc import Iterable

from veml_vcs.samples.images import IMAGE_SUFFIXES as IMAGE_SUFFIXES
from veml_vcs.samples.images import is_image as is_image

SPLIT_FOLDERS = frozenset(
    (
        "train", "training", "val", "valid", "validation", "dev", "eval",
        "test", "testing", "trainval", "minival", "unlabeled", "unlabelled",
    )
)  # fmt: skip

IMAGE_FOLDERS = ("JPEGImages", "images", "Images", "image", "imgs", "img", "image_2", "data")
"""Usual names of folders of images, the most telling first."""


def folder_of(key: str) -> str:
    """Return the folder a key lies in, ``""`` for the top."""
    return key.rpartition("/")[0]


def base_of(key: str) -> str:
    """Return the last component of a key."""
    return key.rpartition("/")[2]


def suffix_of(key: str) -> str:
    """Return the extension with its dot, lower case; ``""`` where there is none."""
    base = base_of(key)
    dot = base.rfind(".")
    return base[dot:].lower() if dot > 0 else ""


def without_suffix(key: str) -> str:
    """Return the key without its extension."""
    suffix = suffix_of(key)
    return key[: -len(suffix)] if suffix else key


def join(folder: str, rest: str) -> str:
    """Put a folder (``""`` is the top) and what lies in it together."""
    return f"{folder}/{rest}" if folder and rest else folder or rest


def images_in(keys: Iterable[str]) -> list[str]:
    """Return the images inside the data set's folder, in the order given."""
    return [key for key in keys if key[:1] != "/" and is_image(key)]


def ending(keys: Iterable[str], *suffixes: str) -> list[str]:
    """Return the keys that end so, in upper or lower case."""
    return [key for key in keys if key.lower().endswith(suffixes)]


def split_in(folder: str) -> str | None:
    """Return the innermost component of a path that is the usual name of a split, as written."""
    for part in reversed(folder.split("/")):
        if part.lower() in SPLIT_FOLDERS:
            return part
    return None
