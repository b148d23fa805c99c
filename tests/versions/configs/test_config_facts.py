"""What a config says of a model: the facts by which models are compared."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veml_vcs.versions.configs import model_facts
from veml_vcs.versions.configs.facts import ModelFacts

CASCADE = {
    "model": {
        "type": "mmdet.models.CascadeRCNN",
        "backbone": {
            "type": "ResNet", "depth": 101, "frozen_stages": 1,
            "init_cfg": {"type": "Pretrained", "checkpoint": "torchvision://resnet101"},
        },
        "neck": [{"type": "FPN", "in_channels": [256, 512]}, {"type": "BFP"}],
        "rpn_head": {"type": "RPNHead", "loss_cls": {"type": "CrossEntropyLoss"}},
        "roi_head": {
            "type": "CascadeRoIHead",
            "bbox_head": [
                {"type": "Shared2FCBBoxHead", "num_classes": 3, "loss_bbox": {"type": "L1Loss"}},
                {"type": "Shared2FCBBoxHead", "num_classes": 3, "loss_bbox": {"type": "L1Loss"}},
            ],
            "mask_head": {"type": "FCNMaskHead", "num_classes": 2},
        },
    },
    "optim_wrapper": {"type": "OptimWrapper", "optimizer": {"type": "SGD", "lr": 0.02}},
    "param_scheduler": [{"type": "LinearLR"}, {"type": "MultiStepLR"}],
    "train_cfg": {"type": "EpochBasedTrainLoop", "max_epochs": 12},
    "train_dataloader": {
        "batch_size": 2,
        "dataset": {
            "type": "RepeatDataset",
            "dataset": {"type": "CocoDataset", "pipeline": [{"type": "Resize"}, {"type": "Pack"}]},
        },
    },
    "load_from": "start.pth",
}  # fmt: skip


def test_a_detector() -> None:
    found = model_facts(CASCADE)
    assert (found.architecture, str(found.backbone)) == (
        "CascadeRCNN",
        "ResNet (depth 101, frozen_stages 1)",
    )
    assert [str(one) for one in found.necks] == ["FPN (in_channels 256x512)", "BFP"]
    assert [(one.name, one.type) for one in found.heads] == [
        ("rpn_head", "RPNHead"),
        ("roi_head", "CascadeRoIHead"),
        ("roi_head.bbox_head.0", "Shared2FCBBoxHead"),
        ("roi_head.bbox_head.1", "Shared2FCBBoxHead"),
        ("roi_head.mask_head", "FCNMaskHead"),
    ]
    assert found.losses == {
        "rpn_head.loss_cls": "CrossEntropyLoss",
        "roi_head.bbox_head.0.loss_bbox": "L1Loss",
        "roi_head.bbox_head.1.loss_bbox": "L1Loss",
    }
    assert found.classes == (3, 2)
    assert (found.optimiser, found.learning_rate) == ("SGD", 0.02)
    assert found.schedule == ("LinearLR", "MultiStepLR")
    assert (found.epochs, found.iterations, found.batch_size) == (12, None, 2)
    assert found.transforms == ("Resize", "Pack")
    assert found.pretrained == ("start.pth", "torchvision://resnet101")


def test_training_by_iterations() -> None:
    found = model_facts({"train_cfg": {"type": "IterBasedTrainLoop", "max_iters": 90_000}})
    assert (found.epochs, found.iterations) == (None, 90_000)
    assert model_facts({"train_cfg": {"by_epoch": True, "max_epochs": 3}}).epochs == 3


def test_a_config_without_a_model_says_nothing() -> None:
    assert model_facts({}) == ModelFacts()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["type", "model", "backbone", "neck", "head", "loss", "lr", "dataset", "pipeline",
             "num_classes", "depth", "optimizer", "max_epochs", "checkpoint", "init_cfg"]
        ),
        inner,
        max_size=4,
    ),
)  # fmt: skip


@given(value=st.dictionaries(st.sampled_from(list(CASCADE)), JSON, max_size=5))
def test_fields_of_another_type_say_nothing(value: dict[str, object]) -> None:
    found = model_facts(value)
    assert all(isinstance(str(one), str) for one in (*found.heads, *found.necks))


@pytest.mark.parametrize("many", [10_001])
def test_a_model_of_endless_parts_ends(many: int) -> None:
    parts = {f"head{i}": {"type": "Head"} for i in range(many)}
    assert 0 < len(model_facts({"model": parts}).heads) <= many
