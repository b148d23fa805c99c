"""``veml model``: recorded, shown, compared, removed; read and never run, unless trusted."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.cli.conftest import Place

BASE = """
model = dict(
    type='FasterRCNN',
    backbone=dict(type='ResNet', depth=50),
    roi_head=dict(type='StandardRoIHead', bbox_head=dict(type='Head', num_classes=80)))
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.02))
"""
TOP = """
_base_ = '_base_/rcnn.py'
model = dict(roi_head=dict(bbox_head=dict(num_classes=3)))
"""
RUN = "import os\nwhere = os.getcwd()\n"


@pytest.fixture
def models(place: Place) -> Place:
    """A repository with a config that inherits from another, neither tracked."""
    place.veml("init")
    place.write("configs/_base_/rcnn.py", BASE)
    place.write("configs/detector.py", TOP)
    return place


@pytest.fixture
def detector(models: Place) -> Place:
    """The same, recorded and committed."""
    models.veml("model", "add", "configs/detector.py")
    models.veml("commit", "-m", "a detector")
    models.git("tag", "v1")
    return models


def change(place: Place, old: str, new: str, path: str = "configs/detector.py") -> None:
    text = (place.root / path).read_text()
    assert old in text
    place.write(path, text.replace(old, new))


def test_add_stages_the_record_and_all_files_of_the_config(models: Place) -> None:
    done = models.veml("model", "add", "configs/detector.py", "--name", "night/small")
    assert done.out.startswith("new model night/small  ")
    assert "backbone                 ResNet (depth 50)" in done.out
    staged = models.git("diff", "--cached", "--name-only").split()
    assert staged == ["configs/_base_/rcnn.py", "configs/detector.py", "models/night/small.veml"]
    record = json.loads((models.root / "models/night/small.veml").read_text())
    assert record["files"] == ["configs/detector.py", "configs/_base_/rcnn.py"]
    assert record["config"]["model.roi_head.bbox_head.num_classes"] == 3


def test_add_again_tells_what_changed(detector: Place) -> None:
    assert "says what the record says" in detector.veml("model", "add", "configs/detector.py").out
    change(detector, "depth=50", "depth=101", "configs/_base_/rcnn.py")
    dry = detector.veml("model", "add", "configs/detector.py", "-n").out
    assert "would record" in dry
    assert detector.git("status", "--porcelain") == " M configs/_base_/rcnn.py\n"
    done = detector.veml("model", "add", "configs/detector.py").out
    assert "ResNet (depth 50) -> ResNet (depth 101)" in done
    assert "1 key of the config changed" in done
    assert detector.git("status", "--porcelain") == (
        "M  configs/_base_/rcnn.py\nM  models/detector.veml\n"
    )


def test_the_record_is_the_same_from_a_subfolder(detector: Place) -> None:
    before = (detector.root / "models/detector.veml").read_bytes()
    detector.veml("-C", "configs", "model", "add", "detector.py", "--name", "again")
    assert (detector.root / "models/again.veml").read_bytes() == before


def test_ls_show_and_compare(detector: Place) -> None:
    change(detector, "num_classes=3", "num_classes=5")
    detector.veml("model", "add", "configs/detector.py")
    detector.veml("model", "add", "configs/_base_/rcnn.py", "--name", "big")
    listed = json.loads(detector.veml("model", "ls", "--json").out)
    assert [(one["name"], one["classes"], one["stale"]) for one in listed] == [
        ("big", [80], ""), ("detector", [5], ""),
    ]  # fmt: skip
    assert detector.veml("model", "ls", "v1", "-q").out == "detector\n"
    shown = json.loads(detector.veml("model", "show", "detector@v1", "--json").out)
    assert shown["facts"]["classes"] == [3]
    assert shown["version"] == detector.git("rev-parse", "v1:models/detector.veml").strip()
    assert "parameters" in detector.veml("model", "show", "detector").out
    text = detector.veml("model", "compare", "detector@v1", "detector", "-c").out
    assert "~ model.roi_head.bbox_head.num_classes  3 -> 5" in " ".join(text.split()) or (
        "model.roi_head.bbox_head.num_classes  3 -> 5" in text
    )
    assert detector.veml("model", "compare", "detector@v1", "detector", "--exit-code", code=1)
    same = detector.veml("model", "compare", "detector", "detector", "--exit-code", code=0)
    assert "the same version" in same.out
    found = json.loads(detector.veml("model", "compare", "detector@v1", "big", "--json").out)
    assert [one["key"] for one in found["changes"]] == ["model.roi_head.bbox_head.num_classes"]


def test_what_is_not_there(detector: Place) -> None:
    done = detector.veml("model", "show", "nobody", code=None)
    assert done.code
    assert "no model 'nobody' in the index; models there: detector" in done.err
    assert "veml model add CONFIG --name nobody" in done.err
    done = detector.veml("model", "show", "big@v1", code=None)
    assert "no model 'big' in v1" in done.err
    done = detector.veml("model", "add", "configs/none.py", code=None)
    assert "configs/none.py" in done.err


def test_rm_leaves_the_config(detector: Place) -> None:
    assert detector.veml("model", "rm", "detector").out == "rm models/detector.veml\n"
    assert (detector.root / "configs/detector.py").exists()
    assert detector.git("status", "--porcelain") == "D  models/detector.veml\n"
    assert "no model 'detector'" in detector.veml("model", "rm", "detector", code=None).err


def test_a_name_is_not_taken_from_another_config(detector: Place) -> None:
    config = "configs/_base_/rcnn.py"
    done = detector.veml("model", "add", config, "--name", "detector", code=None)
    assert "models/detector.veml is a model made of configs/detector.py" in done.err
    assert detector.git("status", "--porcelain") == ""
    detector.veml("model", "add", config, "--name", "detector", "--force")
    assert "classes" in detector.veml("model", "show", "detector").out


def test_a_file_in_the_records_place_is_kept(models: Place) -> None:
    models.write("models/detector.veml", "mine\n")
    done = models.veml("model", "add", "configs/detector.py", code=None)
    assert "another file is" in done.err
    assert (models.root / "models/detector.veml").read_text() == "mine\n"


def test_what_git_does_not_hold_is_refused(models: Place) -> None:
    """Without each check a commit has a record whose config it does not have."""
    models.write(".gitignore", "_base_/\n")
    assert "is ignored by Git" in models.veml("model", "add", "configs/detector.py", code=None).err
    models.write(".gitignore", "")
    outside = models.root.parent / "outside"
    outside.mkdir()
    (models.root / "models").symlink_to(outside)
    done = models.veml("model", "add", "configs/detector.py", code=None)
    assert "beyond a symbolic link" in done.err
    assert list(outside.iterdir()) == []
    (models.root / "configs/linked.py").symlink_to("detector.py")
    done = models.veml("model", "add", "configs/linked.py", code=None)
    assert "not a link" in done.err


def test_what_cannot_be_read_is_named_with_its_line(models: Place, tmp_path: Path) -> None:
    mark = tmp_path / "was-run"
    models.write("configs/bad.py", TOP + f"\nopen({str(mark)!r}, 'w')\n")
    done = models.veml("model", "add", "configs/bad.py", code=None)
    assert "configs/bad.py:5: open(" in done.err
    assert "--trust" in done.err
    assert not mark.exists()
    assert not (models.root / "models").exists()


@pytest.mark.skipif(find_spec("mmengine") is None, reason="MMEngine not installed")
def test_a_trusted_config_is_run(models: Place) -> None:
    models.write("configs/run.py", TOP + RUN)
    done = models.program("model", "add", "configs/run.py", "--trust")
    assert done.code == 0, done.err
    assert "a config is a program" in done.err
    record = json.loads((models.root / "models/run.veml").read_text())
    assert record["config"]["where"] == str(models.root)
    assert sorted(record["ran"]) == ["configs/_base_/rcnn.py", "configs/run.py"]
    assert "parameters" not in record
    assert "was run" in models.veml("model", "show", "run").out
    # Nobody can know without running it whether it says the same: any other text is another.
    assert json.loads(models.veml("model", "ls", "--json").out)[0]["stale"] == ""
    change(models, "depth=50", "depth=5 * 10", "configs/_base_/rcnn.py")
    stale = json.loads(models.veml("model", "ls", "--json").out)[0]["stale"]
    assert stale == "configs/_base_/rcnn.py changed since it was run"


@pytest.mark.skipif(find_spec("mmengine") is None, reason="MMEngine not installed")
def test_a_trusted_config_that_can_be_read_is_the_same_version(models: Place) -> None:
    models.veml("model", "add", "configs/detector.py", "--name", "read")
    done = models.program("model", "add", "configs/detector.py", "--name", "run", "--trust")
    assert done.code == 0, done.err
    versions = {one["version"] for one in json.loads(models.veml("model", "ls", "--json").out)}
    assert len(versions) == 1


@pytest.mark.skipif(find_spec("mmengine") is None, reason="MMEngine not installed")
def test_a_trusted_config_that_fails(models: Place) -> None:
    for line, said in (
        ("1 / 0", "ZeroDivisionError"),
        ("raise SystemExit(0)", "SystemExit"),
        ("import os; os._exit(3)", "ended with 3"),
        ("x = {1, 2}", "which no record can hold"),
    ):
        models.write("configs/run.py", TOP + line + "\n")
        done = models.program("model", "add", "configs/run.py", "--trust")
        assert said in done.err, done.err
        assert done.code not in (0, 3)
    assert not (models.root / "models").exists()


def test_without_mmengine_trust_says_what_to_install(
    models: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("veml_vcs.training.run_config.find_spec", lambda _name: None)
    done = models.veml("model", "add", "configs/detector.py", "--trust", code=None)
    assert "pip install mmengine-lite" in done.err
