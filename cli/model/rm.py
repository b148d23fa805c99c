"""``veml model rm``."""

from __future__ import annotations

from typing import Annotated

import typer

from veml_cli._options import DryRun, Force, Json, Quiet, examples
from veml_cli._records import Cached, remove

EXAMPLES = examples(
    ("forget a model, and leave its config alone", "veml model rm small"),
)


def rm(
    names: Annotated[list[str], typer.Argument(metavar="MODEL", help="Models.")],
    cached: Cached = False,
    force: Force = False,
    dry_run: DryRun = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Remove models from the next commit. Every committed version stays; configs are left alone."""
    from veml_vcs.repository.models.versions import ModelVersion

    how = {"cached": cached, "force": force, "dry_run": dry_run}
    remove(ModelVersion, names, quiet=quiet, as_json=as_json, **how)
