"""A real Neo4j for the tests: started once a run from Maven's jars, shared by all workers.

``VEML_NEO4J`` names a server that is there already (``neo4j://HOST:PORT``, with NEO4J_USERNAME and
NEO4J_PASSWORD); its nodes of other repositories are left alone. Where there is none, and Maven or
Java are missing, the tests are skipped, and say so.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.lineage.neo4j import keeper
from veml_vcs.objects.lock import FileLock

HERE = Path(__file__).resolve().parent
# Read before any test changes where home is.
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "veml-tests"
GIVEN = os.environ.get("VEML_NEO4J")
_ENVIRONMENT = dict(os.environ)
USER, PASSWORD = "neo4j", "graph-of-tests"
_START_SECONDS = 120.0
_keepers: list[subprocess.Popen[bytes]] = []
"""What this process started; without a name Python warns, in whatever test runs then."""


@dataclass(frozen=True)
class Server:
    """Where a server listens, who may ask it, and the certificate that it signed itself."""

    url: str
    user: str
    password: str
    certificate: Path | None = None

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])


def jars() -> Path:
    """Return the folder of the server's jars; they are downloaded once into the user's cache."""
    pom = (HERE / "pom.xml").read_text()
    version = pom.rpartition("<version>")[2].partition("<")[0]
    folder = _CACHE / f"neo4j-{version}"
    if folder.is_dir():
        return folder
    _CACHE.mkdir(parents=True, exist_ok=True)
    with FileLock(_CACHE / "lock", timeout_seconds=900, purpose="download Neo4j"):
        if folder.is_dir():
            return folder
        fetched = _CACHE / f"neo4j-{version}.new"
        shutil.rmtree(fetched, ignore_errors=True)
        done = subprocess.run(
            ["mvn", "-q", "-B", "-f", HERE / "pom.xml", "dependency:copy-dependencies",
             "-DincludeScope=runtime", f"-DoutputDirectory={fetched}"],
            env=_ENVIRONMENT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            pytest.fail(f"Maven could not fetch Neo4j {version}: {done.stdout[-2000:]}")
        fetched.rename(folder)
    return folder


def missing() -> str | None:
    """Tell why no server can be had; None if one can."""
    if GIVEN:
        return None
    absent = [name for name in ("mvn", "java") if shutil.which(name) is None]
    if not absent:
        return None
    return f"no Neo4j: VEML_NEO4J names none, and to start one, {' and '.join(absent)} is missing"


def running(shared: Path) -> Server:
    """Return the server of a test run, and start it if nobody did.

    Args:
        shared: A folder that all workers of the run share.
    """
    if GIVEN:
        return Server(
            GIVEN,
            _ENVIRONMENT.get("NEO4J_USERNAME", USER),
            _ENVIRONMENT.get("NEO4J_PASSWORD", PASSWORD),
        )
    folder = shared / "neo4j-server"
    with FileLock(shared / "neo4j.lock", timeout_seconds=1200, purpose="start Neo4j"):
        users = folder / "users"
        users.mkdir(parents=True, exist_ok=True)
        (users / str(os.getpid())).touch()
        port_file = folder / "port"
        certificate = folder / "certificates" / keeper.CERTIFICATE
        if port_file.exists():
            url = f"neo4j://127.0.0.1:{port_file.read_text()}"
            return Server(url, USER, PASSWORD, certificate if certificate.exists() else None)
        with kept_port() as port:
            process = subprocess.Popen(
                [sys.executable, keeper.__file__, str(folder), str(port), str(jars())],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                start_new_session=True,
            )  # fmt: skip
            _keepers.append(process)
            url = f"neo4j://127.0.0.1:{port}"
            wait(Server(url, USER, PASSWORD), process, folder)
        port_file.write_text(str(port))
    return Server(url, USER, PASSWORD, certificate if certificate.exists() else None)


@contextmanager
def kept_port() -> Iterator[int]:
    """Return a free port that the system gives to nobody but to a server that asks for it.

    A server takes half a minute until it listens, and meanwhile the tests beside connect to others,
    each from a port that is free. Two sockets that do not listen may both be bound to one if both
    allow it, as those of Java's servers do; connections refuse it.
    """
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind(("127.0.0.1", 0))
        yield int(one.getsockname()[1])


def wait(server: Server, process: subprocess.Popen[bytes], folder: Path) -> None:
    """Wait until a new server answers, and give its user a password, as it asks for."""
    from neo4j import GraphDatabase
    from neo4j.exceptions import ClientError, Neo4jError, ServiceUnavailable

    until = time.monotonic() + _START_SECONDS
    while True:
        try:
            # bolt: asks no routing table, which the driver would try to get again and again.
            url = server.url.replace("neo4j://", "bolt://")
            with (
                GraphDatabase.driver(url, auth=(USER, "neo4j"), connection_timeout=5) as driver,
                driver.session(database="system") as session,
            ):
                session.run(
                    "ALTER CURRENT USER SET PASSWORD FROM $old TO $new",
                    {"old": "neo4j", "new": PASSWORD},
                ).consume()
            return
        except (ServiceUnavailable, Neo4jError, ConnectionError) as error:
            if isinstance(error, ClientError) and "Unauthorized" in (error.code or ""):
                return  # it was started again on a folder that has been used
            if process.poll() is not None or time.monotonic() > until:
                said = (folder / "output").read_text(errors="replace")[-3000:]
                pytest.fail(f"Neo4j did not start: {error}\n{said}")
        time.sleep(0.3)
