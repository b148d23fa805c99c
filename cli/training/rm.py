"""``veml training rm``."""

from __future__ import annotations

from typing import Annotated

import typer

from veml_cli._options import DryRun, Force, Json, Quiet, examples
from veml_cli._records import Cached, remove

EXAMPLES = examples(
    ("forget a training; committed versions stay", "veml training rm tuned"),
)


def rm(
    names: Annotated[list[str], typer.Argument(metavar="TRAINING", help="Trainings.")],
    cached: Cached = False,
    force: Force = False,
    dry_run: DryRun = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Remove trainings from the next commit; every committed version stays, with its weights."""
    from veml_vcs.repository.trainings.versions import TrainingVersion

    how = {"cached": cached, "force": force, "dry_run": dry_run}
    remove(TrainingVersion, names, quiet=quiet, as_json=as_json, **how)
