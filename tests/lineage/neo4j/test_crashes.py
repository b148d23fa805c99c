"""Killed in the middle: the sender, the server; and two at once. In the end all is there."""

from __future__ import annotations

import secrets
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.lineage.kit import data_record
from tests.lineage.neo4j import keeper
from tests.lineage.neo4j.kit import in_neo4j, in_sqlite, opened, place_at, some_history
from tests.lineage.neo4j.server import GIVEN, jars, kept_port, wait
from tests.lineage.neo4j.server import Server as Address
from tests.repository.conftest import isolated
from veml_vcs.errors import StorageError
from veml_vcs.lineage.neo4j.mirror import Mirror, MovedError
from veml_vcs.lineage.neo4j.place import Place
from veml_vcs.lineage.neo4j.server import Server
from veml_vcs.lineage.sqlite.database import Database
from veml_vcs.lineage.sync import sync
from veml_vcs.objects.files import Files
from veml_vcs.repository import Repository

__all__ = ["isolated"]
pytestmark = [pytest.mark.neo4j, pytest.mark.slow]

_SEND = """
import sys, os, signal
from veml_vcs.lineage.neo4j import mirror
from veml_vcs.lineage.neo4j.place import Login, Place
from veml_vcs.lineage.neo4j.server import Server
from veml_vcs.lineage.sqlite.database import Database
from veml_vcs.objects.files import Files
path, url, name, user, password, die, when = sys.argv[1:]
settle, count = mirror.Changes.settle, 0
def settling(self, at):
    global count
    count += 1
    if count == int(die) and when == "before": os.kill(os.getpid(), signal.SIGKILL)
    settle(self, at)
    if count == int(die) and when == "after": os.kill(os.getpid(), signal.SIGKILL)
mirror.Changes.settle = settling
place, who = Place(url, "neo4j", name, "here"), Login(user, password)
with Server(place, who, seconds=60) as server:
    base = Database(path, Files())
    print(mirror.Mirror(base, server, 7).bring_up())
    base.close()
"""


def send(
    base: Database, place: Place, address: Address, die: int = 0, when: str = ""
) -> subprocess.Popen[bytes]:
    """Send in another process, which kills itself at a window: before or after it notes it."""
    return subprocess.Popen(
        [sys.executable, "-c", _SEND, base.path, place.url, place.name, address.user,
         address.password, str(die), when],
        stdout=subprocess.PIPE,
    )  # fmt: skip


def killed(process: subprocess.Popen[bytes]) -> bool:
    process.communicate()
    return process.returncode == -signal.SIGKILL


def test_killed_while_it_sends(tmp_path: Path, isolated: Path, neo4j_server: Address) -> None:
    """After a window that the server took, and before that was noted here, it goes on from there.

    Seen to fail (as a whole again) without ``following`` in ``Mirror._where``.
    """
    history = some_history(tmp_path / "project", 4)
    repo, base = history.synced()
    place = place_at(neo4j_server)
    for die, when in ((2, "before"), (3, "after"), (1, "before"), (2, "before")):
        assert killed(send(base, place, neo4j_server, die, when))
    with opened(neo4j_server, place) as server:
        Mirror(base, server, 7).bring_up()
        assert in_neo4j(server) == in_sqlite(base)
        for number in range(5, 8):
            history.commit({"roads.veml": data_record(number)})
        with Repository(str(history.root)) as now:
            sync(now, base)
        assert killed(send(base, place, neo4j_server, 1, "before"))
        done = Mirror(base, server, 7).bring_up()
        assert not done.whole
        assert done.nodes > 0
        assert in_neo4j(server) == in_sqlite(base)
    base.close()
    repo.close()


def test_two_at_once(tmp_path: Path, isolated: Path, neo4j_server: Address) -> None:
    """One waits for the other; without the lock the server's token refuses the second's window."""
    history = some_history(tmp_path / "project", 6)
    repo, base = history.synced()
    place = place_at(neo4j_server)
    both = [send(base, place, neo4j_server) for _ in range(2)]
    said = [one.communicate()[0] for one in both]
    assert [one.returncode for one in both] == [0, 0]
    assert sum(b"nodes=0" in one for one in said) == 1, said
    with opened(neo4j_server, place) as server:
        assert in_neo4j(server) == in_sqlite(base)
    base.close()
    repo.close()


def test_a_second_writer_is_refused_by_the_server(
    tmp_path: Path, isolated: Path, neo4j_server: Address
) -> None:
    """Two copies of one ``.git``: no lock is shared, and each window is of a state that is gone.

    Seen to fail without ``m.token = $now``.
    """
    history = some_history(tmp_path / "project", 4)
    repo, base = history.synced()
    place = place_at(neo4j_server)
    with opened(neo4j_server, place) as server:
        Mirror(base, server).bring_up()
        base.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (tmp_path / "copy.sqlite").write_bytes(Path(base.path).read_bytes())
        copy = Database(str(tmp_path / "copy.sqlite"), Files())
        history.commit({"roads.veml": data_record(8)})
        with Repository(str(history.root)) as now:
            sync(now, base)
        old = Mirror(copy, server)
        at = old._where()
        Mirror(base, server).bring_up()  # meanwhile
        copy.connection.execute("UPDATE node SET name = 'other' WHERE kind = 'commit'")
        assert at is not None
        window = old._compared.next(at)
        assert window is not None
        with pytest.raises(MovedError):
            old._send(at, window)
        assert in_neo4j(server) == in_sqlite(base)
        assert Mirror(copy, server).bring_up().whole  # and it is the copy's from now on
        assert in_neo4j(server) == in_sqlite(copy)
        assert Mirror(base, server).bring_up().whole
        assert in_neo4j(server) == in_sqlite(base)
        copy.close()
    base.close()
    repo.close()


def test_many_connect_to_a_new_server_at_once(neo4j_server: Address) -> None:
    """Neo4j refuses one of two that make a constraint at the same time; that one tries again.

    Seen to fail with ``define`` outside of a managed transaction.
    """
    place, failed = place_at(neo4j_server), []

    def make(server: Server, label: str) -> None:
        try:
            server.define(
                f"CREATE CONSTRAINT {label} IF NOT EXISTS FOR (n:{label}) REQUIRE n.id IS UNIQUE"
            )
        except StorageError as error:
            failed.append(error)

    servers = [opened(neo4j_server, place) for _ in range(6)]
    for turn in range(6):
        label = f"Race{secrets.token_hex(4)}{turn}"
        threads = [threading.Thread(target=make, args=(one, label)) for one in servers]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        servers[0].define(f"DROP CONSTRAINT {label}")
    for server in servers:
        server.close()
    assert failed == []


def test_the_server_is_killed(tmp_path: Path, isolated: Path, neo4j_server: Address) -> None:
    """A server of its own is killed after some windows, and started again on the same files."""
    if GIVEN:
        pytest.skip("VEML_NEO4J names a server, and this test kills one that it starts")
    history = some_history(tmp_path / "project", 12)
    repo, base = history.synced()
    with kept_port() as port:
        address = Address(f"neo4j://127.0.0.1:{port}", neo4j_server.user, neo4j_server.password)
        place, folder = place_at(address), tmp_path / "server"
        process = keeper.start(folder, port, jars())
        try:
            wait(address, process, folder)
            sender = send(base, place, address)
            with opened(address, place) as server:
                until = time.monotonic() + 60
                while not (kept := Mirror(base, server).kept()) or not kept.nodes:
                    assert time.monotonic() < until
                    time.sleep(0.01)
            process.kill()
            process.wait()
            sender.kill()  # else it tries for a minute
            sender.communicate()
            with pytest.raises(StorageError, match="no Neo4j can be reached"):
                opened(address, place, seconds=1)
            process = keeper.start(folder, port, jars())
            wait(address, process, folder)
            with opened(address, place) as server:
                Mirror(base, server, 7).bring_up()
                assert in_neo4j(server) == in_sqlite(base)
        finally:
            process.kill()
            process.wait()
            base.close()
            repo.close()
