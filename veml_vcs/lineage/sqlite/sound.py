"""Whether the file hangs together: what SQLite checks, and what is made of edges and versions."""

from __future__ import annotations

import sqlite3

from veml_vcs.lineage.sqlite.adjacency import says_what_edges_say
from veml_vcs.lineage.sqlite.values import says_what_nodes_say

_ODD = (
    "SELECT 1 FROM node WHERE 'text' <> typeof(id) OR 'text' <> typeof(kind) "
    "OR 'text' <> typeof(name) OR 'text' <> typeof(props) "
    "UNION ALL SELECT 1 FROM edge, (SELECT max(key) AS last FROM node) "
    "WHERE 'integer' <> typeof(source) OR 'text' <> typeof(kind) "
    "OR 'integer' <> typeof(target) OR 'text' <> typeof(props) "
    "OR min(source, target) < 1 OR max(source, target) > last LIMIT 1"
)
"""SQLite keeps bytes in a column of numbers or of text, and any number, and does not mind."""


def fault_in(connection: sqlite3.Connection) -> str | None:
    """Return what is wrong with the file of a connection, without the history; None is nothing."""
    try:
        (told,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        if told != "ok":
            return str(told).replace("\n", " ")
        if connection.execute(_ODD).fetchone():
            return "a row of node or edge has bytes for text, or leads to nothing"
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
