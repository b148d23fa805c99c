"""Other processes that read records while this one fills the tables; ``worker`` is what they run.

A long history alone is worth them. They take work off this process and nothing else: whatever one
does not say (of a record that is refused, of one that Git does not have; nothing at all, since it
was killed) is read here, as all is where there are none. So the graph is the same, and so is what a
user is told.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from veml_vcs.lineage.told import Told
from veml_vcs.lineage.worker import give, take

WORTH = 5000
"""So many new commits are worth a process, which takes a quarter of a second to begin."""
_MOST = 3
"""More would wait for this one, which fills the tables."""
_CODE = "import sys; sys.path[:] = sys.argv[1:]; from veml_vcs.lineage.worker import main; main()"
"""The modules are those of this process, wherever it has them from; ``sys`` is built in."""
_PIPE = 1 << 20

_Worker = subprocess.Popen[bytes]


class Workers:
    """Processes that read.

    Args:
        folder: Git's.
        count: How many; there are fewer where the system gives fewer.

    Attributes:
        read: How many versions they read.
    """

    def __init__(self, folder: str, count: int) -> None:
        self.read = 0
        self._all: list[_Worker] = []
        try:
            for _ in range(count):
                self._all.append(_start(folder))
        except OSError:  # no process more, or no Python at that path any more
            pass
        self._idle = deque(self._all)
        self._threads = ThreadPoolExecutor(max(1, len(self._all)), "lineage-worker")

    @property
    def ahead(self) -> int:
        """How many lots to ask for before the first answer is taken."""
        return len(self._all) + 1 if self._all else 0

    def ask(self, wanted: Mapping[str, str]) -> Future[dict[str, Told]]:
        """Have some versions read.

        Args:
            wanted: Version -> a path where it stands.

        Returns:
            What those of them say that are sound, later. Raises nothing.
        """
        return self._threads.submit(self._answer, list(wanted.items()))

    def _answer(self, wanted: list[tuple[str, str]]) -> dict[str, Told]:
        if not self._idle:  # there are as many threads as processes: some of these have ended
            return {}
        one = self._idle.pop()
        assert one.stdin is not None
        assert one.stdout is not None
        try:
            give(one.stdin, wanted)
            found = {told[0]: Told._make(told) for told in take(one.stdout)}
        except (OSError, EOFError, ValueError):  # it ended, or is being ended
            return {}
        self._idle.append(one)
        self.read += len(found)
        return found

    def close(self) -> None:
        """End them, whatever they do."""
        for one in self._all:
            one.kill()
        self._threads.shutdown(cancel_futures=True)
        for one in self._all:
            one.communicate()


@contextmanager
def working(folder: str, commits: int) -> Iterator[Workers]:
    """Have as many processes as are worth it for so many commits: one less than the machine's."""
    count = 0 if commits < WORTH else min(_MOST, _processors() - 1)
    workers = Workers(folder, count)
    try:
        yield workers
    finally:
        workers.close()


def _start(folder: str) -> _Worker:
    if not sys.executable:
        raise OSError("Python does not know where it is")
    one = subprocess.Popen(
        [sys.executable, "-c", _CODE, *sys.path],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, pipesize=_PIPE,
    )  # fmt: skip
    assert one.stdin is not None
    give(one.stdin, folder)
    return one


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
