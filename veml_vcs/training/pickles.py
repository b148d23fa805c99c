"""Read a checkpoint that torch pickled, because its owner was trusted. Nothing else calls this.

torch's loader of weights alone (``weights_only=True``) runs nothing but what is on its list. What
MMEngine puts beside weights is added to the list here, with an empty class for its history, so that
MMEngine need not be there; the switch that lets a pickle do everything is never used.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from veml_vcs.errors import FormatError, MissingDependencyError
from veml_vcs.samples.tensors import Checkpoint, Tensor

PIP_LINE = "pip install 'veml[ml]'"
_STATES = ("state_dict", "model", "model_state_dict")
"""Where frameworks put weights in a checkpoint that holds more: MMEngine, DETR, plain torch."""


class _History:
    """Stands for ``mmengine.logging.HistoryBuffer``: read, and never looked at."""

    def __setstate__(self, _state: object) -> None:
        """Take what was pickled, and keep nothing of it."""


def _no_attribute(_thing: object, _name: str) -> None:
    """Stands for ``getattr``, by which a history names its own functions: nothing is looked up."""


def read_pickle(path: str) -> Checkpoint:
    """Return the tensors of a checkpoint that torch wrote.

    Args:
        path: The file: a dict of tensors, or one that has such a dict as ``state_dict`` or
            ``model``.

    Raises:
        MissingDependencyError: torch is not installed.
        FormatError: It holds something that only running it could load, or no weights.
    """
    if find_spec("torch") is None:
        raise MissingDependencyError("torch, which reads pickles, is not installed", hint=PIP_LINE)
    import pickle
    import warnings

    import torch

    try:
        with torch.serialization.safe_globals(_known()), warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of pickles that others than torch made
            found = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        first = str(error).strip().splitlines()
        raise FormatError(
            f"{path}: holds more than weights, and only running it could load it: "
            f"{' '.join(first)[:300]}",
            hint="load it with the program that made it, and save its state_dict as safetensors",
            kind="pickle",
        ) from error
    except Exception as error:
        raise FormatError(f"{path}: torch cannot read it: {error!s:.300}") from error
    return Checkpoint(_tensors(_state(found, path), path))


def _known() -> list[Any]:
    """Return what MMEngine's checkpoints hold beside tensors."""
    import numpy as np
    from numpy._core import multiarray

    kinds = (np.float64, np.float32, np.int64, np.int32, np.bool_)
    return [
        (_History, "mmengine.logging.history_buffer.HistoryBuffer"),
        (_no_attribute, "builtins.getattr"),
        multiarray.scalar,
        multiarray._reconstruct,
        (multiarray.scalar, "numpy.core.multiarray.scalar"),
        (multiarray._reconstruct, "numpy.core.multiarray._reconstruct"),
        np.ndarray,
        np.dtype,
        *(type(np.dtype(kind)) for kind in kinds),
    ]


def _state(found: Any, path: str) -> dict[str, Any]:
    """Return the dict of tensors in what was loaded."""
    import torch

    for name in _STATES:
        if isinstance(found, dict) and isinstance(found.get(name), dict):
            found = found[name]
            break
    if isinstance(found, dict):
        state = {str(name): one for name, one in found.items() if isinstance(one, torch.Tensor)}
        if state:
            return state
    raise FormatError(f"{path}: no weights in it: expected a dict of tensors, or 'state_dict'")


def _tensors(state: dict[str, Any], path: str) -> dict[str, Tensor]:
    import torch

    kinds = {
        torch.bool: "BOOL", torch.uint8: "U8", torch.int8: "I8", torch.int16: "I16",
        torch.int32: "I32", torch.int64: "I64", torch.float16: "F16", torch.bfloat16: "BF16",
        torch.float32: "F32", torch.float64: "F64", torch.float8_e5m2: "F8_E5M2",
        torch.float8_e4m3fn: "F8_E4M3",
    }  # fmt: skip
    tensors = {}
    for name, one in state.items():
        if one.dtype not in kinds or one.layout != torch.strided:
            raise FormatError(f"{path}: {name!r:.80} is of {one.dtype}, {one.layout}")
        plain = one.detach().contiguous().reshape(-1)
        data = plain.view(torch.uint8).numpy().tobytes() if plain.numel() else b""
        tensors[name] = Tensor(kinds[one.dtype], tuple(one.shape), data)
    return tensors
