"""The data that is put under version control, and the edits of 1 % made to it.

All content comes from seeded generators and looks to a compressor like JPEG: it does not shrink.
W1 is many small images with W3, one COCO file over them; W2 is fewer photos. Real images would
change nothing, since nothing here decodes one.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SMALL = "small"
PHOTOS = "photos"
IMAGE_FOLDER = "train2017"
COCO_FILE = "annotations/instances_train2017.json"

BOXES_PER_IMAGE = 5
CLASSES = ("car", "person", "bicycle", "traffic light", "truck")
EDIT_SHARE = 0.01

# A start that tools which sniff file types accept as JPEG.
JPEG_HEAD = bytes.fromhex("ffd8ffe000104a46494600010100000100010000")
JPEG_TAIL = b"\xff\xd9"


@dataclass(frozen=True)
class Size:
    """How much data to make.

    Attributes:
        small_images: Images of W1.
        small_bytes: Bytes of each, on average.
        photos: Images of W2.
        photo_bytes: Bytes of each, on average.
    """

    small_images: int = 20_000
    small_bytes: int = 3_000
    photos: int = 2_000
    photo_bytes: int = 150_000

    def scaled(self, scale: float) -> Size:
        """Return the same with ``scale`` times as many images, at least 200 small ones."""
        return Size(
            small_images=max(200, round(self.small_images * scale)),
            small_bytes=self.small_bytes,
            photos=max(20, round(self.photos * scale)),
            photo_bytes=self.photo_bytes,
        )


@dataclass(frozen=True)
class Edit:
    """One change made to W1 in a work tree.

    Attributes:
        written: Files that are new or have new content, relative to the repository.
        removed: Files that are gone.
    """

    written: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


def make_small(folder: Path, size: Size) -> None:
    """Write W1 and W3 into ``folder``: a flat folder of images, and one COCO file on one line."""
    (folder / IMAGE_FOLDER).mkdir(parents=True)
    rng = random.Random(1)
    for number in range(size.small_images):
        (folder / image_key(number)).write_bytes(_jpeg(rng, size.small_bytes))
    (folder / COCO_FILE).parent.mkdir(parents=True)
    _write_coco(folder, _coco(size.small_images))


def make_photos(folder: Path, size: Size) -> None:
    """Write W2 into ``folder``, without annotations."""
    folder.mkdir(parents=True)
    rng = random.Random(2)
    for number in range(size.photos):
        (folder / f"{number:06d}.jpg").write_bytes(_jpeg(rng, size.photo_bytes))


def image_key(number: int) -> str:
    """Return the path of one image of W1, relative to the data set."""
    return f"{IMAGE_FOLDER}/{number:012d}.jpg"


class Editor:
    """Makes the edits of 1 % in one work tree of W1, each the same for every tool.

    Args:
        repository: Folder that holds the data set ``small``.
        size: What the data set was made with.
    """

    def __init__(self, repository: Path, size: Size) -> None:
        self._repository = repository
        self._size = size
        self._count = max(1, round(size.small_images * EDIT_SHARE))

    def add_images(self) -> Edit:
        """Add 1 % new images; the COCO file does not know them yet."""
        start = self._size.small_images
        return self._write(range(start, start + self._count), seed=3)

    def change_images(self) -> Edit:
        """Give 1 % of the images, spread evenly, new content."""
        return self._write(self._spread(offset=1), seed=4)

    def delete_images(self) -> Edit:
        """Delete another 1 % of the images; the COCO file still names them."""
        paths = tuple(f"{SMALL}/{image_key(number)}" for number in self._spread(offset=2))
        for path in paths:
            (self._repository / path).unlink()
        return Edit(removed=paths)

    def move_boxes(self, offset: int) -> Edit:
        """Move 1 % of the boxes in the COCO file; different ``offset``, different boxes.

        Args:
            offset: 0 to 19; which box of every hundred moves.
        """
        folder = self._repository / SMALL
        document = json.loads((folder / COCO_FILE).read_bytes())
        stride = round(1 / EDIT_SHARE)
        for box in document["annotations"][offset * BOXES_PER_IMAGE :: stride]:
            box["bbox"][0] += 1.5
        _write_coco(folder, document)
        return Edit(written=(f"{SMALL}/{COCO_FILE}",))

    def _spread(self, offset: int) -> range:
        """Return the numbers of 1 % of the images, at even steps."""
        step = self._size.small_images // self._count
        return range(offset, self._count * step, step)

    def _write(self, numbers: range, seed: int) -> Edit:
        rng = random.Random(seed)
        paths = tuple(f"{SMALL}/{image_key(number)}" for number in numbers)
        for path in paths:
            (self._repository / path).write_bytes(_jpeg(rng, self._size.small_bytes))
        return Edit(written=paths)


def folder_bytes(folder: Path) -> int:
    """Return the summed sizes of the files in a folder, in bytes."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _jpeg(rng: random.Random, mean_bytes: int) -> bytes:
    """Return bytes that cannot be compressed, 80 to 120 % of ``mean_bytes`` long."""
    body = rng.randbytes(rng.randint(mean_bytes * 8 // 10, mean_bytes * 12 // 10))
    return JPEG_HEAD + body + JPEG_TAIL


def _coco(images: int) -> dict[str, Any]:
    """Return a COCO document with five boxes an image, numbered like the real ones."""
    rng = random.Random(5)
    annotations: list[dict[str, Any]] = []
    for image in range(images):
        for _ in range(BOXES_PER_IMAGE):
            width, height = rng.randint(8, 200), rng.randint(8, 200)
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image + 1,
                    "category_id": rng.randint(1, len(CLASSES)),
                    "bbox": [rng.randint(0, 440), rng.randint(0, 280), width, height],
                    "area": width * height,
                    "iscrowd": 0,
                }
            )
    return {
        "info": {"description": "benchmark W3", "year": 2026},
        "licenses": [],
        "images": [
            {"id": n + 1, "file_name": image_key(n).rpartition("/")[2], "width": 640, "height": 480}
            for n in range(images)
        ],
        "annotations": annotations,
        "categories": [{"id": n + 1, "name": name} for n, name in enumerate(CLASSES)],
    }


def _write_coco(folder: Path, document: dict[str, Any]) -> None:
    (folder / COCO_FILE).write_text(json.dumps(document), encoding="utf-8")
