"""YOLO's splits: folders or lists that ``data.yaml`` names, else the usual names of folders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from veml_vcs.samples.formats.base import ReadFile
from veml_vcs.samples.formats.keys import (
    base_of,
    ending,
    folder_of,
    is_image,
    join,
    split_in,
    suffix_of,
    without_suffix,
)
from veml_vcs.samples.formats.yolo_classes import FoundList

_SPLITS = ("train", "val", "test", "minival")
_USUAL_LISTS = frozenset(("train.txt", "val.txt", "valid.txt", "test.txt", "trainval.txt"))


def find_lists(keys: Sequence[str], read: ReadFile, found: FoundList | None) -> dict[str, str]:
    """Return the lists of images: key -> name of the split.

    A list is a text file that the YAML file names, or that is called like a split and names images.
    """
    texts = ending(keys, ".txt")
    lists = {}
    for split, path in _paths(found):
        if suffix_of(path) == ".txt":
            named = _resolve(path, found, texts)
            lists.update(dict.fromkeys((key for key in texts if key == named), split))
    for key in texts:
        if key not in lists and base_of(key).lower() in _USUAL_LISTS and _names_images(read(key)):
            lists[key] = without_suffix(base_of(key))
    return dict(sorted(lists.items()))


def splits_by_folder(found: FoundList | None, images: Iterable[str]) -> dict[str, list[str]]:
    """Return the folders of images of each split that the YAML file names."""
    folders = sorted({folder_of(image) for image in images})
    result: dict[str, list[str]] = {}
    for split, path in _paths(found):
        if suffix_of(path) != ".txt":
            folder = _resolve(path, found, folders)
            if folder is not None and folder not in result.get(split, ()):
                result.setdefault(split, []).append(folder)
    return result


def split_of(key: str, options: Mapping[str, Any]) -> list[str]:
    """Return the splits that follow from where an image lies."""
    named: Mapping[str, Sequence[str]] = options.get("splits", {})
    splits = sorted(
        split
        for split, folders in named.items()
        if any(not folder or key.startswith(folder + "/") for folder in folders)
    )
    if splits:
        return splits
    usual = split_in(folder_of(key))
    return [usual] if usual is not None else []


def _paths(found: FoundList | None) -> Iterable[tuple[str, str]]:
    """Yield (split, path) as the YAML file says."""
    content = {} if found is None else found.yaml
    for split in _SPLITS:
        value = content.get(split)
        for path in value if isinstance(value, list) else [value]:
            if isinstance(path, str) and path:
                yield split, path


def _resolve(path: str, found: FoundList | None, known: Sequence[str]) -> str | None:
    """Return which of the data set's folders (or files) a path on somebody's machine means.

    Front components are dropped until the rest is known: paths are relative to the YAML file, to
    its ``path``, to where somebody once started a training, or absolute.
    """
    parts = [part for part in path.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    above = folder_of(found.key) if found is not None else ""
    root = found.yaml.get("path") if found is not None else None
    candidates = [join(above, "/".join(parts))]
    if isinstance(root, str):
        inner = [part for part in root.split("/") if part not in ("", ".", "..")]
        candidates.append(join(above, "/".join([*inner, *parts])))
    candidates += ["/".join(parts[start:]) for start in range(len(parts))]
    for candidate in candidates:
        if any(name == candidate or name.startswith(candidate + "/") for name in known):
            return candidate
    return above if not parts else None


def _names_images(data: bytes) -> bool:
    """Tell whether the first line of a file names an image."""
    first = data[:4096].strip().split(b"\n")[0].strip()
    return is_image(first.decode("utf-8", "replace"))
