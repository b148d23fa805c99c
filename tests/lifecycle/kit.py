"""A repository with two halves of a drawer of blood cells, a street far from them, and a detector.

The halves have other names for the same classes: the first is trained on, the second is new.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from tests.cli.conftest import Place
from tests.training.kit import Heard, run
from veml_vcs.lifecycle.proposal import Proposal, TransferRequest, propose
from veml_vcs.lifecycle.transfer import Transfer, transfer
from veml_vcs.repository.repository import Repository
from veml_vcs.training.plan import Request

DEMO = Path(__file__).resolve().parents[2] / "demo/data"
RENAMED = {"WBC": "leukocyte", "RBC": "rbcs"}
SHORT = ("train_cfg.val_interval=100",)


def part(source: Path, target: Path, which: slice, renamed: dict[str, str] | None = None) -> None:
    """Copy some images of a VOC data set, with their boxes, maybe of other classes."""
    for folder in ("Annotations", "JPEGImages"):
        (target / folder).mkdir(parents=True)
    for label in sorted((source / "Annotations").iterdir())[which]:
        text = label.read_text()
        for old, new in (renamed or {}).items():
            text = text.replace(f"<name>{old}</name>", f"<name>{new}</name>")
        (target / "Annotations" / label.name).write_text(text)
        image = label.with_suffix(".jpg").name
        shutil.copy(source / "JPEGImages" / image, target / "JPEGImages" / image)


def make_lifecycles(place: Place) -> None:
    """Data, a detector, and on a branch of a colleague's the training ``first`` of ``cells``."""
    place.veml("init")
    part(DEMO / "bccd/BCCD", place.root / "cells", slice(0, 12))
    part(DEMO / "bccd/BCCD", place.root / "new", slice(12, 20), RENAMED)
    part(DEMO / "carla_town01", place.root / "street", slice(0, 8))
    place.veml("add", "cells", "new", "street")
    place.veml("commit", "-qm", "data")
    place.veml("checkout", "-q", "-b", "colleague")
    place.veml("model", "template", "faster-rcnn-small", "configs/small.py")
    place.veml("model", "add", "configs/small.py")
    place.veml("commit", "-qm", "a detector")
    run(place, *SHORT, "optim_wrapper.optimizer.lr=0.0007", name="first", iterations=2)
    place.veml("commit", "-qm", "first")
    place.veml("checkout", "-q", "main")


def proposed(place: Place, data: str = "new", **rest: Any) -> Proposal:
    """Settle a transfer; fields of ``Request`` and of ``TransferRequest`` by name."""
    own = {key: rest.pop(key) for key in list(rest) if key in TransferRequest.__dataclass_fields__}
    with Repository(str(place.root)) as repo:
        return propose(repo, TransferRequest(Request(data, **rest), **own))


def carried_out(
    place: Place, proposal: Proposal, heard: Heard | None = None, **rest: Any
) -> Transfer:
    with Repository(str(place.root)) as repo:
        return transfer(repo, proposal, heard or Heard(), **rest)
