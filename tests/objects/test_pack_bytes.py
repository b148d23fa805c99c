"""The bytes of a pack, and packs that are not as they should be."""

from __future__ import annotations

import hashlib
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from veml_vcs.errors import DamagedError
from veml_vcs.ids import ObjectId, digest
from veml_vcs.objects import LocalObjectStore, ObjectKind
from veml_vcs.objects.pack import PackRow, finish, header


def craft(folder: Path, body: bytes, rows: list[PackRow]) -> LocalObjectStore:
    """Make a store of one pack that says what we want, with sound checksums."""
    start = header() + body
    start += bytes(-len(start) % 8)
    name, end = finish(rows, len(start))
    packs = folder / "packs"
    packs.mkdir(exist_ok=True)
    (packs / name).write_bytes(start + end)
    return LocalObjectStore(folder)


def deflated(data: bytes) -> bytes:
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    return stream.compress(data) + stream.flush()


def test_every_byte_is_as_specified(tmp_path: Path) -> None:
    store = LocalObjectStore(tmp_path)
    node = b"node " * 40
    with store.write() as batch:
        ids = [
            batch.put(b"chunk"),
            batch.put(node, kind=ObjectKind.NODE, compress=True),
            batch.put(b"fragment", kind=ObjectKind.FRAGMENT, compress=True),
        ]
    [path] = (tmp_path / "packs").iterdir()
    data = path.read_bytes()
    assert data[:21] == b"VEMLPACK" + struct.pack("<II", 1, 0) + b"chunk"
    offset, count, checksum, magic = struct.unpack("<QQ32s8s", data[-56:])
    table = data[offset:-56]
    assert (count, len(table), offset % 8, magic) == (3, 3 * 64, 0, b"VEMLTAIL")
    assert checksum == hashlib.sha256(data[:16] + table).digest()
    assert path.name == f"{checksum.hex()}.pack"
    rows = [struct.unpack("<32sBB6sQQQ", table[i : i + 64]) for i in range(0, len(table), 64)]
    assert [row[0] for row in rows] == sorted(ids)
    by_id = {row[0]: row[1:] for row in rows}
    assert by_id[ids[0]] == (0, 0, bytes(6), 16, 5, 5)
    kind, encoding, reserved, at, stored, decoded = by_id[ids[1]]
    assert (kind, encoding, reserved, at, decoded) == (1, 1, bytes(6), 21, len(node))
    assert zlib.decompress(data[at : at + stored], -15) == node
    # What does not get shorter stays raw, and raw is aligned.
    assert by_id[ids[2]][:2] == (2, 0)
    assert by_id[ids[2]][3] % 8 == 0


def test_mapped_arrays_are_aligned(tmp_path: Path) -> None:
    store = LocalObjectStore(tmp_path)
    with store.write() as batch:
        for i in range(20):
            batch.put(b"x" * i)
            batch.put(b"deflated" * i, compress=True)
            batch.put(memoryview(np.arange(i, dtype=np.int64)))
    for object_id in store.ids():
        view = store.view(object_id)
        if len(view) % 8 == 0 and len(view) and bytes(view[:8]) == bytes(8):
            assert np.frombuffer(view, np.int64).flags.aligned


def test_the_same_batch_gives_the_same_pack(tmp_path: Path) -> None:
    for name in ("one", "other"):
        with LocalObjectStore(tmp_path / name).write() as batch:
            batch.put(b"a" * 100, compress=True)
            batch.put(b"b")
    [one], [other] = ((tmp_path / n / "packs").iterdir() for n in ("one", "other"))
    assert one.name == other.name
    assert one.read_bytes() == other.read_bytes()


def test_a_newer_pack_is_named(tmp_path: Path) -> None:
    data_id = ObjectId(digest(b"data"))
    store = craft(tmp_path, b"data", [PackRow(data_id, 0, 0, 16, 4, 4)])
    [path] = (tmp_path / "packs").iterdir()
    data = bytearray(path.read_bytes())
    data[8] = 2
    checksum = hashlib.sha256(data[:16] + data[-56 - 64 : -56]).digest()
    data[-40:-8] = checksum
    path.unlink()
    path.with_name(f"{checksum.hex()}.pack").write_bytes(data)
    with pytest.raises(DamagedError, match="newer format") as caught:
        store.get(data_id)
    assert caught.value.kind == "newer-format"
    assert caught.value.hint == "install a newer veml"


def test_a_flipped_version_is_damage_and_no_newer_format(tmp_path: Path) -> None:
    """Seen to fail without ``_is_ours``: "install a newer veml"."""
    data_id = ObjectId(digest(b"data"))
    store = craft(tmp_path, b"data", [PackRow(data_id, 0, 0, 16, 4, 4)])
    [path] = (tmp_path / "packs").iterdir()
    data = bytearray(path.read_bytes())
    data[8] ^= 2
    path.chmod(0o644)
    path.write_bytes(data)
    with pytest.raises(DamagedError, match="has version 3, expected 1") as caught:
        store.get(data_id)
    assert caught.value.kind != "newer-format"


def test_a_newer_encoding_is_named_and_hurts_only_its_object(tmp_path: Path) -> None:
    new, old = ObjectId(digest(b"new")), ObjectId(digest(b"old"))
    store = craft(
        tmp_path, b"new\0\0\0\0\0old", [PackRow(new, 0, 7, 16, 3, 3), PackRow(old, 0, 0, 24, 3, 3)]
    )
    for read in (store.get, store.view):
        with pytest.raises(DamagedError, match="has encoding 7") as caught:
            read(new)
        assert caught.value.kind == "newer-format"
        assert read(old) == b"old"
    assert [problem.object_id for problem in store.verify()] == [new]


@pytest.mark.parametrize(
    ("offset", "stored"),
    [(0, 4), (16, 10_000), (2**63, 4), (2**64 - 1, 4), (16, 2**64 - 1), (1 << 40, 1 << 40)],
)
def test_places_outside_of_the_file(tmp_path: Path, offset: int, stored: int) -> None:
    lost, sound = ObjectId(digest(b"lost")), ObjectId(digest(b"sound"))
    store = craft(
        tmp_path,
        b"sound",
        [PackRow(lost, 0, 0, offset, stored, stored), PackRow(sound, 0, 0, 16, 5, 5)],
    )
    for read in (store.get, store.view):
        with pytest.raises(DamagedError, match="outside"):
            read(lost)
        assert read(sound) == b"sound"
    assert [problem.object_id for problem in store.verify()] == [lost]


def test_overlapping_objects_are_reported(tmp_path: Path) -> None:
    long, short = ObjectId(digest(b"abcd")), ObjectId(digest(b"cd"))
    store = craft(
        tmp_path, b"abcd", [PackRow(long, 0, 0, 16, 4, 4), PackRow(short, 0, 0, 18, 2, 2)]
    )
    assert [problem.object_id for problem in store.verify()] == [short]
    assert store.get(short) == b"cd"


@pytest.mark.parametrize("claimed", [0, 10, (1 << 20) - 1, (1 << 20) + 1, 1 << 40, 2**64 - 1])
def test_the_table_bounds_what_is_inflated(tmp_path: Path, claimed: int) -> None:
    bomb = deflated(bytes(1 << 20))
    object_id = ObjectId(digest(bytes(1 << 20)))
    store = craft(tmp_path, bomb, [PackRow(object_id, 0, 1, 16, len(bomb), claimed)])
    for read in (store.get, store.view):
        with pytest.raises(DamagedError, match=f"inflates to|cannot hold {claimed}"):
            read(object_id)


@pytest.mark.parametrize(
    "stream",
    [b"", b"\xff" * 20, deflated(b"data")[:-1], deflated(b"data") + b"more", deflated(b"else")],
    ids=["empty", "garbage", "cut", "more", "other"],
)
def test_streams_that_do_not_inflate(tmp_path: Path, stream: bytes) -> None:
    object_id = ObjectId(digest(b"data"))
    store = craft(tmp_path, stream, [PackRow(object_id, 0, 1, 16, len(stream), 4)])
    for read in (store.get, store.view):
        with pytest.raises(DamagedError, match=object_id.hex()):
            read(object_id)


def test_raw_lengths_must_agree(tmp_path: Path) -> None:
    object_id = ObjectId(digest(b"data"))
    store = craft(tmp_path, b"data", [PackRow(object_id, 0, 0, 16, 4, 5)])
    for read in (store.get, store.view):
        with pytest.raises(DamagedError, match="5 bytes lies in 4"):
            read(object_id)


@pytest.mark.parametrize(
    ("offset", "count"), [(0, 1), (2**63, 1), (2**64 - 1, 2**64 - 1), (24, 2), (24, 0), (16, 1)]
)
def test_trailers_that_contradict_the_file(tmp_path: Path, offset: int, count: int) -> None:
    object_id = ObjectId(digest(b"data"))
    store = craft(tmp_path, b"data", [PackRow(object_id, 0, 0, 16, 4, 4)])
    [path] = (tmp_path / "packs").iterdir()
    data = path.read_bytes()
    path.write_bytes(data[:-56] + struct.pack("<QQ", offset, count) + data[-40:])
    with pytest.raises(DamagedError, match=f"a table of {count} rows at {offset} does not end"):
        store.get(object_id)


def test_what_is_no_pack_is_told_from_a_damaged_one(tmp_path: Path) -> None:
    (tmp_path / "packs").mkdir()
    path = tmp_path / "packs" / ("ab" * 32 + ".pack")
    for content, message in (
        (b"", "0 bytes, expected at least 72"),
        (b"PK\3\4 zip" * 50, "begins with b'PK"),
        (b"VEMLPACK" + bytes(500), "has version 0, expected 1"),
        (header() + bytes(500), "ends with b'.*cut short"),
    ):
        path.write_bytes(content)
        with pytest.raises(DamagedError, match=message):
            LocalObjectStore(tmp_path).get(ObjectId(bytes(32)))


def test_ids_that_begin_alike(tmp_path: Path) -> None:
    """No two SHA-256 known begin alike, so these objects are not what their ids say."""
    ids = [ObjectId(bytes(31) + bytes([i])) for i in range(4)]
    rows = [PackRow(ids[i], 0, 0, 16 + 8 * i, 8, 8) for i in range(3)]
    store = craft(tmp_path, b"object 0object 1object 2", rows)
    assert [bytes(store.view(i)) for i in ids[:3]] == [b"object 0", b"object 1", b"object 2"]
    assert ids[3] not in store
    assert sorted(store.ids()) == ids[:3]


def test_unknown_kinds_are_kept(tmp_path: Path) -> None:
    object_id = ObjectId(digest(b"data"))
    store = craft(tmp_path, b"data", [PackRow(object_id, 200, 0, 16, 4, 4)])
    assert list(store.ids()) == [object_id]
    assert list(store.ids(ObjectKind.CHUNK)) == []
    assert store.get(object_id) == b"data"
