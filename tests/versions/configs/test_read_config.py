"""Configs are read as MMEngine would run them; where it is installed, both are compared."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from veml_vcs.errors import FormatError, NotFoundError
from veml_vcs.versions.configs import read_config

BASE_MODEL = """
model = dict(
    type='FasterRCNN',
    backbone=dict(type='ResNet', depth=50, init_cfg=dict(type='Pretrained', checkpoint='tv://r50')),
    neck=dict(type='FPN', in_channels=[256, 512], out_channels=256),
    roi_head=dict(type='StandardRoIHead', bbox_head=dict(
        type='Shared2FCBBoxHead', num_classes=80, loss_cls=dict(type='CrossEntropyLoss'))))
"""
BASE_RUN = """
# a comment, and what is computed
scale = (1333, 800)
pipeline = [dict(type='Resize', scale=scale), dict(type='RandomFlip', prob=0.5)]
train_dataloader = dict(batch_size=2, dataset=dict(type='CocoDataset', pipeline=pipeline))
lr = 0.02 * 2 / 16
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=lr))
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=12)
work_dir = './work_dirs/{{ fileBasenameNoExtension }}'
"""
TOP = """
_base_ = ['_base_/model.py', '_base_/run.py']
classes = ('car', 'bus')
model = dict(
    backbone=dict(depth=101, init_cfg=dict(_delete_=True, type='Kaiming')),
    roi_head=dict(bbox_head=dict(num_classes=len(classes))))
pipeline = [*_base_.pipeline, dict(type='Pack')]
pipeline.insert(0, dict(type='Load'))
train_dataloader = dict(dataset=dict(pipeline={{_base_.pipeline}}, tag={{ _base_.work_dir }}))
keys = {f'layer{i + 1}.norm': dict(decay_mult=0.0) for i in range(2) if i >= 0}
keys.update({'query': dict(lr_mult=1.0)})
a, b = 1, -2.5
if a > 0 and not b > 0:
    c = 'yes' if a in (1, 2) else 'no'
for name in ['x', 'y']:
    keys[name] = name.upper()
c += '!'
del a
"""
FILES = {"_base_/model.py": BASE_MODEL, "_base_/run.py": BASE_RUN, "top.py": TOP}
OTHERS = {
    "list.py": "_base_ = 'top.py'\nmodel = dict(_delete_=True, type='RetinaNet')\n"
    "levels = [0] * 3\n",
    "deep.py": "_base_ = './list.py'\nmodel = dict(bbox_head=[dict(type='A'), dict(type='B')])\n"
    "n = 2 ** 5 // 3 % 4\nname = 'a' + 'b' * 2\nlast = levels2 = [1, 2, 3][-1:]\n"
    "pairs = [(i, j) for i in range(2) for j in 'ab']\nroom = max(1, min(5, 3), sum([1, 2]))\n",
    "plain.yml": "_base_: _base_/model.py\nmodel:\n  backbone:\n    depth: 18\n"
    "train_cfg: {max_iters: 5}\n",
    "plain.json": '{"_base_": ["./_base_/run.py"], "lr": 1, "who": {{_base_.train_cfg.type}}}',
    "alias.py": "_base_ = '_base_/run.py'\nload = [dict(type='Load')]\nmore = dict(x=1)\n"
    "data = dict(load=load, more=more, times=[load])\nload += [dict(type='Pack')]\n"
    "more |= dict(y=2)\nlevels = other = [0]\nlevels *= 3\n",
    "default.py": "root = '{{$VEML_NO_SUCH_VARIABLE:data/}}'\n",
}
ALL = FILES | OTHERS


def place(folder: Path) -> Path:
    for name, text in ALL.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    return folder


def read(name: str, files: dict[str, str] | None = None) -> dict[str, Any]:
    texts = ALL if files is None else files

    def bytes_of(path: str) -> bytes:
        if path not in texts:
            raise NotFoundError(f"{path}: not there")
        return texts[path].encode()

    return dict(read_config(name, bytes_of).values)


def test_what_a_config_inherits_and_changes() -> None:
    found = read("top.py")
    assert found["model"]["backbone"] == {
        "type": "ResNet", "depth": 101, "init_cfg": {"type": "Kaiming"},
    }  # fmt: skip
    assert found["model"]["roi_head"]["bbox_head"]["num_classes"] == 2
    assert [one["type"] for one in found["pipeline"]] == ["Load", "Resize", "RandomFlip", "Pack"]
    assert [one["type"] for one in found["train_dataloader"]["dataset"]["pipeline"]] == [
        "Resize", "RandomFlip",
    ]  # fmt: skip
    assert found["train_dataloader"]["dataset"]["tag"] == "./work_dirs/run"
    assert found["train_dataloader"]["batch_size"] == 2
    assert found["optim_wrapper"]["optimizer"]["lr"] == 0.0025
    assert found["keys"]["layer2.norm"] == {"decay_mult": 0.0}
    assert (found["keys"]["x"], found["c"], found["b"]) == ("X", "yes!", -2.5)
    assert "a" not in found
    assert found["classes"] == ["car", "bus"]


def test_what_is_added_to_a_list_is_added_in_all_places_it_is_in() -> None:
    found = read("alias.py")
    both = [{"type": "Load"}, {"type": "Pack"}]
    assert found["load"] == both
    assert found["data"] == {"load": both, "more": {"x": 1, "y": 2}, "times": [both]}
    assert found["other"] == [0, 0, 0]


def test_a_config_does_not_change_what_it_inherits() -> None:
    files = ALL | {"two.py": "_base_ = ['_base_/model.py']\nmodel = dict(backbone=dict(depth=1))\n"}
    assert read("two.py", files)["model"]["backbone"]["depth"] == 1
    assert read("_base_/model.py", files)["model"]["backbone"]["depth"] == 50


def test_the_files_it_is_made_of() -> None:
    found = read_config("deep.py", lambda path: ALL[path].encode())
    assert found.files == ("deep.py", "list.py", "top.py", "_base_/model.py", "_base_/run.py")


def test_the_newer_style() -> None:
    files = {
        "base/model.py": "from mmdet.models import FasterRCNN\nimport torch.nn as nn\n"
        "model = dict(type=FasterRCNN, act=nn.ReLU, depth=50, neck=dict(n=1, m=2))\n_hidden = 1\n",
        "base/run.py": "lr = 0.1\nother = 2\n",
        "new/top.py": "from mmengine.config import read_base\nfrom torch.optim import SGD\n"
        "with read_base():\n    from ..base.model import *\n    from ..base.run import lr\n"
        "model.update(depth=101)\nmodel.merge(dict(neck=dict(n=3)))\n"
        "optimizer = dict(type=SGD, lr=lr * 2)\n",
    }
    assert read("new/top.py", files) == {
        "model": {
            "type": "mmdet.models.FasterRCNN", "act": "torch.nn.ReLU", "depth": 101,
            "neck": {"n": 3, "m": 2},
        },
        "lr": 0.1,
        "optimizer": {"type": "torch.optim.SGD", "lr": 0.2},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = 1\nb = open('x')\n", "top.py:2: open('x') is a call"),
        ("import os\nos.system('true')\n", "top.py:2: os.system('true') is a call"),
        ("def f():\n    pass\n", "top.py:1: def f(): pass cannot be read"),
        ("class A:\n    pass\n", "cannot be read without running it"),
        ("a = (lambda: 1)()\n", "is a call"),
        ("a = ().__class__\n", "().__class__ is not defined in this config"),
        ("a = [].append.__self__\n", "is not defined in this config"),
        ("a = b\n", "b is not defined in this config"),
        ("a = {1, 2}\n", "is a set"),
        ("a = b'x'\n", "is no value of a config"),
        ("a = dict()\na[(1, 2)] = 1\n", "top.py:2"),
        ("__builtins__ = 1\n", "is a name of Python's own"),
        ("while True:\n    pass\n", "cannot be read without running it"),
        ("a = 1 / 0\n", "fails (ZeroDivisionError: division by zero)"),
        ("a = dict(x=1)['y']\n", "fails (KeyError: 'y')"),
        ("a = (\n", "top.py:1: not Python"),
        ("_base_ = 'gone.py'\n", "gone.py: not there"),
        ("_base_ = 'top.py'\n", "inherits from itself"),
        ("_base_ = '../out.py'\n", "lies outside of the repository"),
        ("_base_ = '/etc/passwd'\n", "lies outside of the repository"),
        ("_base_ = 'nopackage::x.py'\n", "the package nopackage is not installed"),
        ("_base_ = ['a.py', 'b.py']\n", "two of its bases say what x is"),
        ("_base_ = 'a.py'\nx = dict(y=1)\n", "x: a dict cannot be merged into int"),
        ("_base_ = 'a.py'\ny = {{_base_.z}}\n", "_base_.z is not defined"),
        ("_base_ = 'a.py'\ny = 'a {{_base_.x}}'\n", "must stand without quotes"),
    ],
)
def test_what_is_refused(text: str, said: str) -> None:
    files = {"top.py": text, "a.py": "x = 1\n", "b.py": "x = 2\n"}
    with pytest.raises((FormatError, NotFoundError)) as caught:
        read("top.py", files)
    assert said in caught.value.message


@pytest.mark.skipif(importlib.util.find_spec("mmengine") is None, reason="MMEngine not installed")
@pytest.mark.parametrize("name", sorted(ALL))
def test_mmengine_says_the_same(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mmengine.config import Config

    monkeypatch.chdir(place(tmp_path))
    theirs = Config.fromfile(name)._cfg_dict.to_dict()
    assert read(name) == _plain(theirs)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value
