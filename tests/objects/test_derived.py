"""Objects stored as what differs from another one: same bytes back, bounded chains, no circles."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import pytest

from veml_vcs.errors import DamagedError, NotFoundError
from veml_vcs.ids import ObjectId, digest
from veml_vcs.objects import LocalObjectStore, MemoryObjectStore, ObjectKind
from veml_vcs.objects.pack import MAX_DEPTH, PackRow, derive, finish, header


def node(random: Random, rows: int = 40) -> list[bytes]:
    return [random.randbytes(70) for _ in range(rows)]


def put(store: LocalObjectStore, data: bytes, base: ObjectId | None = None) -> ObjectId:
    with store.write() as writer:
        return writer.put(data, kind=ObjectKind.NODE, compress=True, base=base)


def pack_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in (folder / "packs").iterdir())


def test_an_edited_node_costs_its_edit_not_itself(tmp_path: Path) -> None:
    store = LocalObjectStore(tmp_path)
    rows = node(Random(1))
    first = put(store, b"".join(rows))
    before = pack_bytes(tmp_path)
    rows[17] = Random(2).randbytes(70)
    second = put(store, b"".join(rows), first)
    assert store.get(second) == b"".join(rows)
    assert pack_bytes(tmp_path) - before < 400  # header, table and trailer are 144 of these
    assert list(store.verify()) == []
    assert store.size(second) == 70 * 40


def test_a_long_history_stays_readable_and_its_chains_short(tmp_path: Path) -> None:
    store = LocalObjectStore(tmp_path)
    random = Random(3)
    rows = node(random)
    ids = [put(store, b"".join(rows))]
    texts = [b"".join(rows)]
    for _ in range(3 * MAX_DEPTH):
        rows[random.randrange(40)] = random.randbytes(70)
        texts.append(b"".join(rows))
        ids.append(put(store, texts[-1], ids[-1]))
    again = LocalObjectStore(tmp_path)
    assert [again.get(one) for one in ids] == texts
    assert max(again._packs.depth(one) for one in ids) == MAX_DEPTH


def test_an_unlike_or_missing_base_is_no_base(tmp_path: Path) -> None:
    store = LocalObjectStore(tmp_path)
    text = Random(4).randbytes(3000)
    other = put(store, Random(5).randbytes(3000))
    found = put(store, text, other)
    lost = put(store, text + b"1", ObjectId(digest(b"nowhere")))
    assert store.get(found) == text
    assert store.get(lost) == text + b"1"
    assert store._packs.depth(found) == 0 == store._packs.depth(lost)


def test_the_id_does_not_depend_on_the_base(tmp_path: Path) -> None:
    rows = node(Random(6))
    local, memory = LocalObjectStore(tmp_path), MemoryObjectStore()
    base = put(local, b"".join(rows))
    rows[0] = bytes(70)
    with memory.write() as writer:
        plain = writer.put(b"".join(rows))
    assert put(local, b"".join(rows), base) == plain


def test_damage_of_the_base_shows_in_what_is_derived_from_it(tmp_path: Path) -> None:
    store = LocalObjectStore(tmp_path)
    rows = node(Random(7))
    base = put(store, b"".join(rows))
    (pack,) = (tmp_path / "packs").iterdir()
    rows[3] = bytes(70)
    derived = put(store, b"".join(rows), base)
    os.chmod(pack, 0o600)
    data = bytearray(pack.read_bytes())
    data[100] ^= 1
    pack.write_bytes(data)
    damaged = LocalObjectStore(tmp_path)
    with pytest.raises(DamagedError):
        damaged.get(derived)
    assert {problem.object_id for problem in damaged.verify()} == {base, derived}


def test_objects_derived_from_each_other_are_refused(tmp_path: Path) -> None:
    """Only a hostile pack holds such a thing; reading it must end."""
    a, b = ObjectId(digest(b"a")), ObjectId(digest(b"b"))
    stored = [derive(b"x", other, b"y", depth) for other, depth in ((b, 0), (a, 0))]
    assert stored[0] is not None
    assert stored[1] is not None
    offset = 16
    rows = []
    for object_id, data in zip((a, b), stored, strict=True):
        rows.append(PackRow(object_id, 1, 2, offset, len(data), 1))
        offset += len(data)
    body = header() + stored[0] + stored[1]
    body += bytes(-len(body) % 8)
    name, end = finish(rows, len(body))
    (tmp_path / "packs").mkdir()
    (tmp_path / "packs" / name).write_bytes(body + end)
    store = LocalObjectStore(tmp_path)
    for one in (a, b):
        with pytest.raises(DamagedError, match="depth"):
            store.get(one)
    assert len(list(store.verify())) == 2


def test_a_chain_is_decoded_once_and_forgotten_with_its_pack(tmp_path: Path) -> None:
    """Seen to fail without ``refresh`` in ``remove_packs``: what is gone was still returned."""
    store = LocalObjectStore(tmp_path)
    rows = node(Random(8))
    ids = [put(store, b"".join(rows))]
    for i in range(5):
        rows[i] = bytes(70)
        ids.append(put(store, b"".join(rows), ids[-1]))
    again = LocalObjectStore(tmp_path)
    reads: list[bytes] = []
    stored = again._packs.stored

    def counted(pack: str, row: PackRow) -> memoryview:
        reads.append(row.object_id)
        return stored(pack, row)

    again._packs.stored = counted  # type: ignore[method-assign]
    assert [digest(again.get(one)) for one in reversed(ids)] == ids[::-1]
    assert len(reads) < 2 * len(ids)  # once as a base, and once more to be checked
    with again.alone():
        again.remove_packs([pack.name for pack in again.packs()])
    with pytest.raises(NotFoundError):
        again.get(ids[0])
    assert ids[0] not in again
