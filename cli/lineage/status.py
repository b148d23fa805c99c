"""``veml lineage status``."""

from __future__ import annotations

import os
from itertools import chain

from veml_cli._options import Json, examples
from veml_cli._output import show
from veml_cli._session import working
from veml_cli.lineage._options import warn_unkept

EXAMPLES = examples(
    ("what the graph has, and which records could not be read", "veml lineage status"),
)


def status(as_json: Json = False) -> None:
    """Tell how many versions and edges of each kind there are, and what was left out, and why.

    Of a mirror in Neo4j: where it is, what it has, and what it lacks.
    """
    from veml_cli.render.lineage import status_lines
    from veml_cli.render.mirror import mirror_lines
    from veml_vcs.lineage.ask import lineage
    from veml_vcs.lineage.neo4j.place import is_connected

    with working() as (repo, progress):
        with lineage(repo, progress) as found:
            warn_unkept(found.synced)
            counts, skipped = found.store.counts(), found.synced.skipped
        mirror = None
        if is_connected(repo):
            from veml_vcs.lineage.neo4j.connecting import mirror_status, up_to_date

            with up_to_date(repo) as base:
                mirror = mirror_status(repo, base, os.environ)
    show(
        {"counts": counts, "skipped": skipped, "mirror": mirror},
        chain(status_lines(counts, skipped), mirror_lines(mirror)),
        as_json=as_json,
    )
