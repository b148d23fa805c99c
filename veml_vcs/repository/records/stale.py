"""Which versions are of others that moved on: what they measured says nothing of what is here.

That is no error: it is so between a change and the next training. It is told, and stops nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from veml_vcs.repository.git.repo import TreeFile
from veml_vcs.repository.records.versions import records_in
from veml_vcs.repository.repository import Repository
from veml_vcs.versions.kinds import MEASURED, RecordKind


@dataclass(frozen=True)
class StaleRecord:
    """A version of which something that it is of is at another version now.

    Attributes:
        kind: ``training`` or ``inference``.
        name: Its name.
        path: Its record, from the repository's root.
        what: What moved on: ``data``, ``model`` or ``training``.
        of: The data set's folder, or the name.
        needs: The record that it is of, from the repository's root.
        gone: Whether that is not there at all any more.
    """

    kind: str
    name: str
    path: str
    what: str
    of: str
    needs: str
    gone: bool

    @property
    def reason(self) -> str:
        """What moved on, in words."""
        if self.gone:
            return f"the {self.what} {self.of} is not here any more"
        return f"the {self.what} {self.of} is another version now"


def stale_records(
    repo: Repository, files: Mapping[str, TreeFile], *kinds: RecordKind[Any]
) -> tuple[StaleRecord, ...]:
    """Return the records of a Git tree, or of the index, that are of other versions than it has.

    Args:
        repo: The repository.
        files: The tree's files.
        kinds: Look at these alone; none: at all that can be stale.
    """
    found: dict[StaleRecord, None] = {}
    for kind in kinds or MEASURED:
        for name, record in records_in(repo, kind, files).records.items():
            here_now = {path for _, _, path, version in record.needs
                        if path in files and files[path].blob == version}  # fmt: skip
            for what, of, path, _ in record.needs:
                here = files.get(path)
                # One that learnt from two versions of one data set is of the later.
                if path not in here_now:
                    stale = StaleRecord(
                        kind.name, name, kind.path(name), what, of, path, here is None
                    )
                    found[stale] = None
    return tuple(found)
