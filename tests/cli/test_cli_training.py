"""``veml training``: what is recorded, shown, compared, drawn, exported, imported, averaged."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import Place
from tests.repository.kit import Project, images
from tests.repository.trainings import made, outcome, weights
from veml_vcs.repository.trainings.write import write_training
from veml_vcs.samples.tensors import Checkpoint, read_safetensors, write_safetensors
from veml_vcs.samples.tensors.values import values_of
from veml_vcs.versions.trainings import Initial


@pytest.fixture
def place(place: Place) -> Iterator[Place]:
    """A data set, a model, and the training 'night' with a fine-tune 'tuned' of it, committed."""
    project = made(Project(place.root))
    repo = project.repo
    night = write_training(repo, outcome(repo), "night")
    parent = Initial("training", "night", night.version, night.record.checkpoint.tree)
    tuned = outcome(
        repo, checkpoint=weights(0, head=1), initial=parent, metrics={"mAP": 0.625}, seed=1
    )
    write_training(repo, tuned, "tuned")
    project.close()
    place.veml("commit", "-qm", "two trainings")
    return place


def test_ls_and_show(place: Place) -> None:
    told = place.veml("training", "ls").out.splitlines()
    assert told[0].split() == ["training", "version", "model", "data", "epochs", "metrics"]
    assert "night" in told[1]
    assert "mAP 0.5, mAP_50 0.75" in told[1]
    assert place.veml("training", "ls", "HEAD", "--quiet").out == "night\ntuned\n"
    assert [one["name"] for one in place.veml("training", "ls", "--json").json()] == [
        "night",
        "tuned",
    ]
    shown = place.veml("training", "show", "tuned", "--config").out
    for words in (
        "initial weights  night (",
        "trained on       data (",
        "3 samples (fraction 0.75, seed 0)",
        "deterministic true",
        "optim_wrapper.optimizer.lr = 0.001",
    ):
        assert words in shown
    found = place.veml("training", "show", "tuned@HEAD", "--json").json()
    assert found["record"]["metrics"] == {"mAP": 0.625}
    assert found["record"]["per_class"]["dog"] == {"AP": None}
    assert len(found["record"]["checkpoint"]["tree"]) == 64


def test_unknown_training(place: Place) -> None:
    done = place.veml("training", "show", "day", code=None)
    assert done.code != 0
    assert "no training 'day' in the index; trainings there: night, tuned" in done.err


def test_compare_names_metrics_and_layers(place: Place) -> None:
    told = place.veml("training", "compare", "night", "tuned").out
    assert "mAP      0.5  0.625  +0.125" in told
    assert "1 layer of the checkpoint differs:" in told
    assert "head  2 tensors  changed by" in told
    assert "backbone" not in told
    found = place.veml("training", "compare", "night", "tuned", "--json").json()
    assert [one["layer"] for one in found["layers"]] == ["head"]
    old, new = weights().tensors["head.weight"], weights(0, head=1).tensors["head.weight"]
    bias = weights().tensors["head.bias"], weights(0, head=1).tensors["head.bias"]
    pairs = [[np.frombuffer(one.data, "<f4") for one in two] for two in ((old, new), bias)]
    moved = sum(float(((b - a).astype(float) ** 2).sum()) for a, b in pairs)
    norm = sum(float((a.astype(float) ** 2).sum()) for a, _ in pairs)
    assert found["layers"][0]["change"] == pytest.approx((moved / norm) ** 0.5)
    place.veml("training", "compare", "night", "tuned", "--exit-code", code=1)
    assert "same version" in place.veml("training", "compare", "night", "night@HEAD").out


def test_curves(place: Place) -> None:
    told = place.veml("training", "curves", "night", "tuned").out
    assert told.count("loss  night  last 0.75, least 0.75 at iteration 4, most 2.5") == 1
    assert told.count("mAP  tuned  last 0.5, least 0.25 at iteration 2") == 1
    assert "⠉⠒" in told
    found = place.veml("training", "curves", "night", "--metric", "mAP", "--json").json()
    assert found["curves"] == [
        {"training": "night", "metric": "mAP", "axis": "iteration", "x": [2, 4], "y": [0.25, 0.5]}
    ]
    done = place.veml("training", "curves", "night", "-m", "lr", code=None)
    assert "nothing called 'lr' was logged; what was: loss, mAP" in done.err


@pytest.mark.parametrize("name", ["c.png", "c.gif"])
def test_curves_as_a_picture(place: Place, name: str) -> None:
    image = pytest.importorskip("PIL.Image")
    done = place.veml("training", "curves", "night", "tuned", "--plot", name, code=None)
    if name.endswith("gif"):
        assert done.code != 0
        assert "ends with .png" in done.err
        return
    with image.open(place.root / name) as picture:
        assert picture.size == (1280, 360)
        assert len(picture.convert("RGB").getcolors(1 << 20)) > 10


def test_export_and_add_give_the_same_bytes(place: Place) -> None:
    place.veml("training", "export", "night", "-o", "out/night.safetensors")
    data = (place.root / "out/night.safetensors").read_bytes()
    assert data == write_safetensors(weights())
    done = place.veml("training", "export", "night", "-o", "out/night.safetensors", code=None)
    assert "is there already" in done.err
    told = place.veml(
        "training", "add", "out/night.safetensors", "--name", "other", "--model", "detector",
        "--data", "data", "--val", "data@HEAD", "--metric", "mAP=0.25",
    ).out  # fmt: skip
    assert "4 tensors, 0 new bytes" in told
    shown = place.veml("training", "show", "other").out
    assert "made by          import" in shown
    assert "mAP  0.25" in shown
    place.veml("training", "export", "other", "-o", "again.safetensors")
    assert (place.root / "again.safetensors").read_bytes() == data


def test_add_refuses(place: Place) -> None:
    place.write("a.pth", b"PK\x03\x04")
    place.write("b.safetensors", b"\x80\x02}q\0.")
    place.write("c.safetensors", b"no such thing")
    place.write("d.safetensors", write_safetensors(Checkpoint({})))
    common = ("--name", "x", "--model", "detector", "--data", "data")

    def refused(*arguments: str) -> str:
        done = place.veml("training", "add", *arguments, code=None)
        assert done.code not in (0, 1)
        return done.err

    for name in ("a.pth", "b.safetensors"):
        told = refused(name, *common)
        assert "a pickle, which can run whatever its author wrote" in told
        assert "--trust" in told
    assert "a header of" in refused("c.safetensors", *common)
    assert "no tensor in it" in refused("d.safetensors", *common)
    assert "No such file" in refused("e.safetensors", *common)
    assert "no model 'y'" in refused("d.safetensors", *common[:3], "y", *common[4:])
    assert "expected NAME=VALUE" in refused("d.safetensors", *common, "--metric", "mAP")
    assert "measured on data" in refused("d.safetensors", *common, "--metric", "mAP=1")
    assert not (place.root / "trainings/x.veml").exists()


def test_average(place: Place) -> None:
    project = Project(place.root, create=False)
    repo = project.repo
    from veml_vcs.repository.trainings.versions import open_training

    parent = open_training(repo, "tuned").record.initial
    write_training(
        repo, outcome(repo, checkpoint=weights(0, head=2), initial=parent, seed=2), "other"
    )
    project.close()
    place.veml("training", "merge", "tuned", "other", "--average", "--name", "soup")
    place.veml("training", "export", "soup", "-o", "soup.safetensors")
    soup = read_safetensors((place.root / "soup.safetensors").read_bytes(), "soup").tensors
    one, two = (weights(0, head=seed).tensors["head.weight"] for seed in (1, 2))
    left, right, mean = values_of(one), values_of(two), values_of(soup["head.weight"])
    assert left is not None
    assert right is not None
    assert mean is not None
    assert np.allclose(mean, (left + right) / 2, atol=1e-7)
    assert bytes(soup["backbone.weight"].data) == weights().tensors["backbone.weight"].data
    found = place.veml("training", "show", "soup", "--json").json()["record"]
    assert found["metrics"] == {}
    assert (found["log"], found["predictions"]) == (None, None)
    assert [one["name"] for one in found["derived"]["from"]] == ["tuned", "other"]
    assert found["initial"]["name"] == "night"


def test_average_refuses_what_has_no_parent_in_common(place: Place) -> None:
    project = Project(place.root, create=False)
    write_training(project.repo, outcome(project.repo, checkpoint=weights(5)), "stranger")
    project.close()
    done = place.veml(
        "training", "merge", "night", "stranger", "--average", "--name", "soup", code=None
    )
    assert "did not begin with the same weights" in done.err
    place.veml("training", "merge", "night", "stranger", "--average", "--name", "soup", "--force")
    done = place.veml("training", "merge", "night", "tuned", "--name", "soup", code=None)
    assert "--average" in done.err


def test_rm(place: Place) -> None:
    place.veml("training", "rm", "tuned")
    assert place.veml("training", "ls", "--quiet").out == "night\n"
    assert place.veml("training", "ls", "HEAD", "-q").out == "night\ntuned\n"
    assert not (place.root / "trainings/tuned.veml").exists()


def test_what_status_diff_log_and_commit_say(place: Place) -> None:
    project = Project(place.root, create=False)
    better = outcome(project.repo, metrics={"mAP": 0.75}, checkpoint=weights(0, head=3))
    write_training(project.repo, better, "night")
    project.close()
    words = "mAP 0.5 -> 0.75, mAP_50 0.75; checkpoint"
    assert f"modified training: trainings/night.veml  {words}\n" in place.veml("status").out
    assert f"training night  {words}\n" in place.veml("commit", "-m", "better").out
    assert f"training night  |  {words}" in place.veml("diff", "--stat", "HEAD~1", "HEAD").out
    assert f"training night  |  {words}" in place.veml("log", "--stat", "-1").out
    assert place.veml("diff", "--name-status", "HEAD~1", "HEAD").out == (
        "M\ttrainings/night.veml\n"
    )
    for arguments in (("diff", "HEAD~1", "HEAD"), ("show",), ("log", "-p", "-1")):
        told = place.veml(*arguments).out
        assert "mAP      0.5  0.75   +0.25" in told
        assert "head  2 tensors  changed by" in told
    found = place.veml("diff", "HEAD~1", "HEAD", "--json").json()["trainings"]
    assert [one["layer"] for one in found[0]["layers"]] == ["head"]


def test_a_training_of_data_that_moved_on_is_told(place: Place) -> None:
    for name, data in images(9).items():
        place.write(f"data/images/x{name}", data)
    place.veml("add", "data")
    told = place.veml("status").out
    assert "Trainings of other versions than are here" in told
    assert "night  the data data is another version now\n" in told
    assert "night  the data data is another version now\n" in place.veml("training", "ls").out
    place.veml("commit", "-qm", "more data")
    place.veml("model", "rm", "-q", "detector")
    told = place.veml("status").out
    assert "tuned  the model detector is not here any more\n" in told
    assert "another version" not in place.veml("training", "ls", "HEAD~1").out


def test_a_clone_without_data_still_tells_what_it_can(place: Place, tmp_path: Path) -> None:
    place.veml("clone", "-q", "--no-data", str(place.root), str(tmp_path / "light"))
    os.chdir(tmp_path / "light")
    assert "mAP" in place.veml("training", "show", "night").out
    told = place.veml("training", "compare", "night", "tuned").out
    assert "the checkpoints cannot be compared: " in told
    assert "+0.125" in told
    done = place.veml("training", "export", "night", "-o", "x.safetensors", code=None)
    assert done.code not in (0, 1)
    assert not Path("x.safetensors").exists()
