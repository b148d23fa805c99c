"""Fit a classifier's config to a data version.

Pure, as ``training/adapt.py`` for detectors: a config goes in, another comes out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from veml_vcs.errors import FormatError
from veml_vcs.training.adapt import Adapted
from veml_vcs.training.length import fit_length
from veml_vcs.training.parts import training_parts
from veml_vcs.versions.models import flatten, unflatten

DATASET = "VemlClassification"
METRIC = "VemlClassificationMetric"
CLASSIFIER = "Classifier"
EXAMPLE = "resnet-small"

TRANSFORMS = frozenset({
    "Resize", "CenterCrop", "Pad", "Grayscale", "RandomCrop", "RandomResizedCrop",
    "RandomHorizontalFlip", "RandomVerticalFlip", "RandomRotation", "RandomErasing",
    "RandomGrayscale", "ColorJitter", "TrivialAugmentWide", "RandAugment", "AugMix",
})  # fmt: skip
"""What a pipeline may be made of: torchvision's transforms of these names, with its arguments."""

_CHANCE = ("Random", "ColorJitter", "TrivialAugment", "RandAugment", "AugMix")
_BORDER = 8 / 7  # of what is measured on, as 256 is to 224


def is_classifier(config: Mapping[str, Any]) -> bool:
    """Tell whether a config's model classifies images."""
    model = config.get("model")
    return isinstance(model, Mapping) and model.get("type") == CLASSIFIER


def fit_classifier(
    config: Mapping[str, Any],
    classes: Sequence[str],
    samples: int,
    *,
    epochs: int | None = None,
    iterations: int | None = None,
    trust: bool = False,
) -> Adapted:
    """Fit a config to classes and to data that comes from the store.

    Args:
        config: Nested and plain; it is not changed.
        classes: Names of the classes, in order; labels are positions in it.
        samples: How many samples are trained on.
        epochs: Train so many passes instead of what the config says; schedules are stretched.
        iterations: Train so many steps instead.
        trust: Whether the pipelines may hold what is no transform of torchvision's.

    Raises:
        FormatError: The config lacks what a training needs, or names an unknown transform.
        InvalidInputError: Both ``epochs`` and ``iterations`` are given.
    """
    whole = unflatten(flatten(config))
    made = training_parts(whole, EXAMPLE)
    notes = [*_fit_head(made["model"], len(classes))]
    said = made.pop("val_dataloader", None)
    train = made["train_dataloader"]
    training = _pipeline(train, whole, "train_pipeline")
    if training is None:
        raise FormatError(
            "train_dataloader.dataset has no pipeline",
            hint=f"veml model template {EXAMPLE} shows one that has all",
            kind="config-incomplete",
        )
    measuring = _pipeline(said, whole, "val_pipeline", "test_pipeline")
    if measuring is None:
        measuring = without_chance(training)
    if not trust:
        refuse_unknown_transforms(training, "train_dataloader.dataset.pipeline")
        refuse_unknown_transforms(measuring, "val_dataloader.dataset.pipeline")
    train["dataset"] = _dataset("train", training, classes)
    size = said.get("batch_size") if isinstance(said, dict) else None
    made["val_dataloader"] = {
        "batch_size": size if type(size) is int else train.get("batch_size", 1),
        "sampler": {"type": "DefaultSampler", "shuffle": False},
        "drop_last": False,
        "dataset": _dataset("val", measuring, classes),
    }
    length = fit_length(made, samples, epochs=epochs, iterations=iterations)
    made["val_cfg"] = {"type": "ValLoop"}
    made["val_evaluator"] = {"type": METRIC}
    made["default_scope"] = "mmengine"
    return Adapted(made, length.iterations, length.epochs, (*notes, *length.notes))


def _fit_head(model: dict[str, Any], classes: int) -> list[str]:
    head = model.get("head")
    if not isinstance(head, dict) or not isinstance(head.get("type"), str):
        raise FormatError(
            f"model.head: expected a dict with a type, such as LinearHead, found {head!r:.80}",
            kind="no-head",
        )
    before = head.get("num_classes")
    head["num_classes"] = classes
    if before == classes:
        return []
    was = "nothing" if before is None else before
    return [f"head.num_classes: {was} -> {classes}, the classes of the data"]


def _pipeline(loader: Any, whole: Mapping[str, Any], *names: str) -> list[Any] | None:
    """Return the pipeline of a loader, or the first that stands by itself; None: there is none."""
    dataset = loader.get("dataset") if isinstance(loader, dict) else None
    inside = dataset.get("pipeline") if isinstance(dataset, dict) else None
    found = [inside, *(whole.get(name) for name in names)]
    return next((one for one in found if isinstance(one, list)), None)


def _dataset(part: str, pipeline: list[Any], classes: Sequence[str]) -> dict[str, Any]:
    metainfo = {"classes": list(classes)}
    return {"type": DATASET, "part": part, "pipeline": pipeline, "metainfo": metainfo}


def refuse_unknown_transforms(pipeline: Sequence[Any], where: str) -> None:
    """Refuse a pipeline with anything that is none of ``TRANSFORMS``.

    Raises:
        FormatError: There is.
    """
    for place, one in enumerate(pipeline):
        name = one.get("type") if isinstance(one, Mapping) else None
        if name not in TRANSFORMS:
            found = repr(one if name is None else name)[:80]
            raise FormatError(
                f"{where}.{place}: expected a dict with a type of {', '.join(sorted(TRANSFORMS))}; "
                f"found {found}",
                hint=f"veml model template {EXAMPLE}; they are those of torchvision.transforms.v2",
                kind="unknown-transform",
            )


def without_chance(training: Sequence[Any]) -> list[Any]:
    """Return a pipeline to measure with, of one to train with: what is drawn at random is gone.

    A crop that is drawn becomes the one in the middle.
    """
    made: list[Any] = []
    for one in training:
        kind = one.get("type", "") if isinstance(one, Mapping) else ""
        if kind == "RandomResizedCrop":
            size = one.get("size")
            if isinstance(size, int):
                made.append({"type": "Resize", "size": round(_BORDER * size)})
            made.append({"type": "CenterCrop", "size": size})
        elif kind == "RandomCrop":
            made.append({"type": "CenterCrop", "size": one.get("size")})
        elif not str(kind).startswith(_CHANCE):
            made.append(one)
    return made
