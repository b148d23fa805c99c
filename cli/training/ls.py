"""``veml training ls``."""

from __future__ import annotations

from veml_cli._options import Json, examples
from veml_cli._output import out
from veml_cli._records import NamesAlone, Revision, show_list
from veml_cli._session import opened

EXAMPLES = examples(
    ("the trainings that are staged", "veml training ls"),
    ("those of v1.0, names alone", "veml training ls v1.0 --quiet"),
)


def ls(revision: Revision = None, quiet: NamesAlone = False, as_json: Json = False) -> None:
    """List trainings: model, data, epochs, metrics; and which are of data that moved on since."""
    from veml_cli.render.trainings import listing_lines
    from veml_vcs.repository.trainings.listing import list_trainings

    with opened() as repo:
        found = list_trainings(repo, revision)
    show_list(found, listing_lines(found, out.width), quiet=quiet, as_json=as_json)
