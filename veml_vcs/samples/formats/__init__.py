"""Formats of image data sets: recognise, read, write, convert.

Names are imported when they are first used: ``veml status`` needs few of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from veml_vcs.samples.formats.base import Format, Layout, Parsed, ReadFile, Refusal
    from veml_vcs.samples.formats.convert_any import Converted, convert
    from veml_vcs.samples.formats.registry import FORMATS, detect, get_format

__all__ = [
    "FORMATS",
    "Converted",
    "Format",
    "Layout",
    "Parsed",
    "ReadFile",
    "Refusal",
    "convert",
    "detect",
    "get_format",
]

_MODULES = {
    "Converted": "convert_any",
    "FORMATS": "registry",
    "Format": "base",
    "Layout": "base",
    "Parsed": "base",
    "ReadFile": "base",
    "Refusal": "base",
    "convert": "convert_any",
    "detect": "registry",
    "get_format": "registry",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = found
    return found
