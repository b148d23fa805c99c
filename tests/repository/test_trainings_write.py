"""A run that ended becomes a training version: stored, staged, read back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.repository.kit import Project
from tests.repository.trainings import made, outcome, weights
from veml_vcs.errors import ConflictError, InvalidInputError, NotFoundError
from veml_vcs.repository.trainings.versions import open_training
from veml_vcs.repository.trainings.write import require_free, write_training
from veml_vcs.samples.tensors import Checkpoint, write_safetensors


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    found = made(Project(tmp_path))
    yield found
    found.close()


def same(one: Checkpoint, other: Checkpoint) -> bool:
    return write_safetensors(one) == write_safetensors(other)


def test_everything_comes_back(project: Project) -> None:
    run = outcome(project.repo)
    done = write_training(project.repo, run, "night")
    assert done.path == "trainings/night.veml"
    assert done.new
    assert not done.same
    text = (project.root / done.path).read_bytes()
    assert text == project.repo.git.read_blob(project.repo.git.staged_files()[done.path].blob)
    assert json.loads(text)["per_class"]["dog"] == {"AP": "~nan"}
    project.reopen()
    found = project.repo.training("night")
    assert found.id == done.version
    assert same(found.checkpoint(), run.checkpoint)
    log = found.log()
    assert log["loss"].tolist()[:2] == [2.5, 1.5]
    assert np.isnan(log["loss"][2])
    assert found.predictions() == run.predictions
    assert found.record.data == run.data
    assert found.record.metrics == {"mAP": 0.5, "mAP_50": 0.75}
    assert found.record.checkpoint.parameters == 4356


def test_a_run_that_is_repeated_is_the_same_version(project: Project) -> None:
    first = write_training(project.repo, outcome(project.repo), "night")
    # No commit has it, but nothing is lost: a run that was killed at its very end goes on.
    again = write_training(project.repo, outcome(project.repo), "night")
    other = write_training(project.repo, outcome(project.repo), "day")
    assert again.same
    assert again.new_bytes == 0
    assert other.version == first.version


def test_a_fine_tune_shares_what_it_did_not_change(project: Project) -> None:
    first = write_training(project.repo, outcome(project.repo), "night")
    tuned = outcome(project.repo, checkpoint=weights(0, head=1))
    second = write_training(project.repo, tuned, "tuned")
    total = first.record.checkpoint.content_bytes
    assert first.new_bytes == total
    assert second.record.checkpoint.content_bytes == total
    assert second.new_bytes == 4 * (4 + 4 * 64)  # the head, in float32


def test_a_version_that_no_commit_has_is_not_lost(project: Project) -> None:
    write_training(project.repo, outcome(project.repo), "night")
    with pytest.raises(ConflictError, match="no commit has"):
        require_free(project.repo, "night")
    with pytest.raises(ConflictError, match="no commit has"):
        write_training(project.repo, outcome(project.repo, seed=1), "night")
    project.git("commit", "-qm", "night")
    project.reopen()
    done = write_training(project.repo, outcome(project.repo, seed=1), "night")
    assert not done.new
    assert not done.same


def test_another_file_is_not_overwritten(project: Project) -> None:
    project.write({"night.veml": b"mine\n"}, "trainings")
    with pytest.raises(ConflictError, match="another file"):
        require_free(project.repo, "night")
    with pytest.raises(ConflictError, match="another file"):
        require_free(project.repo, "night", force=True)  # it is for records alone


def test_ignored_by_git(project: Project) -> None:
    project.write({".gitignore": b"trainings/\n"}, ".")
    with pytest.raises(InvalidInputError, match="ignored by Git"):
        require_free(project.repo, "night")


@pytest.mark.parametrize(
    "changes",
    [
        {"data": ()},
        {"seed": -1},
        {"task": "chess"},
        {"metrics": {"mAP": "high"}},
        {"config": {"a": 1, "a.b": 2}},
        {"libraries": {"torch": 2}},
    ],
    ids=lambda one: next(iter(one)),
)
def test_what_no_reader_would_take_is_not_written(
    project: Project, changes: dict[str, object]
) -> None:
    packs = project.root / ".git/veml/packs"
    before = sorted(packs.iterdir())
    with pytest.raises(InvalidInputError, match="no training version can say this"):
        write_training(project.repo, outcome(project.repo, **changes), "night")
    assert sorted(packs.iterdir()) == before
    assert not (project.root / "trainings").exists()


def test_columns_of_unequal_length(project: Project) -> None:
    with pytest.raises(InvalidInputError, match="one length"):
        write_training(project.repo, outcome(project.repo, log={"a": [1.0], "b": []}), "night")
    assert not (project.root / "trainings").exists()


def test_unknown(project: Project) -> None:
    with pytest.raises(NotFoundError, match="no training 'night' in the index; trainings there"):
        open_training(project.repo, "night")
