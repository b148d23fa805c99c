"""A config is fitted to a data version: heads, loaders, pipelines, length; other tasks refused."""

from __future__ import annotations

from typing import Any

import pytest

from veml_vcs.errors import FormatError, InvalidInputError
from veml_vcs.training.adapt import adapt_detection, refuse_other_tasks
from veml_vcs.training.settings import apply_settings
from veml_vcs.training.templates import template
from veml_vcs.versions.configs import read_config

CLASSES = ("car", "bike", "bus")


def config(name: str = "faster-rcnn-small", *settings: str) -> dict[str, Any]:
    text = template(name).text.encode()
    return apply_settings(read_config("c.py", lambda _path: text).values, settings)


def test_small() -> None:
    made = adapt_detection(config(), CLASSES, 40)
    assert made.config["model"]["roi_head"]["bbox_head"]["num_classes"] == 3
    assert "num_classes" not in made.config["model"]["rpn_head"]
    train, val = (made.config[f"{one}_dataloader"]["dataset"] for one in ("train", "val"))
    assert (train["type"], train["part"], val["part"]) == ("VemlDetection", "train", "val")
    assert train["metainfo"] == val["metainfo"] == {"classes": list(CLASSES)}
    assert [one["type"] for one in train["pipeline"]] == [
        "LoadVemlImage", "LoadAnnotations", "Resize", "RandomFlip", "PackDetInputs",
    ]  # fmt: skip
    assert [one["type"] for one in val["pipeline"]] == ["LoadVemlImage", "Resize", "PackDetInputs"]
    assert (made.iterations, made.epochs) == (100, None)
    assert made.config["train_cfg"]["val_interval"] == 25
    assert made.notes == ("bbox_head.num_classes: 1 -> 3, the classes of the data",)


def test_nothing_of_the_author_s_paths_is_left() -> None:
    whole = config() | {"work_dir": "/x", "resume": True, "default_hooks": {"logger": {}}}
    whole["train_dataloader"]["dataset"] |= {"ann_file": "/secret.json", "data_root": "/data"}
    made = adapt_detection(whole, CLASSES, 40).config
    assert "secret" not in str(made)
    assert not made.keys() & {"work_dir", "resume", "default_hooks"}


def test_iterations_stretch_what_ended_with_them() -> None:
    made = adapt_detection(config(), CLASSES, 40, iterations=400).config
    warm, cosine = made["param_scheduler"]
    assert (warm["begin"], warm["end"]) == (0, 10)
    assert (cosine["begin"], cosine["end"], cosine["T_max"]) == (10, 400, 390)
    assert made["train_cfg"]["max_iters"] == 400


def test_epochs_of_a_config_by_iterations() -> None:
    made = adapt_detection(config(), CLASSES, 41, epochs=2)
    assert (made.iterations, made.epochs) == (22, None)  # 11 batches of 4


def test_full_size() -> None:
    made = adapt_detection(config("faster-rcnn-r50-fpn"), CLASSES, 41)
    assert (made.iterations, made.epochs) == (12 * 21, 12)
    assert made.config["train_dataloader"]["dataset"]["filter_cfg"]["filter_empty_gt"] is True
    shorter = adapt_detection(config("faster-rcnn-r50-fpn"), CLASSES, 41, epochs=6).config
    assert shorter["train_cfg"]["max_epochs"] == 6
    assert shorter["param_scheduler"][1]["milestones"] == [4, 5]
    assert shorter["param_scheduler"][1]["end"] == 6


def test_iterations_of_a_config_by_epochs() -> None:
    made = adapt_detection(config("faster-rcnn-r50-fpn"), CLASSES, 41, iterations=5)
    assert (made.iterations, made.epochs) == (5, None)
    assert made.config["train_cfg"]["type"] == "IterBasedTrainLoop"
    assert made.config["train_dataloader"]["sampler"]["type"] == "InfiniteSampler"
    steps = made.config["param_scheduler"][1]
    assert (steps["by_epoch"], steps["end"], steps["milestones"]) == (False, 5, [3, 4])


def test_both_lengths() -> None:
    with pytest.raises(InvalidInputError, match="give one of them"):
        adapt_detection(config(), CLASSES, 40, epochs=1, iterations=1)


def test_wrappers_stay_around_the_data() -> None:
    whole = config()
    leaf = whole["train_dataloader"]["dataset"]
    whole["train_dataloader"]["dataset"] = {
        "type": "RepeatDataset", "times": 2,
        "dataset": {"type": "ConcatDataset", "datasets": [leaf, leaf]},
    }  # fmt: skip
    made = adapt_detection(whole, CLASSES, 40).config["train_dataloader"]["dataset"]
    assert (made["type"], made["dataset"]["type"]) == ("RepeatDataset", "VemlDetection")


def test_heads_in_a_list() -> None:
    whole = config()
    head = whole["model"]["roi_head"]["bbox_head"]
    whole["model"]["roi_head"]["bbox_head"] = [dict(head), {"type": "Shared2FCBBoxHead"}]
    made = adapt_detection(whole, CLASSES, 40)
    heads = made.config["model"]["roi_head"]["bbox_head"]
    assert [one["num_classes"] for one in heads] == [3, 3]
    assert "the head's default -> 3" in made.notes[1]


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("model.roi_head.mask_head.type=FCNMaskHead", "instance segmentation"),
        ("default_scope=mmpretrain", "image classification"),
        ("default_scope=mmseg", "semantic segmentation"),
        ("model=3", "no model"),
    ],
)
def test_other_tasks(setting: str, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        refuse_other_tasks(config("faster-rcnn-small", setting), "mine")


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("optim_wrapper=None", "says nothing of optim_wrapper"),
        ("train_cfg={}", "says nothing of train_cfg"),
        ("train_cfg.max_iters=many", "max_iters: expected a count, found 'many'"),
        ("train_dataloader.batch_size=0", "batch_size: expected a count"),
        ("train_dataloader.dataset.pipeline=[]", "no pipeline"),
        ("train_dataloader.dataset.pipeline.1.with_mask=true", "loads masks"),
        ("model.roi_head=None", "no head with num_classes"),
    ],
)
def test_what_cannot_be_adapted(setting: str, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        adapt_detection(config("faster-rcnn-small", setting), CLASSES, 40)


def test_a_pipeline_with_chance_is_measured_without() -> None:
    chance = (
        '[{"type": "LoadImageFromFile"}, {"type": "LoadAnnotations", "with_bbox": true}, '
        '{"type": "RandomChoiceResize", "scales": [[160, 80], [320, 160]], "keep_ratio": true}, '
        '{"type": "Mosaic"}, {"type": "Pad", "size_divisor": 32}, {"type": "PackDetInputs"}]'
    )
    whole = config("faster-rcnn-small", f"train_dataloader.dataset.pipeline={chance}")
    val = adapt_detection(whole, CLASSES, 40).config["val_dataloader"]["dataset"]["pipeline"]
    assert [one["type"] for one in val] == ["LoadVemlImage", "Resize", "Pad", "PackDetInputs"]
    assert val[1]["scale"] == [320, 160]
