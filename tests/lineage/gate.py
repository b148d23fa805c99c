"""A port behind which a server is, or nobody that answers."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Gate:
    """Takes connections; what is sent goes nowhere, or to a server and back once it is open.

    Attributes:
        port: Of 127.0.0.1, where it listens.
        asked: How many connections it took.
        behind: The port of the server; None as long as nobody answers.
        until: Once a client has sent these bytes, all that either side of its connection sends
            goes nowhere: what a network does that loses the large packets alone.
    """

    def __init__(self, listener: socket.socket) -> None:
        self.port = int(listener.getsockname()[1])
        self.asked = 0
        self.behind: int | None = None
        self.until: bytes | None = None
        self._listener = listener
        self._open: list[socket.socket] = []

    def drop(self) -> None:
        """End all connections that there are, so that both sides hear of it."""
        for one in self._open:
            with suppress(OSError):  # that one has ended
                one.shutdown(socket.SHUT_RDWR)

    def serve(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                break
            self.asked += 1
            self._open.append(peer)
            if self.behind is not None:
                server = socket.create_connection(("127.0.0.1", self.behind))
                self._open.append(server)
                lost = threading.Event()
                for ends in ((peer, server, self.until), (server, peer, None)):
                    threading.Thread(target=_pass_on, args=(*ends, lost), daemon=True).start()
        for one in self._open:
            one.close()


def _pass_on(
    source: socket.socket, target: socket.socket, until: bytes | None, lost: threading.Event
) -> None:
    before = b""  # the words may come in two pieces
    try:
        while data := source.recv(65536):
            if until is not None and until in before + data:
                lost.set()
            before = data[-len(until) :] if until else b""
            if not lost.is_set():
                target.sendall(data)
        if not lost.is_set():
            target.shutdown(socket.SHUT_WR)
    except OSError:
        return  # the other side has left


def tries_ended() -> None:
    """Wait for the tries that a command gave up to wait for: they may still come to the gate."""
    for one in threading.enumerate():
        if one.name == "veml-mirror":
            one.join()


@contextmanager
def gate() -> Iterator[Gate]:
    """Open a port that takes connections and says nothing until it is told who is behind it."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen()
        found = Gate(one)
        thread = threading.Thread(target=found.serve)
        thread.start()
        try:
            yield found
        finally:
            one.shutdown(socket.SHUT_RDWR)
            thread.join()


@contextmanager
def vanishing() -> Iterator[int]:
    """Return a port where packets vanish: as long as its queue is full, Linux answers nothing."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen(0)
        port = int(one.getsockname()[1])
        waiting = [socket.socket() for _ in range(4)]
        for other in waiting:
            other.setblocking(False)
            other.connect_ex(("127.0.0.1", port))
        try:
            yield port
        finally:
            for other in waiting:
                other.close()
