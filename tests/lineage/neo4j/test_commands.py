"""``veml lineage connect`` and what follows from it, on a real server."""

from __future__ import annotations

import json
import os
import secrets
import socket
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import isolate
from tests.cli.conftest import place as place_fixture
from tests.lineage.gate import gate, tries_ended
from tests.lineage.kit import data_record, model_record, training_record
from tests.lineage.neo4j.server import Server as Address
from tests.lineage.test_strangers import speaking
from veml_vcs.lineage.neo4j.place import Place as MirrorPlace
from veml_vcs.lineage.neo4j.place import place_of
from veml_vcs.lineage.neo4j.silence import FILE, remember_silence, silence_of
from veml_vcs.repository import Repository
from veml_vcs.repository.git.repo import blob_id

Place = Any
place = place_fixture
pytestmark = pytest.mark.neo4j
__all__ = ["isolate", "place"]

DATA, MODEL = data_record(1), model_record(50)
NIGHT = training_record(blob_id(DATA), blob_id(MODEL))


@pytest.fixture
def roads(place: Place, neo4j_server: Address, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A repository of records alone; user and password are in the environment."""
    place.veml("init", "-q")
    (place.root / ".git/hooks/pre-commit").unlink()  # records without their data
    for path, content in (
        ("roads.veml", DATA), ("models/big.veml", MODEL), ("trainings/night.veml", NIGHT),
    ):  # fmt: skip
        place.write(path, content)
    place.git("add", "-A")
    place.git("commit", "-qm", "night")
    monkeypatch.setenv("NEO4J_USERNAME", neo4j_server.user)
    monkeypatch.setenv("NEO4J_PASSWORD", neo4j_server.password)
    monkeypatch.setenv("VEML_NEO4J_SECONDS", "120")  # the machine may be busy
    return place


def named() -> str:
    return f"test-{secrets.token_hex(6)}"


def commits(where: Place, url: str = "") -> int:
    """Ask the server, without bringing it up to date; by another way than it is told, if any."""
    from tests.lineage.neo4j.kit import opened

    with Repository(str(where.root)) as repo:
        found = place_of(repo)
    assert found is not None
    password = os.environ["NEO4J_PASSWORD"]
    found = replace(found, url=url or found.url)
    with opened(Address(found.url, os.environ["NEO4J_USERNAME"], password), found) as server:
        ((count,),) = server.read(
            "MATCH (n:Commit {repository: $repository}) RETURN count(n)", {"repository": found.name}
        )
    return int(count)


def more(where: Place, number: int) -> None:
    where.write("roads.veml", data_record(number))
    where.git("add", "-A")


def test_connected_asked_and_disconnected(roads: Place, neo4j_server: Address) -> None:
    name = named()
    done = roads.veml("lineage", "connect", neo4j_server.url, "--as", name).out
    assert done.startswith(f"mirrored as {name} at {neo4j_server.url}, database neo4j (Neo4j/5.26.")
    assert "11 nodes and 12 edges sent" in done  # a commit, three versions, and facts
    config = (roads.root / ".git/config").read_text()
    assert neo4j_server.url in config
    assert neo4j_server.password not in config
    ask = (
        "MATCH (t:Training {repository: $repository}) WHERE t.metric_mAP >= $least "
        "RETURN t.name AS name, t.metric_mAP AS mAP"
    )
    assert roads.veml("lineage", "query", ask, "--param", "least=0.5").out.splitlines() == [
        "name   mAP", "night  0.5",
    ]  # fmt: skip
    assert roads.veml("lineage", "query", ask, "--param", "least=0.5", "--json").json() == [
        {"name": "night", "mAP": 0.5}
    ]
    assert roads.veml("lineage", "query", ask, "--param", "least=0.6").out == "no rows\n"
    status = roads.veml("lineage", "status").out
    assert f"mirrored as {name}" in status
    assert "up to date" in status
    assert roads.veml("lineage", "status", "--json").json()["mirror"]["waiting"] == 0
    gone = roads.veml("lineage", "disconnect", "--delete").out
    assert "nodes taken out" in gone
    assert "no mirror in Neo4j" in roads.veml("lineage", "query", "RETURN 1", code=128).err
    assert "neo4j" not in (roads.root / ".git/config").read_text()
    assert not (roads.root / ".git/hooks/post-commit").exists()


def test_after_each_kind_of_commit_it_is_there(roads: Place, neo4j_server: Address) -> None:
    """veml's commands, and git's by its hooks. Seen to fail without ``follow_mirror``, and without
    ``_mirror`` of the hooks."""
    roads.veml("lineage", "connect", neo4j_server.url, "--as", named())
    assert commits(roads) == 1
    more(roads, 2)
    assert roads.veml("commit", "-qm", "two").err == ""
    assert commits(roads) == 2
    more(roads, 3)
    roads.git("commit", "-qm", "three")
    assert commits(roads) == 3
    roads.git("checkout", "-q", "-b", "side")
    roads.git("commit", "-q", "--allow-empty", "-m", "four")
    roads.git("commit", "-q", "--amend", "--allow-empty", "-m", "another four")
    assert commits(roads) == 4
    roads.git("checkout", "-q", "main")
    roads.veml("merge", "-q", "--no-ff", "-m", "merged", "side")
    assert commits(roads) == 5
    roads.veml("reset", "-q", "--hard", "HEAD~1")
    roads.veml("branch", "-D", "side")
    assert commits(roads) == 3


def test_a_question_lets_the_mirror_catch_up(roads: Place, neo4j_server: Address) -> None:
    """What plain git did without a hook goes there by itself, and nobody waits for it.

    Seen to fail without ``follow_later``.
    """
    roads.veml("lineage", "connect", neo4j_server.url, "--as", named())
    more(roads, 2)
    roads.git("-c", "core.hooksPath=/dev/null", "commit", "-qm", "two")
    assert commits(roads) == 1
    assert roads.veml("lineage", "show", "night").err == ""
    until = time.monotonic() + 120
    while commits(roads) != 2:
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_server_that_is_down_never_stops_a_commit(roads: Place, neo4j_server: Address) -> None:
    """One line; what was missed is sent with the next commit."""
    roads.veml("lineage", "connect", neo4j_server.url, "--as", named())
    with socket.socket() as nobody:  # a port that refuses
        nobody.bind(("127.0.0.1", 0))
        moved(roads, f"neo4j://127.0.0.1:{nobody.getsockname()[1]}")
        more(roads, 2)
        done = roads.veml("commit", "-qm", "two")
        assert done.err.startswith("warning: the mirror in Neo4j is not up to date: no Neo4j can")
        assert done.err.count("\n") == 1
        more(roads, 3)
        hooked = roads.program("--version").code, roads.git("commit", "-qm", "three")
        assert hooked[0] == 0
        status = roads.veml("lineage", "status").out
        assert "no Neo4j can be reached" in status
        assert "lacks" in status
        assert "no Neo4j can" in roads.veml("lineage", "sync", code=69).err
    moved(roads, neo4j_server.url)
    assert commits(roads) == 1
    more(roads, 4)
    assert roads.veml("commit", "-qm", "four").err == ""
    assert commits(roads) == 4


def test_a_server_that_says_nothing_is_given_up(
    roads: Place, neo4j_server: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes the connection, and is silent: that is remembered until it answers again.

    Seen to fail without ``forget_silence`` in ``reach``.
    """
    roads.veml("lineage", "connect", neo4j_server.url, "--as", named())
    with gate() as there:
        moved(roads, f"bolt://127.0.0.1:{there.port}")
        more(roads, 2)
        monkeypatch.setenv("VEML_NEO4J_SECONDS", "1")
        done = roads.veml("commit", "-qm", "two")
        assert done.err.startswith("warning: the mirror in Neo4j ")
        assert done.err.count("\n") == 1
        tries_ended()
        with Repository(str(roads.root)) as repo:
            place = place_of(repo)
            assert place is not None
            remember_silence(repo, place)  # a busy machine may not have come so far
        monkeypatch.setenv("VEML_NEO4J_SECONDS", "120")
        asked, there.behind = there.asked, neo4j_server.port
        more(roads, 3)
        said = roads.veml("commit", "-qm", "three").err
        assert "did not answer, and is not tried again before" in said
        assert "(veml lineage sync tries at once)" in said
        assert there.asked == asked
        roads.git("commit", "-q", "--allow-empty", "-m", "four")
        assert there.asked == asked
        assert "sent to Neo4j" in roads.veml("lineage", "sync").out
        assert commits(roads) == 4
        more(roads, 5)
        assert roads.veml("commit", "-qm", "five").err == ""
        assert commits(roads) == 5


def test_a_server_that_falls_silent_while_it_is_sent_to_is_given_up(
    roads: Place, neo4j_server: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes the connection, says who it is, and then packets vanish: remembered at once.

    Seen to fail without ``server`` in ``_Attempt.silent`` (asked by each commit), and without
    ``before`` in ``remember_silence`` (each try was the first).
    """
    roads.veml("lineage", "connect", neo4j_server.url, "--as", named())
    file = roads.root / ".git/veml" / FILE
    with gate() as there:
        there.behind, there.until = neo4j_server.port, b"UNWIND $rows"
        moved(roads, f"bolt://127.0.0.1:{there.port}")

        def until_remembered(tries: int) -> None:
            for number in range(20):  # a busy machine may not come as far as sending at once
                more(roads, 10 * tries + number + 1)
                said = roads.program("commit", "-qm", "more").err  # it ends, and its threads do
                assert said.startswith("warning: the mirror in Neo4j ")
                assert said.count("\n") == 1
                if file.exists() and json.loads(file.read_text())["tries"] == tries:
                    assert "did not answer within 3 s, and is not tried again before" in said
                    return
            raise AssertionError(said)

        monkeypatch.setenv("VEML_NEO4J_SECONDS", "3")
        until_remembered(1)
        asked = there.asked
        roads.git("commit", "-q", "--allow-empty", "-m", "another")
        assert "did not answer, and is not tried again before" in roads.veml(
            "commit", "-q", "--allow-empty", "-m", "again"
        ).err  # fmt: skip
        assert there.asked == asked
        told = json.loads(file.read_text())
        file.write_text(json.dumps(told | {"until": int(time.time())}))  # its time has come
        until_remembered(2)
        assert commits(roads, neo4j_server.url) == 1
        there.until = None
        there.drop()  # else the server keeps their locks, for as long as their time lasts
        assert "sent to Neo4j" in roads.veml("lineage", "sync").out
        assert not file.exists()
        monkeypatch.setenv("VEML_NEO4J_SECONDS", "120")
        assert roads.veml("commit", "-q", "--allow-empty", "-m", "last").err == ""
        assert commits(roads) == int(roads.git("rev-list", "--count", "HEAD"))


def test_status_tells_of_a_silence(roads: Place, neo4j_server: Address) -> None:
    """Also when the next try is; that of a server that answers is forgotten."""
    roads.veml("lineage", "connect", neo4j_server.url, "--as", named())
    with Repository(str(roads.root)) as repo:
        place = place_of(repo)
        assert place is not None
        remember_silence(repo, place)
        status = roads.veml("lineage", "status", "--json").json()["mirror"]
        assert status["silence"] is None
        assert silence_of(repo, place) is None
    moved(roads, "bolt://127.0.0.1:1")
    with Repository(str(roads.root)) as repo:
        place = place_of(repo)
        assert place is not None
        found = remember_silence(repo, place)
    status = roads.veml("lineage", "status", "--json").json()["mirror"]
    assert status["silence"] == vars(found)
    assert "commands try it again after" in roads.veml("lineage", "status").out


def moved(where: Place, url: str) -> None:
    where.git("config", "veml.neo4j.url", url)


def test_what_cannot_be_connected_to(
    roads: Place, neo4j_server: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*arguments: str, code: int = 128) -> str:
        said: str = roads.veml("lineage", "connect", *arguments, code=code).err
        assert "neo4j" not in (roads.root / ".git/config").read_text()
        assert "Traceback" not in said
        return said

    assert "a password in it" in refused("neo4j://ann:secret@host")
    for address in ("neo4j://ann:%s@host", "ann:%s@host", "neo4j://a:%s/b@host", "bolt:a:%s@host",
                    "https://a:%s#b@host:7474", "neo4j://a:%s?@b@host"):  # fmt: skip
        said = refused(address % "secret")
        assert "secret" not in said
        assert "...@host" in said
    assert "do not speak HTTP: neo4j://host" in refused("http://host:7474")
    assert "no address of a Neo4j server" in refused("host")
    assert "no address of a Neo4j server" in refused("neo4j://host/database")
    assert "Port could not be cast" in refused("neo4j://host:http")
    assert "no Neo4j can be reached" in refused("neo4j://nowhere.invalid", code=69)
    assert "no Neo4j can be reached" in refused("bolt://127.0.0.1:1", code=69)
    with speaking(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        assert "HTTP" in refused(f"neo4j://127.0.0.1:{port}", code=69)
    with speaking(b"\0\0\4\4", "Neo4j/4.4.44") as port:
        assert "is Neo4j 4.4.44, expected 5 or later" in refused(f"bolt://127.0.0.1:{port}")
    assert "has no database films" in refused(neo4j_server.url, "--database", "films")
    assert "not system" in refused(neo4j_server.url, "--database", "system")
    assert "printable" in refused(neo4j_server.url, "--as", "a\nb")
    monkeypatch.setenv("NEO4J_PASSWORD", "wrong")
    said = refused(neo4j_server.url)
    assert "refuses the user or the password" in said
    assert "git credential approve" in said


def test_tls(roads: Place, neo4j_server: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate that the server signed itself: taken when that is said, or when it is known.

    Seen to fail (told as a server that cannot be reached) without ``SSLCertVerificationError``.
    """
    if neo4j_server.certificate is None:
        pytest.skip("VEML_NEO4J names a server, or there is no openssl to make a certificate")
    address = neo4j_server.url.partition("://")[2]
    for scheme in ("bolt+ssc", "neo4j+ssc"):
        assert "sent to Neo4j" in roads.veml(
            "lineage", "connect", f"{scheme}://{address}", "--as", named()
        ).out  # fmt: skip
        assert commits(roads) == 1
    for scheme in ("bolt+s", "neo4j+s"):
        said = roads.veml("lineage", "connect", f"{scheme}://{address}", code=128).err
        assert f"{address} has a certificate that is not trusted: self-signed certificate" in said
        assert f"hint: {scheme}sc:// takes one" in said
    monkeypatch.setenv("SSL_CERT_FILE", str(neo4j_server.certificate))
    roads.veml("lineage", "connect", f"neo4j+s://{address}", "--as", named())
    more(roads, 2)
    assert roads.veml("commit", "-qm", "two").err == ""
    assert commits(roads) == 2


def test_the_credential_helper_of_git(
    roads: Place, neo4j_server: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked, and told that it was right; a wrong password is forgotten."""
    monkeypatch.delenv("NEO4J_USERNAME")
    monkeypatch.delenv("NEO4J_PASSWORD")
    store = Path(os.environ["HOME"]) / "kept"
    roads.git("config", "credential.helper", f"store --file={store}")
    host = neo4j_server.url.partition("://")[2].replace(":", "%3a")
    store.write_text(f"neo4j://neo4j:wrong@{host}\n")
    assert "refuses" in roads.veml("lineage", "connect", neo4j_server.url, code=128).err
    assert "wrong" not in store.read_text()
    store.write_text(f"neo4j://{neo4j_server.user}:{neo4j_server.password}@{host}\n")
    roads.veml("lineage", "connect", neo4j_server.url, "--as", named())
    assert neo4j_server.password in store.read_text()
    monkeypatch.setenv("NEO4J_AUTH", "neo4j/wrong")
    assert "refuses" in roads.veml("lineage", "query", "RETURN 1", code=128).err


def test_the_mirror_is_only_read(roads: Place, neo4j_server: Address) -> None:
    roads.veml("lineage", "connect", neo4j_server.url, "--as", named())
    for cypher in ("CREATE (n:X) RETURN n", "MATCH (n) DETACH DELETE n", "CALL { CREATE (:X) }",
                   "CREATE INDEX foo FOR (n:X) ON (n.y)"):  # fmt: skip
        assert "only read" in roads.veml("lineage", "query", cypher, code=128).err
    for cypher in ("CREATE USER eve SET PASSWORD 'abcdefgh'", "MATCH (n RETURN n",
                   "RETURN $nothing", "STOP DATABASE neo4j"):  # fmt: skip
        said = roads.veml("lineage", "query", cypher, code=128).err
        assert said.startswith("fatal: ")
        assert "Traceback" not in said
    for given in ("x=99999999999999999999", 'x="\\ud800"', "x=\udcff"):
        said = roads.veml("lineage", "query", "RETURN $x", "--param", given, code=128).err
        assert "cannot be told that: " in said
    deep = roads.veml("lineage", "query", "RETURN size($x) AS s", "--param", "x=" + "[" * 100_000)
    assert deep.out.split() == ["s", "100000"]
    for given in ("least", "=3"):
        assert "expected NAME=VALUE" in roads.veml(
            "lineage", "query", "RETURN 1", "--param", given, code=128
        ).err  # fmt: skip


def test_what_is_the_users_own_stays(roads: Place, neo4j_server: Address) -> None:
    """Nodes and relationships that somebody hung on versions are neither counted nor touched."""
    from tests.lineage.neo4j.kit import opened

    name = named()
    roads.veml("lineage", "connect", neo4j_server.url, "--as", name)
    with opened(neo4j_server, MirrorPlace(neo4j_server.url, "neo4j", name, "")) as server:
        server.write(
            lambda tx: tx.run(
                "MATCH (t:Training {repository: $name}) "
                "CREATE (t)-[:USES]->(:Robot {owner: $name}), "
                "(t)-[:SEEN_BY]->(t)", name=name,
            ).consume()
        )  # fmt: skip
        assert roads.veml("lineage", "status", "--json").json()["mirror"]["waiting"] == 0
        assert roads.veml("lineage", "sync", "--json").json()["mirror"]["whole"] is False
        roads.veml("lineage", "sync", "--full")
        found = server.read("MATCH (:Robot {owner: $name})<-[:USES]-(t)-[:SEEN_BY]->(t) RETURN t",
                            {"name": name})  # fmt: skip
        assert len(found) == 1
        server.write(
            lambda tx: tx.run("MATCH (r:Robot {owner: $n}) DETACH DELETE r", n=name).consume()
        )


def test_another_clone_is_told(roads: Place, neo4j_server: Address, tmp_path: Path) -> None:
    name = named()
    roads.veml("lineage", "connect", neo4j_server.url, "--as", name)
    other = type(roads)(tmp_path / "clone")
    roads.git("clone", "-q", ".", str(other.root))
    os.chdir(other.root)
    said = other.veml("lineage", "connect", neo4j_server.url, "--as", name, code=1).err
    assert "mirror of another clone" in said
    assert "--take-over" in said
    other.veml("lineage", "connect", neo4j_server.url, "--as", name, "--take-over")
    os.chdir(roads.root)
    more(roads, 2)
    assert "mirror of another clone" in roads.veml("commit", "-qm", "two").err
    assert "another clone" in roads.veml("lineage", "status").out
