"""Zarr stores in folders (version 2 and 3): the chunk files are samples, the metadata lies beside.

By names alone: which files are chunks follows from where ``zarr.json``, ``.zarray`` and ``.zgroup``
lie. What the metadata say is read when chunks are compared or merged (``samples.zarrs``).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from veml_vcs.samples.facts import Facts
from veml_vcs.samples.formats.base import Layout, Parsed, ReadFile, Refusal, Unannotated
from veml_vcs.samples.formats.keys import base_of, folder_of, images_in, join
from veml_vcs.samples.formats.tables import is_beside

NODE_FILES = ("zarr.json", ".zarray", ".zgroup")
"""The file that makes a folder an array or a group."""

METADATA_FILES = frozenset((*NODE_FILES, ".zattrs", ".zmetadata"))
_CHUNK = re.compile(r"c(/\d+)*|c(\.\d+)+|\d+(/\d+)*|\d+(\.\d+)*", re.ASCII)


def nodes_of(keys: Iterable[str]) -> set[str]:
    """Return the folders that are arrays or groups; ``""`` is the data set itself."""
    return {folder_of(key) for key in keys if base_of(key) in NODE_FILES}


def node_of_chunk(key: str, nodes: Collection[str]) -> str | None:
    """Return the array that a file is a chunk of; None if it is none."""
    folder = folder_of(key)
    while folder not in nodes:
        if not folder:
            return None
        folder = folder_of(folder)
    rest = key[len(folder) + 1 :] if folder else key
    return folder if _CHUNK.fullmatch(rest) else None


def metadata_keys(node: str) -> tuple[str, str]:
    """Return where the metadata of an array may lie: version 3, version 2."""
    return join(node, "zarr.json"), join(node, ".zarray")


class Zarr(Unannotated):
    """Folders of Zarr arrays and groups."""

    name = "zarr"
    needs = "a Zarr array or group (zarr.json, .zarray or .zgroup) with chunks"
    kind = ("a Zarr store", "a chunk")

    def recognise(
        self, keys: Sequence[str], read: ReadFile, *, forced: bool = False
    ) -> Layout | Refusal:
        """See ``Format.recognise``."""
        inside = [key for key in keys if not key.startswith("/")]
        nodes = nodes_of(inside)
        if not nodes:
            return Refusal("no zarr.json, .zarray or .zgroup")
        samples = []
        for key in inside:
            if base_of(key) in METADATA_FILES:
                continue
            if node_of_chunk(key, nodes) is not None:
                samples.append(key)
            elif not forced and not is_beside(key):
                return Refusal(f"there are other files, for example {key}")
        if not samples:
            return Refusal("no chunk of an array")
        if not forced and (images := images_in(inside)):
            return Refusal(f"there are images, for example {images[0]}")
        return Layout(self.name, tuple(samples))

    def read(self, layout: Layout, read: ReadFile, only: Collection[str] | None = None) -> Parsed:
        """See ``Format.read``. Nothing is said of a chunk."""
        return Parsed({}, Facts(self.name, "arrays"))
