"""What listens there is no Neo4j that is known: a clear error, whatever it is.

These speak as much of Bolt as is needed to say who they are, as the real ones were heard to (Neo4j
4.4.44 of Maven's was tried by hand: it agrees on Bolt 4.4 and says the same).
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from veml_vcs.errors import StorageError, VemlError
from veml_vcs.lineage.neo4j.place import Login, Place
from veml_vcs.lineage.neo4j.server import Server


def _hello(agent: str) -> bytes:
    """Return SUCCESS {"server": agent} in one chunk."""
    text = agent.encode()
    return _chunk(b"\xb1\x70\xa1\x86server\xd0" + bytes([len(text)]) + text)


def _chunk(message: bytes) -> bytes:
    return len(message).to_bytes(2, "big") + message + b"\0\0"


_DONE = _chunk(b"\xb1\x70\xa1\x86fields\x90")
"""SUCCESS {"fields": []}"""


def _messages(peer: socket.socket) -> Iterator[None]:
    """Yield once for each message: chunks, the last of them empty."""
    with peer.makefile("rb") as stream:
        while size := stream.read(2):
            if size == b"\0\0":
                yield
            else:
                stream.read(int.from_bytes(size, "big"))


def _answer(
    peer: socket.socket, version: bytes, agent: str, then: tuple[int, bytes] | None
) -> None:
    with peer:
        peer.recv(20, socket.MSG_WAITALL)  # four bytes that are Bolt's, and four versions
        peer.sendall(version)
        if agent:
            for number, _ in enumerate(_messages(peer)):
                if then is not None and number == then[0]:
                    peer.sendall(then[1])
                    return
                peer.sendall(_DONE if number else _hello(agent))


@contextmanager
def speaking(
    version: bytes, agent: str = "", then: tuple[int, bytes] | None = None
) -> Iterator[int]:
    """Open a port where somebody agrees on a version of Bolt, and says who it is.

    Args:
        version: Of Bolt.
        agent: Who it is; nothing is said after the version if it is empty.
        then: To the message of this number it answers this, and closes.
    """
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen()

        def serve() -> None:
            while True:
                try:
                    peer, _ = one.accept()
                except OSError:
                    return
                threading.Thread(
                    target=_answer, args=(peer, version, agent, then), daemon=True
                ).start()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield one.getsockname()[1]
        finally:
            one.shutdown(socket.SHUT_RDWR)
            thread.join()


def refused(url: str) -> VemlError:
    with pytest.raises(VemlError) as found:
        Server(Place(url, "neo4j", "roads", "here"), Login("neo4j", "secret"))
    return found.value


@pytest.mark.parametrize(
    ("version", "agent", "kind", "said"),
    [
        (b"\0\0\4\4", "Neo4j/4.4.44", "unsupported-version", "is Neo4j 4.4.44, expected 5 or"),
        (b"\0\0\0\3", "Neo4j/3.5.35", "unsupported-version", "is Neo4j 3.5.35, expected 5 or"),
        (b"\0\0\0\0", "", "no-neo4j", "is no Neo4j, or one that is older than 5"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "", "no-neo4j", "is no Neo4j, or one that is older than 5"),
        (b"\0\0\4\5", "Neo4j/v5.11.0 compatible graph database server - Memgraph", "no-neo4j",
         "is Neo4j/v5.11.0 compatible graph database server - Memgraph, expected Neo4j 5 or"),
        (b"\0\0\4\5", "Other/5.0", "no-neo4j", "is Other/5.0, expected Neo4j 5 or"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "", "unreachable", "HTTP"),
    ],
)  # fmt: skip
def test_what_is_no_neo4j_that_is_known(version: bytes, agent: str, kind: str, said: str) -> None:
    """Seen to fail without ``_open`` (4.4: of notifications), without ``check_agent``."""
    with speaking(version, agent) as port:
        error = refused(f"bolt://127.0.0.1:{port}")
    assert (error.kind, said in error.message) == (kind, True), error.message
    assert "\n" not in error.message


@pytest.mark.parametrize("number", [0, 1, 2, 4])
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"", "unreachable"),
        (b"\x00\x20\xb1\x70", "unreachable"),  # of 32 bytes two
        (b"\xde\xad\xbe\xef" * 10, "unreachable"),
        (_chunk(b"\x01"), "protocol"),  # no message
        (_chunk(b"\xb1\x42\xa0"), "protocol"),  # of no kind that there is
        (_chunk(b"\xb1\x70\x01"), "protocol"),  # SUCCESS, and of what
        (_chunk(b"\xb1\x7f\x05"), "protocol"),  # FAILURE, the same
        (_chunk(b"\xb1\x70\xa1\x81\xff\x01"), "protocol"),  # no UTF-8
    ],
)
def test_a_server_that_breaks_bolt(number: int, answer: bytes, kind: str) -> None:
    """After it said who it is, or while: no bug of ours. Seen to fail without ``_in_driver``."""
    with (
        speaking(b"\0\0\4\5", "Neo4j/5.26.0", (number, answer)) as port,
        pytest.raises(StorageError) as found,
        Server(Place(f"bolt://127.0.0.1:{port}", "neo4j", "roads", "here"), None, seconds=0.2) as
        server,
    ):  # fmt: skip
        server.read("RETURN 1")
    assert found.value.kind == kind
    assert f"127.0.0.1:{port}" in found.value.message
    assert "\n" not in found.value.message


def test_an_error_of_ours_is_none_of_the_servers() -> None:
    """Seen to fail with every error taken for the server's."""

    def work(_: object) -> None:
        raise ValueError("ours")

    with (
        speaking(b"\0\0\4\5", "Neo4j/5.26.0") as port,
        Server(Place(f"bolt://127.0.0.1:{port}", "neo4j", "roads", "here"), None) as server,
        pytest.raises(ValueError, match="ours"),
    ):
        server.write(work)


def test_why_no_router_could_be_asked() -> None:
    """``neo4j://`` asks several; why the first could not is what helps. Seen to fail without
    ``BaseExceptionGroup`` in ``_cause``."""
    with speaking(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        assert "looks like HTTP" in refused(f"neo4j://127.0.0.1:{port}").message


def test_a_server_without_tls() -> None:
    with speaking(b"SSH-2.0-OpenSSH_9.2\r\n") as port:
        error = refused(f"bolt+s://127.0.0.1:{port}")
    assert error.kind == "unreachable"
    assert str(error.hint).endswith("bolt:// if it has no TLS")


def test_a_current_one_is_taken() -> None:
    """What the others are told apart from."""
    with (
        speaking(b"\0\0\4\5", "Neo4j/2025.08.0") as port,
        Server(Place(f"bolt://127.0.0.1:{port}", "neo4j", "roads", "here"), None) as server,
    ):
        assert server.agent == "Neo4j/2025.08.0"
