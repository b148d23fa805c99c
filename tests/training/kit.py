"""A repository with real images, a detector that learns on a CPU, and ways to train it shortly."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from tests.cli.conftest import Place, isolate
from veml_vcs.objects.files import Files
from veml_vcs.repository.repository import Repository
from veml_vcs.training.machine import Machine
from veml_vcs.training.plan import Request
from veml_vcs.training.train import Trained, resume, train
from veml_vcs.training.watch import Step

DEMO = Path(__file__).resolve().parents[2] / "demo/data"


@dataclass
class Heard:
    """Keeps what a training tells; ``at`` runs something when a step is done."""

    at: Mapping[int, Callable[[], Any]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    metrics: dict[int, Mapping[str, float]] = field(default_factory=dict)

    def note(self, text: str) -> None:
        self.notes.append(text)

    def doing(self, what: str) -> None:
        pass

    def step(self, step: Step) -> None:
        self.steps.append(step)
        self.at.get(step.iteration, int)()

    def measured(self, iteration: int, metrics: Mapping[str, float]) -> None:
        self.metrics[iteration] = metrics


@contextmanager
def place_for(factory: pytest.TempPathFactory, name: str) -> Iterator[Place]:
    """An empty place that a module's tests share, where one thread computes."""
    import torch

    root = factory.mktemp(name) / "repository"
    root.mkdir()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with pytest.MonkeyPatch.context() as patch:
            isolate(patch, root.parent / "home")
            patch.chdir(root)
            yield Place(root)
    finally:
        torch.set_num_threads(threads)


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def make_cells(place: Place) -> None:
    """Blood cells (20 images, 3 classes) and the small detector, committed."""
    place.veml("init")
    copytree(DEMO / "bccd", place.root / "cells")
    place.veml("model", "template", "faster-rcnn-small", "configs/small.py")
    place.veml("add", "cells")
    place.veml("model", "add", "configs/small.py")
    place.veml("commit", "-qm", "cells and a detector")


BY_EPOCHS = (
    'train_cfg={"type": "EpochBasedTrainLoop", "max_epochs": 2}',
    'train_dataloader.sampler={"type": "DefaultSampler", "shuffle": true}',
    'param_scheduler=[{"type": "MultiStepLR", "begin": 0, "end": 2, "by_epoch": true, '
    '"milestones": [1], "gamma": 0.5}]',
)
"""Count in passes; two of four steps each, of 16 images."""


def run(
    place: Place,
    *settings: str,
    heard: Heard | None = None,
    machine: Machine | None = None,
    force: bool = True,
    files: Files | None = None,
    **rest: Any,
) -> Trained:
    """Train shortly: six steps, measured once."""
    request = {
        "data": "cells", "model": "small", "settings": ("train_cfg.val_interval=100", *settings),
        "iterations": 6, **rest,
    }  # fmt: skip
    with Repository(str(place.root), files) as repo:
        done = train(repo, Request(**request), heard or Heard(), machine, force=force)
    assert done is not None
    return done


def go_on(place: Place, name: str | None = None, heard: Heard | None = None) -> Trained:
    with Repository(str(place.root)) as repo:
        done = resume(repo, name, heard or Heard())
    assert done is not None
    return done
