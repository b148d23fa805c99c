"""``veml model ls``."""

from __future__ import annotations

from veml_cli._options import Json, examples
from veml_cli._output import out
from veml_cli._records import NamesAlone, Revision, show_list
from veml_cli._session import opened

EXAMPLES = examples(
    ("the models that are staged", "veml model ls"),
    ("those of v1.0, names alone", "veml model ls v1.0 --quiet"),
)


def ls(revision: Revision = None, quiet: NamesAlone = False, as_json: Json = False) -> None:
    """List models: architecture, backbone, classes, parameters, config."""
    from veml_cli.render.models import listing_lines
    from veml_vcs.repository.models.listing import list_models

    with opened() as repo:
        found = list_models(repo, revision)
    show_list(found, listing_lines(found, out.width), quiet=quiet, as_json=as_json)
