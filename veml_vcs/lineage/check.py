"""Whether the file of the graph says what the history says: SQLite does not see damaged text.

The file is compared with a graph that is made for this alone, the arrays of neighbours and the
chains of commits with the edges, and what is told of samples with the data.
"""

from __future__ import annotations

import os
import sqlite3
from itertools import groupby, zip_longest
from operator import itemgetter

from veml_vcs.errors import DamagedError, NotFoundError
from veml_vcs.lineage.sqlite.contents import Contents
from veml_vcs.lineage.sqlite.database import FILE, Database
from veml_vcs.lineage.sqlite.sound import fault_in
from veml_vcs.lineage.sync import database, sync
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.repository import Repository
from veml_vcs.samples.tree.marks import Differences, marks_of

_TABLES = {
    "node": "SELECT id, kind, name, props, known FROM node ORDER BY id",
    "edge": "SELECT s.id, e.kind, t.id, e.props FROM edge e JOIN node s ON s.key = e.source "
            "JOIN node t ON t.key = e.target ORDER BY 1, 2, 3",
    "brought": "SELECT n.id, b.path, b.version, b.replaced FROM brought b "
               "JOIN node n ON n.key = b.commit_key ORDER BY 1, 2",
    "skipped": "SELECT version, path, reason FROM skipped ORDER BY 1, 2",
    "tally": "SELECT what, kind, count FROM tally WHERE count <> 0 ORDER BY 1, 2",
}  # fmt: skip
"""What is in each table, whatever the numbers of its rows."""


def fault_of(repo: Repository, progress: Progress = silent) -> str | None:
    """Return what is wrong with the file of the graph, which is brought up to date first.

    Args:
        repo: The repository.
        progress: Is told how many commits were read.

    Returns:
        None where nothing is wrong, or there is no file.

    Raises:
        StorageError: Another process keeps it locked.
    """
    if not os.path.exists(os.path.join(repo.folder, FILE)):
        return None
    with database(repo) as base:
        sync(repo, base, progress=progress)
        if base.unkept:
            return None
        with Database("", repo.files) as anew:  # a file without a name, which SQLite removes
            sync(repo, anew, progress=progress)
            try:
                fault = fault_in(base.connection)
                if fault is not None:
                    return fault
                for table, rows in _TABLES.items():
                    found, right = (one.connection.execute(rows) for one in (base, anew))
                    if any(one != other for one, other in zip_longest(found, right)):
                        return f"its table {table} is not what the history says"
                if not _tells_samples(Contents(base.connection), Differences(repo.store)):
                    return "its table content is not what the data says"
            except sqlite3.DatabaseError as error:
                return str(error).partition(" with text ")[0]
    return None


def _tells_samples(contents: Contents, trees: Differences) -> bool:
    """Tell whether what is told of data versions is right, as far as their data can be read."""
    told = ((key, [mark for _, mark in some])
            for key, some in groupby(contents.differences(), itemgetter(0)))  # fmt: skip
    key, marks = next(told, (None, []))
    for one, tree, base, old, named in contents.everything():
        found = marks if key == one else []
        if key == one:
            key, marks = next(told, (None, []))
        if named not in (None, tree.hex()) or (base and old is None):
            return False
        try:
            pairs = None if base is None else trees.differ(old, tree)
        except (DamagedError, NotFoundError):
            continue
        if (pairs is None) != (base is None) or found != sorted(set(marks_of(pairs or ()))):
            return False
    return key is None and not (contents.complete and contents.overlooked())


def made_anew(repo: Repository, progress: Progress = silent) -> None:
    """Make the graph anew, whatever is in its file.

    Raises:
        StorageError: Another process keeps it locked.
    """
    with database(repo) as base:
        sync(repo, base, full=True, progress=progress)
