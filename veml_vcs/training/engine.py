"""Get MMEngine and MMDetection ready: what is missing, the operators, what checkpoints may hold.

The only place that imports MMDetection for the first time, which takes seconds.
"""

from __future__ import annotations

import logging
import warnings
from importlib import metadata
from importlib.util import find_spec
from typing import Any

from veml_vcs.errors import MissingDependencyError
from veml_vcs.training.ops import stand_in_ops

PIP_LINE = "pip install 'veml[mmdet]'"
_MODULES = {
    "torch": "torch", "torchvision": "torchvision", "mmengine": "mmengine", "mmcv": "mmcv-lite",
    "mmdet": "mmdet", "pycocotools": "pycocotools",
}  # fmt: skip
LIBRARIES = ("mmcv-lite", "mmcv", "mmdet", "mmengine", "numpy", "pycocotools", "torch",
             "torchvision")  # fmt: skip
"""What computes a training, and is written into its record with its version."""


def require_engine() -> None:
    """Refuse to begin where a package is missing.

    Raises:
        MissingDependencyError: One is; the hint is the line that installs all.
    """
    missing = [package for module, package in _MODULES.items() if find_spec(module) is None]
    if missing:
        raise MissingDependencyError(
            f"training needs packages that are not installed: {', '.join(missing)}", hint=PIP_LINE
        )


def prepare_engine() -> None:
    """Import MMDetection with all it registers, and let checkpoints of MMEngine be read safely.

    Raises:
        MissingDependencyError: A package is missing, or the versions do not work together.
    """
    require_engine()
    stand_in_ops()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what future versions of others will do
            from mmdet.utils import register_all_modules

            register_all_modules()
    except (ImportError, AssertionError, AttributeError) as error:
        raise MissingDependencyError(
            f"MMDetection is installed and cannot be used: {type(error).__name__}: {error}",
            hint=f"pip install --force-reinstall 'veml[mmdet]' ({PIP_LINE}); veml doctor extras",
            kind="engine-broken",
        ) from error
    allow_checkpoints()
    logging.getLogger("mmengine").setLevel(logging.ERROR)


def allow_checkpoints() -> None:
    """Name the types that checkpoints of MMEngine hold, so that ``weights_only`` can stay on.

    MMEngine keeps the last losses as ``HistoryBuffer``, arrays of numpy. Nothing else is allowed.
    """
    import numpy as np
    import torch
    from mmengine.logging.history_buffer import HistoryBuffer

    dtypes = [type(np.dtype(one)) for one in (np.float64, np.float32, np.int64)]
    allowed: list[Any] = [HistoryBuffer, np.ndarray, np.dtype, *dtypes]
    allowed += [np._core.multiarray._reconstruct, np._core.multiarray.scalar]  # type: ignore[attr-defined]
    torch.serialization.add_safe_globals(allowed)


def library_versions() -> dict[str, str]:
    """Return the versions of what computes a training; of packages that are there."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
