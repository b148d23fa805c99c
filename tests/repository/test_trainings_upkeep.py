"""gc, compact, fsck, repair, fetch and push reach what records of trainings name, and name it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.repository.kit import Project, coco, small_model
from tests.repository.test_repo_gc import collect, forget_history
from tests.repository.test_repo_repair import flip
from tests.repository.trainings import made, outcome, weights
from veml_vcs.errors import DamagedError, NotFoundError
from veml_vcs.ids import ObjectId
from veml_vcs.objects.pack_writer import PackWriter
from veml_vcs.repository.git.repo import blob_id
from veml_vcs.repository.records.used import used_data
from veml_vcs.repository.sync import fetch_data
from veml_vcs.repository.trainings.export import export_checkpoint
from veml_vcs.repository.trainings.versions import open_training
from veml_vcs.repository.trainings.write import write_training
from veml_vcs.repository.upkeep.compact import compact
from veml_vcs.repository.upkeep.fsck import fsck
from veml_vcs.repository.upkeep.repair import repair
from veml_vcs.samples.tensors import Tensor, read_checkpoint, write_safetensors

PARTS = ("checkpoint", "log", "predictions")


@pytest.fixture
def trained(project: Project) -> Project:
    """'night' is committed; 'lost' was trained, and is named by nothing any more."""
    made(project)
    write_training(project.repo, outcome(project.repo), "night")
    project.git("commit", "-qm", "night")
    run = outcome(project.repo, checkpoint=weights(9), log={"loss": [9.0]})
    project.lost = write_training(project.repo, run, "lost").record  # type: ignore[attr-defined]
    project.git("rm", "-qf", "trainings/lost.veml")
    return project


def whole(project: Project, name: str = "night@HEAD") -> None:
    """Check that all of a training can be read, and is what was written."""
    repo = project.reopen()
    found = open_training(repo, name)
    run = outcome(repo)
    assert write_safetensors(found.checkpoint()) == write_safetensors(run.checkpoint)
    assert found.log()["loss"].tolist()[0] == 2.5
    assert found.predictions() == run.predictions


def test_gc_keeps_what_a_record_names_and_takes_the_rest(trained: Project) -> None:
    forget_history(trained)
    lost = trained.lost  # type: ignore[attr-defined]
    [told] = collect(trained, dry_run=True).versions
    assert told.version == blob_id(lost.to_bytes())
    assert told.samples == 5  # four tensors, and a column of the log
    trained.git("gc", "-q", "--prune=now")
    collect(trained)
    whole(trained)
    for part in ("checkpoint", "log"):
        with pytest.raises(NotFoundError):
            read_checkpoint(trained.repo.store, trained.repo.catalog, lost.parts[part].tree)
    trained.assert_intact()


def test_compact_changes_nothing(trained: Project) -> None:
    for _ in range(2):
        compact(trained.reopen(), everything=True)
        whole(trained)
        trained.assert_intact()


def test_the_data_of_a_training_is_kept_with_it(trained: Project) -> None:
    """Its tree is named by the record: what it was trained on can be looked at."""
    tree = open_training(trained.repo, "night").record.data[0].tree
    trained.git("checkout", "-q", "--orphan", "later")
    trained.git("rm", "-qrf", "--cached", "data.veml", "models", "configs")
    trained.git("commit", "-qm", "the training alone")
    trained.git("branch", "-D", "main")
    forget_history(trained)
    trained.git("gc", "-q", "--prune=now")
    collect(trained)
    repo = trained.reopen()
    assert tree in repo.store
    night = open_training(repo, "night")
    assert write_safetensors(night.checkpoint()) == write_safetensors(weights())


def chunk_with(project: Project, tensor: Tensor) -> ObjectId:
    """Return the chunk that holds a tensor."""
    for fragment in project.repo.catalog.opened("content"):
        for key, value in sorted(fragment.manifest().items()):
            if key.startswith("payload/c") and isinstance(value, tuple):
                data = project.repo.store.get(value[0])
                if bytes(tensor.data) in bytes(data):
                    return value[0]
    raise AssertionError("no such chunk")


def test_damage_is_named_by_the_training_it_hits_and_mended(
    trained: Project, make_project: Callable[..., Project], tmp_path: Path
) -> None:
    """Without ``Damage.trees`` the damaged tensor hits nothing that anybody could name."""
    shutil.copytree(trained.root, tmp_path / "sound", symlinks=True)
    flip(trained, chunk_with(trained, outcome(trained.repo).checkpoint.tensors["head.weight"]))
    problems = fsck(trained.repo).problems
    hit = [one for problem in problems for one in problem.versions]
    assert any(":trainings/night (checkpoint)/" in one for one in hit), problems
    with pytest.raises(DamagedError, match=r"training night, checkpoint: tensor '\w+\.\w+': "):
        export_checkpoint(trained.repo, "night", str(tmp_path / "x.safetensors"))
    assert not (tmp_path / "x.safetensors").exists()
    done = repair(trained.reopen(), str(tmp_path / "sound"))
    assert done.after.problems == ()
    whole(trained)


@pytest.mark.parametrize("part", PARTS)
def test_a_lost_part_is_named(trained: Project, part: str) -> None:
    record = open_training(trained.repo, "night").record
    lose(trained, ObjectId(record.parts[part].tree))
    problems = fsck(trained.reopen()).problems
    hit = {one for problem in problems for one in problem.versions}
    assert any(one.endswith(f":trainings/night ({part})") for one in hit), problems
    found = open_training(trained.repo, "night")
    with pytest.raises(NotFoundError, match=rf"training night: its {part} .* not in this clone"):
        {"checkpoint": found.checkpoint, "log": found.log, "predictions": found.predictions}[part]()


def lose(project: Project, object_id: ObjectId) -> None:
    """Write every pack anew without one object."""
    store = project.repo.store
    names = [pack.name for pack in store.packs()]
    with store.rewrite(names) as writer:
        assert isinstance(writer, PackWriter)
        for pack in store.packs():
            for row in pack.rows:
                if row.object_id != object_id:
                    writer.copy(row.object_id)
    with store.alone():
        store.quarantine(names)
    for name in ("objects", "catalog"):
        project.path(f".git/veml/cache/{name}").unlink(missing_ok=True)


def test_a_record_that_says_other_counts(trained: Project) -> None:
    from dataclasses import replace

    record = open_training(trained.repo, "night").record
    wrong = replace(record, checkpoint=replace(record.checkpoint, tensors=5))
    trained.write({"wrong.veml": wrong.to_bytes()}, "trainings")
    trained.git("add", "trainings/wrong.veml")
    trained.git("commit", "-qm", "wrong")
    [problem] = fsck(trained.reopen()).problems
    assert problem.kind == "counts"
    assert problem.what.endswith(":trainings/wrong (checkpoint)")
    assert "says 5 entries, its tree has 4" in problem.where


def test_a_clone_fetches_trainings_with_data(
    trained: Project, make_project: Callable[..., Project]
) -> None:
    root = trained.root.parent / "clone"
    trained.git("clone", "-q", str(trained.root), str(root))
    clone = make_project("clone", create=False)
    with pytest.raises(NotFoundError, match="its checkpoint"):
        open_training(clone.repo, "night").checkpoint()
    done = fetch_data(clone.repo, str(trained.root))
    assert (done.versions, done.missing) == (2, ())
    whole(clone)
    again = fetch_data(clone.reopen(), str(trained.root))
    assert (again.files, again.annotations, again.nodes) == (0, 0, 0)


def test_a_clone_fetches_the_older_data_that_a_training_names(
    trained: Project, make_project: Callable[..., Project]
) -> None:
    """So it can be measured and rebuilt there. Seen to fail without ``used_trees``."""
    trained.write(coco(small_model(3)), "data")
    trained.add("data")
    trained.git("commit", "-qm", "other data")
    root = trained.root.parent / "clone"
    trained.git("clone", "-q", str(trained.root), str(root))
    clone = make_project("clone", create=False)
    use = open_training(clone.repo, "night").record.data[0]
    assert use.tree not in clone.repo.store
    done = fetch_data(clone.repo, str(trained.root))
    assert (done.versions, done.missing) == (3, ())
    there = used_data(clone.reopen(), use)
    assert len(there[there.keys[0]].data) > 0
    again = fetch_data(clone.reopen(), str(trained.root))
    assert (again.files, again.annotations, again.nodes) == (0, 0, 0)


def test_push_refuses_a_training_whose_checkpoint_is_not_here(
    trained: Project, make_project: Callable[..., Project]
) -> None:
    """The pre-push hook says so: nobody could ever get it."""
    from veml_hooks.pre_push import pre_push

    root = trained.root.parent / "clone"
    trained.git("clone", "-q", str(trained.root), str(root))
    clone = make_project("clone", create=False)
    clone.repo.create_store()
    head = clone.git("rev-parse", "HEAD").strip()
    line = f"refs/heads/main {head} refs/heads/main {'0' * 40}\n".encode()
    clone.git("remote", "remove", "origin")
    assert pre_push(clone.reopen(), "x", "x", line) == 1
    fetch_data(clone.reopen(), str(trained.root))
    assert pre_push(clone.reopen(), "x", "x", line) == 0
