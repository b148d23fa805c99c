"""Fit a detector's config to a data version: what is trained is the config, on that data.

Pure: a config goes in, another comes out, with a sentence for everything that was changed. Nothing
is imported, so what cannot work is refused before seconds are spent on importing the engine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from veml_vcs.errors import FormatError
from veml_vcs.training.length import fit_length
from veml_vcs.training.parts import training_parts
from veml_vcs.versions.models import flatten, unflatten

DATASET = "VemlDetection"
LOADER = "LoadVemlImage"
METRIC = "VemlDetectionMetric"

_SCOPES = {
    "mmpretrain": "image classification", "mmcls": "image classification",
    "mmseg": "semantic segmentation", "mmpose": "pose estimation", "mmdet3d": "detection in 3D",
    "mmrotate": "detection of rotated boxes", "mmaction": "action recognition",
    "mmocr": "reading of text", "mmagic": "making of images",
}  # fmt: skip
_OTHER_HEADS = {
    "mask_head": "instance segmentation (it has a mask_head)",
    "semantic_head": "panoptic segmentation (it has a semantic_head)",
    "panoptic_head": "panoptic segmentation (it has a panoptic_head)",
    "track_head": "tracking (it has a track_head)",
    "decode_head": "semantic segmentation (it has a decode_head)",
    "cls_head": "classification (it has a cls_head)",
}
_BINARY_HEADS = ("rpn_head",)
"""Heads that tell objects from background, whatever the classes."""

_RANDOM = ("Random", "Mosaic", "MixUp", "CutOut", "Albu", "PhotoMetric", "YOLOX", "Cached",
           "CopyPaste", "MinIoU", "Expand")  # fmt: skip
_META = ["img_id", "img_path", "ori_shape", "img_shape", "scale_factor"]


@dataclass(frozen=True)
class Adapted:
    """A config that fits a data version.

    Attributes:
        config: Nested and plain: all that the engine is given, but for what is the machine's.
        iterations: How many steps it takes; of a config by epochs, at the given number of samples.
        epochs: How many passes, if it counts in passes.
        notes: What was changed, in sentences.
    """

    config: dict[str, Any]
    iterations: int
    epochs: int | None
    notes: tuple[str, ...] = field(default_factory=tuple)


def refuse_other_tasks(config: Mapping[str, Any], name: str) -> None:
    """Refuse a config that is no detector's.

    Raises:
        FormatError: It is for another task.
    """
    model = config.get("model")
    if not isinstance(model, Mapping) or not isinstance(model.get("type"), str):
        raise FormatError(f"model {name!r}: its config has no model", kind="no-model")
    scope = str(config.get("default_scope", "mmdet"))
    task = _SCOPES.get(scope)
    found = sorted({key for key, _ in _dicts_below(model)} & _OTHER_HEADS.keys())
    if task is None and found:
        task = _OTHER_HEADS[found[0]]
    if task is not None:
        raise FormatError(
            f"model {name!r} is for {task}; what is trained with its parts is detection of boxes",
            hint="veml model template lists configs of detectors, and of classifiers and "
            "forecasters of veml's own",
            kind="other-task",
        )


def adapt_detection(
    config: Mapping[str, Any],
    classes: Sequence[str],
    samples: int,
    *,
    epochs: int | None = None,
    iterations: int | None = None,
) -> Adapted:
    """Fit a config to classes and to data that comes from the store.

    Args:
        config: Nested and plain.
        classes: Names of the classes, in order; labels are positions in it.
        samples: How many samples are trained on.
        epochs: Train so many passes instead of what the config says; schedules are stretched.
        iterations: Train so many steps instead.

    Raises:
        FormatError: The config lacks what a training needs, or holds what cannot be adapted.
        InvalidInputError: Both ``epochs`` and ``iterations`` are given.
    """
    notes: list[str] = []
    whole = unflatten(flatten(config))
    made = training_parts(whole, "faster-rcnn-small")
    notes += fit_heads(made["model"], len(classes))
    train, val = made["train_dataloader"], made.pop("val_dataloader", None)
    pipeline = _take_dataset(train, whole, classes, "train")
    made["val_dataloader"] = _val_loader(val, whole, pipeline, classes)
    length = fit_length(made, samples, epochs=epochs, iterations=iterations)
    made["val_cfg"] = {"type": "ValLoop"}
    made["val_evaluator"] = {"type": METRIC}
    made.setdefault("default_scope", "mmdet")
    return Adapted(made, length.iterations, length.epochs, (*notes, *length.notes))


# -- heads -------------------------------------------------------------------------------------


def _dicts_below(value: Any, name: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every dict in a config with the last key that leads to it."""
    if isinstance(value, dict):
        yield name, value
        for key, one in value.items():
            yield from _dicts_below(one, key)
    elif isinstance(value, list):
        for one in value:
            yield from _dicts_below(one, name)


def fit_heads(model: dict[str, Any], classes: int) -> Iterator[str]:
    """Set the number of classes in every head that tells classes apart; yield what was changed.

    Raises:
        FormatError: No head does.
    """
    found = False
    for name, one in _dicts_below(model):
        if name in _BINARY_HEADS or not ("num_classes" in one or name == "bbox_head"):
            continue
        found = True
        before = one.get("num_classes")
        if before != classes:
            one["num_classes"] = classes
            was = "the head's default" if before is None else before
            yield f"{name or 'model'}.num_classes: {was} -> {classes}, the classes of the data"
    if not found:
        raise FormatError(
            f"the model {model.get('type')!r:.80} has no head with num_classes, so nothing tells "
            "how to give it the data's classes",
            kind="no-head",
        )


# -- data --------------------------------------------------------------------------------------


def _take_dataset(
    loader: dict[str, Any], whole: Mapping[str, Any], classes: Sequence[str], part: str
) -> list[Any]:
    """Put the data version in the place of a loader's data set; return its pipeline.

    Data sets that wrap another (repeat it, mix images of it) stay around it.
    """
    above, key = loader, "dataset"
    for _ in range(8):
        found = above.get(key)
        if not isinstance(found, dict):
            raise FormatError(f"{part}_dataloader: expected a data set, found {found!r:.60}")
        if isinstance(found.get("dataset"), dict):
            above, key = found, "dataset"
        elif isinstance(found.get("datasets"), list) and found["datasets"]:
            above[key] = found["datasets"][0]  # several data sets of the author's: one, the user's
        else:
            break
    leaf = above[key]
    pipeline = leaf.get("pipeline", whole.get(f"{part}_pipeline"))
    if not isinstance(pipeline, list) or not pipeline:
        raise FormatError(f"{part}_dataloader.dataset has no pipeline", kind="config-incomplete")
    above[key] = _dataset(part, _from_store(pipeline), classes)
    if isinstance(leaf.get("filter_cfg"), dict):
        above[key]["filter_cfg"] = leaf["filter_cfg"]
    for wrapper in _dicts_below(loader):
        if wrapper[1] is not above[key] and isinstance(wrapper[1].get("pipeline"), list):
            wrapper[1]["pipeline"] = _from_store(wrapper[1]["pipeline"])
    return pipeline


def _dataset(part: str, pipeline: list[Any], classes: Sequence[str]) -> dict[str, Any]:
    found = {"type": DATASET, "part": part, "pipeline": pipeline}
    return {**found, "metainfo": {"classes": list(classes)}}


def _from_store(pipeline: list[Any]) -> list[Any]:
    """Return a pipeline whose images are decoded from bytes of the store."""
    made = unflatten(flatten({"pipeline": pipeline}))["pipeline"]
    for _, one in _dicts_below(made):
        if str(one.get("type")).rpartition(".")[2] == "LoadImageFromFile":
            one["type"] = LOADER
            for said in ("backend_args", "file_client_args", "imdecode_backend"):
                one.pop(said, None)
        if one.get("with_mask") or one.get("with_seg"):
            raise FormatError(
                "the pipeline loads masks; what is trained here is detection of boxes",
                kind="other-task",
            )
    found: list[Any] = made
    return found


def _val_loader(
    said: Any, whole: Mapping[str, Any], training: list[Any], classes: Sequence[str]
) -> dict[str, Any]:
    """Return a loader of the samples that are held back."""
    loader: dict[str, Any] = {
        "batch_size": 1,
        "sampler": {"type": "DefaultSampler", "shuffle": False},
        "drop_last": False,
    }
    pipeline = whole.get("test_pipeline") or whole.get("val_pipeline")
    if isinstance(said, dict):
        place = said.get("dataset")
        while isinstance(place, dict) and isinstance(place.get("dataset"), dict):
            place = place["dataset"]
        if isinstance(place, dict) and isinstance(place.get("pipeline"), list):
            pipeline = place["pipeline"]
        if type(said.get("batch_size")) is int:
            loader["batch_size"] = said["batch_size"]
    if not isinstance(pipeline, list) or not pipeline:
        pipeline = _without_chance(training)
    loader["dataset"] = {**_dataset("val", _from_store(pipeline), classes), "test_mode": True}
    return loader


def _without_chance(training: list[Any]) -> list[Any]:
    """Return a pipeline to measure with, of one to train with: what is drawn at random is gone."""
    made: list[Any] = []
    for one in training:
        kind = str(one.get("type")).rpartition(".")[2] if isinstance(one, dict) else ""
        if kind in ("RandomResize", "RandomChoiceResize"):
            scales = one.get("scales", one.get("scale"))
            scale = scales[-1] if isinstance(scales[0], list) else scales
            made.append({"type": "Resize", "scale": scale, "keep_ratio": True})
        elif kind == "PackDetInputs":
            made.append({"type": "PackDetInputs", "meta_keys": list(_META)})
        elif not kind.startswith(_RANDOM) and kind not in ("FilterAnnotations", "LoadAnnotations"):
            made.append(one)
    return made
