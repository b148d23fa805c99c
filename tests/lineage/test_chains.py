"""What chains say of a commit's ancestors is what its edges say, whatever comes, goes and circles.

Seen to fail with: targets that do not ascend where late parents are linked (each of the two ways),
no look at the order of keys before a chain is gone on with, or taken; a chain taken that was merged
above the parent, or whose end has moved on; ``Places.remove`` without its links; parents linked in
any order, or the first alone; one wave of ``reached`` alone; the first link in place of the last.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import pytest

from tests.lineage.kit import check_reach, reaches_what_a_walk_does
from veml_vcs.lineage.graph import Node
from veml_vcs.lineage.records import Said
from veml_vcs.lineage.sqlite.chains import reached
from veml_vcs.lineage.sqlite.database import Database
from veml_vcs.lineage.sqlite.sound_chains import says_what_commits_reach
from veml_vcs.lineage.sqlite.write import Writer
from veml_vcs.lineage.told import told
from veml_vcs.objects.files import Files


@pytest.fixture
def base(tmp_path: Path) -> Iterator[Database]:
    found = Database(str(tmp_path / "lineage.sqlite"), Files())
    yield found
    found.close()


def add(base: Database, commits: dict[str, Sequence[str]], branches: Collection[str] = ()) -> None:
    with base.changing() as connection:
        writer = Writer(connection)
        writer.stand(branches)
        put(writer, commits)
        writer.settle()


def name(base: Database, ids: Sequence[str]) -> None:
    """Have a record name commits, which have their keys from then on, in this order."""
    with base.changing() as connection:
        writer = Writer(connection)
        kinds = dict.fromkeys(ids, "data")
        writer.add_versions([told(Said(Node("a" * 40, "training"), (), (), kinds))])
        writer.settle()


def put(writer: Writer, commits: dict[str, Sequence[str]]) -> None:
    writer.add_commits([(Node(one, "commit"), commits[one], ()) for one in commits])


def chains(base: Database) -> int:
    (count,) = base.connection.execute("SELECT count(DISTINCT chain) FROM place").fetchone()
    return int(count)


@pytest.mark.parametrize("seed", range(6))
def test_whatever_comes_and_goes(base: Database, seed: int) -> None:
    """Branches, merges of up to five, and heads that are dropped with what only they reach."""
    some = random.Random(seed)
    parents: dict[str, list[str]] = {}
    for turn in range(25):
        with base.changing() as connection:
            writer = Writer(connection)
            for part in range(some.randrange(1, 4)):
                heads = parents.keys() - {one for above in parents.values() for one in above}
                if turn > 3 and some.random() < 0.3 and len(heads) > 1:
                    dropped = set(some.sample(sorted(heads), len(heads) // 2))
                    writer.remove_commits(dropped, heads - dropped)
                    left = {row[0] for row in connection.execute("SELECT id FROM node")}
                    parents = {one: above for one, above in parents.items() if one in left}
                new: dict[str, list[str]] = {}
                for number in range(some.randrange(1, 6)):
                    there = [*parents, *new]
                    near = there[-6:] * 3 + there
                    count = some.choice([1, 1, 1, 2, 2, 5]) if there else 0
                    above = {some.choice(near) for _ in range(count)}
                    new[f"{turn}.{part}.{number}"] = some.sample(sorted(above), len(above))
                put(writer, new)
                parents |= new
            writer.settle()
        check_reach(base)


@pytest.mark.parametrize("seed", range(10))
def test_no_order_that_can_be_relied_on(base: Database, seed: int) -> None:
    """Circles, as grafts can make them; commits whose ids a record named before they came."""
    some = random.Random(seed)
    names = [f"{lot}.{number}" for lot in range(3) for number in range(12)]
    name(base, some.sample(names, seed % 2 * 18))
    for lot in range(3):
        new = names[lot * 12 : lot * 12 + 12]
        there = names[: lot * 12 + 12]
        commits: dict[str, Sequence[str]] = {}
        for number, one in enumerate(new):
            above = {new[number - 3]} if number > 2 else set(some.sample(there, 1))
            above |= set(some.sample(there, some.choice([0, 0, 1])))
            commits[one] = sorted(above - {one})
        add(base, commits)
        check_reach(base)


@pytest.mark.parametrize("order", ["f a q b p", "f a b q p", "f a b p q"])
def test_what_came_late_counts_above_too(base: Database, order: str) -> None:
    """Of a chain ``a b`` the lower has the higher parent, and both parents may come later."""
    parents = {"f": "", "q": "f", "p": "q", "a": "p", "b": "aq"}
    name(base, order.split())
    add(base, {one: list(parents[one]) for one in order.split()})
    check_reach(base)


def test_as_many_chains_as_were_open_at_a_time(base: Database) -> None:
    """Forty branches that were merged one after the other are one, however they are added."""
    whole: dict[str, Sequence[str]] = {"m0": ()}
    for number in range(1, 40):
        whole[f"t{number}"] = [f"m{number - 1}"]
        whole[f"b{number}"] = [f"m{number - 1}"]
        whole[f"m{number}"] = [f"t{number}", f"b{number}"]
    add(base, whole)
    assert chains(base) == 2
    check_reach(base)
    with base.changing():
        base.clear()
    for one, above in whole.items():
        add(base, {one: above})
    assert chains(base) == 2
    check_reach(base)
    assert len(reached(base.connection, [3 * 39 - 1])) == 2
    # Who amends again and again leaves no chain behind each time.
    last = "m39"
    for number in range(20):
        add(base, {f"a{number}": ["t39"]})
        with base.changing() as connection:
            writer = Writer(connection)
            assert writer.remove_commits([last], [f"a{number}"]) == 1 + (number == 0)
            writer.settle()
        last = f"a{number}"
    assert chains(base) <= 3
    check_reach(base)


def branches(count: int, opened: int) -> dict[str, Sequence[str]]:
    """Return branches of two commits, so many open at a time, which leave from the trunk's end."""
    found: dict[str, Sequence[str]] = {"0": ()}
    trunk, lanes = "0", [["0", "0"]] * opened
    for number in range(1, count):
        before, *_ = lane = lanes[number % opened]
        if len(lane) == 1:
            found[str(number)] = [trunk, before]
            trunk = str(number)
        else:
            found[str(number)] = [before]
        lanes[number % opened] = [str(number)] * (3 - len(lane))
    return found


def test_branches_beside_each_other(base: Database) -> None:
    """The trunk stays one chain though branches leave from its end before it goes on.

    Seen to fail without ``_trunk`` (34 chains), and without ``stand`` (19).
    """
    add(base, branches(300, 5))
    assert chains(base) == 6
    check_reach(base)
    with base.changing():
        base.clear()
    trunk = "0"
    for one, above in branches(150, 5).items():
        trunk = one if len(above) == 2 else trunk
        add(base, {one: above}, [trunk])
    assert chains(base) == 6
    check_reach(base)


def test_a_branch_that_is_pushed_after_each_commit(base: Database) -> None:
    """What the server's branch stands at looks as if another line went on there: two chains."""
    for number in range(30):
        add(base, {str(number): [str(number - 1)] if number else []}, [str(number - 1)])
    assert chains(base) == 2
    check_reach(base)


@pytest.mark.parametrize("few", [0, 1, 4])
def test_where_there_are_more_pairs_than_is_worth(
    base: Database, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("veml_vcs.lineage.sqlite.chains._FEW_PAIRS", few)
    add(base, branches(40, 5))
    check_reach(base)


@pytest.mark.parametrize("few", [0, 10, 50, 70, 1000])
def test_what_left_last_is_merged_first(
    base: Database, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first merge has one link, of many that its chain has: the others count as well.

    Seen to fail: so many were looked up, the last of all was not, and it was not walked either.
    """
    monkeypatch.setattr("veml_vcs.lineage.sqlite.chains._FEW_PAIRS", few)
    commits: dict[str, Sequence[str]] = {"trunk": ()}
    commits |= {f"b{number}": ["trunk"] for number in range(60)}
    trunk = "trunk"
    for number in reversed(range(60)):
        commits[f"m{number}"] = [trunk, f"b{number}"]
        trunk = f"m{number}"
    add(base, commits)
    assert chains(base) == 61
    check_reach(base)


@pytest.mark.parametrize("seed", range(4))
def test_damage_is_seen(base: Database, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever makes an answer wrong is told, and most of what does not yet.

    Seen to fail with parts of the check left out: the order of targets, where links lead, commits
    without a place, what is reached, chains that are no line; and with no commit but those of the
    first part of chains looked at.
    """
    monkeypatch.setattr("veml_vcs.lineage.sqlite.sound_chains._AT_A_TIME", 100)
    some = random.Random(seed)
    add(base, branches(25, 3 + seed))
    both: dict[str, Sequence[str]] = {"l0": (), "r0": ()}  # each merges the other now and then
    for number in range(1, 12):
        left, right = f"l{number - 1}", f"r{number - 1}"
        both[f"l{number}"] = [left, right][: 1 + number % 2]
        both[f"r{number}"] = [right, left][: 1 + (number % 3 == 0)]
    add(base, both | {f"alone{number}": () for number in range(12)})
    do = base.connection.execute
    keys = [key for (key,) in do("SELECT key FROM place")]
    ways = [f"UPDATE OR REPLACE link SET {one} = ?1" for one in ("chain", "far", "key", "target")]
    ways += ["DELETE FROM link", "UPDATE OR REPLACE place SET chain = ?1", "DELETE FROM place",
             "UPDATE OR REPLACE place SET key = ?1",
             "INSERT OR IGNORE INTO link SELECT chain, far, (SELECT max(key) FROM place p "
             "WHERE p.chain = link.chain), far FROM link"]  # fmt: skip
    seen = wrong = 0
    for turn in range(400):
        way = ways[turn % len(ways)]
        row = some.choice([
            (*(str(one) for one in found),) for found in
            do("SELECT chain, far, key FROM link" if "link" in way else "SELECT key FROM place")
        ])  # fmt: skip
        names = ("chain", "far", "key") if "link" in way else ("key",)
        which = " AND ".join(f"{name} = {one}" for name, one in zip(names, row, strict=True))
        do("BEGIN")
        do(f"{way} WHERE {which} AND ?1 = ?1", (some.choice(keys),))
        told = not says_what_commits_reach(base.connection)
        is_wrong = not reaches_what_a_walk_does(base)
        assert told or not is_wrong, (way, which)
        seen, wrong = seen + told, wrong + is_wrong
        do("ROLLBACK")
    assert seen >= wrong > 50
    check_reach(base)
