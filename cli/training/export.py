"""``veml training export``."""

from __future__ import annotations

from veml_cli._options import Json, Quiet, examples
from veml_cli._output import show
from veml_cli._records import Output, Replace
from veml_cli._session import opened
from veml_cli.training._options import Training

EXAMPLES = examples(
    ("the weights as a safetensors file", "veml training export night -o night.safetensors"),
    ("as they were in v1.0", "veml training export night@v1.0 -o old.safetensors"),
)


def export(
    training: Training,
    output: Output,
    force: Replace = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Write the checkpoint of a training as a safetensors file; equal weights give equal bytes."""
    from veml_cli.render.trainings import exported_lines
    from veml_vcs.repository.trainings.export import export_checkpoint

    with opened() as repo:
        done = export_checkpoint(repo, training, output, force=force)
    if as_json or not quiet:
        show(done, exported_lines(done), as_json=as_json)
