"""Every example in a command's help is run as it stands, in a repository it can be run in."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.cli.conftest import CARS, Place, isolate, png
from tests.lineage.conftest import neo4j_server
from tests.repository.inferences import write as deploy
from tests.repository.trainings import outcome, uses, weights
from tests.training.engine import ENGINE
from veml_cli.main import _COMMANDS, app
from veml_vcs.repository import Repository
from veml_vcs.repository.trainings.write import write_training
from veml_vcs.samples.tensors import write_safetensors
from veml_vcs.versions.trainings import Initial, classes_said, detections
from veml_vcs.versions.trainings.forecasts import ERRORS_KEY, errors_said

__all__ = ["neo4j_server"]

SAID = {"JPEGImages/0000.png": detections(np.array([[1.0, 1, 4, 4]]), np.array([0.75]), ["car"])}
NEEDS_TORCH = ("similar", "drift")
NEEDS_ENGINE = ("train", "transfer", "rebuild", "deploy", "predict")
RUN_INFERENCES = ("veml deploy ", "veml predict ", "veml training measure ")
ASK_NEO4J = ("veml lineage connect ", "veml lineage disconnect", "veml lineage query ")
DATA_ERRORS = "veml inference errors detector --data images/val"


def examples_of(module: ModuleType) -> list[str]:
    found = re.findall(r"^  (veml .*)$", module.EXAMPLES, re.MULTILINE)
    for below in getattr(module, "COMMANDS", ()):
        found += examples_of(below)
    return found


def all_examples() -> list[str]:
    found: dict[str, None] = {}
    for name in _COMMANDS:
        module = import_module(f"veml_cli.{name.replace('-', '_')}")
        found.update(dict.fromkeys(examples_of(module)))
    return list(found)


EXAMPLES = all_examples()


def prepare(place: Place) -> None:
    """A repository with what the examples speak of: data sets, branches, a tag, new folders."""
    place.veml("init")
    place.voc("images/train", CARS)
    place.write("images/train/0001.jpg", png(1001))  # the name that examples use
    place.voc("images/val", {"9000": [("car", 1, 1, 4, 4)]}, first=50)
    place.voc("images/old", {"8000": [("car", 1, 1, 4, 4)]}, first=70)
    place.write("notes.txt", "one\n")
    place.veml("add", "images/train", "images/val", "images/old", "notes.txt")
    for i in range(4):
        place.veml("commit", "--allow-empty", "-qm", f"drive {i}")
    place.veml("tag", "v1.0")
    place.veml("checkout", "-q", "-b", "night")
    place.voc("images/train", {"0000": [("car", 1, 1, 5, 4), ("bike", 2, 2, 6, 5)]})
    place.write("images/train/0001.jpg", png(1002))
    place.write("notes.txt", "night\n")
    place.veml("commit", "-qam", "night")
    place.veml("checkout", "-q", "main")
    place.voc("images/train", {"0000": [("car", 1, 1, 4, 5), ("bike", 2, 2, 6, 5)]})
    place.veml("commit", "-qam", "day")
    place.voc("images/train", {"0002": [("bus", 1, 1, 4, 5), ("bike", 2, 2, 6, 5)]})
    place.write("images/train/0001.jpg", png(1003))
    for i in range(12):
        place.write(f"incoming/{i}.png", png(200 + i))


def merging(place: Place) -> None:
    """The merge of night is under way, with a conflict in each kind of file."""
    place.veml("commit", "-qam", "more")
    place.veml("merge", "night", code=1)


def merged(place: Place) -> None:
    place.veml("checkout", "-qf", "main")
    place.veml("merge", "-q", "-X", "ours", "night")


def staged(place: Place) -> None:
    place.veml("add", "-q", "images/train")


def without(*names: str) -> Callable[[Place], None]:
    def remove(place: Place) -> None:
        for name in names:
            place.git("tag", "-d", name)

    return remove


def no_night(place: Place) -> None:
    place.veml("branch", "-D", "night")


def clean(place: Place) -> None:
    place.veml("checkout", "-qf", "main")


def visited(place: Place) -> None:
    clean(place)
    for name in ("night", "main"):
        place.veml("switch", "-q", name)


def outside(place: Place) -> None:
    shutil.rmtree(place.root / ".git")


def with_a_clone(place: Place) -> None:
    """Another clone beside this one, which has the data."""
    shutil.copytree(place.root, place.root.parent / "drives", symlinks=True)


def with_a_host(place: Place) -> None:
    """A Git host, which is the folder beside this one."""
    with_a_clone(place)
    host = f"url.{place.root.parent / 'drives'}.insteadOf"
    place.git("config", "--global", host, "https://example.org/drives.git")
    shutil.rmtree(place.root)
    place.root.mkdir()
    os.chdir(place.root)


def on_night(place: Place) -> None:
    place.veml("checkout", "-qf", "night")


def picking(name: str) -> Callable[[Place], None]:
    def pick(place: Place) -> None:
        place.veml("commit", "-qam", "more")
        place.veml("cherry-pick", name, code=1)
        place.veml("resolve", "-q", "--all", "--theirs")

    return pick


def reverting(place: Place) -> None:
    place.veml("commit", "-qam", "more")
    place.voc("images/train", {"0002": [("tram", 1, 1, 4, 5), ("bike", 2, 2, 6, 5)]})
    place.veml("commit", "-qam", "more still")
    place.veml("revert", "HEAD~1", code=1)
    place.veml("resolve", "-q", "--all", "--theirs")


def stashed(place: Place) -> None:
    place.veml("stash", "-q")


def boxes(place: Place) -> None:
    """Images in one folder and their COCO file beside it."""
    shutil.rmtree(place.root / "images")
    for path in place.root.glob("images*"):
        path.unlink()
    place.git("rm", "-q", "--cached", "-r", "images")
    place.write("images/a.png", png(1))
    place.write(
        "boxes.json",
        '{"images": [{"id": 1, "file_name": "a.png", "width": 8, "height": 6}], "annotations": '
        '[{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 2, 2]}], '
        '"categories": [{"id": 1, "name": "car"}]}',
    )


def in_classes(place: Place) -> None:
    """A data set in class folders."""
    for i, name in enumerate(("cat/7", "cat/8", "dog/1")):
        place.write(f"data/train/{name}.jpg", png(300 + i))
    place.veml("add", "-q", "data/train")


def streets(place: Place) -> None:
    """Drives of several weathers in one COCO data set, in two splits, and nothing else."""
    clean(place)
    place.veml("rm", "-qr", "images/train", "images/val", "images/old")
    names = ("car", "bus", "truck", "motobike", "bicycle")
    kinds = [{"id": i, "name": name} for i, name in enumerate(names)]
    for part, split in enumerate(("train", "val")):
        listed, boxes = [], []
        for i in range(part * 10, part * 10 + 6):
            name = f"drive{1 + 6 * part}/{i:04d}.png"
            place.write(f"images/train/{name}", png(400 + i))
            weather = "night" if i % 2 else "day"
            listed.append(
                {"id": i, "file_name": name, "width": 1920, "height": 8, "weather": weather}
            )
            side = 1 + i % 12
            boxes.append({"id": i, "image_id": i, "category_id": i % 5, "bbox": [0, 0, side, side]})
        document = {"images": listed, "annotations": boxes, "categories": kinds}
        place.write(f"images/train/annotations/instances_{split}.json", json.dumps(document))
    place.veml("add", "-q", "images/train")
    place.veml("commit", "-qm", "streets")
    place.veml("tag", "-f", "v1.0")


def streets_in_part(place: Place) -> None:
    streets(place)
    place.veml("sparse", "set", "-q", "--class", "car")


def day_and_night(place: Place) -> None:
    for i, name in enumerate(("day", "night")):
        place.voc(f"images/{name}", {"7000": [("car", 1, 1, 4, 4)]}, first=80 + i)
        place.veml("add", "-q", f"images/{name}")


def more_since(place: Place) -> None:
    """What v1.0 has is not all in the index."""
    clean(place)
    place.veml("data", "filter", "images/train", "--key", "*0003.png", "-q")


def with_tables(place: Place) -> None:
    place.write("air/seoul_daily_2018.csv", "day,no2\n1,0.03\n2,0.04\n")
    place.veml("add", "-q", "--format", "tables", "air")


def with_incoming(place: Place) -> None:
    clean(place)
    folder = place.root.parent / "incoming"
    shutil.copytree(place.root / "incoming", folder)


def a_clone(place: Place) -> None:
    """A clone of the folder beside it, without the data."""
    clean(place)
    place.root.rename(place.root.parent / "drives")
    os.chdir(place.root.parent)
    place.veml("clone", "-q", "--no-data", "drives", place.root.name)
    os.chdir(place.root)


def with_config(place: Place) -> None:
    """The config of a detector."""
    text = (
        "model = dict(type='FasterRCNN', backbone=dict(type='ResNet', depth=18),\n"
        "    roi_head=dict(type='StandardRoIHead', bbox_head=dict(type='Head', num_classes=3)))\n"
    )
    place.write("configs/detector.py", text)


def with_models(place: Place) -> None:
    """Two models, one of them of v1.0 too."""
    with_config(place)
    place.veml("checkout", "-qf", "v1.0")
    place.veml("model", "add", "-q", "configs/detector.py")
    place.veml("model", "add", "-q", "configs/detector.py", "--name", "small")
    place.veml("commit", "-qm", "models")
    place.veml("tag", "-f", "v1.0")
    text = (place.root / "configs/detector.py").read_text()
    place.write("configs/detector.py", text.replace("depth=18", "depth=50"))
    place.veml("model", "add", "-q", "configs/detector.py")


def with_models_committed(place: Place) -> None:
    with_models(place)
    place.veml("commit", "-qam", "deeper")


def elsewhere(place: Place) -> None:
    """Weights that were made elsewhere, and the model that they are of."""
    with_config(place)
    clean(place)
    place.veml("model", "add", "-q", "configs/detector.py")
    place.write("elsewhere.safetensors", write_safetensors(weights()))


def with_pets(place: Place) -> None:
    """Images in folders by class, and a classifier that is told to measure once."""
    for i in range(8):
        place.write(f"pets/{('cat', 'dog')[i % 2]}/{i}.png", png(300 + i))
    place.veml("model", "template", "resnet-small", "pets.py")
    place.veml("add", "-q", "--format", "folders", "pets")
    place.veml("model", "add", "-q", "pets.py")


def with_a_classifier(place: Place) -> None:
    """A training of a classifier, with what it said of an image."""
    with_pets(place)
    place.veml("model", "add", "-q", "pets.py", "--name", "detector")
    said = {"pets": {"cat/0.png": classes_said(["dog", "cat"], [0.7, 0.3])}}
    with Repository(str(place.root)) as repo:
        ready = outcome(repo, data=uses(repo, "pets"), predictions=said)
        write_training(repo, replace(ready, task="classification"), "pets")


def with_a_forecaster(place: Place) -> None:
    """A training of a forecaster, with the errors that it kept."""
    with_config(place)
    clean(place)
    place.veml("model", "add", "-q", "configs/detector.py")
    table = errors_said(["north", "south"], 3, np.ones((2, 2)), np.full((2, 2), 3))
    with Repository(str(place.root)) as repo:
        ready = outcome(
            repo, data=uses(repo, "images/val"), predictions={"images/val": {ERRORS_KEY: table}}
        )
        write_training(repo, replace(ready, task="forecasting"), "speed")


def with_trainings(place: Place) -> None:
    """A training, of v1.0 too, and two fine-tunes of it."""
    with_config(place)
    place.veml("checkout", "-qf", "v1.0")
    place.veml("model", "add", "-q", "configs/detector.py")
    with Repository(str(place.root)) as repo:
        ready = outcome(repo, data=uses(repo, "images/train"), predictions={"images/train": SAID})
        night = write_training(repo, ready, "night")
        place.veml("commit", "-qm", "night")
        place.veml("tag", "-f", "v1.0")
        parent = Initial("training", "night", night.version, night.record.checkpoint.tree)
        for seed, name in ((1, "tuned"), (2, "other"), (3, "night")):
            fine = replace(ready, initial=parent, seed=seed, checkpoint=weights(0, seed))
            write_training(repo, fine, name)
    place.veml("commit", "-qm", "fine-tunes")


def with_inferences(place: Place) -> None:
    """What is deployed of a training: in v1.0, again since, and quantised."""
    with_trainings(place)
    for name, message, how in (
        ("detector", "deployed", {}),
        ("detector", "deployed again", {"opset": 18}),
        ("small", "quantised", {"quantisation": "int8"}),
    ):
        with Repository(str(place.root)) as repo:
            used = uses(repo, "images/train")[1:]
            changes = {**how, "uses": used, "predictions": {"images/train": SAID}}
            deploy(repo, place.root.parent, name, **changes)
        place.veml("commit", "-qm", message)
        if message == "deployed":
            place.veml("tag", "-f", "v1.0")


def retrained(place: Place) -> None:
    """Both sides of a merge under way fine-tuned one training."""
    with_trainings(place)
    place.veml("checkout", "-q", "-b", "mine")
    place.veml("branch", "side")
    for branch, name in (("side", "tuned"), ("mine", "other")):
        place.veml("checkout", "-q", branch)
        place.write("trainings/night.veml", (place.root / f"trainings/{name}.veml").read_bytes())
        place.veml("add", "-q", "trainings/night.veml")
        place.veml("commit", "-qm", name)
    place.veml("merge", "side", code=1)


def with_detector(place: Place) -> None:
    """A detector that can be trained, for some steps."""
    clean(place)
    place.veml("model", "template", "faster-rcnn-small", "configs/detector.py")
    text = (place.root / "configs/detector.py").read_text()
    place.write("configs/detector.py", text.replace("iterations = 100", "iterations = 12"))
    place.veml("model", "add", "-q", "configs/detector.py")


def with_a_stopped_training(place: Place) -> None:
    with_detector(place)
    from tests.training.kit import Heard, interrupt, run

    run(place, data="images/train", model="detector", name="first", heard=Heard({1: interrupt}))


def with_a_lifecycle(place: Place) -> None:
    """A detector of one data set, and another data set like it."""
    with_detector(place)
    from tests.training.kit import run

    boxes = [("vehicle", 1, 1, 4, 4), ("bike", 2, 2, 6, 5)]
    place.voc("images/new", {f"{i}": boxes for i in range(6)}, first=900)
    place.veml("add", "-q", "images/new")
    run(place, data="images/train", model="detector", name="first", iterations=3)
    place.veml("commit", "-qam", "first")


def to_be_rebuilt(place: Place) -> None:
    """A training, and data that it does not know."""
    with_detector(place)
    from tests.training.kit import run

    run(place, data="images/train", model="detector", name="first", iterations=1)
    for i in range(12):
        place.write(f"images/dusk/JPEGImages/{i}.png", png(700 + i))
    place.voc("images/dusk", {str(i): [("car", 1, 1, 5, 4)] for i in range(12)})
    place.veml("add", "-q", "images/dusk")
    place.veml("commit", "-qm", "dusk")


def labelled(place: Place) -> None:
    """Another set without labels, some of which were asked for and have come."""
    to_be_rebuilt(place)
    for i in range(10):
        place.write(f"images/bare/{i}.png", png(800 + i))
    place.veml("add", "-q", "images/bare")
    place.veml(
        "rebuild", "-q", "--train", "first", "--new", "images/bare", "--method", "active",
        "--budget", "5", "--select", "random", "--set", "train_cfg.max_iters=1",
    )  # fmt: skip
    from tests.lifecycle.rebuild_kit import label

    label(place.root / "to-label/first-active.json", place.root / "labels.json")


def with_named_classes(place: Place) -> None:
    """A classifier, and images that it asked for, with their classes filled in."""
    from tests.training.kit import run

    with_pets(place)
    run(place, data="pets", model="pets", name="first", iterations=None, epochs=1)
    for i in range(10):
        place.write(f"bare/{i}.png", png(800 + i))
    place.veml("add", "-q", "bare")
    place.veml(
        "rebuild", "-q", "--train", "first", "--new", "bare", "--method", "active",
        "--budget", "5", "--select", "random", "--epochs", "1",
    )  # fmt: skip
    listed = place.root / "to-label/first-active.csv"
    head, *rows = listed.read_text().splitlines()
    listed.write_text("\n".join([head, *(row + "cat" for row in rows)]) + "\n")


def with_roads(place: Place) -> None:
    """A series, and a forecaster of it."""
    from tests.training.forecasting.road_kit import ring, wave
    from tests.training.kit import run

    place.write("roads/speed.csv", wave(60).encode())
    place.write("roads/adj.csv", ring().encode())
    place.veml("add", "-q", "--format", "tables", "roads")
    place.veml("model", "template", "convlstm-small", "roads.py")
    place.veml("model", "add", "-q", "roads.py")
    run(place, data="roads", model="roads", name="speed", iterations=1, val_split="0.3")


TRAINED: dict[str, Path] = {}
"""The repository of ``with_an_inference``, which takes seconds, made once."""


def with_an_inference(place: Place) -> None:
    """A training of one step, and its deployed file, of v1.0."""
    if "root" not in TRAINED:
        with_detector(place)
        from tests.training.kit import DEMO, run

        for name in ("train", "val"):
            shutil.rmtree(place.root / "images" / name)
            shutil.copytree(DEMO / "bccd", place.root / "images" / name)
        shutil.copy(next((DEMO / "bccd").rglob("*.jpg")), place.root / "images/train/0001.jpg")
        place.veml("add", "-q", "images/train", "images/val")
        run(place, data="images/train", model="detector", name="first", iterations=1)
        place.veml("deploy", "first", "--name", "detector", "--runs", "1", "-q")
        place.veml("commit", "-qm", "deployed")
        place.veml("tag", "-f", "v1.0")
        TRAINED["root"] = place.root.parent / "trained"
        shutil.copytree(place.root, TRAINED["root"], symlinks=True)
    shutil.rmtree(place.root)
    shutil.copytree(TRAINED["root"], place.root, symlinks=True)
    os.chdir(place.root)


def with_code(place: Place) -> None:
    for name in ("a.py", "src/c.py"):
        place.write(name, name)
    place.veml("add", "-q", "a.py", "src/c.py")


STATES: dict[str, Callable[[Place], None]] = {
    "veml add images --annotations boxes.json": boxes,
    "veml branch night": no_night,
    "veml branch -d night": merged,
    "veml cherry-pick night": clean,
    "veml cherry-pick -x main~2..main": on_night,
    "veml cherry-pick --continue": picking("night"),
    "veml cherry-pick --abort": picking("night"),
    "veml revert HEAD": clean,
    "veml revert -m 1 HEAD": merged,
    "veml revert --continue": reverting,
    "veml reset --hard": staged,
    "veml sparse add --class bicycle": streets_in_part,
    "veml data update images/train --max-area 100 --set-object difficult=1": streets,
    "veml stash pop": stashed,
    "veml stash show -p stash@{0}": stashed,
    "veml checkout night": clean,
    "veml checkout --no-data night": clean,
    "veml clone ../drives": with_a_clone,
    "veml clone --no-data ../drives light": with_a_clone,
    "veml clone https://example.org/drives.git": with_a_host,
    "veml checkout -b night": no_night,
    'veml commit -m "first drive"': staged,
    "veml data fetch --from ../drives": with_a_clone,
    "veml data fetch": a_clone,
    "veml data fetch --from ../drives main night": with_a_clone,
    "veml data fetch --from ../drives --all": with_a_clone,
    "veml data add images/train ../incoming": with_incoming,
    "veml data add v1.0:images/train ../incoming --to images/more": with_incoming,
    "veml data merge images/day images/night --to images/all": day_and_night,
    "veml data merge images/train v1.0:images/train": more_since,
    "veml data show air seoul_daily_2018.csv": with_tables,
    "veml data ls images/train --split val --quiet": streets,
    "veml init -b trunk drives": outside,
    "veml merge night": clean,
    "veml merge --squash night": clean,
    "veml mv data/train/cat/7.jpg data/train/dog/7.jpg": in_classes,
    "veml mv -k a.py b.py src": with_code,
    "veml merge -X ours night": clean,
    "veml merge --abort": merging,
    "veml resolve": merging,
    "veml resolve --list": merging,
    "veml resolve images/train/0001.jpg --ours": merging,
    "veml resolve images/train/JPEGImages/0000.png --both": merging,
    "veml resolve images/train/JPEGImages/0000.png:objects#0 --theirs": merging,
    "veml resolve trainings/night.veml --average": retrained,
    "veml resolve --all --theirs": merging,
    "veml model add configs/detector.py --name detector": with_config,
    "veml model add configs/detector.py --name detector --dry-run": with_config,
    "veml model ls v1.0 --quiet": with_models,
    "veml model show detector": with_models,
    "veml model show detector@v1.0 --config": with_models,
    "veml model compare detector small": with_models,
    "veml model compare detector@v1.0 detector": with_models,
    "veml model compare detector@v1.0 detector -c": with_models,
    "veml model rm small": with_models_committed,
    "veml lineage compare model:detector model:small": with_models_committed,
    "veml training add elsewhere.safetensors --model detector --data images/train": elsewhere,
    "veml training add elsewhere.safetensors --name other --model detector "
    "--data images/train@v1.0 --val images/val --metric mAP=0.41": elsewhere,
    "veml rm images/train/0001.jpg": clean,
    "veml training errors pets --json": with_a_classifier,
    "veml training errors speed --worst 5": with_a_forecaster,
    "veml train --data pets --model pets --epochs 4": with_pets,
    "veml train --resume --name first": with_a_stopped_training,
    "veml rebuild --continue labels.json": labelled,
    "veml rebuild --continue to-label/first-active.csv --name first-active": with_named_classes,
    "veml switch night": clean,
    "veml switch -c night v1.0": lambda place: (clean(place), no_night(place))[0],
    "veml switch -": visited,
    "veml tag v1.0": without("v1.0"),
    'veml tag -a v1.0 -m "first release"': without("v1.0"),
}
for _example in EXAMPLES:
    if _example.startswith("veml train "):
        STATES.setdefault(_example, with_detector)
    if _example.startswith("veml transfer "):
        STATES[_example] = with_a_lifecycle
    if _example.startswith("veml rebuild "):
        STATES.setdefault(_example, to_be_rebuilt)
    if _example.startswith(RUN_INFERENCES) or _example == DATA_ERRORS:
        STATES[_example] = with_roads if " roads " in _example else with_an_inference
    if _example.startswith(("veml training ", "veml lineage ")) and _example not in STATES:
        STATES[_example] = with_trainings
    if _example.startswith("veml inference "):
        STATES.setdefault(_example, with_inferences)
    if "weather" in _example or "bus" in _example or "motobike" in _example or "box." in _example:
        STATES[_example] = streets
ENDS_WITH_ONE = {
    "veml merge night",
    "veml merge --squash night",
    "veml cherry-pick night",
    "veml cherry-pick -x main~2..main",
}


def _marks(example: str) -> tuple[pytest.MarkDecorator, ...]:
    command = example.split()[1]
    if example.startswith(ASK_NEO4J):
        return (pytest.mark.neo4j,)
    if command in NEEDS_ENGINE or example.startswith(RUN_INFERENCES) or example == DATA_ERRORS:
        return pytest.mark.ml, pytest.mark.slow, ENGINE
    return (pytest.mark.ml,) if command in NEEDS_TORCH else ()


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository, made once; each example gets a copy."""
    root = tmp_path_factory.mktemp("prepared") / "repository"
    root.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch, root.parent / "home")
        patch.chdir(root)
        place = Place(root)
        place.git("init", "-q", "-b", "main")
        prepare(place)
    return root


@pytest.mark.parametrize(
    "example",
    [pytest.param(one, marks=_marks(one)) for one in EXAMPLES],
)
def test_example_runs(
    example: str, prepared: Path, place: Any, request: pytest.FixtureRequest
) -> None:
    shutil.rmtree(place.root)
    shutil.copytree(prepared, place.root, symlinks=True)
    os.chdir(place.root)
    STATES.get(example, lambda _place: None)(place)
    if example.startswith(ASK_NEO4J):
        server = request.getfixturevalue("neo4j_server")
        request.getfixturevalue("monkeypatch").setenv("NEO4J_PASSWORD", server.password)
        example = example.replace("neo4j://localhost", server.url)
        if " connect " not in example:
            place.veml(
                "lineage", "connect", server.url, "--as", f"examples-{os.getpid()}", "--take-over"
            )
    done = place.veml(*shlex.split(example)[1:], code=1 if example in ENDS_WITH_ONE else 0)
    assert "Traceback" not in done.err
    if " connect " in example:  # the server may be one that stays
        place.veml("lineage", "disconnect", "--delete")


def test_every_command_has_an_example() -> None:
    shown = {one.split()[1] for one in EXAMPLES}
    assert shown == set(_COMMANDS)


def test_states_are_of_examples() -> None:
    assert set(STATES) <= set(EXAMPLES)


def test_options_are_explained() -> None:
    """No option or argument of any command is without a word of help."""
    import typer

    silent = []
    pending = [("veml", typer.main.get_command(app))]
    while pending:
        name, command = pending.pop()
        children = getattr(command, "commands", {})
        pending += [(f"{name} {child}", one) for child, one in children.items()]
        silent += [
            f"{name} {parameter.name}"
            for parameter in command.params
            if not getattr(parameter, "help", None)
        ]
    assert silent == []
