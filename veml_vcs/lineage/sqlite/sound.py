"""Whether the file hangs together: what SQLite checks, and what is made of edges and versions."""

from __future__ import annotations

import sqlite3

from veml_vcs.lineage.sqlite.adjacency import says_what_edges_say
from veml_vcs.lineage.sqlite.values import says_what_nodes_say


def fault_in(connection: sqlite3.Connection) -> str | None:
    """Return what is wrong with the file of a connection, without the history; None is nothing."""
    try:
        (told,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        if told != "ok":
            return str(told).replace("\n", " ")
        if not says_what_edges_say(connection):
            return "its table adjacency is not what its edges say"
        if not says_what_nodes_say(connection):
            return "its table said is not what its versions say"
        from veml_vcs.lineage.sqlite.sound_chains import says_what_commits_reach  # loads numpy

        if not says_what_commits_reach(connection):
            return "its tables place and link are not what its commits reach"
    except sqlite3.DatabaseError as error:
        return str(error).partition(" with text ")[0]
    return None
