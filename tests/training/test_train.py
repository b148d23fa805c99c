"""Trainings on real images: what is learnt, recorded, repeated, interrupted and resumed.

"Equal" means that the records have one version id: weights, log, metrics and predictions are equal
to the last bit.
"""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest

from tests.cli.conftest import Place
from tests.training.engine import ENGINE
from tests.training.kit import BY_EPOCHS, Heard, go_on, interrupt, make_cells, place_for, run
from veml_vcs.errors import (
    ConflictError,
    FormatError,
    InvalidInputError,
    StorageError,
    VemlError,
)
from veml_vcs.objects.files import Files
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.trainings.versions import open_training
from veml_vcs.training.inputs import known_classes
from veml_vcs.training.machine import Machine
from veml_vcs.training.run_folder import unfinished

pytestmark = [pytest.mark.ml, pytest.mark.slow, ENGINE]

BAR = 0.2
"""mAP50 on held-back images that the small detector has to reach in 100 steps (35 CPU seconds on
one thread) on 16 images of blood cells. Seeds 0, 1 and 2 reached 0.44, 0.47 and 0.57 where this was
written; after one step it is below 0.05, which is asserted, too."""


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One repository for all: what a training leaves behind is a record that others overwrite."""
    with place_for(tmp_path_factory, "cells") as place:
        make_cells(place)
        yield place


def test_it_learns(cells: Place) -> None:
    """The config that ships, as it ships."""
    heard = Heard()
    done = run(cells, "train_cfg.val_interval=100", iterations=None, heard=heard, name="learnt")
    assert done.metrics["mAP50"] > BAR, done
    assert heard.metrics[100] == done.metrics
    assert heard.steps[-1].iteration == heard.steps[-1].iterations == 100
    with Repository(str(cells.root)) as repo:
        version = open_training(repo, "learnt")
        record = version.record
        assert (record.task, record.status, record.seed) == ("detection", "complete", 0)
        assert [(one.role, one.samples) for one in record.data] == [("train", 16), ("val", 4)]
        assert record.data[0].part == {"seed": 0, "fraction": 0.8}
        assert record.libraries.keys() >= {"torch", "mmdet", "mmengine", "torchvision"}
        assert record.determinism["deterministic"] is True
        assert record.metrics == done.metrics
        assert record.per_class["RBC"]["AP50"] > BAR
        assert record.checkpoint.parameters == 714_671
        log = version.log()
        assert log["iteration"].tolist() == list(range(1, 101))
        assert log["loss"][-10:].mean() < 0.7 * log["loss"][:10].mean()
        found = version.predictions()["cells"]
        assert len(found) == 4
        assert all(one["objects"][0]["class"] in ("RBC", "WBC") for one in found.values())
        # An untrained network of the same seed is far below.
        assert run(cells, iterations=1, name="none").metrics["mAP50"] < 0.05


def test_one_seed_gives_one_version(cells: Place) -> None:
    """Also with processes that load images."""
    first = run(cells, name="one")
    assert run(cells, name="one").version == first.version
    assert run(cells, name="one", machine=Machine(workers=2)).version == first.version
    assert run(cells, name="one", seed=1).version != first.version


@pytest.mark.parametrize(
    ("settings", "length"), [((), {}), (BY_EPOCHS, {"iterations": None})], ids=["steps", "epochs"]
)
def test_interrupted_and_resumed_is_as_if_it_were_not(
    cells: Place, settings: tuple[str, ...], length: dict[str, None]
) -> None:
    """Seen to fail without ``VemlBatches.skip``, without ``SkipHook`` (it then trains on other
    batches), and without ``SeedHook``."""
    whole = run(cells, *settings, name="whole", **length)
    part = run(cells, *settings, name="part", heard=Heard({3: interrupt}), **length)
    assert (part.status, part.iterations, part.metrics) == ("partial", 3, {})
    with Repository(str(cells.root)) as repo:
        assert unfinished(repo) == ("part",)
        assert open_training(repo, "part").record.status == "partial"
        assert open_training(repo, "part").log()["iteration"].tolist() == [1, 2, 3]
    with pytest.raises(ConflictError, match="was interrupted and can go on"):
        run(cells, *settings, name="part", force=False, **length)
    done = go_on(cells)
    assert (done.status, done.iterations) == ("complete", whole.iterations)
    assert done.version == whole.version
    with Repository(str(cells.root)) as repo:
        assert unfinished(repo) == ()


KILLED = """
import os, signal, sys
import torch
from tests.cli.conftest import Place
from tests.training.kit import Heard, run
from veml_vcs.training.inputs import known_classes
from veml_vcs.training.machine import Machine
from pathlib import Path
torch.set_num_threads(1)
kill = lambda: os.kill(os.getpid(), signal.SIGKILL)
machine = Machine(keep_seconds=0)
run(Place(Path(sys.argv[1])), heard=Heard({4: kill}), machine=machine, name="killed")
"""


def test_killed_and_resumed_is_as_if_it_were_not(cells: Place) -> None:
    whole = run(cells, name="whole")
    root = Path(__file__).resolve().parents[2]
    child = subprocess.run(
        [sys.executable, "-c", KILLED, str(cells.root)], capture_output=True, text=True,
        check=False, env={**os.environ, "PYTHONPATH": str(root)},
    )  # fmt: skip
    assert child.returncode == -signal.SIGKILL, child.stderr
    with Repository(str(cells.root)) as repo:
        assert unfinished(repo) == ("killed",)
        assert not (cells.root / "trainings/killed.veml").exists()
    assert go_on(cells, "killed").version == whole.version


def full_disk(at: str, after: int = 0) -> Files:
    """Refuse to write, or to put into place, what has ``at`` in its path; but for the first few."""
    left = [after]

    def observe(operation: str, path: str) -> None:
        if operation in ("write", "rename") and at in path:
            left[0] -= 1
            if left[0] < 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    return Files(observe)


@pytest.mark.parametrize(
    ("at", "after", "settings", "length"),
    [
        ("state.pth", 2, (), {}),
        ("/packs/", 0, (), {}),
        ("/packs/", 0, BY_EPOCHS, {"iterations": None}),
        ("trainings/", 0, (), {}),
    ],
    ids=["state", "weights", "weights of passes", "record"],
)
def test_a_full_disk_loses_nothing(
    cells: Place, at: str, after: int, settings: tuple[str, ...], length: dict[str, None],
    request: pytest.FixtureRequest,
) -> None:  # fmt: skip
    """While the state is kept, and while weights and record are written: no half-written version,
    and the training goes on to what it would have been. Seen to fail without ``run.keep()``."""
    name = "full-" + request.node.callspec.id.replace(" ", "-")
    seed = len(name)  # weights that the store does not have yet
    machine = Machine(keep_seconds=0 if at == "state.pth" else 60)
    with pytest.raises(StorageError, match="No space left"):
        run(cells, *settings, name=name, seed=seed, files=full_disk(at, after), machine=machine,
            **length)  # fmt: skip
    assert not (cells.root / f"trainings/{name}.veml").exists()
    with Repository(str(cells.root)) as repo:
        assert unfinished(repo) == (name,)
    done = go_on(cells, name)
    assert run(cells, *settings, name="whole", seed=seed, **length).version == done.version


def test_a_loss_that_is_no_number_ends_it(cells: Place) -> None:
    with pytest.raises(VemlError, match=r"the loss is (nan|inf).* at iteration \d, with") as caught:
        run(cells, "optim_wrapper.optimizer.lr=1e30", "optim_wrapper.clip_grad=None", name="nan")
    assert caught.value.kind == "loss-not-finite"
    assert not (cells.root / "trainings/nan.veml").exists()
    with Repository(str(cells.root)) as repo:
        assert unfinished(repo) == ()


def test_begin_with_the_weights_of_another(cells: Place) -> None:
    first = run(cells, name="first", iterations=2)
    heard = Heard()
    second = run(cells, name="second", start="first", iterations=1, heard=heard)
    with Repository(str(cells.root)) as repo:
        initial = open_training(repo, "second").record.initial
        assert (initial.kind, initial.name, initial.version) == ("training", "first", first.version)
    assert second.new_bytes < 3_000_000
    with pytest.raises(FormatError, match="weights of training first do not fit the model") as no:
        run(cells, "model.backbone.base_channels=8", "model.neck.in_channels=[16, 32]",
            start="first", name="third")  # fmt: skip
    assert no.value.kind == "checkpoint-does-not-fit"


def test_rows_of_heads_follow_their_classes(cells: Place) -> None:
    """Seen to fail without ``_known_classes``: three classes of other names fit, and are taken.

    Nothing is learnt (a rate of 0), so the weights that are recorded are those of the beginning.
    """
    still = ("optim_wrapper.optimizer.lr=0.0",)
    run(cells, *still, name="first", iterations=1)
    copytree(cells.root / "cells", cells.root / "two")
    for one in (cells.root / "two").rglob("*.xml"):
        one.write_text(one.read_text().replace("WBC", "leukocyte").replace("RBC", "r b cs"))
    cells.veml("add", "-q", "two")
    heard = Heard()
    run(cells, *still, data="two", start="first", name="two", iterations=1, seed=1, heard=heard)
    (said,) = [one for one in heard.notes if "begin at random" in one]
    assert "of 4 in its heads the rows of known classes (2), and leukocyte begin at random" in said
    classes, rows = {}, {}
    with Repository(str(cells.root)) as repo:
        for name in ("first", "two"):
            found = open_training(repo, name)
            classes[name] = known_classes(found.record)
            one = found.checkpoint().tensors["roi_head.bbox_head.fc_cls.weight"]
            values = np.frombuffer(one.data, np.float32).reshape(one.shape)
            rows[name] = dict(zip((*classes[name], "nothing"), values, strict=True))
    assert set(classes["first"]) == {"RBC", "WBC", "Platelets"}
    assert set(classes["two"]) == {"r b cs", "leukocyte", "Platelets"}
    assert list(classes["first"]).index("RBC") != list(classes["two"]).index("r b cs")
    for old, new in (("RBC", "r b cs"), ("Platelets", "Platelets"), ("nothing", "nothing")):
        assert np.array_equal(rows["first"][old], rows["two"][new])
    assert not any(np.array_equal(rows["two"]["leukocyte"], one) for one in rows["first"].values())


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ('optim_wrapper.optimizer={"type": "os.system", "command": "touch hacked"}', "os.system"),
        ('model.backbone={"type": "mmengine.utils.package_utils.call_command"}', "call_command"),
        ("model.test_cfg.rcnn.nms.type=__import__('os').system('touch hacked')", "__import__"),
        ('custom_hooks=[{"type": "CheckpointHook", "out_dir": "hacked"}]', "writes files"),
        ("model.backbone.type=ResNext", "ResNext"),
    ],
)
def test_a_config_cannot_name_any_code(cells: Place, setting: str, message: str) -> None:
    """Seen to fail (a file ``hacked``) with ``refuse_foreign_types`` taken out."""
    with pytest.raises(FormatError, match=message) as caught:
        run(cells, setting, name="hostile")
    assert caught.value.kind == "not-trusted"
    assert not (cells.root / "hacked").exists()
    assert not (cells.root / "trainings/hostile.veml").exists()


def test_trusted_modules_are_imported(cells: Place) -> None:
    cells.write(
        "own_code.py",
        "from mmengine.hooks import Hook\nfrom mmengine.registry import HOOKS\n\n"
        "@HOOKS.register_module()\nclass OwnHook(Hook):\n"
        "    def before_train(self, runner):\n        open('trusted', 'w').close()\n",
    )
    settings = (
        'custom_imports={"imports": ["own_code"], "allow_failed_imports": false}',
        'custom_hooks=[{"type": "OwnHook"}]',
    )
    with pytest.raises(FormatError, match="imports modules of its author"):
        run(cells, *settings, name="own", iterations=1)
    run(cells, *settings, name="own", iterations=1, trust=True)
    assert (cells.root / "trusted").exists()


def test_what_the_engine_cannot_build_is_told(cells: Place) -> None:
    with pytest.raises(FormatError, match=r"cannot build what the config says: .*depht"):
        run(cells, "model.backbone.depht=18", name="typo")


def test_what_fails_in_the_engine_is_told(cells: Place) -> None:
    """Not as a bug of veml's; the log says where."""
    with pytest.raises(
        VemlError, match=r"the engine failed before the first step: .*end"
    ) as caught:
        run(cells, "param_scheduler.0.begin=50", iterations=None, name="failed")
    assert caught.value.kind == "engine-failed"
    log = Path(str(caught.value.hint).removeprefix("where it happened: "))
    assert "Traceback" in log.read_text()
    with Repository(str(cells.root)) as repo:
        assert unfinished(repo) == ()


def test_resume_of_nothing(cells: Place) -> None:
    with pytest.raises(VemlError, match="no training is unfinished"):
        go_on(cells)
    with pytest.raises(VemlError, match="no unfinished training 'nobody'; unfinished: none"):
        go_on(cells, "nobody")


def test_samples_without_a_box_alone(cells: Place) -> None:
    cells.veml("data", "filter", "cells", "--class", "Platelets", "--to", "few", "-q")
    with pytest.raises(InvalidInputError, match=r"nothing is left to train on|has a box"):
        run(cells, data="few", val_split="0.99", name="few", iterations=1)
