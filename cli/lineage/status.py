"""``veml lineage status``."""

from __future__ import annotations

from veml_cli._options import Json, examples
from veml_cli._output import show
from veml_cli._session import working

EXAMPLES = examples(
    ("what the graph has, and which records could not be read", "veml lineage status"),
)


def status(as_json: Json = False) -> None:
    """Tell how many versions and edges of each kind there are, and what was left out, and why."""
    from veml_cli.render.lineage import status_lines
    from veml_vcs.lineage.ask import lineage

    with working() as (repo, progress), lineage(repo, progress) as found:
        counts, skipped = found.store.counts(), found.synced.skipped
    show({"counts": counts, "skipped": skipped}, status_lines(counts, skipped), as_json=as_json)
