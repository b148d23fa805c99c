"""Damaged packs: what is wrong is named, and the rest can still be read."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from veml_vcs.errors import DamagedError, NotFoundError
from veml_vcs.ids import ObjectId, digest
from veml_vcs.objects import LocalObjectStore, ObjectKind


@dataclass(frozen=True)
class Pristine:
    folder: Path
    pack: Path
    data: bytes
    contents: dict[ObjectId, bytes]

    @property
    def table_offset(self) -> int:
        return int(struct.unpack("<Q", self.data[-56:-48])[0])

    def owner(self, offset: int) -> tuple[ObjectId | None, bool]:
        """Return the object that a byte belongs to, and whether that is deflated."""
        for at in range(self.table_offset, len(self.data) - 56, 64):
            row = struct.unpack("<32sBB6xQQQ", self.data[at : at + 64])
            if row[3] <= offset < row[3] + row[4]:
                return ObjectId(row[0]), row[2] == 1
        return None, False

    def damaged(self, data: bytes | bytearray) -> LocalObjectStore:
        """Return a store, opened anew, whose pack holds ``data``."""
        self.pack.unlink(missing_ok=True)
        self.pack.write_bytes(data)
        return LocalObjectStore(self.folder)


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Pristine:
    folder = tmp_path_factory.mktemp("pristine")
    contents = {}
    with LocalObjectStore(folder).write() as batch:
        for data in (b"", b"short", bytes(range(256)), b"seventeen bytes ."):
            contents[batch.put(data)] = data
        for i in range(4):
            data = b"%d: words that are said again, " % i * (3 * i + 2)
            contents[batch.put(data, kind=ObjectKind.NODE, compress=True)] = data
    [pack] = (folder / "packs").iterdir()
    return Pristine(folder, pack, pack.read_bytes(), contents)


def read_all(store: LocalObjectStore, contents: dict[ObjectId, bytes]) -> set[ObjectId]:
    """Return the objects that cannot be read; the others must be what they were."""
    lost = set()
    for object_id, data in contents.items():
        try:
            assert store.get(object_id) == data
        except DamagedError as error:
            if ".pack" not in str(error) or object_id.hex() not in str(error):
                raise
            lost.add(object_id)
    return lost


def check_flip(pristine: Pristine, offset: int, mask: int) -> None:
    flipped = bytearray(pristine.data)
    flipped[offset] ^= mask
    store = pristine.damaged(flipped)
    owner, is_deflated = pristine.owner(offset)
    problems = list(store.verify())
    lost = read_all(store, pristine.contents)
    if 16 <= offset < pristine.table_offset:
        assert lost <= {owner}
        assert {p.object_id for p in problems} <= {owner}
        # A bit of a stream may be free to choose; then nothing has changed for any reader.
        assert is_deflated or problems
        assert bool(lost) == bool(problems) or owner is None
    else:
        assert lost == set(pristine.contents)
        assert [(p.pack, p.object_id) for p in problems] == [(str(pristine.pack), None)]


@settings(max_examples=100, deadline=None)
@given(draw=st.data())
def test_a_flipped_byte_is_noticed(pristine: Pristine, draw: st.DataObject) -> None:
    offset = draw.draw(st.integers(0, len(pristine.data) - 1))
    check_flip(pristine, offset, draw.draw(st.integers(1, 255)))


def test_each_byte_flipped_is_noticed(pristine: Pristine) -> None:
    for offset in range(len(pristine.data)):
        check_flip(pristine, offset, 1 << offset % 8)


@settings(max_examples=60, deadline=None)
@given(draw=st.data())
def test_a_pack_cut_short_is_noticed(pristine: Pristine, draw: st.DataObject) -> None:
    length = draw.draw(st.integers(0, len(pristine.data) - 1))
    store = pristine.damaged(pristine.data[:length])
    assert read_all(store, pristine.contents) == set(pristine.contents)
    [problem] = store.verify()
    assert problem.object_id is None


def test_a_pack_with_more_at_its_end_is_noticed(pristine: Pristine) -> None:
    store = pristine.damaged(pristine.data + b"\0")
    assert read_all(store, pristine.contents) == set(pristine.contents)
    assert len(list(store.verify())) == 1


def test_a_pack_under_a_false_name_is_noticed(tmp_path: Path, pristine: Pristine) -> None:
    (tmp_path / "packs").mkdir()
    (tmp_path / "packs" / ("ab" * 32 + ".pack")).write_bytes(pristine.data)
    store = LocalObjectStore(tmp_path)
    with pytest.raises(DamagedError, match=f"that of {pristine.pack.name}"):
        store.get(next(iter(pristine.contents)))
    [problem] = store.verify()
    assert pristine.pack.name in problem.what


def test_a_damaged_pack_does_not_hide_the_others(tmp_path: Path) -> None:
    store = LocalObjectStore(tmp_path)
    with store.write() as batch:
        first = batch.put(b"first")
    [pack] = (tmp_path / "packs").iterdir()
    with store.write() as batch:
        second = batch.put(b"second")
    pack.chmod(0o644)
    pack.write_bytes(b"no pack at all")
    store = LocalObjectStore(tmp_path)
    assert store.get(second) == b"second"
    assert list(store.ids()) == [second]
    assert first not in store
    with pytest.raises(DamagedError, match=pack.name):
        store.get(first)
    # What is lost can be put again.
    with store.write() as batch:
        assert batch.put(b"first") == first
    assert store.get(first) == b"first"


def test_a_sound_copy_serves_for_a_damaged_one(tmp_path: Path) -> None:
    store = LocalObjectStore(tmp_path)
    with store.write() as one, store.write() as other:
        shared = one.put(b"shared")
        other.put(b"other")
        other.put(b"shared")
    for pack in sorted((tmp_path / "packs").iterdir()):
        data = pack.read_bytes()
        pack.chmod(0o644)
        pack.write_bytes(data.replace(b"shared", b"shaved"))
        assert len(list(store.verify())) == 1
        assert LocalObjectStore(tmp_path).get(shared) == b"shared"
        pack.write_bytes(data)


def test_a_pack_replaced_by_a_sound_copy_is_noticed(pristine: Pristine) -> None:
    flipped = bytearray(pristine.data)
    object_id = ObjectId(digest(bytes(range(256))))
    flipped[pristine.data.index(bytes(range(256))) + 7] ^= 1
    store = pristine.damaged(flipped)
    with pytest.raises(DamagedError):
        store.get(object_id)
    pristine.damaged(pristine.data)
    store.refresh()
    assert store.get(object_id) == bytes(range(256))


def test_a_pack_that_went_away(pristine: Pristine) -> None:
    store = pristine.damaged(pristine.data)
    object_id = ObjectId(digest(b"short"))
    assert object_id in store
    pristine.pack.unlink()
    with pytest.raises(NotFoundError):
        store.get(object_id)
    assert object_id not in store
    assert list(store.verify()) == []


def test_view_does_not_check_a_raw_object_but_get_does(pristine: Pristine) -> None:
    store = pristine.damaged(pristine.data.replace(b"seventeen", b"eighteen."))
    object_id = ObjectId(digest(b"seventeen bytes ."))
    assert store.view(object_id) == b"eighteen. bytes ."
    with pytest.raises(DamagedError):
        store.get(object_id)
