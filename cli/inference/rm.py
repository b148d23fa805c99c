"""``veml inference rm``."""

from __future__ import annotations

from typing import Annotated

import typer

from veml_cli._options import DryRun, Force, Json, Quiet, examples
from veml_cli._records import Cached, remove

EXAMPLES = examples(
    ("forget an inference version; committed ones stay", "veml inference rm small"),
)


def rm(
    names: Annotated[list[str], typer.Argument(metavar="INFERENCE", help="Inference versions.")],
    cached: Cached = False,
    force: Force = False,
    dry_run: DryRun = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Remove inference versions from the next commit; every committed one stays, with its file."""
    from veml_vcs.repository.inferences.versions import InferenceVersion

    how = {"cached": cached, "force": force, "dry_run": dry_run}
    remove(InferenceVersion, names, quiet=quiet, as_json=as_json, **how)
