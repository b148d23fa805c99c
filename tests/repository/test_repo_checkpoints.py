"""A record that names a checkpoint's root keeps it: gc needs to know no more of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.repository.kit import Project, images
from tests.repository.test_repo_gc import collect, forget_history
from veml_vcs.errors import VemlError
from veml_vcs.ids import TreeId
from veml_vcs.repository.upkeep.fsck import fsck
from veml_vcs.samples.tensors import Checkpoint, Tensor, read_checkpoint, write_checkpoint


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    made = Project(tmp_path)
    made.write(images(3), "d")
    made.save("d")
    yield made
    made.close()


def stored(project: Project, seed: int) -> TreeId:
    values = np.random.default_rng(seed).normal(size=(64, 64)).astype(np.float32)
    tensors = {"weight": Tensor("F32", values.shape, values.tobytes())}
    return write_checkpoint(project.repo.store, project.repo.catalog, Checkpoint(tensors)).tree


def test_a_record_keeps_it(project: Project) -> None:
    kept, dropped = stored(project, 1), stored(project, 2)
    record = f'{{\n "checkpoint": "{kept.hex()}",\n "kind": "weights",\n "veml": 1\n}}\n'
    (project.root / "weights").mkdir()
    (project.root / "weights" / "night.veml").write_text(record)
    project.git("add", "weights")
    project.git("commit", "-qm", "a record of a kind that this veml does not know")
    forget_history(project)
    collect(project)
    project.reopen()
    repo = project.repo
    assert set(read_checkpoint(repo.store, repo.catalog, kept).tensors) == {"weight"}
    with pytest.raises(VemlError):
        read_checkpoint(repo.store, repo.catalog, dropped)
    assert fsck(repo).problems == ()
