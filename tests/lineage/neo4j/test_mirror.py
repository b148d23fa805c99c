"""The mirror is what the SQLite file is, whatever happened to history, file or server."""

from __future__ import annotations

import random
import threading
from pathlib import Path

import pytest
from neo4j import ManagedTransaction

from tests.lineage.kit import (
    History,
    data_record,
    model_record,
    training_record,
    wander,
)
from tests.lineage.neo4j.kit import (
    in_neo4j,
    in_sqlite,
    mirrored,
    opened,
    place_at,
    some_history,
)
from tests.lineage.neo4j.server import Server as Address
from tests.repository.conftest import isolated
from veml_vcs.errors import ConflictError, VemlError
from veml_vcs.lineage.neo4j.changes import At
from veml_vcs.lineage.neo4j.mirror import Mirror
from veml_vcs.lineage.neo4j.windows import Window
from veml_vcs.lineage.sync import database, sync
from veml_vcs.lineage.told import text_of
from veml_vcs.repository import Repository
from veml_vcs.repository.git.repo import blob_id

__all__ = ["isolated"]
pytestmark = pytest.mark.neo4j


@pytest.mark.parametrize(
    "seed", [pytest.param(n, marks=[pytest.mark.slow] * (n > 0)) for n in range(4)]
)
def test_after_random_histories_it_is_what_sqlite_is(
    tmp_path: Path, isolated: Path, neo4j_server: Address, seed: int
) -> None:
    """Rebases, dropped branches, merges, damage: only what changed is sent, and it is the same.

    Seen to fail without the triggers on nodes and edges that are new or gone.
    """
    history = History(tmp_path / "project")
    history.commit({"d0.veml": data_record(1), "models/m0.veml": model_record(50)})
    history.commit({"d1.veml": data_record(2)})
    chance = random.Random(seed)
    repo, base = history.synced()
    with mirrored(neo4j_server, base, window=20) as mirror:
        assert mirror.bring_up().whole
        for step in range(30):
            try:
                wander(history, chance)
            except AssertionError:  # git refused: a merge in conflict, nothing before HEAD
                history.git("reset", "-q", "--hard")
            if step % 4:
                continue
            with Repository(str(history.root)) as now:
                sync(now, base)
            assert not mirror.bring_up().whole
            assert in_neo4j(mirror._server) == in_sqlite(base)
    base.close()
    repo.close()


def test_nothing_new_is_nothing_sent(tmp_path: Path, isolated: Path, neo4j_server: Address) -> None:
    history = some_history(tmp_path / "project")
    repo, base = history.synced()
    with mirrored(neo4j_server, base) as mirror:
        first = mirror.bring_up()
        assert (first.nodes, first.edges) == tuple(map(len, in_sqlite(base)))
        again = mirror.bring_up()
        assert (again.nodes, again.edges, again.removed, again.whole) == (0, 0, 0, False)
        history.commit({"roads.veml": data_record(9)})
        with Repository(str(history.root)) as now:
            sync(now, base)
        one = mirror.bring_up()
        assert (one.nodes, one.whole) == (2, False)  # the commit, the version
        assert in_neo4j(mirror._server) == in_sqlite(base)
    base.close()
    repo.close()


def test_what_says_much_is_sent_in_more_windows(
    tmp_path: Path, isolated: Path, neo4j_server: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole and of the log. Seen to fail: a server of 512 MB refused 50 MB in one window."""
    monkeypatch.setattr("veml_vcs.lineage.neo4j.comparing._MOST_LETTERS", 500)
    history = some_history(tmp_path / "project", 6)
    repo, base = history.synced()
    with mirrored(neo4j_server, base) as mirror:
        send, sent = mirror._send, list[Window]()

        def noted(at: At, window: Window) -> None:
            sent.append(window)
            send(at, window)

        monkeypatch.setattr(mirror, "_send", noted)
        mirror.bring_up()
        for number in range(7, 12):
            history.commit({"roads.veml": data_record(number)})
        with Repository(str(history.root)) as now:
            sync(now, base)
        assert not mirror.bring_up().whole
        assert in_neo4j(mirror._server) == in_sqlite(base)
        for one in sent:
            said = [node.props for node, _ in one.nodes] + [edge.props for edge in one.edges]
            assert len(said) <= 2 or sum(len(text_of(props)) for props in said) <= 500
        assert max(len(one.nodes) for one in sent) > 1
        assert len(sent) > 8
    base.close()
    repo.close()


def test_what_becomes_known_and_unknown_again(
    tmp_path: Path, isolated: Path, neo4j_server: Address
) -> None:
    """A node that changes where it is, one that goes and comes back, an edge that says more.

    Seen to fail without the triggers on what changes or goes, and without ``went`` in a window.
    """
    history = History(tmp_path / "project")
    data, model = data_record(1), model_record(50)
    night = training_record(blob_id(data), blob_id(model))
    history.commit({"trainings/night.veml": night})
    repo, base = history.synced()
    do = base.connection.execute

    def follows(mirror: Mirror) -> None:
        with Repository(str(history.root)) as now:
            sync(now, base)
        assert not mirror.bring_up().whole
        assert in_neo4j(mirror._server) == in_sqlite(base)

    with mirrored(neo4j_server, base) as mirror:
        mirror.bring_up()
        history.git("checkout", "-q", "-b", "side")
        history.commit({"roads.veml": data, "models/net.veml": model})
        follows(mirror)
        history.git("checkout", "-q", "main")
        history.git("branch", "-D", "side")
        follows(mirror)
        do('UPDATE edge SET props = \'{"roles":["train","val"]}\' WHERE kind = \'trained_on\'')
        follows(mirror)
        do("DELETE FROM edge WHERE kind = 'uses'")
        follows(mirror)
        do("UPDATE node SET kind = 'inference' WHERE kind = 'training'")  # and its label with it
        follows(mirror)
        do("UPDATE node SET kind = 'training' WHERE kind = 'inference'")
        follows(mirror)
        # In one window, out and in again, without its edges.
        row = do("SELECT * FROM node WHERE kind = 'training'").fetchone()
        with base.changing():
            do("DELETE FROM node WHERE key = ?", (row[0],))
            do("DELETE FROM edge WHERE ? IN (source, target)", (row[0],))
            do(f"INSERT INTO node VALUES ({', '.join('?' * len(row))})", row)
        assert not mirror.bring_up().whole
        assert in_neo4j(mirror._server) == in_sqlite(base)
    base.close()
    repo.close()


@pytest.mark.parametrize("how", ["emptied", "nodes gone", "restored", "sqlite anew", "full sync"])
def test_a_log_with_a_gap_is_not_trusted(
    tmp_path: Path, isolated: Path, neo4j_server: Address, how: str
) -> None:
    """What one side forgot is noticed by the token; then all is compared."""
    history = some_history(tmp_path / "project")
    repo, base = history.synced()
    given = {}
    with mirrored(neo4j_server, base) as mirror:
        mirror.bring_up()
        server, given = mirror._server, {"repository": mirror._server.place.name}

        def run(cypher: str) -> None:
            server.write(lambda tx: tx.run(cypher, given).consume())

        if how == "emptied":
            run("MATCH (n {repository: $repository}) DETACH DELETE n")
        elif how == "nodes gone":
            run("MATCH (n:Version {repository: $repository}) DETACH DELETE n")
        elif how == "restored":  # an older copy of the server's files
            run("MATCH (n:Version {repository: $repository, kind: 'training'}) DETACH DELETE n")
            run("MATCH (m:VemlMirror {repository: $repository}) SET m.token = 'older'")
            run(
                "MATCH (c:Commit {repository: $repository}), (d:Data {repository: $repository}) "
                "WITH c, d LIMIT 1 CREATE (d)-[:USES]->(c)"
            )
            run(
                "CREATE (:Version:Data {repository: $repository, id: 'stray', kind: 'data'})"
                "-[:HAS]->(:Version {repository: $repository, id: 'other', kind: 'class'})"
            )
        elif how == "sqlite anew":
            path = Path(base.path)
            base.close()
            path.unlink()
            base = database(repo)
            sync(repo, base)
            mirror = Mirror(base, server, 50)
        else:
            sync(repo, base, full=True)
        done = mirror.bring_up(whole=how == "nodes gone")
        assert done.whole
        assert in_neo4j(server) == in_sqlite(base)
        assert not mirror.bring_up().whole
    base.close()
    repo.close()


def test_what_somebody_made_by_hand(tmp_path: Path, isolated: Path, neo4j_server: Address) -> None:
    """A relationship twice, a node without an id: compared as a whole once, and not for ever.

    Seen to fail: both were counted each time, and stayed.
    """
    repo, base = some_history(tmp_path / "project").synced()
    with mirrored(neo4j_server, base) as mirror:
        mirror.bring_up()
        server, given = mirror._server, {"repository": mirror._server.place.name}

        def run(cypher: str) -> None:
            server.write(lambda tx: tx.run(cypher, given).consume())

        run("MATCH (s:Training {repository: $repository})-[e:USES]->(t) CREATE (s)-[:USES]->(t)")
        run("CREATE (:Version {repository: $repository}), (:Version {repository: $repository})")
        mirror.bring_up(whole=True)
        kept = mirror.kept()
        assert kept is not None
        assert (kept.nodes, kept.edges) == tuple(map(len, in_sqlite(base)))
        run("MATCH (n:Version {repository: $repository}) WHERE n.id IS NULL DELETE n")
        assert in_neo4j(server) == in_sqlite(base)
    base.close()
    repo.close()


def test_another_clone_is_refused(tmp_path: Path, isolated: Path, neo4j_server: Address) -> None:
    """Each would take out what only the other has. Seen to fail without ``_check_keeper``."""
    place = place_at(neo4j_server)
    history = some_history(tmp_path / "project")
    repo, base = history.synced()
    with opened(neo4j_server, place) as server:
        Mirror(base, server).bring_up()
    clone = History(tmp_path / "clone")
    clone.commit({"other.veml": data_record(7)})
    other_repo, other = clone.synced()
    with opened(neo4j_server, type(place)(place.url, place.database, place.name, "other")) as two:
        with pytest.raises(ConflictError, match="mirror of another clone"):
            Mirror(other, two).bring_up()
        Mirror(other, two).claim(take_over=True)
        Mirror(other, two).bring_up()
        assert in_neo4j(two) == in_sqlite(other)
    with opened(neo4j_server, place) as server, pytest.raises(ConflictError, match="another clone"):
        Mirror(base, server).bring_up()
    for one in (base, other, repo, other_repo):
        one.close()


def test_names_of_a_stranger_are_only_names(
    tmp_path: Path, isolated: Path, neo4j_server: Address
) -> None:
    """Cypher in a name, an id that no index takes, keys that are ours, values of all kinds.

    Seen to fail with a count that is larger than any float.
    """
    evil = "`}) DETACH DELETE (n) //"
    names = (evil, "'; MATCH (n) DETACH DELETE n //", "x" * 10_000, "\\u0000", "\U0001f697", "Ä\0Ö")
    history = History(tmp_path / "project")
    record = data_record(1, names).replace(b'"bytes": 0', b'"bytes": ' + b"9" * 400)
    assert b"9" * 400 in record
    history.commit({f"{evil.replace('/', '-')}.veml": record}, evil)
    repo, base = history.synced()
    base.connection.execute(
        "UPDATE node SET props = json_set(props, '$.repository', 'mine', '$.nested', "
        "json('{\"a\": [1, {}]}'), '$.mixed', json('[1, \"a\"]'), '$.huge', 1e300, '$.list', "
        "json('[1, 2]'), '$.none', NULL, '$.metrics', json('{\"mAP\": 0.5, \"`x`\": 1}')) "
        "WHERE kind = 'data'"
    )
    with mirrored(neo4j_server, base) as mirror:
        mirror.bring_up()
        assert in_neo4j(mirror._server) == in_sqlite(base)
        ((found,),) = mirror._server.read(
            "MATCH (n:Data {repository: $repository}) WHERE n.metric_mAP > 0.4 RETURN n",
            {"repository": mirror._server.place.name},
        )
        assert (found["repository_"], found["list"], found["metric_`x`"]) == ("mine", [1, 2], 1)
        assert found["nested"] == '{"a":[1,{}]}'
    base.close()
    repo.close()


def test_a_metric_with_a_nul(tmp_path: Path, isolated: Path, neo4j_server: Address) -> None:
    """Seen to fail: the server refused it, and all that came after it; alone, not beside others."""
    history = History(tmp_path / "project")
    for metrics in ({"a": 1, "": 2, "props": 3}, {"a\0b": 1}):
        training = training_record("12" * 20, "34" * 20, metrics=metrics)
        history.commit({"trainings/t.veml": training})
        repo, base = history.synced()
        with mirrored(neo4j_server, base) as mirror:
            mirror.bring_up()
            assert in_neo4j(mirror._server) == in_sqlite(base)
        base.close()
        repo.close()


def test_who_vanished_in_the_middle_holds_no_lock_for_ever(
    tmp_path: Path, isolated: Path, neo4j_server: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server does not hear that it left, and ends what it began after a while.

    Seen to fail without ``unit_of_work``: the second waited for the first.
    """
    history = some_history(tmp_path / "project", 1)
    repo, base = history.synced()
    locked, told, failed = threading.Event(), threading.Event(), list[VemlError]()
    with mirrored(neo4j_server, base) as mirror:
        mirror.claim()

        def write(transaction: ManagedTransaction) -> None:
            transaction.run(
                "MATCH (m:VemlMirror {repository: $name}) SET m.writing = 1",
                name=mirror._server.place.name,
            ).consume()
            locked.set()
            told.wait()
            transaction.run("RETURN 1").consume()

        def vanish() -> None:
            with opened(neo4j_server, mirror._server.place) as other:
                try:
                    other.write(write)
                except VemlError as error:
                    failed.append(error)

        monkeypatch.setattr("veml_vcs.lineage.neo4j.server._WINDOW_SECONDS", 1.0)
        thread = threading.Thread(target=vanish)
        thread.start()
        locked.wait()
        monkeypatch.undo()
        try:
            assert mirror.bring_up().complete
        finally:
            told.set()
            thread.join()
        assert in_neo4j(mirror._server) == in_sqlite(base)
    assert [one.kind for one in failed] == ["unreachable"]
    base.close()
    repo.close()
