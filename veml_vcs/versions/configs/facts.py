"""What a config says of its model and its training: the facts by which models are compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeGuard

_MOST = 10_000  # parts of a model that are looked at
_SCALARS = (str, int, float, bool, type(None))
_SIZES = (
    "depth", "arch", "widen_factor", "deepen_factor", "base_channels", "embed_dims", "depths",
    "num_stages", "out_indices", "in_channels", "out_channels", "num_outs", "frozen_stages",
    "cell", "units", "layers",
)  # fmt: skip
"""What of a backbone or a neck says how large it is, in the order it is shown."""


@dataclass(frozen=True)
class Part:
    """A part of a model: backbone, neck, a head or a loss.

    Attributes:
        name: Where it stands below ``model``: ``roi_head.bbox_head``.
        type: Its class: ``Shared2FCBBoxHead``.
        sizes: What is said of its size.
    """

    name: str
    type: str
    sizes: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return ``ResNet (depth 50)``."""
        said = ", ".join(f"{name} {_short(value)}" for name, value in self.sizes.items())
        return f"{self.type} ({said})" if said else self.type


@dataclass(frozen=True)
class ModelFacts:
    """What a config says.

    Attributes:
        architecture: ``FasterRCNN``; empty if there is no model.
        backbone: It, or None.
        necks: One in most models.
        heads: In the order in which the config has them.
        losses: Name of the place -> class.
        classes: Number of classes of the heads, in order, each once.
        optimiser: ``SGD``.
        learning_rate: Its ``lr``.
        schedule: Parameter schedulers in order: ``LinearLR``.
        epochs: Of training; None where iterations are counted.
        iterations: Of training; None where epochs are counted.
        batch_size: Samples a step on one device.
        transforms: Of the training pipeline, in order.
        pretrained: What weights come from, of backbone or whole.
    """

    architecture: str = ""
    backbone: Part | None = None
    necks: tuple[Part, ...] = ()
    heads: tuple[Part, ...] = ()
    losses: Mapping[str, str] = field(default_factory=dict)
    classes: tuple[int, ...] = ()
    optimiser: str = ""
    learning_rate: float | None = None
    schedule: tuple[str, ...] = ()
    epochs: int | None = None
    iterations: int | None = None
    batch_size: int | None = None
    transforms: tuple[str, ...] = ()
    pretrained: tuple[str, ...] = ()


def model_facts(config: Mapping[str, Any]) -> ModelFacts:
    """Return what a config says of its model and its training.

    Args:
        config: As ``read_config`` gives it. Fields of another type than they should have say
            nothing; what a config may hold is the engine's to check.
    """
    model = _dict(config, "model")
    parts = list(_parts(model, "", []))
    wrapper, train = _dict(config, "optim_wrapper"), _dict(config, "train_cfg")
    optimiser, loader = _dict(wrapper, "optimizer"), _dict(config, "train_dataloader")
    by_epoch = train.get("by_epoch", "Epoch" in _type(train) or "max_epochs" in train)
    backbone: Part | None = None
    necks, heads = [], []
    losses: dict[str, str] = {}
    classes: dict[int, None] = {}
    for name, one in parts:
        last = _last(name)
        if backbone is None and name.rpartition(".")[2] == "backbone":
            backbone = _part("backbone", one)
        if last.startswith("neck"):
            necks.append(_part(name, one))
        if last.endswith("head") or _type(one).endswith("Head"):
            heads.append(_part(name, one))
        if last.startswith("loss"):
            losses[name] = _type(one)
        if type(number := one.get("num_classes")) is int:
            classes[number] = None
    return ModelFacts(
        _type(model),
        backbone,
        tuple(necks),
        tuple(heads),
        losses,
        tuple(classes),
        _type(optimiser),
        _number(optimiser.get("lr")),
        tuple(filter(None, map(_type, _dicts(config.get("param_scheduler"))))),
        _whole(train.get("max_epochs")) if by_epoch else None,
        None if by_epoch else _whole(train.get("max_iters")),
        _whole(loader.get("batch_size")),
        tuple(filter(None, map(_type, _dicts(_pipeline(config, loader))))),
        tuple(_pretrained(config, parts)),
    )  # fmt: skip


def _parts(value: Any, name: str, seen: list[int]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the dicts below a model that have a type, with their places, in order."""
    seen.append(0)
    if len(seen) > _MOST:
        return
    if _is_dict(value):
        if name and _type(value):
            yield name, value
        for key, one in value.items():
            if type(one) in _SCALARS:  # most are
                seen.append(0)
                continue
            yield from _parts(one, f"{name}.{key}" if name else key, seen)
    elif isinstance(value, list):
        for i, one in enumerate(value):
            if type(one) in _SCALARS:
                seen.append(0)
                continue
            yield from _parts(one, f"{name}.{i}", seen)


@lru_cache(10_000)
def _last(name: str) -> str:
    """Return the last word of a place; the number in a list is none (``bbox_head.0``)."""
    words = [one for one in name.split(".") if not one.isdigit()]
    return words[-1] if words else ""


def _part(name: str, part: Mapping[str, Any]) -> Part:
    return Part(name, _type(part), {size: part[size] for size in _SIZES if size in part})


def _pipeline(config: Mapping[str, Any], loader: Mapping[str, Any]) -> Any:
    """Return the training pipeline, which may stand below wrappers of the data set."""
    place = _dict(loader, "dataset")
    for _ in range(8):
        if "pipeline" in place:
            return place["pipeline"]
        place = _dict(place, "dataset")
    return config.get("train_pipeline")


def _pretrained(
    config: Mapping[str, Any], parts: list[tuple[str, Mapping[str, Any]]]
) -> Iterator[str]:
    found = [_dict(one, "init_cfg").get("checkpoint") for _, one in parts]
    for one in [config.get("load_from"), *found]:
        if isinstance(one, str) and one:
            yield one


def _dict(value: Any, name: str) -> Mapping[str, Any]:
    found = value.get(name) if _is_dict(value) else None
    return found if _is_dict(found) else {}


def _is_dict(value: Any) -> TypeGuard[Mapping[str, Any]]:
    """Tell of a mapping; of a dict, which most are, without asking what an abstract class says."""
    return type(value) is dict or isinstance(value, Mapping)


def _dicts(value: Any) -> list[Mapping[str, Any]]:
    values = value if isinstance(value, list) else [value]
    return [one for one in values if _is_dict(one)]


def _type(value: Mapping[str, Any]) -> str:
    """Return the class of a part, without the modules it lies in."""
    found = value.get("type")
    return found.rpartition(".")[2] if isinstance(found, str) else ""


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _whole(value: Any) -> int | None:
    return value if type(value) is int else None


def _short(value: Any) -> str:
    text = "x".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= 40 else text[:37] + "..."
