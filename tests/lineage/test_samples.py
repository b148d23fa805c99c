"""Which data versions have a sample: the index says what each would say that is asked.

Seen to fail with one mark of a change instead of two, with spreading through versions that have
the mark, with what was unread taken for what has no sample, with ``unlooked`` not written by a
sync, with bases that stand after what is compared with them (both looks), and (two fillers)
without the look at what others wrote.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.lineage.kit import ZERO, History, data_record
from tests.lineage.test_file import files_no_larger
from tests.repository.conftest import isolated
from tests.samples.tree.test_tree_build import sample, shape
from veml_vcs.errors import DamagedError, NotFoundError
from veml_vcs.ids import ObjectId, SampleId, TreeId
from veml_vcs.lineage import samples
from veml_vcs.lineage.ask import Impact, RepositoryLineage, lineage
from veml_vcs.lineage.check import fault_of, made_anew
from veml_vcs.lineage.sqlite import contents
from veml_vcs.lineage.sqlite.database import Database
from veml_vcs.lineage.sync import database, sync
from veml_vcs.objects import MemoryObjectStore
from veml_vcs.objects.protocol import ObjectKind
from veml_vcs.repository import Repository
from veml_vcs.repository.git.repo import blob_id
from veml_vcs.samples.tree import Entry, EntryKind, Tree, build_tree, marks
from veml_vcs.samples.tree.holders import Holders

__all__ = ["isolated"]

KEYS = ["a", "a/b", "b.png", "\udcff.png", "é/ü.png", "z" * 4096, *(f"{n:02}" for n in range(20))]
Table = dict[str, Entry]


class Data:
    """A history of data versions, some of whose data is in the clone.

    Args:
        history: It.

    Attributes:
        tables: Version -> what is in it, where that can be read at all.
        here: Trees whose data is in the clone, all of it.
    """

    def __init__(self, history: History) -> None:
        self.history = history
        self.all = MemoryObjectStore()
        self.tables: dict[str, Table] = {}
        self.here: set[TreeId] = set()
        self.named: dict[str, TreeId] = {}

    def commit(self, name: str, table: Table, *, here: bool = True, **more: object) -> str:
        with self.all.write() as writer:
            tree = build_tree(list(table.items()), writer)
        if here:
            self.arrive([tree])
        return self.record(name, tree, table, **more)

    def record(self, name: str, tree: TreeId, table: Table, **more: object) -> str:
        record = data_record(1, **more, tree=tree.hex())
        version = blob_id(record)
        self.tables[version] = table
        self.named[version] = tree
        self.history.commit({f"{name}.veml": record})
        return version

    def arrive(self, trees: list[TreeId]) -> None:
        with Repository(str(self.history.root)) as repo, repo.store.write() as writer:
            for tree in trees:
                for node in Tree(self.all, tree).nodes():  # type: ignore[arg-type]
                    writer.put(self.all.get(node), kind=ObjectKind.NODE)
        self.here |= set(trees)

    def away(self) -> list[TreeId]:
        return [one for one in sorted({*self.named.values()} - self.here) if one in self.all]


@contextmanager
def small(
    lot: int = 2, whole: int = 0, most: int = 3, nodes: int = 128, few: int = 0
) -> Iterator[None]:
    """Make every limit small, so that each is met."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(samples, "_LOT", lot)
        patch.setattr(samples, "MOST", most)
        patch.setattr(samples, "_FEW", few)
        patch.setattr(marks, "_SMALL", whole)
        patch.setattr(marks, "_NODES", nodes)
        yield


def compare(data: Data, chance: random.Random, questions: int = 4) -> None:
    """Ask some questions of the index, of each data version, and of the tables."""
    with Repository(str(data.history.root)) as repo, lineage(repo) as asked:
        plain = RepositoryLineage(repo, asked.store, asked.synced)
        every = asked.store.listed("data")
        here = [
            one.id for one in every
            if data.named[one.id] in data.here and data.tables[one.id]
        ]  # fmt: skip
        for start in chance.sample(here, min(questions, len(here))):
            key = chance.choice(sorted(data.tables[start]))
            found = asked.impact(start, key)
            assert found == plain.impact(start, key)
            content = data.tables[start][key].content
            unread = {one.node.id for one in found.unread}
            # What is not here as a whole may share what is asked for with what is.
            assert not unread & set(here)
            assert [one.id for one in found.data] == [start] + [
                one.id for one in every
                if one.id not in unread and one.id != start and key in data.tables[one.id]
                and data.tables[one.id][key].content == content
            ]  # fmt: skip


def step(data: Data, chance: random.Random, current: dict[str, Table]) -> None:
    """Do one thing that happens to data and its history."""
    history = data.history
    what = chance.choice(
        ["edit"] * 6 + ["new", "copy", "again", "back", "derived", "arrive", "ask", "ask", "full",
         "branch", "switch", "merge", "amend", "reset", "drop", "damage", "annotate"]
    )  # fmt: skip
    branches = history.git("branch", "--format=%(refname:short)").split()
    name = chance.choice(sorted(current))
    table = dict(current[name])
    here = chance.random() < 0.8
    if what in ("edit", "derived", "annotate", "new"):
        for _ in range(chance.choice([1, 1, 2, 9])):
            key = chance.choice(KEYS)
            if what == "annotate" and key in table:  # other boxes on the same image
                table[key] = table[key]._replace(annotation=sample(chance.randrange(3)).annotation)
            elif chance.random() < 0.3:
                table.pop(key, None)
            else:
                table[key] = sample(chance.randrange(5))
    if what == "derived":
        origin = {"data": "d", "version": chance.choice(sorted(data.tables)), "tree": ZERO}
        derived = {"operation": "filter", "arguments": {}, "from": [origin]}
        data.commit(f"x{len(data.tables)}", table, here=here, derived=derived)
    elif what in ("edit", "annotate"):
        current[name] = table
        data.commit(name, table, here=here)
    elif what == "new":
        name = f"d{len(current)}"
        current[name] = table
        data.commit(name, table, here=here)
    elif what == "copy":
        data.commit(f"c{len(data.tables)}", table, here=here)
    elif what == "again":  # the same tree under another record
        data.commit(name, table, here=here, task=chance.choice(["detection", "classification"]))
    elif what == "back":
        version = chance.choice(sorted(data.tables))
        current[name] = data.tables[version]
        data.record(name, data.named[version], data.tables[version])
    elif what == "damage":  # what no store can have
        tree = TreeId(ObjectId(bytes([chance.randrange(9)]) * 32))
        data.record("lost", tree, {})
    elif what == "arrive":
        known = data.away()
        data.arrive(chance.sample(known, chance.randint(0, len(known))))
    elif what == "ask":
        compare(data, chance, 1)
    elif what == "full":
        with Repository(str(history.root)) as repo:
            made_anew(repo)
    elif what == "amend":
        history.git("commit", "-q", "--amend", "--allow-empty", "-m", "amended")
    elif what == "reset":
        history.git("reset", "-q", "--hard", "HEAD~1")
    elif what == "branch":
        history.git("checkout", "-q", "-B", f"b{chance.randrange(3)}")
    elif what == "switch":
        history.git("checkout", "-q", chance.choice(branches))
    elif what == "merge":
        history.git("merge", "-q", "-X", "ours", "--no-edit", chance.choice(branches))
    else:
        others = [one for one in branches if one != history.git("branch", "--show-current")]
        if others:
            history.git("branch", "-D", chance.choice(others))


@settings(
    max_examples=max(5, settings().max_examples // 2),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(seed=st.integers(0, 2**32), cuts=st.sampled_from([(1, 3), (5, 1024)]),
       limits=st.tuples(st.sampled_from([1, 3, 100]), st.sampled_from([0, 6]),
                        st.sampled_from([2, 7, 500]), st.sampled_from([4, 128]),
                        st.sampled_from([0, 8])))  # fmt: skip
def test_histories(
    isolated: Path, seed: int, cuts: tuple[int, int], limits: tuple[int, int, int, int, int]
) -> None:
    chance = random.Random(seed)
    with TemporaryDirectory(dir=isolated) as folder, shape(*cuts), small(*limits):
        data = Data(History(Path(folder) / "project"))
        current = {"d0": {key: sample(number) for number, key in enumerate(KEYS[:9])}}
        data.commit("d0", current["d0"])
        for _ in range(chance.randrange(3, 25)):
            try:
                step(data, chance, current)
            except AssertionError as error:
                if "git" not in str(error) and "fatal" not in str(error):
                    raise
                data.history.git("reset", "-q", "--hard")  # a merge in conflict, nothing before
        compare(data, chance)
        with Repository(str(data.history.root)) as repo:
            assert fault_of(repo) is None
        data.arrive(data.away())
        compare(data, chance)
        with Repository(str(data.history.root)) as repo:
            assert fault_of(repo) is None


@pytest.fixture
def edited(tmp_path: Path, isolated: Path) -> Data:
    """Thirty versions of a data set of 100 samples, of which each replaces one."""
    data = Data(History(tmp_path / "project"))
    table = {f"{number:03}": sample(number) for number in range(100)}
    for number in range(30):
        table[f"{number:03}"] = sample(1000 + number)
        data.commit("d", dict(table))
    return data


class Counted:
    """Counts how many trees are asked."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.asked = 0
        has = Holders.has

        def counted(holders: Holders, root: TreeId) -> bool:
            self.asked += 1
            return has(holders, root)

        patch.setattr(Holders, "has", counted)


def ask(data: Data, key: str, revision: str = "HEAD") -> Impact:
    with Repository(str(data.history.root)) as repo, lineage(repo) as asked:
        return asked.impact(f"d@{revision}", key)


def test_few_are_asked(edited: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those alone that brought the sample, or took it away; seen to fail with all asked."""
    counted = Counted(monkeypatch)
    assert len(ask(edited, "099").data) == 30
    assert counted.asked == 1
    assert len(ask(edited, "020").data) == 10
    assert counted.asked == 2
    assert len(ask(edited, "020", "HEAD~29").data) == 20
    assert counted.asked == 4
    edited.commit("d", {"020": sample(1020)})
    assert len(ask(edited, "020").data) == 11
    assert counted.asked == 6  # a first version of its own: it differs from the one before in all


def test_what_was_looked_at_is_not_read_again(edited: Data) -> None:
    ask(edited, "099")
    with Repository(str(edited.history.root)) as repo, database(repo) as base:
        told: list[str] = []
        index = samples.SampleIndex(base, repo, lambda what, done, total: told.append(what))
        assert index.fill()
        assert told == []
        sync(repo, base)
        edited.commit("d", {"x": sample(1)})
        sync(repo, base)
        assert index.fill()
        assert told == ["reading which data has which samples"]
        rows = base.connection.execute("SELECT count(*) FROM content").fetchone()
        assert rows == (31,)


def test_where_nothing_can_be_written_each_is_asked(
    edited: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = Counted(monkeypatch)
    with Repository(str(edited.history.root)) as repo:
        with files_no_larger(0), lineage(repo) as asked:  # in memory
            assert len(asked.impact("d", "020").data) == 10
            assert counted.asked == 29
        with lineage(repo):
            pass
        with lineage(repo) as asked:
            asked._index._base.connection.execute("PRAGMA query_only = 1")
            assert len(asked.impact("d", "020").data) == 10
            assert counted.asked == 58
        with lineage(repo) as asked:
            assert len(asked.impact("d", "020").data) == 10
            assert counted.asked == 59


_FILL = """
import os, signal, sys
from veml_vcs.lineage import samples
from veml_vcs.lineage.ask import lineage
from veml_vcs.repository import Repository
samples._LOT, samples._TOLD = 3, 1
def progress(what, done, total):
    if done == int(sys.argv[2]) and what.startswith("reading which"):
        os.kill(os.getpid(), int(sys.argv[3]))
with Repository(sys.argv[1]) as repo, lineage(repo, progress) as asked:
    print(len(asked.impact("d", "020").data))
"""


def filling(data: Data, *more: object) -> subprocess.Popen[bytes]:
    arguments = map(str, (data.history.root, *more))
    return subprocess.Popen(
        [sys.executable, "-c", _FILL, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_ended_in_the_middle(edited: Data, how: signal.Signals) -> None:
    """What was written stays, and the next one goes on from there."""
    ended = filling(edited, 10, int(how))
    ended.communicate(timeout=120)
    assert ended.returncode != 0
    with Repository(str(edited.history.root)) as repo, database(repo) as base:
        rows = base.connection.execute("SELECT count(*) FROM content").fetchone()
        assert rows == (9,)
    assert len(ask(edited, "020").data) == 10
    with Repository(str(edited.history.root)) as repo:
        assert fault_of(repo) is None


def test_several_at_once(edited: Data) -> None:
    many = [filling(edited, -1, 0) for _ in range(4)]
    for one in many:
        out, err = one.communicate(timeout=120)
        assert (out, one.returncode) == (b"10\n", 0), err
    with Repository(str(edited.history.root)) as repo:
        assert fault_of(repo) is None


def twice(data: Data, stack: ExitStack) -> tuple[Repository, Database, Database]:
    """Open a repository, and the file of its graph, which is brought up to date, two times."""
    repo = stack.enter_context(Repository(str(data.history.root)))
    base = stack.enter_context(database(repo))
    sync(repo, base)
    return repo, base, stack.enter_context(database(repo))


def test_what_others_told_stays(edited: Data) -> None:
    """Two look at the same versions, and the second finds the first one's rows."""
    with ExitStack() as stack:
        repo, base, other = twice(edited, stack)

        def progress(what: str, done: int, total: int) -> None:
            if done == 0:
                assert samples.SampleIndex(other, repo).fill()

        assert samples.SampleIndex(base, repo, progress).fill()
        assert fault_of(repo) is None
        sizes = base.connection.execute(
            "SELECT (SELECT count(*) FROM content), (SELECT count(*) FROM difference)"
        ).fetchone()
        assert sizes == (30, 100 + 29 * 2)


def test_tables_that_are_emptied_meanwhile(edited: Data) -> None:
    """Seen to fail without the look at the generation: bases that are gone."""
    with ExitStack() as stack:
        repo, base, other = twice(edited, stack)
        stack.enter_context(small(lot=7))
        emptied = []

        def progress(what: str, done: int, total: int) -> None:
            if done == 0 and len(emptied) < 2:
                emptied.append(1)
                sync(repo, other, full=True)

        assert samples.SampleIndex(base, repo, progress).fill()
        assert emptied == [1, 1]
        assert fault_of(repo) is None


def test_data_that_is_lost_is_known_all_the_same(edited: Data) -> None:
    """What is said of it is right: it was read. Nothing is known of what was never here."""
    version = edited.commit("d", {"020": sample(1020), "y": sample(1)}, here=False)
    edited.commit("d", {"020": sample(1020)})
    found = ask(edited, "020")
    assert [one.node.id for one in found.unread] == [version]
    assert found.unread[0].absent
    assert len(found.data) == 11


def test_what_is_compared_with_a_tree_that_is_lost_is_asked(
    edited: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the first nothing is known but by asking it; the others are there all the same."""
    first = next(iter(edited.tables))
    has = Holders.has

    def lost(holders: Holders, root: TreeId) -> bool:
        if root == edited.named[first]:
            raise NotFoundError("gone")
        return has(holders, root)

    with small():  # too large to be told of alone
        assert len(ask(edited, "099").data) == 30
        monkeypatch.setattr(Holders, "has", lost)
        found = ask(edited, "099")
        assert len(found.data) == 29
        assert [one.node.id for one in found.unread] == [first]


def test_a_circle_whose_data_comes_later(edited: Data) -> None:
    """Each replaced the other: neither may be compared with the one that is compared with it."""
    one = {key: sample(number) for number, key in enumerate(KEYS)}
    with small():
        first = edited.commit("x", one, here=False)
        edited.commit("x", {**one, "a": sample(99)}, here=False)
        edited.record("x", edited.named[first], one)
        assert len(ask(edited, "099").unread) == 2
        edited.arrive(edited.away())
        with Repository(str(edited.history.root)) as repo, lineage(repo) as asked:
            assert len(asked.impact("x", "b.png").data) == 2
        with Repository(str(edited.history.root)) as repo:
            assert fault_of(repo) is None


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE content SET base = NULL WHERE key = 7",
        "UPDATE content SET base = 0 WHERE key = 7",
        "UPDATE content SET base = 5 WHERE key = 7",
        "UPDATE content SET base = 8 WHERE key = 7",
        "UPDATE content SET base = 77 WHERE key = 7",
        "UPDATE content SET tree = zeroblob(32) WHERE key = 7",
        "UPDATE content SET tree = 5 WHERE key = 7",
        "UPDATE content SET version = 'x' WHERE key = 7",
        "DELETE FROM content WHERE key = 30",
        "DELETE FROM difference WHERE key = 7",
        "DELETE FROM difference WHERE mark = (SELECT mark FROM difference WHERE key = 7 LIMIT 1)",
        "INSERT INTO difference VALUES (5, 7)",
        "INSERT INTO difference VALUES (5, 700)",
        "UPDATE difference SET mark = mark + 1 WHERE key = 9",
    ],
)
def test_fsck_sees_what_is_wrong(edited: Data, damage: str) -> None:
    ask(edited, "020")
    with Repository(str(edited.history.root)) as repo:
        assert fault_of(repo) is None
        with database(repo) as base:
            base.connection.execute(damage)
        assert fault_of(repo) in (
            "its table content is not what the data says", "a row of content without a tree"
        )  # fmt: skip
        made_anew(repo)
        assert fault_of(repo) is None
    assert len(ask(edited, "020").data) == 10


def test_a_row_without_a_tree_is_damage(edited: Data) -> None:
    ask(edited, "020")
    with Repository(str(edited.history.root)) as repo, database(repo) as base:
        base.connection.execute("UPDATE content SET tree = 5")
    with pytest.raises(DamagedError, match="without a tree"):
        ask(edited, "020")
    assert len(ask(edited, "020").data) == 10


def test_many_keys_of_one_mark_only_ask_more(edited: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever makes keys that collide gets no other answer."""
    monkeypatch.setattr(samples, "marks_of", lambda pairs: [7] * len(pairs))
    monkeypatch.setattr(samples, "mark_of", lambda key, content: 7)
    counted = Counted(monkeypatch)
    assert len(ask(edited, "020").data) == 10
    assert len(ask(edited, "099").data) == 30
    assert counted.asked == 60


def test_a_record_that_names_thousands(edited: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []
    differ = marks.Differences.differ

    def counted(
        trees: marks.Differences, old: TreeId | None, new: TreeId, most: int
    ) -> frozenset[bytes] | None:
        compared.append(old)
        return differ(trees, old, new, most)

    ask(edited, "020")
    origins = [{"data": "d", "version": one, "tree": ZERO} for one in edited.tables]
    derived = {"operation": "merge", "arguments": {}, "from": origins}
    edited.commit("e", {f"{n:03}": sample(n + 5000) for n in range(90)}, derived=derived)
    monkeypatch.setattr(marks.Differences, "differ", counted)
    assert len(ask(edited, "020").data) == 10
    assert 1 <= len(compared) <= contents._BASES + 1


def test_a_file_is_asked_for_like_a_sample(edited: Data) -> None:
    table = {"labels.json": Entry(EntryKind.FILE, SampleId(b"f" * 32), size=1)}
    edited.commit("d", table)
    edited.commit("e", table | {"x": sample(1)})
    assert len(ask(edited, "labels.json").data) == 2
