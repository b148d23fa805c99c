"""Conversions into formats that hold boxes: COCO, VOC, YOLO, KITTI."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from veml_vcs.samples.facts import Annotation, ClassInfo, Facts
from veml_vcs.samples.formats.boxes import to_cxcywhn, to_xywh, to_xyxy
from veml_vcs.samples.formats.classes import numbered
from veml_vcs.samples.formats.coco_write import number_entries
from veml_vcs.samples.formats.conversion import BOXES, Source, Target, boxed, respelt
from veml_vcs.samples.formats.keys import SPLIT_FOLDERS
from veml_vcs.samples.formats.kitti import FIELDS
from veml_vcs.samples.formats.text import Tally, format_number, is_number
from veml_vcs.samples.formats.xml_text import holds, is_name

_UNKNOWN_IN_KITTI: Mapping[str, Any] = {
    "truncated": -1,
    "occluded": -1,
    "alpha": -10,
    "dimensions": [-1, -1, -1],
    "location": [-1000, -1000, -1000],
    "rotation_y": -10,
}
"""What KITTI itself writes where it does not know (its DontCare rows)."""

_YOLO_SPLITS = {
    "train": "train", "training": "train", "trainval": "train",
    "val": "val", "valid": "val", "validation": "val", "dev": "val", "eval": "val",
    "test": "test", "testing": "test",
}  # fmt: skip


def to_coco(source: Source) -> Target:
    """One file for each split, beside images that stay where they are.

    Labels of whole images become objects without a box. VOC, YOLO and KITTI have no ids: objects
    and images are numbered in order of keys.
    """
    files: dict[str, Any] = {}
    annotations: dict[str, Annotation] = {}
    for key in source.samples:
        given = source.annotations.get(key, {})
        splits = [name for name in given.get("splits", ()) if name.lower() in SPLIT_FOLDERS]
        source.lose(f"split {name}" for name in given.get("splits", ()) if name not in splits)
        sources = sorted(f"annotations/instances_{name}.json" for name in splits)
        for file, name in zip(sources, sorted(splits), strict=True):
            files[file] = {"split": name}
        if not sources:
            sources = ["annotations/instances.json"]
            files.setdefault(sources[0], {})
        annotation = {
            name: value
            for name, value in given.items()
            if name not in ("labels", "splits", "sources", "entries", "objects", "file_name")
        }
        annotation["sources"] = sources
        if splits:
            annotation["splits"] = sorted(splits)
        width, height = source.size_of(key)
        if width and height:
            annotation["width"], annotation["height"] = width, height
        annotation["objects"] = [
            _coco_object(obj, key, source) for obj in given.get("objects", ())
        ] + [{"class": label} for label in given.get("labels", ())]
        annotations[key] = annotation
    ordered = [annotations[key] for key in sorted(annotations)]
    number_entries(ordered)
    number_entries([obj for annotation in ordered for obj in annotation["objects"]])
    if len(files) == 1:
        for annotation in ordered:
            del annotation["sources"]
    numbers = numbered(source.classes, 1)
    classes = tuple(ClassInfo(c.name, numbers[c.name], c.extra) for c in source.classes)
    layout = {"files": dict(sorted(files.items()))}
    facts = Facts("coco", "detection", classes, layout)
    return Target(annotations, facts, {key: key for key in source.samples})


def _coco_object(obj: Mapping[str, Any], key: str, source: Source) -> dict[str, Any]:
    result = {name: value for name, value in obj.items() if name not in (*BOXES, "source")}
    box = boxed(to_xywh, obj, key, source)
    if box is not None:
        result["xywh"] = box
        result.setdefault("area", abs(box[2] * box[3]))
        result.setdefault("iscrowd", 0)
    return result


def to_voc(source: Source) -> Target:
    """``JPEGImages``, ``Annotations``, and ``ImageSets`` where there are splits.

    Fields that VOC does not know become elements of text; what is neither text nor number is
    written as JSON there.
    """
    renamed = {key: f"JPEGImages/{name}" for key, name in source.short_names().items()}
    annotations: dict[str, Annotation] = {}
    lists: dict[str, str] = {}
    classes: set[str] = set()
    kept = ("objects", "splits", "width", "height", "filename")
    dropped = ("labels", "sources", "entries")
    for key in source.samples:
        given = source.annotations.get(key, {})
        annotation: Annotation = {}
        if "objects" in given:
            annotation.update(_texts(given, (*kept, *dropped), source))
            source.lose(name for name in dropped if name in given)
            width, height = source.size_of(key)
            if is_number(width) and is_number(height):
                annotation["width"], annotation["height"] = width, height
            annotation["objects"] = [_voc_object(obj, key, source) for obj in given["objects"]]
            classes.update(obj["class"] for obj in annotation["objects"])
        else:
            source.drop(given, ("splits", "width", "height", "id", "file_name"))
        if splits := given.get("splits"):
            annotation["splits"] = list(splits)
            for split in splits:
                lists[f"ImageSets/{split if '/' in split else 'Main/' + split}.txt"] = split
        if annotation:
            annotations[renamed[key]] = annotation
    layout: dict[str, Any] = {"folders": {"JPEGImages": "Annotations"}, "suffix": ".xml"}
    if lists:
        layout["lists"] = dict(sorted(lists.items()))
    extra = {file: {"root": "JPEGImages/"} for file in sorted(lists)}
    infos = tuple(ClassInfo(name) for name in sorted(classes))
    return Target(annotations, Facts("voc", "detection", infos, layout, extra), renamed)


def _voc_object(obj: Mapping[str, Any], key: str, source: Source) -> dict[str, Any]:
    numbers = ("truncated", "difficult")
    result = _texts(obj, ("class", *BOXES, *numbers, "source"), source)
    name = obj.get("class")
    result["class"] = name if isinstance(name, str) else "unknown"
    for number in numbers:
        result[number] = obj[number] if is_number(obj.get(number)) else 0
    result.setdefault("pose", "Unspecified")
    box = boxed(to_xyxy, obj, key, source)
    if box is not None:
        result["xyxy"] = box
    return result


def _texts(value: Mapping[str, Any], besides: tuple[str, ...], source: Source) -> dict[str, Any]:
    """Return the fields as VOC can hold them, all but ``besides``."""
    result: dict[str, Any] = {}
    for name, item in value.items():
        if name in besides:
            continue
        if not is_name(name):
            source.lose([name])
        elif isinstance(item, str) and item == item.strip() and holds(item):
            result[name] = item
        elif is_number(item):
            result[name] = format_number(item)
        else:
            result[name] = json.dumps(item, sort_keys=True)
    return result


def to_yolo(source: Source) -> Target:
    """``images/SPLIT``, ``labels/SPLIT`` and ``data.yaml``.

    Every image is in exactly one of train, val and test: the first of its splits, in that order,
    else train.
    """
    short = source.short_names()
    numbers = {info.name: number for number, info in enumerate(source.classes)}
    several = Tally("{count} images are in several splits, and were put into the first: {few}")
    none = Tally("{count} images are in no split, and were put into train: {few}")
    boxless = Tally("{count} objects without a box or class were left out: {few}")
    annotations: dict[str, Annotation] = {}
    renamed: dict[str, str] = {}
    used: set[str] = set()
    for key in source.samples:
        given = source.annotations.get(key, {})
        named = {
            _YOLO_SPLITS[name.lower()]
            for name in given.get("splits", ())
            if name.lower() in _YOLO_SPLITS
        }
        split = next((name for name in ("train", "val", "test") if name in named), "train")
        if not named:
            none.add(key)
        elif len(named) > 1:
            several.add(key)
        used.add(split)
        renamed[key] = f"images/{split}/{short[key]}"
        annotation: Annotation = {"splits": [split]}
        source.drop(given, ("objects", "splits", "width", "height", "id", "filename", "file_name"))
        if "objects" in given:
            annotation["objects"] = []
            for obj in given["objects"]:
                box = boxed(to_cxcywhn, obj, key, source)
                if box is None or "class" not in obj:
                    boxless.add(key)
                    continue
                source.drop(obj, ("class", "id", "area", *BOXES))
                annotation["objects"].append({"class": obj["class"], "cxcywhn": box})
        annotations[renamed[key]] = annotation
    folders: dict[str, Any] = {
        split: f"images/{split}" for split in ("train", "val", "test") if split in used
    }
    classes = tuple(ClassInfo(c.name, numbers[c.name], _name_in_source(c)) for c in source.classes)
    for info in source.classes:
        source.drop(info.extra, ("name",))
    layout: dict[str, Any] = {
        "folders": {"images": "labels"},
        "suffix": ".txt",
        "classes": "data.yaml",
        "splits": {split: [folder] for split, folder in folders.items()},
    }
    extra = {"data.yaml": {**folders, "nc": len(classes)}}
    facts = Facts("yolo", "detection", classes, layout, extra)
    warnings = (*several.warnings(), *none.warnings(), *boxless.warnings())
    return Target(annotations, facts, renamed, warnings)


def _name_in_source(info: ClassInfo) -> dict[str, Any]:
    return {"name": info.extra["name"]} if "name" in info.extra else {}


def to_kitti(source: Source) -> Target:
    """``training/image_2`` and ``training/label_2``; what KITTI asks and nobody says is unknown."""
    renamed = {key: f"training/image_2/{name}" for key, name in source.short_names().items()}
    words = respelt(source.classes, lambda name: "_".join(name.split()) or "_")
    boxless = Tally("{count} objects without a box or class were left out: {few}")
    changed = Tally("{count} classes were written with _ for blanks: {few}")
    annotations: dict[str, Annotation] = {}
    used: set[str] = set()
    for name, word in words.items():
        if name != word:
            changed.add(f"{name} as {word}")
    for key, given in source.annotations.items():
        source.drop(given, ("objects", "width", "height", "id", "filename", "file_name"))
        if "objects" not in given:
            continue
        objects = []
        for obj in given["objects"]:
            box = boxed(to_xyxy, obj, key, source)
            if box is None or "class" not in obj:
                boxless.add(key)
                continue
            result = _kitti_object(obj)
            source.drop(obj, ("id", "area", "truncated", *BOXES, *result))
            objects.append({**result, "class": words[obj["class"]], "xyxy": box})
            used.add(words[obj["class"]])
        annotations[renamed[key]] = {"objects": objects}
    layout = {"folders": {"training/image_2": "training/label_2"}, "suffix": ".txt"}
    classes = tuple(ClassInfo(name) for name in sorted(used))
    facts = Facts("kitti", "detection", classes, layout)
    return Target(annotations, facts, renamed, (*boxless.warnings(), *changed.warnings()))


_EXACT = 1 << 53  # KITTI's readers take columns for doubles


def _kitti_object(obj: Mapping[str, Any]) -> dict[str, Any]:
    """Return KITTI's columns, each as the object says or else as unknown."""
    result: dict[str, Any] = {"class": "", "xyxy": []}
    for name, count in FIELDS:
        if name == "xyxy":
            continue
        value = obj.get(name)
        values = value if count > 1 and isinstance(value, list) else [value]
        fits = len(values) == count and all(map(is_number, values))
        result[name] = value if fits else _UNKNOWN_IN_KITTI[name]
    score = obj.get("score")
    if isinstance(score, (int, float)) and is_number(score) and abs(score) <= _EXACT:
        result["score"] = score
    return result
