"""What only the store in a folder has: packs, the index cache, other processes."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from veml_vcs.errors import NotFoundError, StorageError
from veml_vcs.ids import ObjectId, digest
from veml_vcs.objects import Files, LocalObjectStore, ObjectKind
from veml_vcs.objects import pack_folder as pack_folder_module

MANY = 40  # more packs than stay outside of the cache


def fill(folder: Path, packs: int, start: int = 0) -> dict[ObjectId, bytes]:
    """Write batches of three objects."""
    store = LocalObjectStore(folder)
    contents = {}
    for i in range(start, start + packs):
        with store.write() as batch:
            for kind in ObjectKind:
                data = b"%d %d" % (i, kind)
                contents[batch.put(data, kind=kind)] = data
    return contents


def assert_holds(store: LocalObjectStore, contents: dict[ObjectId, bytes]) -> None:
    assert {i: store.get(i) for i in contents} == contents
    assert sorted(store.ids()) == sorted(contents)
    assert len(list(store.ids(ObjectKind.NODE))) == len(contents) // 3


class Reads(Files):
    """Notes which files are opened."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []

    def open(self, path):
        self.opened.append(os.path.basename(path))
        return super().open(path)


def test_nothing_is_made_before_something_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    store = LocalObjectStore(folder)
    assert list(store.ids()) == []
    assert bytes(32) not in store
    with store.write():
        pass
    assert list(store.verify()) == []
    assert not folder.exists()


def test_known_objects_are_not_written_again(tmp_path: Path) -> None:
    contents = fill(tmp_path, 1)
    with LocalObjectStore(tmp_path).write() as batch:
        for data in contents.values():
            batch.put(data)
    assert len(list((tmp_path / "packs").iterdir())) == 1


def test_packs_cannot_be_written_to(tmp_path: Path) -> None:
    fill(tmp_path, 1)
    [pack] = (tmp_path / "packs").iterdir()
    assert pack.stat().st_mode & 0o222 == 0


def test_large_batches_become_several_packs_and_stay_readable(tmp_path: Path) -> None:
    store = LocalObjectStore(tmp_path, pack_bytes=1000)
    contents = [bytes([i]) * 300 for i in range(20)] + [b"large" * 1000]
    with store.write() as batch:
        ids = [batch.put(data) for data in contents]
        assert [batch.get(i) for i in ids] == contents
    packs = list((tmp_path / "packs").iterdir())
    assert len(packs) == 8
    assert sorted(p.stat().st_size > 1000 + 64 * 3 + 56 for p in packs) == [False] * 7 + [True]
    assert [store.get(i) for i in ids] == contents


def test_many_packs_are_opened_through_the_cache_alone(tmp_path: Path) -> None:
    contents = fill(tmp_path, MANY)
    assert (tmp_path / "cache" / "objects").exists()
    assert_holds(LocalObjectStore(tmp_path), contents)
    files = Reads()
    store = LocalObjectStore(tmp_path, files)
    assert next(iter(contents)) in store
    packs_read = [name for name in files.opened if name.endswith(".pack")]
    assert len(packs_read) <= 16
    assert files.opened.count("objects") == 1


def test_one_large_pack_is_cached_too(tmp_path: Path) -> None:
    with LocalObjectStore(tmp_path).write() as batch:
        ids = [batch.put(b"%d" % i) for i in range(5000)]
    assert LocalObjectStore(tmp_path).get(ids[7]) == b"7"
    files = Reads()
    assert ids[8] in LocalObjectStore(tmp_path, files)
    assert files.opened == ["objects"]


def test_a_damaged_cache_is_made_anew(tmp_path: Path) -> None:
    contents = fill(tmp_path, MANY)
    cache = tmp_path / "cache" / "objects"
    sound = cache.read_bytes()
    for damaged in (
        b"",
        b"VEMLIDX1",
        sound[:-1],
        sound + b"\0",
        bytes(len(sound)),
        *(sound[:i] + bytes([sound[i] ^ 4]) + sound[i + 1 :] for i in range(0, len(sound), 97)),
        sound[:8] + b"\xff" * 16 + sound[24:],
    ):
        cache.write_bytes(damaged)
        store = LocalObjectStore(tmp_path)
        assert {i: store.get(i) for i in contents} == contents
        assert cache.read_bytes() != damaged
    assert_holds(LocalObjectStore(tmp_path), contents)


def test_a_cache_that_is_behind_or_ahead(tmp_path: Path) -> None:
    first = fill(tmp_path, MANY)
    behind = (tmp_path / "cache" / "objects").read_bytes()
    second = fill(tmp_path, MANY, start=MANY)
    ahead = (tmp_path / "cache" / "objects").read_bytes()
    (tmp_path / "cache" / "objects").write_bytes(behind)
    assert_holds(LocalObjectStore(tmp_path), first | second)

    (tmp_path / "cache" / "objects").write_bytes(ahead)
    for pack in (tmp_path / "packs").iterdir():
        if not any(i in pack.read_bytes() for i in list(first)[:30]):
            pack.unlink()
    left = dict(list(first.items())[:30])
    assert_holds(LocalObjectStore(tmp_path), left)


@pytest.mark.parametrize("in_the_way", ["file", "folder"])
def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path, in_the_way: str) -> None:
    if in_the_way == "file":
        (tmp_path / "cache").write_bytes(b"not a folder")
    else:
        (tmp_path / "cache" / "objects").mkdir(parents=True)
    assert_holds(LocalObjectStore(tmp_path), fill(tmp_path, MANY))


def test_more_packs_than_maps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contents = fill(tmp_path, 12)
    monkeypatch.setattr(pack_folder_module, "_MAX_MAPS", 3)
    store = LocalObjectStore(tmp_path)
    views = {i: store.view(i) for i in contents}
    assert len(store._packs._mapped) == 3
    assert {i: bytes(v) for i, v in views.items()} == contents
    views.clear()
    store.view(next(iter(contents)))
    assert len(store._packs._mapped) <= 3


def test_other_files_in_the_folder_are_ignored(tmp_path: Path) -> None:
    contents = fill(tmp_path, 1)
    for name in ("README", ".tmp-1-00", "AB" * 32 + ".pack", "ab" * 31 + ".pack", "x.pack"):
        (tmp_path / "packs" / name).write_bytes(b"not mine")
    store = LocalObjectStore(tmp_path)
    assert_holds(store, contents)
    assert list(store.verify()) == []


def test_a_folder_where_a_pack_should_be(tmp_path: Path) -> None:
    (tmp_path / "packs" / ("ab" * 32 + ".pack")).mkdir(parents=True)
    store = LocalObjectStore(tmp_path)
    with pytest.raises(StorageError, match="abab"):
        store.get(ObjectId(bytes(32)))
    [problem] = store.verify()
    assert problem.object_id is None


def test_what_another_store_publishes_is_found_at_once(tmp_path: Path) -> None:
    """However quickly one batch follows the other: a clock has ticks."""
    reader = LocalObjectStore(tmp_path)
    writer = LocalObjectStore(tmp_path)
    assert list(reader.ids()) == []
    for i in range(60):
        with writer.write() as batch:
            object_id = batch.put(b"%d" % i)
        assert reader.get(object_id) == b"%d" % i


def test_what_is_published_within_one_tick_of_the_clock_is_found(tmp_path: Path) -> None:
    contents = fill(tmp_path, 1)
    tick_ns = time.time_ns() + 10**9
    os.utime(tmp_path / "packs", ns=(tick_ns, tick_ns))
    reader = LocalObjectStore(tmp_path)
    assert set(reader.ids()) == set(contents)
    new = next(iter(fill(tmp_path, 1, start=1)))
    os.utime(tmp_path / "packs", ns=(tick_ns, tick_ns))
    assert new in reader


def test_an_object_in_several_packs_is_listed_once(tmp_path: Path) -> None:
    contents = fill(tmp_path / "one", MANY)
    for start in (0, 10):  # packs of six objects: the last ones known, and some of the first
        store = LocalObjectStore(tmp_path / f"other{start}")
        with store.write() as batch:
            for data in list(contents.values())[start : start + 3] + list(contents.values())[-3:]:
                batch.put(data, kind=ObjectKind(int(data.split()[1])))
        [pack] = (tmp_path / f"other{start}" / "packs").iterdir()
        pack.rename(tmp_path / "one" / "packs" / pack.name)
    assert_holds(LocalObjectStore(tmp_path / "one"), contents)


def test_a_miss_in_a_quiet_folder_lists_nothing(tmp_path: Path) -> None:
    fill(tmp_path, 3)
    listed = []

    class Lists(Files):
        def listdir(self, path):
            listed.append(path)
            return super().listdir(path)

    time.sleep(0.05)
    store = LocalObjectStore(tmp_path, Lists())
    for i in range(50):
        with pytest.raises(NotFoundError):
            store.get(ObjectId(digest(b"missing %d" % i)))
    assert len(listed) == 1


WRITER = """
import sys
from veml_vcs.objects import LocalObjectStore
folder, name = sys.argv[1:]
store = LocalObjectStore(folder)
for i in range(20):
    with store.write() as batch:
        batch.put(f"{name} {i}".encode())
    with store.write() as batch:
        batch.put(f"shared {i}".encode() * 9, compress=True)
"""


def test_two_processes_write_twenty_batches_each(tmp_path: Path) -> None:
    children = [
        subprocess.Popen([sys.executable, "-c", textwrap.dedent(WRITER), str(tmp_path), name])
        for name in ("one", "other")
    ]
    reader = LocalObjectStore(tmp_path)
    while any(child.poll() is None for child in children):
        for object_id in reader.ids():
            reader.get(object_id)
    assert [child.returncode for child in children] == [0, 0]
    expected = {f"{name} {i}".encode() for name in ("one", "other") for i in range(20)}
    expected |= {f"shared {i}".encode() * 9 for i in range(20)}
    for store in (reader, LocalObjectStore(tmp_path)):
        assert {store.get(object_id) for object_id in store.ids()} == expected
    assert list(reader.verify()) == []
    assert not list(tmp_path.glob("packs/.tmp-*"))


def test_threads_read_while_one_writes(tmp_path: Path) -> None:
    store = LocalObjectStore(tmp_path)
    known = list(fill(tmp_path, 3))
    failures: list[BaseException] = []
    stop = threading.Event()

    def read() -> None:
        try:
            while not stop.is_set():
                for object_id in list(known):
                    store.get(object_id)
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for i in range(10):
        with store.write() as batch:
            object_id = batch.put(b"while reading %d" % i)
        known.append(object_id)
    stop.set()
    for thread in threads:
        thread.join()
    assert failures == []


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_it_survives_a_fork(tmp_path: Path) -> None:
    contents = fill(tmp_path, 3)
    store = LocalObjectStore(tmp_path)
    view = store.view(next(iter(contents)))
    child = os.fork()
    if not child:
        status = 1
        try:
            sound = {i: store.get(i) for i in contents} == contents
            with store.write() as batch:
                batch.put(b"by the child")
            status = 0 if sound and bytes(view) in contents.values() else 1
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert store.get(ObjectId(digest(b"by the child"))) == b"by the child"
    assert {i: store.get(i) for i in contents} == contents


def test_history_commands_need_no_numpy() -> None:
    code = "import sys, veml_vcs.objects; print({'numpy', 'zarr'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
