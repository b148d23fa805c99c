"""``veml inference ls``."""

from __future__ import annotations

from veml_cli._options import Json, examples
from veml_cli._output import out
from veml_cli._records import NamesAlone, Revision, show_list
from veml_cli._session import opened

EXAMPLES = examples(
    ("the inference versions that are staged", "veml inference ls"),
    ("those of v1.0, names alone", "veml inference ls v1.0 --quiet"),
)


def ls(revision: Revision = None, quiet: NamesAlone = False, as_json: Json = False) -> None:
    """List inference versions: training, format, size, latency, metrics; and which are stale."""
    from veml_cli.render.inferences import listing_lines
    from veml_vcs.repository.inferences.listing import list_inferences

    with opened() as repo:
        found = list_inferences(repo, revision)
    show_list(found, listing_lines(found, out.width), quiet=quiet, as_json=as_json)
