"""The formats veml knows, and which one a data set is in."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from typing import Any

from veml_vcs.errors import FormatError, NotFoundError
from veml_vcs.samples.formats.base import Format, Layout, ReadFile, Refusal

_CLASSES = {
    "coco": "Coco",
    "voc": "Voc",
    "yolo": "Yolo",
    "kitti": "Kitti",
    "folders": "Folders",
    "zarr": "Zarr",
    "tables": "Tables",
    "files": "Files",
}
"""Name, and class in the module of that name, in order of detection: what is surest first, what
fits everything last. A format is imported when it is needed."""

FORMATS: tuple[Format, ...]
"""All formats."""


def __getattr__(name: str) -> Any:
    if name != "FORMATS":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return tuple(map(_format, _CLASSES))


@cache
def _format(name: str) -> Format:
    module = import_module(f"veml_vcs.samples.formats.{name}")
    made: Format = getattr(module, _CLASSES[name])()
    return made


def get_format(name: str) -> Format:
    """Return a format by its name.

    Raises:
        NotFoundError: There is none of this name.
    """
    if name in _CLASSES:
        return _format(name)
    known = ", ".join(_CLASSES)
    raise NotFoundError(
        f"format {name!r}: expected one of {known}", hint=f"--format takes one of: {known}"
    )


def detect(keys: Sequence[str], read: ReadFile, *, wanted: str | None = None) -> Layout:
    """Find out which format a data set is in, and how its files play together.

    Args:
        keys: All files of the data set, in any order.
        read: Returns a file's bytes.
        wanted: The format the user named; None to find out.

    Raises:
        NotFoundError: There is no format ``wanted``.
        FormatError: The data set cannot be read as ``wanted``; the message says what that would
            need and what each format makes of the files. Or a file of the format found is
            malformed.
    """
    ordered = sorted(keys)
    if wanted is not None:
        chosen = get_format(wanted)
        found = chosen.recognise(ordered, read, forced=True)
        if isinstance(found, Layout):
            return found
        raise FormatError(
            f"not a data set in the format {wanted}: {found.reason}; it needs {chosen.needs}\n"
            + "\n".join(_opinions(ordered, read)),
            kind="format-refused",
        )
    for candidate in map(_format, _CLASSES):
        found = candidate.recognise(ordered, read)
        if isinstance(found, Layout):
            return found
    raise AssertionError("plain files fit everything")


def _opinions(keys: Sequence[str], read: ReadFile) -> list[str]:
    """Return one line for each format: whether it fits, or why not."""
    lines = []
    for candidate in map(_format, _CLASSES):
        try:
            found = candidate.recognise(keys, read)
        except FormatError as error:
            found = Refusal(error.message)
        if isinstance(found, Refusal):
            lines.append(f"  {candidate.name}: {found.reason}")
        else:
            lines.append(f"  {candidate.name}: fits, {len(found.samples)} samples")
    return lines
