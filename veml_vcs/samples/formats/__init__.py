"""Formats of image data sets: recognise, read, write, convert."""

from veml_vcs.samples.formats.base import Format, Layout, Parsed, ReadFile, Refusal
from veml_vcs.samples.formats.convert import Converted, convert
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
