"""A deployment that is done becomes an inference version: stored, staged, read back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.repository.inferences import EXPORTED, LATENCY, made, outcome, write
from tests.repository.kit import Project
from veml_vcs.errors import ConflictError, InvalidInputError, NotFoundError
from veml_vcs.repository.inferences.export import export_file
from veml_vcs.repository.inferences.versions import open_inference
from veml_vcs.repository.inferences.write import require_free, write_inference


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    (tmp_path / "work").mkdir()
    found = made(Project(tmp_path / "work"))
    yield found
    found.close()


def test_everything_comes_back(project: Project, tmp_path: Path) -> None:
    made_so = outcome(project.repo)
    done = write(project.repo, tmp_path)
    assert done.path == "inferences/fast.veml"
    assert (done.new, done.same) == (True, False)
    assert done.new_bytes == len(EXPORTED)
    text = (project.root / done.path).read_bytes()
    assert text == project.repo.git.read_blob(project.repo.git.staged_files()[done.path].blob)
    assert json.loads(text)["inputs"] == {"image": [1, 3, 160, -1]}
    project.reopen()
    found = project.repo.inference("fast")
    assert found.id == done.version
    assert found.file() == EXPORTED
    assert found.predictions() == made_so.predictions
    record = found.record
    for name in ("training", "classes", "preprocess", "parity", "metrics", "latency", "data"):
        assert getattr(record, name) == getattr(made_so, name)
    assert record.parity is not None
    assert record.parity.holds
    target = tmp_path / "out" / "fast.onnx"
    written = export_file(project.repo, "fast", str(target))
    assert target.read_bytes() == EXPORTED
    assert written.sha256 == record.file.sha256.hex()
    with pytest.raises(ConflictError, match="is there already"):
        export_file(project.repo, "fast", str(target))


def test_the_same_file_is_stored_once(project: Project, tmp_path: Path) -> None:
    write(project.repo, tmp_path)
    again = write(project.repo, tmp_path, "other", device="cuda")
    assert again.new_bytes == 0
    assert again.record.file == open_inference(project.repo, "fast").record.file


def test_a_deployment_that_is_repeated_is_the_same_version(
    project: Project, tmp_path: Path
) -> None:
    """No two measure one latency. Without ``keep`` every repetition is another version."""
    first = write(project.repo, tmp_path)
    slower = replace(LATENCY, median_ms=20.0, p95_ms=25.0)
    again = write(project.repo, tmp_path, latency=slower)
    assert again.same
    assert again.version == first.version
    assert again.record.latency == LATENCY
    unmeasured = write(project.repo, tmp_path, latency=None)
    assert unmeasured.same
    project.git("commit", "-qm", "fast")
    project.reopen()
    measured = write(project.repo, tmp_path, latency=slower, remeasured=True)
    assert not measured.same
    assert measured.version != first.version
    assert measured.record.file == first.record.file
    other = write(project.repo, tmp_path, latency=slower, metrics={"mAP": 0.25}, force=True)
    assert other.record.latency == slower


def test_a_version_that_no_commit_has_is_not_lost(project: Project, tmp_path: Path) -> None:
    write(project.repo, tmp_path)
    with pytest.raises(ConflictError, match="an inference version that no commit has"):
        require_free(project.repo, "fast")
    with pytest.raises(ConflictError, match="no commit has"):
        write(project.repo, tmp_path, data=b"another")
    assert open_inference(project.repo, "fast").file() == EXPORTED
    write(project.repo, tmp_path, data=b"another", force=True)
    assert open_inference(project.repo, "fast").file() == b"another"


@pytest.mark.parametrize(
    "changes",
    [
        {"opset": -1},
        {"task": "chess"},
        {"format": "pickle"},
        {"quantisation": "int3"},
        {"metrics": {"mAP": "high"}},
        {"preprocess": {"a": 1, "a.b": 2}},
        {"inputs": {"image": (1, -2)}},
        {"latency": replace(LATENCY, median_ms=float("nan"))},
        {"latency": replace(LATENCY, runs=-1)},
        {"device": "\ud800"},
    ],
    ids=lambda one: next(iter(one)),
)
def test_what_no_reader_would_take_is_not_written(
    project: Project, tmp_path: Path, changes: dict[str, Any]
) -> None:
    packs = project.root / ".git/veml/packs"
    before = sorted(packs.iterdir())
    with pytest.raises(InvalidInputError, match="no inference version can say this"):
        write(project.repo, tmp_path, **changes)
    assert sorted(packs.iterdir()) == before
    assert not (project.root / "inferences").exists()


def test_predictions_of_data_that_it_does_not_name(project: Project, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="predictions of elsewhere"):
        write(project.repo, tmp_path, predictions={"elsewhere": {"a.png": {"objects": []}}})
    assert not (project.root / "inferences").exists()


def test_no_file(project: Project, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="No such file"):
        write_inference(project.repo, outcome(project.repo), tmp_path / "none.onnx", "fast")
    with pytest.raises(InvalidInputError, match="an empty file"):
        write(project.repo, tmp_path, data=b"")
    with pytest.raises(NotFoundError, match="no inference 'fast' in the index; inferences there"):
        open_inference(project.repo, "fast")
