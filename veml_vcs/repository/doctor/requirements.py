"""What veml's package metadata asks for, extra by extra, and what of it is installed."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata

from packaging.requirements import Requirement

from veml_vcs.repository.doctor.python import DISTRIBUTION

CORE = ""
"""Stands for what is needed always."""

_NOT_FOR_USERS = frozenset({"dev"})


@dataclass(frozen=True)
class Installed:
    """The packages of one extra.

    Attributes:
        found: Package -> version, of those that fit.
        absent: Packages that are not installed.
        unfit: What is installed in a version that does not fit: in words.
        wanted: All packages with the versions they are wanted in, as pip takes them.
    """

    found: dict[str, str]
    absent: tuple[str, ...]
    unfit: tuple[str, ...]
    wanted: tuple[str, ...]


def installed() -> dict[str, Installed]:
    """Return what is installed for each extra, ``CORE`` first; nothing if veml itself is not."""
    try:
        told = metadata.metadata(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return {}
    extras = [one for one in told.get_all("Provides-Extra") or () if one not in _NOT_FOR_USERS]
    lines = [Requirement(one) for one in told.get_all("Requires-Dist") or ()]
    return {extra: _installed(lines, extra) for extra in (CORE, *extras)}


def _installed(lines: list[Requirement], extra: str) -> Installed:
    found: dict[str, str] = {}
    absent: list[str] = []
    unfit: list[str] = []
    wanted: list[str] = []
    for one in lines:
        if one.marker is not None and not one.marker.evaluate({"extra": extra}):
            continue
        if extra and (one.marker is None or one.marker.evaluate({"extra": CORE})):
            continue  # needed always
        wanted.append(f"{one.name}{one.specifier}")
        try:
            version = metadata.version(one.name)
        except metadata.PackageNotFoundError:
            absent.append(one.name)
            continue
        if one.specifier.contains(version, prereleases=True):
            found[one.name] = version
        else:
            unfit.append(f"{one.name} {version}, wanted {one.specifier}")
    return Installed(found, tuple(absent), tuple(unfit), tuple(wanted))
