"""Between PyTorch's tensors and the checkpoints of the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from veml_vcs.errors import FormatError
from veml_vcs.samples.tensors import Checkpoint, Tensor
from veml_vcs.training.class_rows import Layout, move_rows

_DTYPES = {
    torch.bool: "BOOL", torch.uint8: "U8", torch.int8: "I8", torch.int16: "I16",
    torch.int32: "I32", torch.int64: "I64", torch.float16: "F16", torch.bfloat16: "BF16",
    torch.float32: "F32", torch.float64: "F64",
}  # fmt: skip
_BY_NAME = {name: dtype for dtype, name in _DTYPES.items()}
_HEAD = "head"


@dataclass(frozen=True)
class Fitted:
    """Which tensors of a checkpoint a model took.

    Attributes:
        taken: How many.
        fresh: Those of the model that keep their random beginnings.
        left: Those of the checkpoint that the model has no place for.
        moved: Those of which the rows of known classes are taken, and the others are not.
    """

    taken: int
    fresh: tuple[str, ...]
    left: tuple[str, ...]
    moved: tuple[str, ...] = ()


@dataclass(frozen=True)
class KnownClasses:
    """Classes that weights know, and where the model has them.

    Attributes:
        old: How many they know.
        rows: For each class of the model the one that they know, or None.
        layouts: Of the model's tensors that depend on classes.
    """

    old: int
    rows: Sequence[int | None]
    layouts: Mapping[str, Layout]


def checkpoint_of(state: Mapping[str, torch.Tensor]) -> Checkpoint:
    """Return the tensors of a model.

    Args:
        state: Its ``state_dict``.
    """
    tensors = {}
    for name, one in state.items():
        plain = one.detach().cpu().contiguous()
        data = plain.reshape(-1).view(torch.uint8).numpy().tobytes() if plain.numel() else b""
        tensors[name] = Tensor(_DTYPES[plain.dtype], tuple(plain.shape), data)
    return Checkpoint(tensors)


def tensor_of(one: Tensor) -> torch.Tensor:
    """Return a tensor of a checkpoint, copied.

    Raises:
        FormatError: PyTorch has no such data type.
    """
    dtype = _BY_NAME.get(one.dtype)
    if dtype is None:
        raise FormatError(f"PyTorch cannot hold tensors of {one.dtype}")
    if not len(one.data):
        return torch.zeros(one.shape, dtype=dtype)
    return torch.frombuffer(bytearray(one.data), dtype=dtype).reshape(one.shape)


def load_weights(
    model: Any, checkpoint: Checkpoint, name: str, classes: KnownClasses | None = None
) -> Fitted:
    """Put the weights of a checkpoint into a model.

    Tensors of heads that do not fit, because the classes are others, are left as they are, but for
    the rows of classes that are known. Any other difference means that it is another network.

    Args:
        model: A ``torch.nn.Module``.
        checkpoint: The weights.
        name: Where they come from, for messages.
        classes: Where classes are now; None where they are the same, or not known.

    Raises:
        FormatError: They do not fit.
    """
    own = model.state_dict()
    fitting = {
        key: tensor_of(one)
        for key, one in checkpoint.tensors.items()
        if key in own and tuple(own[key].shape) == one.shape
    }
    moved = {} if classes is None else _moved(own, checkpoint, classes)
    for key in () if classes is None else classes.layouts:
        fitting.pop(key, None)  # of as many classes, and other ones
    fitting |= moved
    fresh = tuple(key for key in own if key not in fitting)
    left = tuple(key for key in checkpoint.tensors if key not in fitting)
    wrong = [key for key in (*fresh, *left) if _HEAD not in key]
    if wrong or not fitting:
        listed = ", ".join(_difference(key, own, checkpoint) for key in wrong[:3]) or "no tensor"
        raise FormatError(
            f"the weights of {name} do not fit the model: {len(wrong)} tensors that belong to no "
            f"head differ: {listed}",
            hint="veml model compare shows how two models differ",
            kind="checkpoint-does-not-fit",
        )
    model.load_state_dict(fitting, strict=False)
    return Fitted(len(fitting) - len(moved), fresh, left, tuple(moved))


def _moved(
    own: Mapping[str, torch.Tensor], checkpoint: Checkpoint, classes: KnownClasses
) -> dict[str, torch.Tensor]:
    """Return the tensors of heads of which known classes are taken."""
    if all(row is None for row in classes.rows):
        return {}
    found = {}
    for key, layout in classes.layouts.items():
        if key in checkpoint.tensors:
            old = tensor_of(checkpoint.tensors[key])
            made = move_rows(old, own[key], layout, classes.rows, classes.old)
            if made is not None:
                found[key] = made
    return found


def _difference(key: str, own: Mapping[str, torch.Tensor], checkpoint: Checkpoint) -> str:
    here = list(own[key].shape) if key in own else "nothing"
    there = list(checkpoint.tensors[key].shape) if key in checkpoint.tensors else "nothing"
    return f"{key} (model {here}, weights {there})"
