"""``veml training show``."""

from __future__ import annotations

from veml_cli._options import Json, examples
from veml_cli._output import out
from veml_cli._output import show as write
from veml_cli._session import opened
from veml_cli.training._options import Config, Training

EXAMPLES = examples(
    ("what a training is made of, and what it measured", "veml training show night"),
    ("as it was in v1.0, every key of its config", "veml training show night@v1.0 --config"),
)


def show(training: Training, config: Config = False, as_json: Json = False) -> None:
    """Show a training: data, model, weights it began with, seed, libraries, metrics by class."""
    from veml_cli.render.records import shown_document
    from veml_cli.render.trainings import shown_lines
    from veml_vcs.repository.trainings.versions import open_training

    with opened() as repo:
        found = open_training(repo, training)
    if as_json:
        out.write_json(shown_document(found))
    else:
        write(found, shown_lines(found, out.width, config=config), as_json=False)
