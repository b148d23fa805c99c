"""A trained detector of blood cells, darker images that it does not know, and labels for them."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from shutil import copytree
from typing import Any

from PIL import Image, ImageEnhance

from tests.cli.conftest import Place
from tests.training.kit import DEMO, make_cells, run
from veml_vcs.lifecycle.rebuild.carry import Rebuilt, go_on, rebuild
from veml_vcs.lifecycle.rebuild.request import RebuildRequest
from veml_vcs.repository.repository import Repository
from veml_vcs.training.watch import Watcher

Boxes = Callable[[str, int, int], list[dict[str, Any]]]


def one_box(_key: str, width: int, height: int) -> list[dict[str, Any]]:
    return [{"bbox": [1, 1, width // 2, height // 2], "category_id": 1}]


def label(listed: Path, to: Path, boxes: Boxes = one_box) -> None:
    """Do what a labelling tool does: fill in the annotations of a list."""
    document = json.loads(listed.read_text())
    number = 0
    for image in document["images"]:
        for box in boxes(image["file_name"], image["width"], image["height"]):
            number += 1
            area = box["bbox"][2] * box["bbox"][3]
            document["annotations"].append(
                {"id": number, "image_id": image["id"], "area": area, "iscrowd": 0, **box}
            )
    to.write_text(json.dumps(document))


def darker(source: Path, target: Path, *, labels: bool = True) -> None:
    """Copy a set with its images at half the brightness, with or without its annotations."""
    copytree(source, target)
    for path in target.rglob("*"):
        if path.suffix == ".jpg":
            image = ImageEnhance.Brightness(Image.open(path)).enhance(0.5)
            stream = io.BytesIO()
            image.save(stream, "JPEG", quality=90)
            path.write_bytes(stream.getvalue())
        elif path.is_file() and not labels:
            path.unlink()


def make_rebuildable(place: Place) -> None:
    """Training ``first`` on ``cells``; ``dark`` has labels, ``bare`` is the same without."""
    make_cells(place)
    run(place, name="first", iterations=8)
    darker(DEMO / "bccd", place.root / "dark")
    darker(DEMO / "bccd", place.root / "bare", labels=False)
    place.veml("add", "dark", "bare")
    place.veml("commit", "-qm", "first, and darker cells")


def rebuilt(place: Place, watcher: Watcher, **rest: Any) -> Rebuilt:
    """Rebuild ``first`` shortly."""
    wanted: Mapping[str, Any] = {
        "training": "first", "new": "dark", "iterations": 3,
        "settings": ("train_cfg.val_interval=100",), **rest,
    }  # fmt: skip
    with Repository(str(place.root)) as repo:
        done = rebuild(repo, RebuildRequest(**wanted), watcher)
    assert isinstance(done, Rebuilt)
    return done


def continued(place: Place, watcher: Watcher, **rest: Any) -> Rebuilt:
    with Repository(str(place.root)) as repo:
        return go_on(repo, rest.pop("name", None), watcher, **rest)
