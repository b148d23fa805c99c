"""Classifiers on MMEngine, from data versions: what is learnt, recorded, interrupted, refused."""

from __future__ import annotations

from collections.abc import Iterator
from shutil import copyfile, copytree
from typing import Any

import pytest

from tests.cli.conftest import Place, isolate
from tests.training.classification.class_kit import SMALL, learn, make_sorted
from tests.training.engine import TORCHVISION
from tests.training.kit import Heard, go_on, interrupt, run
from veml_vcs.errors import FormatError, VemlError
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.trainings.versions import open_training
from veml_vcs.training.held_back import part_of_use, uses_of
from veml_vcs.training.machine import Machine
from veml_vcs.training.measure import measure
from veml_vcs.training.plan import Part

pytestmark = [pytest.mark.ml, pytest.mark.slow, TORCHVISION]

BAR = 0.8
"""Part of held-back cells that the small classifier has to name in 20 passes over some 50."""


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    import torch

    root = tmp_path_factory.mktemp("sorted") / "repository"
    root.mkdir()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch, root.parent / "home")
        patch.chdir(root)
        place = Place(root)
        make_sorted(place)
        yield place
    torch.set_num_threads(threads)


def test_it_learns_and_what_is_recorded(cells: Place) -> None:
    """An untrained network of three classes is right in a third, give or take."""
    done = learn(cells, "train_cfg.val_interval=100", epochs=20, name="learnt")
    assert done.metrics["accuracy"] > BAR, done
    with Repository(str(cells.root)) as repo:
        found = open_training(repo, "learnt")
        predictions = found.predictions()["sorted"]
    record = found.record
    assert (record.task, record.status) == ("classification", "complete")
    train, val = record.data
    assert train.samples + val.samples == sum(1 for _ in (cells.root / "sorted").rglob("*.png"))
    assert val.part == {"seed": 0, "fraction": 0.2}
    assert record.config["model.head.num_classes"] == 3
    assert record.metrics.keys() == {"accuracy", "precision", "recall", "F1"}
    assert record.per_class["WBC"]["recall"] > 0.5
    assert {"torchvision", "mmengine"} <= record.libraries.keys()
    assert "mmdet" not in record.libraries
    assert len(predictions) == val.samples
    right = [key for key, said in predictions.items() if said["labels"] == [key.split("/")[0]]]
    assert len(right) / len(predictions) == record.metrics["accuracy"]
    for said in predictions.values():
        assert sum(said["scores"].values()) == pytest.approx(1, abs=1e-4)
        assert max(said["scores"], key=said["scores"].get) == said["labels"][0]
    assert "accuracy" in cells.veml("training", "ls").out
    shown = cells.veml("training", "show", "learnt").out
    assert "classification" in shown
    assert "Platelets" in shown


def test_one_seed_gives_one_version(cells: Place) -> None:
    """Also with processes that load images."""
    first = learn(cells, name="one")
    assert learn(cells, name="one", machine=Machine(workers=2)).version == first.version
    assert learn(cells, name="one", seed=1).version != first.version


def test_resumed_is_uninterrupted(cells: Place) -> None:
    whole = learn(cells, name="whole")
    part = learn(cells, name="part", heard=Heard({2: interrupt}))
    assert (part.status, part.iterations, part.metrics) == ("partial", 2, {})
    assert go_on(cells, "part").version == whole.version


def test_rows_of_a_head_follow_their_classes(cells: Place) -> None:
    first = learn(cells, name="first", epochs=1)
    copytree(cells.root / "sorted", cells.root / "two")
    (cells.root / "two/WBC").rename(cells.root / "two/White")
    for one in (cells.root / "two/Platelets").iterdir():
        one.rename(cells.root / "two/White" / f"p{one.name}")
    (cells.root / "two/Platelets").rmdir()
    cells.veml("add", "-q", "two")
    heard = Heard()
    learn(cells, data="two", start="first", name="two", epochs=1, heard=heard)
    (said,) = [one for one in heard.notes if "tensors of first are taken" in one]
    assert "of 2 in its heads the rows of known classes (1), and White begin at random" in said
    with Repository(str(cells.root)) as repo:
        initial = open_training(repo, "two").record.initial
    assert (initial.kind, initial.version) == ("training", first.version)
    with pytest.raises(FormatError, match="weights of training first do not fit the model"):
        learn(cells, "model.backbone.depth=10", start="first", name="three")


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ('model.backbone={"type": "os.system", "command": "touch hacked"}', "os.system"),
        ("model.head.loss.type=os.system", "os.system"),
        ("model.backbone.depth=19", "there are 10, 18, 34, 50"),
        ("model.backbone.stem=tiny", "expected large or small"),
        ("model.head.dropuot=1", "dropuot"),
        ("train_dataloader.dataset.pipeline.0.sise=3", "Resize does not take"),
        ("val_dataloader.dataset.pipeline.0.size=32", r"\d+ x \d+ pixels, others"),
    ],
)
def test_what_cannot_be_trained(cells: Place, setting: str, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        learn(cells, setting, name="wrong")
    assert not (cells.root / "hacked").exists()
    assert not (cells.root / "trainings/wrong.veml").exists()


def test_measured_anew_as_the_training_did(cells: Place) -> None:
    """On what it held back, drawn again, and on images that nobody named."""
    learn(cells, name="judged", epochs=1)
    (cells.root / "bare").mkdir()
    for place, one in enumerate(sorted((cells.root / "sorted").rglob("*.png"))[::9]):
        copyfile(one, cells.root / f"bare/{place}.png")
    cells.veml("add", "-q", "bare")
    with Repository(str(cells.root)) as repo:
        training = open_training(repo, "judged")
        (use,) = uses_of(training, "val")
        found = measure(repo, training, part_of_use(repo, use), predictions=True)
        assert found.metrics == training.record.metrics
        assert found.predictions == training.predictions()["sorted"]
        bare = repo.dataset("bare")
        part = Part("bare", bare.record.to_bytes().decode(), tuple(bare.keys))
        blind = measure(repo, training, part, predictions=True)
    assert (blind.metrics, blind.per_class) == ({}, {})
    assert blind.predictions.keys() == set(bare.keys)


def test_the_full_size_is_built_and_stepped_once(cells: Place) -> None:
    cells.veml("model", "template", "resnet50", "configs/large.py")
    cells.veml("model", "add", "configs/large.py")
    done = run(
        cells, "model.backbone.init_cfg=None", "train_dataloader.batch_size=4", data="sorted",
        model="large", iterations=1, val_split="0.05",
    )  # fmt: skip
    assert done.iterations == 1
    with Repository(str(cells.root)) as repo:
        count = open_training(repo, "large").record.checkpoint.parameters
    assert count == 25_557_032 - 2_049_000 + 3 * 2_049  # torchvision's, of 3 classes for 1000
    assert 0 <= done.metrics["accuracy"] <= 1


SORTED: dict[str, Any] = {"data": "sorted", "model": "small", "iterations": None}


class Watching(Heard):
    """Interrupts the first measurement once it has begun."""

    def doing(self, what: str) -> None:
        if what == "measuring" and "stopped" not in self.notes:
            self.note("stopped")
            interrupt()


STEPS = (
    'train_cfg={"type": "IterBasedTrainLoop", "max_iters": 6, "val_interval": 2}',
    'train_dataloader.sampler={"type": "InfiniteSampler", "shuffle": true}',
    "param_scheduler=[]",
)


@pytest.mark.parametrize("settings", [(), STEPS], ids=["passes", "steps"])
def test_interrupted_while_measuring(cells: Place, settings: tuple[str, ...]) -> None:
    """The measurement is made up for: the resumed training is the uninterrupted one."""
    length: dict[str, Any] = {} if settings else {"epochs": 2}
    every = settings or ("train_cfg.val_interval=1",)
    whole = run(cells, *SMALL, *every, **SORTED, **length, name="whole")
    part = run(cells, *SMALL, *every, **SORTED, **length, name="part", heard=Watching())
    assert (part.status, part.metrics) == ("partial", {})
    assert 0 < part.iterations < whole.iterations
    assert go_on(cells, "part").version == whole.version


def test_interrupted_at_a_border(cells: Place) -> None:
    """Where a pass ends, and where a measurement comes next."""
    whole = learn(cells, name="whole")
    last = whole.iterations // 2
    assert learn(cells, name="part", heard=Heard({last: interrupt})).iterations == last
    assert go_on(cells, "part").version == whole.version
    whole = run(cells, *SMALL, *STEPS, **SORTED, name="whole")
    part = run(cells, *SMALL, *STEPS, **SORTED, name="part", heard=Heard({2: interrupt}))
    assert part.iterations == 2
    assert go_on(cells, "part").version == whole.version


def test_published_weights_that_cannot_be_had(cells: Place) -> None:
    """A path that is not there stands for a network that is not: both are an OSError."""
    setting = 'model.backbone.init_cfg={"type": "Pretrained", "checkpoint": "absent/resnet.pth"}'
    with pytest.raises(VemlError, match=r"cannot be had \(model.backbone.init_cfg: absent") as no:
        learn(cells, setting, name="absent")
    assert no.value.kind == "no-pretrained"
    assert "--set model.backbone.init_cfg=None begins at random" in str(no.value.hint)
