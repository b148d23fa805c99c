"""Which packages exporting and running a file needs, and the line that installs them."""

from __future__ import annotations

from importlib import metadata
from importlib.util import find_spec

from veml_vcs.errors import MissingDependencyError

PIP_LINE = "pip install 'veml[export]'"
TORCH_LINE = "pip install torch pillow"
_EXPORT = {
    "onnx": "onnx",
    "onnxscript": "onnxscript",
    "onnxruntime": "onnxruntime",
    "PIL": "pillow",
}
_RUN = {"onnxruntime": "onnxruntime", "onnx": "onnx", "PIL": "pillow"}
_VERSIONS = ("mmdet", "mmengine", "onnx", "onnxruntime", "torch", "torchvision")


def require_export() -> None:
    """Refuse to export where a package is missing.

    Raises:
        MissingDependencyError: One is; the hint is the line that installs all.
    """
    _require(_EXPORT, "exporting a network")


def require_runtime() -> None:
    """Refuse to run a file where a package is missing.

    Raises:
        MissingDependencyError: One is; the hint is the line that installs all.
    """
    _require(_RUN, "running an exported network")


def require_torch() -> None:
    """Refuse to run a TorchScript file where PyTorch is missing.

    Raises:
        MissingDependencyError: It is.
    """
    _require({"torch": "torch", "PIL": "pillow"}, "running a TorchScript file", TORCH_LINE)


def _require(wanted: dict[str, str], what: str, line: str = PIP_LINE) -> None:
    missing = [package for module, package in wanted.items() if find_spec(module) is None]
    if missing:
        raise MissingDependencyError(
            f"{what} needs packages that are not installed: {', '.join(missing)}", hint=line
        )


def library_versions() -> dict[str, str]:
    """Return the versions of what exports and runs a file, for its record."""
    found = {}
    for name in _VERSIONS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
