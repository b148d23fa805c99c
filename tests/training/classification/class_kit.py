"""Real images in folders by class: blood cells, cut out of the demo's photographs."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

from tests.cli.conftest import Place
from tests.training.kit import DEMO, run
from veml_vcs.training.train import Trained

MOST = 24  # cells of a class
SMALL = ("train_dataloader.batch_size=16", "model.backbone.base_channels=8")


def cut_cells(target: Path) -> None:
    """Write the cells of 20 photographs: RBC, WBC and Platelets, at most ``MOST`` of each."""
    from PIL import Image

    counts: dict[str, int] = {}
    for place, file in enumerate(sorted((DEMO / "bccd").rglob("*.xml"))):
        photo = next((DEMO / "bccd").rglob(f"{file.stem}.jpg"))
        with Image.open(photo) as image:
            for number, one in enumerate(ET.parse(file).iter("object")):
                name = str(one.findtext("name"))
                corners = [int(str(one.findtext(f"bndbox/{side}")))
                           for side in ("xmin", "ymin", "xmax", "ymax")]  # fmt: skip
                # Every fourth red cell, so that they are of all photographs.
                if counts.get(name, 0) >= MOST or (name == "RBC" and number % 8):
                    continue
                counts[name] = counts.get(name, 0) + 1
                (target / name).mkdir(parents=True, exist_ok=True)
                image.crop(corners).save(target / name / f"{place:02}-{number:02}.png")


def make_sorted(place: Place) -> None:
    """Cells in folders by class and the small classifier, committed."""
    place.veml("init")
    cut_cells(place.root / "sorted")
    place.veml("model", "template", "resnet-small", "configs/small.py")
    place.veml("add", "-q", "sorted")
    place.veml("model", "add", "configs/small.py")
    place.veml("commit", "-qm", "sorted cells and a classifier")


def learn(place: Place, *settings: str, **rest: object) -> Trained:
    """Train shortly: two passes, measured after each."""
    wanted = {"data": "sorted", "model": "small", "iterations": None, "epochs": 2, **rest}
    return run(place, "train_cfg.val_interval=1", *SMALL, *settings, **wanted)  # type: ignore[arg-type]
