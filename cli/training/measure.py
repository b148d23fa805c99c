"""``veml training measure``."""

from __future__ import annotations

from typing import Annotated

import typer

from veml_cli._options import Json, Quiet, examples
from veml_cli._output import out, show
from veml_cli._session import opened
from veml_cli.training._options import Training

EXAMPLES = examples(
    ("what a training is worth on other data", "veml training measure first --data images/val"),
    ("on what it held back, as a commit has it", "veml training measure first@v1.0"),
)


def measure(
    training: Training,
    data: Annotated[
        str | None,
        typer.Option(
            "--data", metavar="DATA[@REV]", help="The data version; else what it held back."
        ),
    ] = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Run a checkpoint on a data version, and measure it as a training does; nothing is learnt.

    The result is remembered as a Git note on the training version (refs/notes/veml/measured), and
    not measured again: the record stays as it is. Samples that were trained on are told.
    """
    from veml_cli._training import TrainingView
    from veml_cli.render.train import measured_lines
    from veml_vcs.repository.trainings.versions import open_training
    from veml_vcs.training.held_back import part_of_data, part_of_use, uses_of
    from veml_vcs.training.measure import measure as run

    with opened() as repo, TrainingView(quiet=quiet) as view:
        found = open_training(repo, training)
        notes: list[str] = []
        if data is None:
            part = part_of_use(repo, uses_of(found, "val")[0])
        else:
            part = part_of_data(found, data, notes)
        for note in notes:
            view.note(note)
        done = run(repo, found, part, view)
    if as_json or not quiet:
        show(done, measured_lines(done, training, out.width), as_json=as_json)
