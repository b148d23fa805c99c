"""What a file's name tells of its content: class mask, array, list of classes. Imports nothing."""

from __future__ import annotations

_MASK_FOLDERS = ("mask", "label", "seg", "gt", "annot", "semantic")


def is_mask(key: str) -> bool:
    """Tell whether a key may name a class mask: a PNG in a folder that is called like one."""
    folder = key.lower().rpartition("/")[0]
    return key.lower().endswith(".png") and any(
        part.startswith(_MASK_FOLDERS) or part.endswith(_MASK_FOLDERS)
        for part in folder.split("/")
        if part
    )


def is_array(key: str) -> bool:
    """Tell whether a key names an NPY file."""
    return key.lower().endswith(".npy")


def is_archive(key: str) -> bool:
    """Tell whether a key names an NPZ archive of arrays."""
    return key.lower().endswith(".npz")


def is_parquet(key: str) -> bool:
    """Tell whether a key names a Parquet file."""
    return key.lower().endswith((".parquet", ".pq"))


def is_class_list(key: str) -> bool:
    """Tell whether a file may list the classes of masks: ``mask_classes.txt``, ``classes.txt``."""
    base = key.lower().rsplit("/", 1)[-1]
    return base.endswith((".txt", ".csv", ".names")) and ("class" in base or "label" in base)
