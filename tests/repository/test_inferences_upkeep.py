"""gc, compact, fsck, repair, fetch and push reach what inference records name, and name it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.repository.inferences import EXPORTED, made, outcome, write
from tests.repository.kit import Project
from tests.repository.test_repo_gc import collect, forget_history
from tests.repository.test_repo_repair import flip
from tests.repository.test_trainings_upkeep import chunk_with, lose
from veml_vcs.errors import DamagedError, NotFoundError
from veml_vcs.ids import ObjectId
from veml_vcs.repository.inferences.export import export_file
from veml_vcs.repository.inferences.stored import read_file
from veml_vcs.repository.inferences.versions import open_inference
from veml_vcs.repository.sync import fetch_data
from veml_vcs.repository.trainings.versions import open_training
from veml_vcs.repository.upkeep.compact import compact
from veml_vcs.repository.upkeep.fsck import fsck
from veml_vcs.repository.upkeep.repair import repair
from veml_vcs.samples.tensors import Tensor
from veml_vcs.versions.inferences import InferenceRecord

OTHER = b"\x08\x08\x12\x05other" + EXPORTED[:1000]


@pytest.fixture
def deployed(project: Project, tmp_path: Path) -> Project:
    """'fast' is committed; 'lost' was written, and is named by nothing any more."""
    made(project)
    write(project.repo, tmp_path)
    project.git("commit", "-qm", "fast")
    gone = write(project.repo, tmp_path, "lost", data=OTHER).record
    project.lost = gone  # type: ignore[attr-defined]
    project.git("rm", "-qf", "inferences/lost.veml")
    return project


def whole(project: Project) -> None:
    """Check that all of an inference version can be read, and is what was written."""
    repo = project.reopen()
    found = open_inference(repo, "fast@HEAD")
    assert found.file() == EXPORTED
    assert found.predictions() == outcome(repo).predictions


def test_gc_keeps_what_a_record_names_and_takes_the_rest(deployed: Project) -> None:
    forget_history(deployed)
    lost: InferenceRecord = deployed.lost  # type: ignore[attr-defined]
    deployed.git("gc", "-q", "--prune=now")
    collect(deployed)
    whole(deployed)
    with pytest.raises(NotFoundError):
        read_file(deployed.repo, lost.file)
    compact(deployed.reopen(), everything=True)
    whole(deployed)
    deployed.assert_intact()


def test_the_checkpoint_of_a_deployed_training_is_kept_with_it(deployed: Project) -> None:
    """Its tree is named by the record: what the file was made of can be opened."""
    tree = open_training(deployed.repo, "night").record.checkpoint.tree
    deployed.git("checkout", "-q", "--orphan", "later")
    deployed.git("rm", "-qrf", "--cached", "data.veml", "models", "configs", "trainings")
    deployed.git("commit", "-qm", "the inference version alone")
    deployed.git("branch", "-D", "main")
    forget_history(deployed)
    deployed.git("gc", "-q", "--prune=now")
    collect(deployed)
    repo = deployed.reopen()
    assert tree in repo.store
    assert open_inference(repo, "fast").file() == EXPORTED


def test_damage_is_named_by_the_version_it_hits_and_mended(
    deployed: Project, make_project: Callable[..., Project], tmp_path: Path
) -> None:
    shutil.copytree(deployed.root, tmp_path / "sound", symlinks=True)
    flip(deployed, chunk_with(deployed, Tensor("U8", (len(EXPORTED),), EXPORTED)))
    problems = fsck(deployed.repo).problems
    hit = [one for problem in problems for one in problem.versions]
    assert any(":inferences/fast (file)/model.onnx" in one for one in hit), problems
    with pytest.raises(DamagedError, match=r"inference fast, file: "):
        export_file(deployed.repo, "fast", str(tmp_path / "x.onnx"))
    assert not (tmp_path / "x.onnx").exists()
    done = repair(deployed.reopen(), str(tmp_path / "sound"))
    assert done.after.problems == ()
    whole(deployed)


@pytest.mark.parametrize("part", ["file", "predictions"])
def test_a_lost_part_is_named(deployed: Project, part: str) -> None:
    record = open_inference(deployed.repo, "fast").record
    lose(deployed, ObjectId(record.parts[part].tree))
    problems = fsck(deployed.reopen()).problems
    hit = {one for problem in problems for one in problem.versions}
    assert any(one.endswith(f":inferences/fast ({part})") for one in hit), problems
    found = open_inference(deployed.repo, "fast")
    with pytest.raises(NotFoundError, match=rf"inference fast: its {part} .* not in this clone"):
        {"file": found.file, "predictions": found.predictions}[part]()


def test_a_record_that_names_another_file(deployed: Project) -> None:
    """A stranger's record may say anything of what is stored; given back is what it pins."""
    record = open_inference(deployed.repo, "fast").record
    other: InferenceRecord = deployed.lost  # type: ignore[attr-defined]
    wrong = {
        "digest": replace(other.file, tree=record.file.tree),
        "size": replace(record.file, size_bytes=7),
        "tree": replace(record.file, tree=record.training.checkpoint),
    }
    for name, file in wrong.items():
        deployed.write({f"{name}.veml": replace(record, file=file).to_bytes()}, "inferences")
        deployed.git("add", f"inferences/{name}.veml")
        with pytest.raises(DamagedError, match=f"inference {name}, file: "):
            open_inference(deployed.reopen(), name).file()
    deployed.git("commit", "-qm", "wrong")
    [problem] = fsck(deployed.reopen()).problems
    assert problem.what.endswith(":inferences/tree (file)")
    assert "says 1 entries, its tree has 4" in problem.where


def test_a_clone_fetches_the_file_and_push_refuses_without(
    deployed: Project, make_project: Callable[..., Project]
) -> None:
    from veml_hooks.pre_push import pre_push

    root = deployed.root.parent / "clone"
    deployed.git("clone", "-q", str(deployed.root), str(root))
    clone = make_project("clone", create=False)
    clone.repo.create_store()
    with pytest.raises(NotFoundError, match="its file"):
        open_inference(clone.repo, "fast").file()
    head = clone.git("rev-parse", "HEAD").strip()
    line = f"refs/heads/main {head} refs/heads/main {'0' * 40}\n".encode()
    clone.git("remote", "remove", "origin")
    assert pre_push(clone.reopen(), "x", "x", line) == 1
    done = fetch_data(clone.reopen(), str(deployed.root))
    assert (done.versions, done.missing) == (3, ())
    whole(clone)
    assert pre_push(clone.reopen(), "x", "x", line) == 0
