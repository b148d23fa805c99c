"""Models are merged key by key, and what the merged config says is what counts."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.cli.conftest import Place

BASE = """model = dict(
    type='RCNN',
    backbone=dict(type='ResNet', depth=50), head=dict(num_classes=80))
"""
TOP = """_base_ = 'base.py'
lr = 0.02
"""


@pytest.fixture
def forked(place: Place) -> Place:
    """A model on the branches main and night, both as they began."""
    place.veml("init")
    place.write("configs/base.py", BASE)
    place.write("configs/top.py", TOP)
    place.veml("model", "add", "-q", "configs/top.py", "--name", "rcnn")
    place.veml("commit", "-qm", "base")
    place.git("branch", "night")
    return place


def both(place: Place, ours: tuple[str, str, str], theirs: tuple[str, str, str]) -> None:
    for branch, (file, old, new) in (("night", theirs), ("main", ours)):
        place.git("checkout", "-q", branch)
        text = (place.root / file).read_text()
        assert old in text
        place.write(file, text.replace(old, new))
        place.veml("commit", "-qam", branch)


def config(place: Place, revision: str = "HEAD") -> dict[str, object]:
    shown = json.loads(place.veml("model", "show", f"rcnn@{revision}", "--json").out)
    found: dict[str, object] = shown["config"]
    return found


def git_merge(place: Place) -> subprocess.CompletedProcess[str]:
    command = ["git", "merge", "--no-edit", "night"]
    return subprocess.run(command, cwd=place.root, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("by_git", [False, True])
def test_two_files_two_keys(forked: Place, by_git: bool) -> None:
    both(forked, ("configs/top.py", "0.02", "0.04"), ("configs/base.py", "depth=50", "depth=101"))
    if by_git:
        done = git_merge(forked)
        assert done.returncode == 0, done.stderr
    else:
        forked.veml("merge", "night")
    assert (config(forked)["lr"], config(forked)["model.backbone.depth"]) == (0.04, 101)
    assert "working tree clean" in forked.veml("status").out


def test_two_keys_on_one_line(forked: Place) -> None:
    """By lines it is a conflict, which git leaves. By words it merges; reading proves it."""
    both(
        forked, ("configs/base.py", "depth=50", "depth=101"),
        ("configs/base.py", "num_classes=80", "num_classes=3"),
    )  # fmt: skip
    forked.veml("merge", "night")
    assert (forked.root / "configs/base.py").read_text() == BASE.replace("50", "101").replace(
        "80", "3"
    )
    assert config(forked)["model.head.num_classes"] == 3
    assert "working tree clean" in forked.veml("status").out


def test_a_config_in_conflict_says_nothing(forked: Place) -> None:
    """Lines side by side: git leaves marks in the config, and merges the record by key."""
    both(
        forked, ("configs/base.py", "depth=50", "depth=101"),
        ("configs/base.py", "num_classes=80", "num_classes=3"),
    )  # fmt: skip
    assert git_merge(forked).returncode == 1
    found = json.loads(forked.veml("status", "--json").out)
    assert (found["conflicted"], found["stale_models"]) == (["configs/base.py"], [])
    forked.write("configs/base.py", BASE.replace("50", "101").replace("80", "3"))
    forked.veml("add", "configs")
    forked.veml("commit", "-m", "merged")
    assert config(forked)["model.backbone.depth"] == 101
    assert "working tree clean" in forked.veml("status").out


@pytest.mark.parametrize("by_git", [False, True])
def test_one_key_two_values(forked: Place, by_git: bool) -> None:
    both(forked, ("configs/top.py", "0.02", "0.04"), ("configs/top.py", "0.02", "0.01"))
    if by_git:
        done = git_merge(forked)
        assert done.returncode == 1
        assert "lr  ours 0.04, theirs 0.01" in done.stderr + done.stdout
    else:
        done = forked.veml("merge", "night", code=1)
    said = forked.veml("status").out
    assert "both modified:  models/rcnn.veml" in said
    assert "lr  base 0.02, ours 0.04, theirs 0.01" in said
    found = json.loads(forked.veml("status", "--json").out)["model_conflicts"]
    assert found["models/rcnn.veml"][0]["key"] == "lr"
    assert forked.veml("commit", "-m", "x", code=None).code
    forked.write("configs/top.py", TOP.replace("0.02", "0.03"))
    done = forked.veml("add", "configs/top.py")
    assert "model rcnn" in done.out
    assert forked.git("ls-files", "-u") == ""
    forked.veml("commit", "-m", "merged")
    assert config(forked)["lr"] == 0.03
    assert "working tree clean" in forked.veml("status").out


def test_one_key_by_way_of_two_files(forked: Place) -> None:
    """No line conflicts. Without ``merged.conflicts`` in ``_checked``, ours wins silently."""
    both(
        forked, ("configs/top.py", "lr", "model = dict(backbone=dict(depth=18))\nlr"),
        ("configs/base.py", "depth=50", "depth=101"),
    )  # fmt: skip
    done = forked.veml("merge", "night", code=1)
    assert "models/rcnn.veml" in done.out + done.err
    said = forked.veml("status").out
    assert "model.backbone.depth  base 50, ours 18, theirs 101" in said
    forked.veml("add", "configs/top.py")  # looked at, and right as it is
    forked.veml("commit", "-m", "merged")
    assert config(forked)["model.backbone.depth"] == 18


@pytest.mark.parametrize("by_git", [False, True])
def test_a_merged_text_that_means_something_else(forked: Place, by_git: bool) -> None:
    """Both sides doubled the rate, the text does so twice; seen to pass without ``other``."""
    forked.write("configs/base.py", BASE + "rate = 0.01\n")
    forked.write("configs/top.py", "_base_ = 'base.py'\nlr = _base_.rate * 2\n")
    forked.veml("commit", "-qam", "the rate is computed")
    forked.git("branch", "-f", "night", "main")
    both(
        forked, ("configs/top.py", "* 2", "* 4"), ("configs/base.py", "rate = 0.01", "rate = 0.02")
    )  # fmt: skip
    if by_git:  # its driver sees three records that agree; the hook looks at the config
        done = git_merge(forked)
        assert done.returncode == 0
        assert (
            "models/rcnn.veml: configs/top.py says something else: lr 0.04 -> 0.08" in done.stderr
        )
        assert "config changed: models/rcnn.veml" in forked.veml("status").out
    else:
        forked.veml("merge", "night", code=1)
        assert "lr  base 0.02, ours 0.04, theirs 0.04" in forked.veml("status").out


def test_a_favoured_side(forked: Place) -> None:
    both(forked, ("configs/top.py", "0.02", "0.04"), ("configs/top.py", "0.02", "0.01"))
    forked.veml("merge", "-X", "theirs", "night")
    assert config(forked)["lr"] == 0.01
    assert "working tree clean" in forked.veml("status").out


def test_one_side_removed_the_model(forked: Place) -> None:
    forked.git("checkout", "-q", "night")
    forked.veml("model", "rm", "rcnn")
    forked.veml("commit", "-qm", "gone")
    forked.git("checkout", "-q", "main")
    forked.write("configs/top.py", TOP.replace("0.02", "0.04"))
    forked.veml("commit", "-qam", "faster")
    forked.veml("merge", "night", code=1)
    assert "models/rcnn.veml" in forked.veml("status").out
    forked.veml("add", "models/rcnn.veml")
    forked.veml("commit", "-m", "kept")
    assert config(forked)["lr"] == 0.04


def test_a_data_set_below_models_is_a_data_set(place: Place) -> None:
    """Taken for a model's, its record in conflict was merged by line, over what was decided."""
    place.veml("init")
    place.voc("models/cars", {"0000": [("car", 1, 1, 4, 4)], "0001": [("car", 1, 1, 4, 4)]})
    place.veml("add", "-q", "models/cars")
    place.veml("commit", "-qm", "base")
    place.git("branch", "night")
    for branch, right in (("night", 5), ("main", 3)):
        place.veml("checkout", "-q", branch)
        place.voc("models/cars", {"0000": [("car", 1, 1, right, 4)]})
        place.veml("commit", "-qam", branch)
    place.veml("merge", "night", code=1)
    record = json.loads((place.root / "models/cars.veml").read_text())
    assert record["kind"] == "data"
    assert "both moved the box" in place.veml("status").out
    place.veml("resolve", "--all", "--theirs")
    place.veml("commit", "-qm", "merged")
    assert "working tree clean" in place.veml("status").out


@pytest.mark.parametrize("side", ["ours", "theirs", "base"])
@pytest.mark.parametrize("by_git", [False, True])
def test_a_record_is_settled_with_its_config(forked: Place, side: str, by_git: bool) -> None:
    """Before, the config stayed as it was, and the commit was refused.

    The head's file merges without a conflict by itself, and goes to the side that is chosen too.
    """
    both(forked, ("configs/top.py", "0.02", "0.04"), ("configs/top.py", "0.02", "0.01"))
    both(forked, ("configs/base.py", "depth=50", "depth=101"), ("configs/top.py", "0.01", "0.03"))
    if by_git:
        assert git_merge(forked).returncode == 1
    else:
        forked.veml("merge", "night", code=1)
    forked.veml("resolve", "models/rcnn.veml", f"--{side}")
    named = {"ours": "main", "theirs": "night", "base": "main~2"}[side]
    commit = forked.git("rev-parse", named).strip()
    for file in ("configs/top.py", "configs/base.py", "models/rcnn.veml"):
        assert (forked.root / file).read_text() == forked.git("show", f"{commit}:{file}")
    assert forked.git("diff", "--name-only", "--diff-filter=U") == ""
    forked.veml("commit", "-m", side)
    assert config(forked) == config(forked, commit)
    assert "working tree clean" in forked.veml("status").out


def test_a_rebase_settles_a_record_with_its_config(forked: Place) -> None:
    both(forked, ("configs/top.py", "0.02", "0.04"), ("configs/top.py", "0.02", "0.01"))
    forked.git("checkout", "-q", "night")
    command = ["git", "rebase", "main"]
    assert subprocess.run(command, cwd=forked.root, capture_output=True, check=False).returncode
    forked.veml("resolve", "models/rcnn.veml", "--theirs")
    forked.git("-c", "core.editor=true", "rebase", "--continue")
    assert config(forked)["lr"] == 0.01


def test_of_a_model_both_cannot_be(forked: Place) -> None:
    """Before, the lines of two records were put together."""
    both(forked, ("configs/top.py", "0.02", "0.04"), ("configs/top.py", "0.02", "0.01"))
    forked.veml("merge", "night", code=1)
    before = (forked.root / "models/rcnn.veml").read_text()
    done = forked.veml("resolve", "models/rcnn.veml", "--both", code=128)
    assert "both sides cannot be kept of a model" in done.err
    assert (forked.root / "models/rcnn.veml").read_text() == before


def test_a_config_with_changes_that_are_not_staged_is_not_overwritten(forked: Place) -> None:
    both(forked, ("configs/top.py", "0.02", "0.04"), ("configs/top.py", "0.02", "0.01"))
    both(forked, ("configs/base.py", "depth=50", "depth=101"), ("configs/top.py", "0.01", "0.03"))
    forked.veml("merge", "night", code=1)
    forked.write("configs/base.py", "mine = 1\n")
    done = forked.veml("resolve", "models/rcnn.veml", "--theirs", code=1)
    assert "would overwrite changes" in done.err
    assert (forked.root / "configs/base.py").read_text() == "mine = 1\n"
    assert "models/rcnn.veml" in forked.git("diff", "--name-only", "--diff-filter=U")
