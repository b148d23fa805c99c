"""``veml model show``."""

from __future__ import annotations

from veml_cli._options import Json, examples
from veml_cli._output import out
from veml_cli._output import show as write
from veml_cli._session import opened
from veml_cli.model._options import AllKeys, Model

EXAMPLES = examples(
    ("what a model is", "veml model show detector"),
    ("as it was in v1.0, every key of its config", "veml model show detector@v1.0 --config"),
)


def show(model: Model, config: AllKeys = False, as_json: Json = False) -> None:
    """Show what a model is: architecture, backbone, neck, heads, losses, schedule.

    The number of parameters is known only where the config was run with MMDetection (veml model
    add --trust).
    """
    from veml_cli.render.models import shown_document, shown_lines
    from veml_vcs.repository.models.versions import open_model

    with opened() as repo:
        found = open_model(repo, model)
    if as_json:
        out.write_json(shown_document(found))
    else:
        write(found, shown_lines(found, out.width, config=config), as_json=False)
