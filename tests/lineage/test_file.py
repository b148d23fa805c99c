"""The file of the graph: damaged in any page, on a disk that is full or read-only.

Seen to fail with the call of ``Database.recover`` taken out (full disk, a whole read), and with
``__exit__`` closing alone (damage). ``make_folder`` in ``sync.database``: the plain clone.
"""

from __future__ import annotations

import resource
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.cli.conftest import Place
from tests.lineage.kit import History, data_record, everything, model_record, training_record
from tests.repository.conftest import isolated
from veml_vcs.errors import DamagedError, StorageError
from veml_vcs.lineage.ask import lineage
from veml_vcs.lineage.check import fault_of
from veml_vcs.lineage.conditions import Condition
from veml_vcs.lineage.graph import VERSIONS
from veml_vcs.lineage.sqlite import values
from veml_vcs.lineage.sqlite.database import FILE
from veml_vcs.lineage.sync import database, sync
from veml_vcs.repository import Repository
from veml_vcs.repository.git.repo import blob_id

__all__ = ["isolated"]


@pytest.fixture
def history(tmp_path: Path, isolated: Path) -> History:
    found = History(tmp_path / "project")
    model = model_record(50)
    files: dict[str, bytes | None] = {"models/m.veml": model}
    for number in range(1, 9):
        files[f"d{number}.veml"] = data = data_record(number)
        files[f"trainings/t{number}.veml"] = training_record(blob_id(data), blob_id(model))
    found.commit(files)
    found.commit({"d1.veml": data_record(9)})
    return found


def test_damage_in_any_page_is_told_once_or_does_not_matter(history: History) -> None:
    """Letters, and the beginnings of pages, which say what a page is."""
    repo, base = history.synced()
    whole = everything(base)
    base.close()
    path = Path(repo.folder) / FILE
    sound = path.read_bytes()
    told = 0
    for place in [*range(0, len(sound), 4096), *range(200, len(sound), 9001)]:
        damaged = bytearray(sound)
        damaged[place : place + 8] = b"\xff\x07\xfe\xff\x00\xff\xfe\xff"
        path.write_bytes(damaged)
        with suppress(DamagedError):  # where it does not matter, it is not seen
            ask_all(repo)
        if not path.exists():
            told += 1
            ask_all(repo)
            with database(repo) as base:
                assert everything(base) == whole
        path.write_bytes(damaged)
        with database(repo) as base:
            sync(repo, base, full=True)
            assert everything(base) == whole
    repo.close()
    assert told > 3


def ask_all(repo: Repository) -> None:
    with lineage(repo) as asked:
        for kind in VERSIONS:
            asked.store.listed(kind)
        asked.around("t1")
        for node in asked.store.listed("data"):
            asked.store.edges_of(node.id)
            asked.store.places(node.id)


@contextmanager
def files_no_larger(size_bytes: int) -> Iterator[None]:
    """Let the system refuse to write more into a file, as a full disk does."""
    _, hard = before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size_bytes", [0, 5000, 60_000])
def test_where_the_disk_is_full_the_answer_is_right_and_not_kept(
    history: History, size_bytes: int
) -> None:
    with Repository(str(history.root)) as repo:
        with files_no_larger(size_bytes), lineage(repo) as asked:
            assert asked.synced.commits == 2
            assert asked.synced.unkept
            assert len(asked.store.listed("data")) == 9
        with lineage(repo) as asked:
            assert (asked.synced.commits, asked.synced.unkept) == (2, None)


def test_what_was_kept_stays_where_the_disk_fills_up(history: History) -> None:
    repo, base = history.synced()
    before = everything(base)
    base.close()
    history.commit({
        f"e{number}.veml": data_record(number, tuple(f"{number}{i}" for i in range(50)))
        for number in range(20, 60)
    })  # fmt: skip
    with database(repo) as base:
        base.connection.execute("PRAGMA max_page_count = 20")
        assert sync(repo, base).unkept == "database or disk is full"
        after = everything(base)
    with database(repo) as base:
        assert everything(base) == before
        assert sync(repo, base).commits == 1
        assert everything(base) == after
    repo.close()


def test_a_plain_clone_keeps_its_graph(history: History, tmp_path: Path) -> None:
    """There is no folder of veml's yet; the graph was in memory, and was read for each question."""
    history.git("clone", "-q", str(history.root), str(tmp_path / "clone"))
    for commits in (2, 0):
        with Repository(str(tmp_path / "clone")) as repo, lineage(repo) as asked:
            assert (asked.synced.commits, asked.synced.unkept) == (commits, None)


def test_another_thing_of_the_name_is_in_the_way_of_no_answer(history: History) -> None:
    with Repository(str(history.root)) as repo:
        path = Path(repo.folder) / FILE
        path.mkdir()
        with lineage(repo) as asked:
            assert asked.synced.unkept == "unable to open database file"
            assert len(asked.store.listed("data")) == 9
        shutil.rmtree(path)


def test_what_was_followed_is_no_damage(history: History) -> None:
    """Seen to fail where a row of neighbours is compared with the zeros at its end."""
    repo, base = history.synced()
    base.close()
    assert fault_of(repo) is None
    history.commit({"d2.veml": data_record(10)})
    assert fault_of(repo) is None
    repo.close()


def test_numbers_that_make_no_sense_are_damage(history: History) -> None:
    """SQLite gives them away as they are. Seen to fail with ``_NONSENSE`` empty."""
    repo, base = history.synced()
    base.connection.execute("UPDATE adjacency SET starts = x'7fffff'")  # a part of a number
    base.close()
    with (
        pytest.raises(DamagedError, match="adjacency is not what its edges say"),
        lineage(repo) as asked,
    ):
        asked.path("t1", "t2")
    with lineage(repo) as asked:
        assert asked.path("t1", "t2") is not None
    repo.close()


def test_a_row_that_is_no_object_is_damage(history: History) -> None:
    """Many are parsed at once. Seen to fail without the count of what comes out."""
    repo, base = history.synced()
    base.close()
    first, second = (
        f"SELECT {which}(key) FROM node WHERE kind = 'data'" for which in ("min", "max")
    )
    for damage in (
        f"UPDATE node SET props = '{{}},{{}}' WHERE key = ({first})",
        f"UPDATE node SET props = CASE key WHEN ({first}) THEN '{{\"a\":[1' ELSE '2]}}' END "
        f"WHERE key IN (({first}), ({second}))",
        f"UPDATE node SET props = '[]' WHERE key = ({second})",
        f"UPDATE node SET props = '' WHERE key = ({first})",
    ):
        with database(repo) as base:
            sync(repo, base)
            base.connection.executescript(damage)
        with pytest.raises(DamagedError, match="was damaged"), lineage(repo) as asked:
            asked.store.listed("data")
        with lineage(repo) as asked:
            assert len(asked.store.listed("data")) == 9
    repo.close()


def test_columns_that_make_no_sense_are_damage(history: History) -> None:
    repo, base = history.synced()
    base.connection.execute("UPDATE said SET numbers = x'7fffff' WHERE name = 'mAP'")
    base.close()
    where = [Condition("mAP", ">", 0.1)]
    with (
        pytest.raises(DamagedError, match="said is not what its versions say"),
        lineage(repo) as asked,
    ):
        asked.store.having((), "training", where)
    with lineage(repo) as asked:
        assert len(asked.store.having((), "training", where)) == 8
    repo.close()


def test_bytes_in_place_of_a_name_are_damage(history: History) -> None:
    """Seen to fail: a TypeError was taken for a bug, since nothing else was wrong."""
    repo, base = history.synced()
    base.connection.execute("UPDATE node SET name = x'ff' WHERE kind = 'training'")
    base.close()
    with (
        pytest.raises(DamagedError, match="bytes for text"),
        lineage(repo) as asked,
    ):
        asked.store.listed("training")
    with lineage(repo) as asked:
        assert len(asked.store.listed("training")) == 8
    repo.close()


@pytest.mark.parametrize("value", ["x'ff'", "1 << 62"])
def test_whatever_a_column_has_is_no_bug(history: History, value: str) -> None:
    """Each column of each table, in all rows: told, or it does not matter.

    Seen to fail: a name of bytes, and edges that lead to bytes or beyond all nodes, ended fsck and
    questions as bugs in veml.
    """
    repo, base = history.synced()
    base.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    columns = base.connection.execute(
        "SELECT t.name, c.name FROM sqlite_master t, pragma_table_info(t.name) c "
        "WHERE t.type = 'table' AND t.sql NOT LIKE '%WITHOUT ROWID%'"
    ).fetchall()
    base.close()
    path = Path(repo.folder) / FILE
    sound = path.read_bytes()
    changed = 0
    for table, column in columns:
        path.write_bytes(sound)
        one = sqlite3.connect(path, isolation_level=None)
        with suppress(sqlite3.IntegrityError):  # a key
            changed += one.execute(f"UPDATE {table} SET {column} = {value}").rowcount
        one.close()
        damaged = path.read_bytes()
        fault_of(repo)
        path.write_bytes(damaged)
        with suppress(DamagedError):
            ask_all(repo)
    assert changed > 15
    repo.close()


def test_an_error_of_ours_is_no_damage(history: History) -> None:
    """It is a bug, and shown as one; the file stays."""
    with Repository(str(history.root)) as repo:
        with (
            pytest.raises(sqlite3.OperationalError, match="no such column"),
            lineage(repo) as asked,
        ):
            asked.store._do("SELECT color FROM node")  # type: ignore[attr-defined]
        assert (Path(repo.folder) / FILE).exists()


def test_an_empty_object_of_gits_is_damage(history: History) -> None:
    """A power cut leaves one. Seen to fail: dulwich's error for it came up as a bug.

    A record is left out, and the rest is there.
    """
    blob = history.git("rev-parse", "HEAD~1:d1.veml")
    place = history.root / ".git/objects" / blob[:2] / blob[2:]
    place.chmod(0o644)
    place.write_bytes(b"")
    with Repository(str(history.root)) as repo, lineage(repo) as asked:
        assert [one.path for one in asked.synced.skipped] == ["d1.veml"]
        assert len(asked.store.listed("data")) == 8


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE node SET props = replace(props, '\"samples\":3', '\"samples\":4')",
        "DELETE FROM edge WHERE kind = 'uses' AND source = (SELECT max(source) FROM edge "
        "WHERE kind = 'uses')",
        "UPDATE tally SET count = 99 WHERE kind = 'data'",
        "UPDATE edge SET target = x'ff' WHERE kind = 'uses' AND source = "
        "(SELECT max(source) FROM edge WHERE kind = 'uses')",
        "UPDATE edge SET target = 1 << 62 WHERE kind = 'uses' AND source = "
        "(SELECT max(source) FROM edge WHERE kind = 'uses')",
        "UPDATE node SET name = x'ff' WHERE kind = 'training'",
        "UPDATE adjacency SET ends = zeroblob(length(ends)) WHERE way = 1",
        "UPDATE adjacency SET groups = x'0000000001000000' WHERE way = 0",
        "UPDATE said SET numbers = zeroblob(length(numbers)) WHERE name = 'mAP'",
        "UPDATE said SET keys = substr(keys, 2) WHERE name = 'task'",
        "DELETE FROM said WHERE kind = 'data' AND name = 'samples'",
        "DELETE FROM place WHERE key = (SELECT max(key) FROM place)",
        "UPDATE place SET chain = x'ff' WHERE key = (SELECT max(key) FROM place)",
        "INSERT INTO link SELECT chain, chain, key, 'far' FROM place",
    ],
)
def test_fsck_sees_what_sqlite_does_not_and_mends_it(
    history: History, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    """A letter that is another: each question was answered, and wrong.

    Seen to fail with node, edge, tally taken out of ``check._TABLES``, and without
    ``says_what_edges_say``, ``says_what_nodes_say`` and ``says_what_commits_reach``.
    """
    repo, base = history.synced()
    whole = everything(base)
    assert fault_of(repo) is None
    base.connection.execute(damage)
    base.close()
    assert fault_of(repo)
    monkeypatch.chdir(history.root)
    place = Place(history.root)
    # The data of these records was never there, which is another thing that it tells.
    assert "damaged lineage" in place.veml("fsck", code=1).out
    assert "made anew" in place.veml("fsck", "--repair", code=1).err
    assert "lineage" not in place.veml("fsck", code=1).out
    with database(repo) as base:
        assert everything(base) == whole
    repo.close()


def test_fsck_takes_columns_of_several_rows_as_sound(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numbers are in order in each row alone; of more than 2,048 keys it told damage."""
    monkeypatch.setattr(values, "CHUNK", 4)
    repo, base = history.synced()
    rows = "SELECT count(*) FROM said WHERE kind = 'data' AND name = 'samples'"
    assert base.connection.execute(rows).fetchone() > (2,)
    base.close()
    assert fault_of(repo) is None
    repo.close()


def test_an_sqlite_that_is_too_old_is_told(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to fail without the question: a syntax error, which was taken for a bug."""
    monkeypatch.setattr("sqlite3.sqlite_version_info", (3, 34, 1))
    with Repository(str(history.root)) as repo, pytest.raises(StorageError, match=r"3\.35 or"):
        database(repo)
