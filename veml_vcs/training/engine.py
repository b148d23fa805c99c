"""Get MMEngine and MMDetection ready: what is missing, the operators that stand in.

The only place that imports MMDetection for the first time, which takes seconds.
"""

from __future__ import annotations

import logging
import warnings
from importlib import metadata
from importlib.util import find_spec

from veml_vcs.errors import MissingDependencyError
from veml_vcs.training.ops import stand_in_ops

PIP_LINE = "pip install 'veml[mmdet]'"
HEADLESS_LINE = "pip install --force-reinstall --no-deps opencv-python-headless"
"""For a machine without the libraries of a desktop, which the other build of OpenCV asks for."""

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
    """Import MMDetection with all it registers.

    Raises:
        MissingDependencyError: A package is missing, or the versions do not work together.
    """
    require_engine()
    try:
        stand_in_ops()  # looks into MMCV, which imports OpenCV
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what future versions of others will do
            from mmdet.utils import register_all_modules

            register_all_modules()
    except (ImportError, AssertionError, AttributeError) as error:
        desktop = any(one in str(error) for one in ("libGL", "libgthread", "libglib", "libxcb"))
        raise MissingDependencyError(
            f"MMDetection is installed and cannot be used: {type(error).__name__}: {error}",
            hint=HEADLESS_LINE if desktop else f"{PIP_LINE} --force-reinstall; veml doctor extras",
            kind="engine-broken",
        ) from error
    logging.getLogger("mmengine").setLevel(logging.ERROR)


def library_versions() -> dict[str, str]:
    """Return the versions of what computes a training; of packages that are there."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
