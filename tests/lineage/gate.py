"""A port behind which a server is, or nobody that answers."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Gate:
    """Takes connections; what is sent goes nowhere, or to a server and back once it is open.

    Attributes:
        port: Of 127.0.0.1, where it listens.
        asked: How many connections it took.
        behind: The port of the server; None as long as nobody answers.
    """

    def __init__(self, listener: socket.socket) -> None:
        self.port = int(listener.getsockname()[1])
        self.asked = 0
        self.behind: int | None = None
        self._listener = listener
        self._open: list[socket.socket] = []

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
                for ends in ((peer, server), (server, peer)):
                    threading.Thread(target=_pass_on, args=ends, daemon=True).start()
        for one in self._open:
            one.close()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return  # the other side has left


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
