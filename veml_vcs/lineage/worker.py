"""A process that reads records for another, which started it: ``workers`` tells what for.

It is asked for some versions of a repository at a time, reads them by the program git, and says
what their records say. What it cannot read it leaves out: the other process reads that itself, and
finds out what is wrong with it. It ends where nobody asks any more, and takes no notice of Ctrl-C,
which is for the other.
"""

from __future__ import annotations

import marshal
import signal
import sys
from collections.abc import Iterable, Iterator
from typing import IO, Any

from veml_vcs.errors import DamagedError, FormatError, InvalidInputError, NotFoundError
from veml_vcs.lineage.records import read_record
from veml_vcs.lineage.sqlite.rows import no_garbage
from veml_vcs.lineage.told import Told, told
from veml_vcs.repository.git.bulk import Bulk, BulkError

REFUSED = (DamagedError, FormatError, InvalidInputError, NotFoundError)
"""What a record that cannot be taken is refused with."""
_LENGTH = 8


def main() -> None:
    """Answer what comes in, until nothing does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    bulk = Bulk(take(sys.stdin.buffer))
    with no_garbage():
        while True:
            try:
                wanted = take(sys.stdin.buffer)
            except EOFError:
                return
            give(sys.stdout.buffer, [tuple(one) for one in _read(bulk, wanted)])


def _read(bulk: Bulk, wanted: Iterable[tuple[str, str]]) -> Iterator[Told]:
    paths = dict(wanted)
    try:
        for version, data in bulk.contents(paths, "blob"):
            if data is None:
                continue
            try:
                said = read_record(data, version, paths[version])
            except REFUSED:
                continue
            if said is not None:
                yield told(said)
    except BulkError:  # what came before it is right
        return


def give(pipe: IO[bytes], value: Any) -> None:
    """Write a value of plain types."""
    data = marshal.dumps(value)
    pipe.write(len(data).to_bytes(_LENGTH, "little"))
    pipe.write(data)
    pipe.flush()


def take(pipe: IO[bytes]) -> Any:
    """Return the next value.

    Raises:
        EOFError: There is none, or not all of it.
    """
    head = pipe.read(_LENGTH)
    size = int.from_bytes(head, "little")
    data = pipe.read(size)
    if len(head) < _LENGTH or len(data) < size:
        raise EOFError
    return marshal.loads(data)


if __name__ == "__main__":
    main()
