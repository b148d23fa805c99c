"""A data set as plain Python, its three-way merge, and the files each format makes of it.

The model knows nothing of veml. It says what a merge must give: a box is known by its slot (a
place in the image that no other box can overlap), an image by its name, or, where one side gave it
another name, by its pixels.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeAlias

from tests.repository.kit import CLASSES, SIZE, Files, coco, image_number, kitti, png, voc, yolo
from tests.repository.kit import Box as KitBox

SLOTS = 9
"""Places for boxes: three by three."""

Choice: TypeAlias = Literal["ours", "theirs", "base"] | None


class Box(NamedTuple):
    """One box: its class, and where in its slot it lies (any two places overlap by half)."""

    name: str
    dx: int = 0
    dy: int = 0
    w: int = 11
    h: int = 11


class Image(NamedTuple):
    """One sample: a number that stands for its bytes, and slot -> box."""

    pixels: int
    boxes: Mapping[int, Box] = {}


State: TypeAlias = dict[str, Image]
"""Name of the image (for class folders ``cat/1.png``) -> what it is."""

Drawn: TypeAlias = tuple[str, int, int, int, int]
"""A box as a format says it: class, x, y, width, height."""

Seen: TypeAlias = dict[str, tuple[int, Counter[Drawn]]]
"""Name -> number of its pixels and its boxes: what can be read back from files."""


@dataclass
class Merged:
    """What a merge gives.

    Attributes:
        seen: Name -> pixels and boxes.
        conflicts: (name, kind) -> how often.
    """

    seen: Seen = field(default_factory=dict)
    conflicts: Counter[tuple[str, str]] = field(default_factory=Counter)


# -- the merge -----------------------------------------------------------------------------------


def merge_states(base: State, ours: State, theirs: State, choice: Choice = None) -> Merged:
    """Merge two states over a third, as a human would say it."""
    return _Merge(choice).run(base, ours, theirs)


class _Merge:
    def __init__(self, choice: Choice) -> None:
        self.choice = choice
        self.result = Merged()

    def pick(
        self,
        name: str,
        kind: str,
        base: Any,
        ours: Any,
        theirs: Any,
        meanwhile: Literal["ours", "theirs"] = "ours",
    ) -> Any:
        self.result.conflicts[name, kind] += 1
        return {"base": base, "ours": ours, "theirs": theirs}[self.choice or meanwhile]

    def settle(self, name: str, kind: str, base: Any, ours: Any, theirs: Any) -> Any:
        if ours == theirs or theirs == base:
            return ours
        if ours == base:
            return theirs
        return self.pick(name, kind, base, ours, theirs)

    def run(self, base: State, ours: State, theirs: State) -> Merged:
        our_moves, their_moves = moves(base, ours), moves(base, theirs)
        done: set[str] = set()
        for name, old in base.items():
            here, there = our_moves.get(name, name), their_moves.get(name, name)
            done |= {name, here, there}
            left, right = ours.get(here), theirs.get(there)
            if left is None and right is None:
                continue
            if left is None or right is None:
                self.removed(name, old, (here, left), (there, right))
                continue
            if here != there and name not in (here, there):
                place = self.pick(here, "place-both", name, here, there)
            else:
                place = here if there == name else there
            told = here if here != name else there
            self.keep(place, told, old, left, right)
        for name in ours.keys() | theirs.keys():
            if name not in done:
                left, right = ours.get(name), theirs.get(name)
                one = left or right
                assert one is not None
                self.keep(name, name, None, left or one, right or one)
        return self.result

    def removed(
        self,
        name: str,
        old: Image,
        ours: tuple[str, Image | None],
        theirs: tuple[str, Image | None],
    ) -> None:
        """One side removed what the other may have changed: then the changed one stays."""
        place, kept = ours if ours[1] is not None else theirs
        assert kept is not None
        if kept == old and place == name:
            return
        mine, yours = ours[1] and ours, theirs[1] and theirs
        chosen = self.pick(
            place, "removed-changed", (name, old), mine, yours,
            meanwhile="ours" if mine else "theirs",
        )  # fmt: skip
        if chosen is not None:
            self.result.seen[chosen[0]] = see(chosen[1])

    def keep(self, place: str, told: str, old: Image | None, left: Image, right: Image) -> None:
        """Both sides have the image."""
        if old is None and left is right:
            self.result.seen[place] = see(left)
            return
        before = old.pixels if old else None
        pixels = self.settle(told, "content-both", before, left.pixels, right.pixels)
        boxes: Counter[Drawn] = Counter()
        slots = dict(old.boxes) if old else {}
        for slot in sorted({*slots, *left.boxes, *right.boxes}):
            for box in self.box(told, slots.get(slot), left.boxes.get(slot), right.boxes.get(slot)):
                boxes[drawn(slot, box)] += 1
        if pixels is not None:
            self.result.seen[place] = (pixels, boxes)

    def box(self, name: str, old: Box | None, left: Box | None, right: Box | None) -> list[Box]:
        if left == right or right == old:
            return [left] if left else []
        if left == old:
            return [right] if right else []
        if left is None or right is None:
            meanwhile: Literal["ours", "theirs"] = "ours" if left else "theirs"
            chosen = self.pick(name, "removed-changed", old, left, right, meanwhile)
            return [chosen] if chosen else []
        if old is None:
            if left.name != right.name or iou(left, right) < 0.9:
                return [left, right]
            chosen = self.pick(name, "added-both", None, left, right)
            return [chosen] if chosen else []
        place = self.settle(name, "moved-both", old[1:], left[1:], right[1:])
        return [Box(self.settle(name, "class-both", old.name, left.name, right.name), *place)]


def moves(base: State, side: State) -> dict[str, str]:
    """Return old name -> new name of images that one side gave another name."""
    gone = {base[name].pixels: name for name in base.keys() - side.keys()}
    new = {side[name].pixels: name for name in side.keys() - base.keys()}
    return {gone[pixels]: new[pixels] for pixels in gone.keys() & new.keys()}


def iou(a: Box, b: Box) -> float:
    """Return the intersection over union of two boxes of one slot."""
    width = max(0, min(a.dx + a.w, b.dx + b.w) - max(a.dx, b.dx))
    height = max(0, min(a.dy + a.h, b.dy + b.h) - max(a.dy, b.dy))
    return width * height / (a.w * a.h + b.w * b.h - width * height)


# -- files ---------------------------------------------------------------------------------------


def drawn(slot: int, box: Box) -> Drawn:
    """Return a box in pixels."""
    return box.name, 20 * (slot % 3) + box.dx, 20 * (slot // 3) + box.dy, box.w, box.h


def see(image: Image) -> tuple[int, Counter[Drawn]]:
    """Return what can be read back of an image."""
    return image.pixels, Counter(drawn(slot, box) for slot, box in image.boxes.items())


def see_state(state: State) -> Seen:
    """Return what can be read back of a state."""
    return {name: see(image) for name, image in state.items()}


def write(state: State, name: str) -> Files:
    """Return the files of a state in a format."""
    return FORMATS[name].write(state)


def read(files: Files, name: str) -> Seen:
    """Read files back, without veml."""
    return FORMATS[name].read(files)


@dataclass(frozen=True)
class _Format:
    name: str
    write: Callable[[State], Files]
    read: Callable[[Files], Seen]
    places: Callable[[int, str], list[str]]
    """From a number and a mark, the names an image may have."""
    folder: str = ""
    has_boxes: bool = True


def _kit(state: State, maker: Callable[[Any], Files]) -> Files:
    model = {
        name: tuple(
            KitBox(100 * image_number(name) + slot, *drawn(slot, box))
            for slot, box in sorted(one.boxes.items())
        )
        for name, one in state.items()
    }
    files = maker(model)
    for key in files:
        if key.endswith(".png"):
            files[key] = png(state[key.split("/", 1)[1]].pixels)
    return files


def _pixels(data: bytes) -> int:
    place = data.index(b"tEXt")
    length = int.from_bytes(data[place - 4 : place], "big")
    number = int(data[place + 6 : place + 4 + length])
    assert data == png(number)
    return number


def _images(files: Files, folder: str) -> dict[str, int]:
    prefix = folder + "/" if folder else ""
    return {
        key.removeprefix(prefix): _pixels(data)
        for key, data in files.items()
        if key.endswith(".png") and key.startswith(prefix)
    }


def _read_coco(files: Files) -> Seen:
    document = json.loads(files["annotations.json"])
    found: Seen = {name: (number, Counter()) for name, number in _images(files, "images").items()}
    names = {image["id"]: image["file_name"] for image in document["images"]}
    assert len(names) == len(document["images"]), "ids of images are unique"
    assert sorted(names.values()) == sorted(found), "every image is listed once"
    ids = [obj["id"] for obj in document["annotations"]]
    assert len(set(ids)) == len(ids), "ids of boxes are unique"
    classes = {one["id"]: one["name"] for one in document["categories"]}
    for obj in document["annotations"]:
        box = (classes[obj["category_id"]], *map(int, obj["bbox"]))
        found[names[obj["image_id"]]][1][box] += 1  # type: ignore[index]
    return found


def _paired(
    files: Files, images: str, labels: str, suffix: str, boxes: Callable[[str], list[Drawn]]
) -> Seen:
    found: Seen = {}
    texts = {key for key in files if key.startswith(labels + "/")}
    for name, number in _images(files, images).items():
        source = f"{labels}/{name.removesuffix('.png')}{suffix}"
        found[name] = (number, Counter(boxes(files[source].decode())))
        texts.discard(source)
    assert not texts, "every label file has its image"
    return found


def _read_voc(files: Files) -> Seen:
    def boxes(text: str) -> list[Drawn]:
        found = []
        for part in re.findall(r"<object>(.*?)</object>", text, re.DOTALL):
            x0, y0, x1, y1 = (
                int(re.search(rf"<{one}>(\d+)</{one}>", part)[1])  # type: ignore[index]
                for one in ("xmin", "ymin", "xmax", "ymax")
            )
            name = re.search(r"<name>(\w+)</name>", part)[1]  # type: ignore[index]
            found.append((name, x0, y0, x1 - x0, y1 - y0))
        return found

    return _paired(files, "JPEGImages", "Annotations", ".xml", boxes)


def _read_yolo(files: Files) -> Seen:
    classes = files["classes.txt"].decode().split()

    def boxes(text: str) -> list[Drawn]:
        found = []
        for line in text.splitlines():
            number, *values = line.split()
            x, y, w, h = (float(value) * SIZE for value in values)
            found.append((classes[int(number)], *map(int, (x - w / 2, y - h / 2, w, h))))
        return found  # type: ignore[return-value]

    return _paired(files, "images", "labels", ".txt", boxes)


def _read_kitti(files: Files) -> Seen:
    def boxes(text: str) -> list[Drawn]:
        found = []
        for line in text.splitlines():
            parts = line.split()
            x0, y0, x1, y1 = (int(float(value)) for value in parts[4:8])
            found.append((parts[0], x0, y0, x1 - x0, y1 - y0))
        return found

    return _paired(files, "image_2", "label_2", ".txt", boxes)


def _with_lists(maker: Callable[[Any], Files], place: str, line: str) -> Callable[[State], Files]:
    """Add lists of the images with odd and even numbers, as splits."""

    def write(state: State) -> Files:
        files = _kit(state, maker)
        for split, odd in (("train", 1), ("val", 0)):
            files[place % split] = b"".join(
                (line % name.removesuffix(".png")).encode() + b"\n"
                for name in sorted(state)
                if image_number(name) % 2 == odd
            )
        return files

    return write


def _checking_lists(
    reader: Callable[[Files], Seen], place: str, line: str
) -> Callable[[Files], Seen]:
    def read(files: Files) -> Seen:
        found = reader(files)
        for split, odd in (("train", 1), ("val", 0)):
            listed = files.get(place % split, b"").decode().split()
            wanted = [line % n.removesuffix(".png") for n in found if image_number(n) % 2 == odd]
            assert sorted(listed) == sorted(wanted), split
        return found

    return read


def _listed(maker: Any, reader: Any, place: str, line: str) -> tuple[Any, Any]:
    return _with_lists(maker, place, line), _checking_lists(reader, place, line)


def _write_two_files(state: State) -> Files:
    """Write COCO with two annotation files, over the images with odd and even numbers."""
    files: Files = {}
    for split, odd in (("train", 1), ("val", 0)):
        part = {n: one for n, one in state.items() if image_number(n) % 2 == odd}
        made = _kit(part, coco)
        files[f"instances_{split}.json"] = made.pop("annotations.json")
        files |= made
    return files


def _read_two_files(files: Files) -> Seen:
    found: Seen = {}
    for split, odd in (("train", 1), ("val", 0)):
        part = {
            key: data
            for key, data in files.items()
            if key.endswith(".png") and image_number(key) % 2 == odd
        }
        found |= _read_coco({**part, "annotations.json": files[f"instances_{split}.json"]})
    return found


def _write_folders(state: State) -> Files:
    return {name: png(one.pixels) for name, one in state.items()}


def _read_folders(files: Files) -> Seen:
    return {name: (number, Counter()) for name, number in _images(files, "").items()}


def _flat(number: int, mark: str) -> list[str]:
    return [f"{number:04d}{mark}.png", f"{number:04d}{mark}_b.png", f"{number:04d}{mark}_c.png"]


def _in_splits(number: int, mark: str) -> list[str]:
    return [f"{split}/{number:04d}{mark}.png" for split in ("train", "val", "test")]


def _in_classes(number: int, mark: str) -> list[str]:
    return [f"{name}/{number:04d}{mark}.png" for name in CLASSES]


def _in_split_classes(number: int, mark: str) -> list[str]:
    return [f"{s}/{c}/{number:04d}{mark}.png" for c in CLASSES for s in ("train", "val")]


FORMATS = {
    "coco": _Format("coco", lambda state: _kit(state, coco), _read_coco, _flat, "images"),
    "voc": _Format("voc", lambda state: _kit(state, voc), _read_voc, _flat, "JPEGImages"),
    "yolo": _Format("yolo", lambda state: _kit(state, yolo), _read_yolo, _flat, "images"),
    "yolo splits": _Format(
        "yolo", lambda state: _kit(state, yolo), _read_yolo, _in_splits, "images"
    ),
    "yolo lists": _Format(
        "yolo", *_listed(yolo, _read_yolo, "%s.txt", "images/%s.png"), _flat, "images"
    ),
    "voc lists": _Format(
        "voc", *_listed(voc, _read_voc, "ImageSets/Main/%s.txt", "%s"), _flat, "JPEGImages"
    ),
    "coco two files": _Format("coco", _write_two_files, _read_two_files, _flat, "images"),
    "kitti": _Format("kitti", lambda state: _kit(state, kitti), _read_kitti, _flat, "image_2"),
    "folders": _Format("folders", _write_folders, _read_folders, _in_classes, has_boxes=False),
    "split folders": _Format(
        "folders", _write_folders, _read_folders, _in_split_classes, has_boxes=False
    ),
}
