"""Read and hash files of a work tree, in order, each once, noticing files that change meanwhile."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

from veml_vcs.errors import ConflictError, StorageError
from veml_vcs.ids import SampleId, digest
from veml_vcs.repository.worktree.scan import Stamp, stamp_of

_THREAD_WORTHY_BYTES = 64 << 10
_WINDOW_BYTES = 64 << 20
_THREADS = min(8, os.cpu_count() or 1)


class ReadFile(NamedTuple):
    """One file that was read.

    Attributes:
        key: Its key in the data set.
        status: What the system said of it when it was read.
        content: SHA-256 of the bytes.
        data: The bytes.
    """

    key: str
    status: os.stat_result
    content: SampleId
    data: bytes

    @property
    def stamp(self) -> Stamp:
        """Its stamp when it was read."""
        return stamp_of(self.status)


def read_files(
    wanted: Sequence[tuple[str, Stamp]], path_of: Callable[[str], str]
) -> Iterator[ReadFile]:
    """Read files in the order given.

    Small files are read in this thread (handing them to another one costs more than reading);
    large ones by several, with at most 64 MiB under way.

    Args:
        wanted: Key and stamp of each file, as scanned.
        path_of: Where a key lies on disk.

    Raises:
        ConflictError: A file kept changing while it was read.
        StorageError: A file cannot be read.
    """
    total = sum(stamp.size for _, stamp in wanted)
    if not wanted or _THREADS == 1 or total < _THREAD_WORTHY_BYTES * len(wanted):
        for key, _ in wanted:
            yield read_file(key, path_of(key))
        return
    with ThreadPoolExecutor(_THREADS, "veml-read") as pool:
        under_way: deque[tuple[int, Future[ReadFile]]] = deque()
        window = 0
        for key, stamp in wanted:
            while under_way and window + stamp.size > _WINDOW_BYTES:
                size, future = under_way.popleft()
                window -= size
                yield future.result()
            under_way.append((stamp.size, pool.submit(read_file, key, path_of(key))))
            window += stamp.size
        for _, future in under_way:
            yield future.result()


def read_file(key: str, path: str) -> ReadFile:
    """Read one file; again if it changed meanwhile, so that no half of a change is taken.

    Raises:
        ConflictError: It changed each of three times.
        StorageError: It cannot be read.
    """
    try:
        for _ in range(3):
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                before = os.fstat(descriptor)
                data = os.read(descriptor, before.st_size + 1)
                while len(data) < before.st_size and (more := os.read(descriptor, 1 << 24)):
                    data += more
                after = os.fstat(descriptor)
            finally:
                os.close(descriptor)
            if (
                len(data) == after.st_size == before.st_size
                and after.st_mtime_ns == before.st_mtime_ns
                and after.st_ctime_ns == before.st_ctime_ns
            ):
                return ReadFile(key, after, SampleId(digest(data)), data)
    except OSError as error:
        raise StorageError(f"{path}: cannot be read: {error.strerror}") from error
    raise ConflictError(
        f"{path}: changes while it is read (three tries)", hint="add it when its writer is done"
    )
