"""docs/format.md against the bytes on disk, read without veml: struct, zlib, json, git and zarr.

What is written here follows the page and no module of veml; where the two disagree, one of them is
wrong. ``Repository`` is a reader that knows the page alone.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
import shutil
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from zarr.core.buffer import default_buffer_prototype
from zarr.storage import MemoryStore

ROOT = Path(__file__).resolve().parents[2]
VEML = [str(Path(sys.executable).with_name("veml"))]
CHUNK, NODE, MANIFEST = range(3)


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


@dataclass(frozen=True)
class Row:
    """A row of a pack's table."""

    id: bytes
    kind: int
    encoding: int
    offset: int
    stored: int
    decoded: int


class Repository:
    """Reads a repository by docs/format.md.

    Args:
        root: Its folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.packs = {path: path.read_bytes() for path in sorted(root.glob(".git/veml/packs/*"))}
        self.objects: dict[bytes, tuple[Row, bytes]] = {}
        for data in self.packs.values():
            self.objects.update((row.id, (row, data)) for row in self.table(data))

    @staticmethod
    def table(data: bytes) -> list[Row]:
        offset, rows = struct.unpack_from("<QQ", data, len(data) - 56)
        table = data[offset : offset + 64 * rows]
        return [
            Row(*struct.unpack("<32sBB6xQQQ", table[i : i + 64])) for i in range(0, len(table), 64)
        ]

    def read(self, name: bytes) -> bytes:
        row, data = self.objects[name]
        raw = data[row.offset : row.offset + row.stored]
        if row.encoding == 1:
            raw = zlib.decompressobj(-15).decompress(raw)
        elif row.encoding == 2:
            base = self.read(raw[1:33])
            raw = zlib.decompressobj(-15, zdict=base).decompress(raw[33:])
        assert len(raw) == row.decoded
        return raw

    def depth(self, name: bytes) -> int:
        row, data = self.objects[name]
        return data[row.offset] if row.encoding == 2 else 0

    def fragments(self) -> Iterator[zarr.Group]:
        """Open each fragment with zarr: the manifest's keys in a store of its own."""
        for name, (row, _) in self.objects.items():
            if row.kind == MANIFEST:
                yield self.group(json.loads(self.read(name)))

    def group(self, manifest: dict[str, dict[str, Any]]) -> zarr.Group:
        store = MemoryStore()
        make = default_buffer_prototype().buffer.from_bytes

        async def fill() -> None:
            for key, value in manifest.items():
                if "inline" in value:
                    data = value["inline"].encode()
                else:
                    data = self.read(bytes.fromhex(value["object"]))
                    assert len(data) == value["bytes"]
                await store.set(key, make(data))

        asyncio.run(fill())
        return zarr.open_group(store, mode="r")

    def entries(self, root: bytes) -> dict[bytes, tuple[int, bytes | None, bytes | None, int]]:
        """Return key -> flags, content id, annotation id, size of all entries below a node."""
        data = self.read(root)
        if data[:4] == b"VTN1":
            found: dict[bytes, tuple[int, bytes | None, bytes | None, int]] = {}
            for child in self.children(data):
                found |= self.entries(child)
            return found
        assert data[:4] == b"VTL1"
        (count,) = struct.unpack_from("<I", data, 4)
        flags = data[8 : 8 + count]
        lengths = struct.unpack_from(f"<{count}H", data, 8 + count)
        sizes = struct.unpack_from(f"<{count}Q", data, 8 + 3 * count)
        place = 8 + 11 * count
        keys = []
        for length in lengths:
            keys.append(data[place : place + length])
            place += length
        ids: list[list[bytes | None]] = []
        for has in (lambda one: one & 3 != 3, lambda one: one & 4):
            column: list[bytes | None] = []
            for one in flags:
                column.append(data[place : place + 32] if has(one) else None)
                place += 32 if has(one) else 0
            ids.append(column)
        assert place == len(data)
        return {key: (flags[i], ids[0][i], ids[1][i], sizes[i]) for i, key in enumerate(keys)}

    @staticmethod
    def children(data: bytes) -> list[bytes]:
        (count,) = struct.unpack_from("<I", data, 4)
        lengths = struct.unpack_from(f"<{count}H", data, 12)
        start = 12 + 26 * count + sum(lengths)
        assert len(data) == start + 32 * count
        return [data[i : i + 32] for i in range(start, len(data), 32)]

    def git(self, *arguments: str) -> str:
        run = ["git", "-C", str(self.root), *arguments]
        return subprocess.run(run, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Two real data sets, one of them in two versions."""
    root = tmp_path_factory.mktemp("format")

    def run(*command: str) -> None:
        subprocess.run(command, cwd=root, check=True, capture_output=True)

    run(*VEML, "init")
    run("git", "config", "user.name", "A")
    run("git", "config", "user.email", "a@example.org")
    shutil.copytree(ROOT / "demo/data/carla_town01", root / "drive")
    shutil.copytree(ROOT / "demo/data/bccd", root / "cells")
    (root / "drive/run.sh").write_text("#!/bin/sh\n")
    (root / "drive/run.sh").chmod(0o755)
    run(*VEML, "add", "drive", "cells")
    run(*VEML, "commit", "-m", "one")
    for label in sorted((root / "drive/Annotations").iterdir())[:3]:
        label.write_bytes(label.read_bytes().replace(b"<truncated>0<", b"<truncated>1<"))
    run(*VEML, "commit", "-am", "two")
    return Repository(root)


def test_format_file(repository: Repository) -> None:
    assert json.loads((repository.root / ".git/veml/format").read_text()) == {"format": 1}


def test_packs(repository: Repository) -> None:
    """Section 2: header, places of objects, table, trailer, name."""
    assert repository.packs
    for path, data in repository.packs.items():
        assert data[:16] == b"VEMLPACK" + struct.pack("<I", 1) + bytes(4)
        offset, count, digest, tail = struct.unpack("<QQ32s8s", data[-56:])
        table = data[offset : offset + 64 * count]
        assert offset + 64 * count + 56 == len(data)
        assert offset % 8 == 0
        assert tail == b"VEMLTAIL"
        assert digest == sha(data[:16] + table)
        assert path.name == digest.hex() + ".pack"
        rows = repository.table(data)
        assert [row.id for row in rows] == sorted({row.id for row in rows})
        end = 16
        for row in sorted(rows, key=lambda one: one.offset):
            assert row.kind in (CHUNK, NODE, MANIFEST)
            if row.encoding == 0:
                assert row.offset % 8 == 0
                assert not any(data[end : row.offset])
            else:
                assert row.offset == end
            end = row.offset + row.stored
        assert not any(data[end:offset])
        assert offset - end < 8


def test_objects_are_named_by_their_digest(repository: Repository) -> None:
    for name in repository.objects:
        assert sha(repository.read(name)) == name
    derived = [n for n, (row, _) in repository.objects.items() if row.encoding == 2]
    assert derived, "an edit of a few boxes derives nodes from those before"
    for name in derived:
        row, data = repository.objects[name]
        base = data[row.offset + 1 : row.offset + 33]
        assert 1 <= repository.depth(name) <= 8
        assert repository.depth(base) < repository.depth(name)


def records(repository: Repository) -> dict[str, dict[str, Any]]:
    names = [n for n in repository.git("ls-files").splitlines() if n.endswith(".veml")]
    return {n: json.loads((repository.root / n).read_text()) for n in names}


def test_records(repository: Repository) -> None:
    """Section 6: sorted keys, a line for each key and for each item below it."""
    found = records(repository)
    assert sorted(found) == ["cells.veml", "drive.veml"]
    for name, record in found.items():
        text = (repository.root / name).read_text()
        assert list(record) == sorted(record)
        assert text.endswith("}\n")
        lines = text.splitlines()
        for key, value in record.items():
            (first,) = (i for i, line in enumerate(lines) if line.startswith(f' "{key}": '))
            if isinstance(value, list | dict) and value:
                items = lines[first + 1 : first + 1 + len(value)]
                assert all(line.startswith("  ") for line in items), key
                assert lines[first + 1 + len(value)].lstrip()[0] in "]}"
        assert (record["veml"], record["kind"]) == (1, "data")
        assert {"tree", "format", "task", "samples", "files", "objects", "bytes"} <= record.keys()


def test_trees_list_the_folder(repository: Repository) -> None:
    """Sections 4 and 5: keys, kinds, sizes, execute bits, sample ids; sums; where nodes are cut."""
    for name, record in records(repository).items():
        folder = repository.root / name.removesuffix(".veml")
        entries = repository.entries(bytes.fromhex(record["tree"]))
        files = {
            str(one.relative_to(folder)).encode(): one for one in folder.rglob("*") if one.is_file()
        }
        assert list(entries) == sorted(files)
        for key, (flags, content, annotation, size) in entries.items():
            data = files[key].read_bytes()
            assert content == sha(data)
            assert size == len(data)
            assert bool(flags & 8) == bool(files[key].stat().st_mode & 0o100)
            assert (flags & 3 == 1) == (files[key].suffix == ".jpg")
            assert bool(flags & 4) == (annotation is not None)
        assert record["samples"] == sum(one[0] & 3 == 1 for one in entries.values())
        assert record["files"] == sum(one[0] & 3 == 2 for one in entries.values())
        assert record["bytes"] == sum(one[3] for one in entries.values())
        check_cuts(repository, bytes.fromhex(record["tree"]))


def check_cuts(repository: Repository, root: bytes) -> None:
    """Compare the tree with one that is cut anew from its sorted keys."""

    def cut(keys: list[bytes], shift: int) -> list[int]:
        ends = []
        start = 0
        for i, key in enumerate(keys):
            (number,) = struct.unpack("<Q", sha(key)[:8])
            if (number >> shift) & 31 == 0 or i + 1 - start == 1024 or i + 1 == len(keys):
                ends.append(i + 1)
                start = i + 1
        return ends

    data = repository.read(root)
    leaves, layers = [root], []
    while repository.read(leaves[0])[:4] == b"VTN1":
        layers.append(leaves)
        leaves = [child for node in leaves for child in repository.children(repository.read(node))]
    assert len(layers) == (data[8] if data[:4] == b"VTN1" else 0)
    keys = list(repository.entries(root))
    held = [list(repository.entries(leaf)) for leaf in leaves]
    assert list(map(len, held)) == np.diff([0, *cut(keys, 0)]).tolist()
    last = [one[-1] for one in held]
    for level, nodes in enumerate(reversed(layers), 1):
        widths = [len(repository.children(repository.read(node))) for node in nodes]
        assert widths == np.diff([0, *cut(last, 5 * level)]).tolist()
        assert {repository.read(node)[8] for node in nodes} == {level}
        last = [last[sum(widths[: i + 1]) - 1] for i in range(len(widths))]
    assert len(layers) == 0 or len(layers[0]) == 1


def test_fragments_are_zarr_groups(repository: Repository) -> None:
    """Section 3: attributes, arrays, grids, codecs; every payload hashes to its row's id."""
    kinds: dict[str, int] = {}
    contents: dict[bytes, bytes] = {}
    for group in repository.fragments():
        about = dict(group.attrs["veml"])
        kinds[about["kind"]] = kinds.get(about["kind"], 0) + 1
        assert about["version"] == 1
        ids = np.asarray(group["id"][:])
        assert ids.shape == (about["rows"], 32)
        for _, array in group.arrays():
            codecs = [type(one).__name__ for one in array.metadata.codecs]
            assert codecs in (["BytesCodec"], ["BytesCodec", "ZstdCodec"])
            assert array.chunks[1:] == array.shape[1:], "cut along the first axis alone"
        if about["kind"] == "content":
            assert about["layout"] in ("raw", "text")
            payload, offsets = np.asarray(group["payload"][:]), np.asarray(group["offsets"][:])
            assert offsets.dtype == np.int64
            assert len(offsets) == about["rows"] + 1
            for i, name in enumerate(ids):
                one = payload[offsets[i] : offsets[i + 1]].tobytes()
                assert sha(one) == name.tobytes()
                contents[name.tobytes()] = one
    assert kinds.keys() == {"content", "annotations"}
    for record in records(repository).values():
        for _, content, _, size in repository.entries(bytes.fromhex(record["tree"])).values():
            assert content is not None
            assert len(contents[content]) == size


def test_annotations_hash_to_their_ids(repository: Repository) -> None:
    """Sections 3 and 4: put together from the columns, written canonically, hashed."""
    known: dict[bytes, dict[str, Any]] = {}
    for group in repository.fragments():
        about = dict(group.attrs["veml"])
        if about["kind"] != "annotations":
            continue
        ids = np.asarray(group["id"][:])
        cuts, listed = np.asarray(group["objects"][:]), np.asarray(group["listed"][:])
        images = table(group, "image", about["rows"])
        objects = table(group, "object", int(cuts[-1]))
        for i, name in enumerate(ids):
            said = images[i]
            if listed[i]:
                said["objects"] = objects[cuts[i] : cuts[i + 1]]
            assert sha(canonical(said)) == name.tobytes()
            known[name.tobytes()] = said
    for record in records(repository).values():
        entries = repository.entries(bytes.fromhex(record["tree"])).values()
        said = [known[annotation] for _, _, annotation, _ in entries if annotation is not None]
        assert sum(len(one.get("objects", ())) for one in said) == record["objects"]


def table(group: zarr.Group, name: str, rows: int) -> list[dict[str, Any]]:
    """Return the rows of the ``image`` or ``object`` table."""
    found: list[dict[str, Any]] = [{} for _ in range(rows)]
    for column in dict(group.attrs["veml"])[name]:
        present = np.ones(rows, bool)
        if column.get("partial"):
            present = np.asarray(group[column["array"] + ".present"][:]).astype(bool)
        values = np.asarray(group[column["array"]][:])
        if column["kind"] == "word":
            values = [column["words"][one] for one in values.tolist()]
        elif column["kind"] == "json":
            offsets = np.asarray(group[column["array"] + ".offsets"][:]).tolist()
            texts = [values[a:b].tobytes() for a, b in itertools.pairwise(offsets)]
            values = [json.loads(one) for one in texts]
        else:
            values = values.tolist()
        for row, value in zip(np.flatnonzero(present).tolist(), values, strict=True):
            found[row][column["field"]] = value
    return found


def canonical(value: Any) -> bytes:
    """Return RFC 8785 JSON of what these data sets hold: no number beyond 1e15, ASCII names."""

    def plain(one: Any) -> Any:
        if isinstance(one, float) and one.is_integer():
            return int(one)
        if isinstance(one, list):
            return [plain(item) for item in one]
        if isinstance(one, dict):
            return {key: plain(item) for key, item in one.items()}
        return one

    text = json.dumps(plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def test_version_ids_are_gits_blob_ids(repository: Repository) -> None:
    """Section 6: the id of a record is what Git calls its blob; equal content, equal record."""
    for name in records(repository):
        data = (repository.root / name).read_bytes()
        blob = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
        assert repository.git("rev-parse", f"HEAD:{name}").strip() == blob
    other = repository.root.parent / "other"
    for folder in ("drive", "cells"):
        shutil.copytree(repository.root / folder, other / folder)
    for command in (["init", "."], ["add", "cells"], ["add", "drive"]):
        subprocess.run([*VEML, *command], cwd=other, check=True, capture_output=True)
    for name in records(repository):
        assert (other / name).read_bytes() == (repository.root / name).read_bytes()
