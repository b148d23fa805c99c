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
from veml_vcs.versions.trainings.outcome import Task

PIP_LINE = "pip install 'veml[mmdet]'"
HEADLESS_LINE = "pip install --force-reinstall --no-deps opencv-python-headless"
"""For a machine without the libraries of a desktop, which the other build of OpenCV asks for."""

_ENGINE = {"torch": "torch", "mmengine": "mmengine"}
_DETECTION = {
    **_ENGINE, "torchvision": "torchvision", "mmcv": "mmcv-lite", "mmdet": "mmdet",
    "pycocotools": "pycocotools",
}  # fmt: skip
_WANTED: dict[Task, dict[str, str]] = {
    "detection": _DETECTION,
    "classification": {**_ENGINE, "torchvision": "torchvision"},
    "forecasting": _ENGINE,
}
"""Module -> package, by task; MMDetection is for detection alone."""

_LIBRARIES = ("mmengine", "mmengine-lite", "numpy", "torch")
_MORE_LIBRARIES: dict[Task, tuple[str, ...]] = {
    "detection": ("mmcv-lite", "mmcv", "mmdet", "pycocotools", "torchvision"),
    "classification": ("torchvision",),
    "forecasting": (),
}


def require_engine(task: Task) -> None:
    """Refuse to begin where a package is missing.

    Args:
        task: What is learnt.

    Raises:
        MissingDependencyError: One is; the hint is the line that installs all.
    """
    wanted = _WANTED[task].items()
    missing = [package for module, package in wanted if find_spec(module) is None]
    if missing:
        raise MissingDependencyError(
            f"training needs packages that are not installed: {', '.join(missing)}", hint=PIP_LINE
        )


def prepare_engine(task: Task) -> None:
    """Import the engine with all that it registers.

    Args:
        task: What is learnt.

    Raises:
        MissingDependencyError: A package is missing, or the versions do not work together.
    """
    require_engine(task)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what future versions of others will do
            _import(task)
    except (ImportError, AssertionError, AttributeError) as error:
        desktop = any(one in str(error) for one in ("libGL", "libgthread", "libglib", "libxcb"))
        raise MissingDependencyError(
            f"the engine is installed and cannot be used: {type(error).__name__}: {error}",
            hint=HEADLESS_LINE if desktop else f"{PIP_LINE} --force-reinstall; veml doctor extras",
            kind="engine-broken",
        ) from error
    logging.getLogger("mmengine").setLevel(logging.ERROR)


def _import(task: Task) -> None:
    if task != "detection":
        import mmengine.runner  # noqa: F401 - with OpenCV

        return
    stand_in_ops()  # looks into MMCV, which imports OpenCV
    from mmdet.utils import register_all_modules

    register_all_modules()


def library_versions(task: Task) -> dict[str, str]:
    """Return the versions of what computes a training, for its record; of packages that are there.

    Args:
        task: What is learnt.
    """
    found = {}
    for name in sorted((*_LIBRARIES, *_MORE_LIBRARIES[task])):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
