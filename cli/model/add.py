"""``veml model add``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from veml_cli._options import DryRun, Json, Quiet, examples
from veml_cli._output import out, show
from veml_cli._session import opened

if TYPE_CHECKING:
    from veml_vcs.repository.models.read import RanConfig

EXAMPLES = examples(
    ("record what a config says as the model 'detector'",
     "veml model add configs/detector.py --name detector"),
    ("what would be recorded, and what changed since the last time",
     "veml model add configs/detector.py --name detector --dry-run"),
)  # fmt: skip


def add(
    config: Annotated[
        str, typer.Argument(metavar="CONFIG", help="A config of OpenMMLab: .py, .yml or .json.")
    ],
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="The model's name; else the config's."),
    ] = None,
    trust: Annotated[
        bool,
        typer.Option("--trust", help="Run the config instead of reading it: it is a program."),
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", "-f", help="Make a model of this config that was another's.")
    ] = False,
    dry_run: DryRun = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Record what a config says as a model version, and stage it with the config's files.

    The record is models/NAME.veml. The config is read with all it inherits, and never run: what
    cannot be read without running it is refused, with the line. --trust runs it with MMEngine, and
    with it whatever its author wrote; where MMDetection is installed, the model's parameters are
    counted, too. Again, after the config changed: the record is brought up to it, as veml add does
    for a folder.
    """
    from veml_cli.render.models import added_lines
    from veml_vcs.repository.models.add import add_model

    run = _run if trust else None
    with opened() as repo:
        done = add_model(repo, config, name, run=run, force=force, dry_run=dry_run)
    for note in done.notes:
        out.note(note)
    if as_json or not quiet:
        show(done, added_lines(done, dry_run, out.width), as_json=as_json)


def _run(path: str) -> RanConfig:
    """Say what is about to happen, and run a config."""
    from veml_vcs.training.run_config import run_config

    out.warn(f"running {path}: a config is a program, and can do whatever you can")
    return run_config(path)
