"""``veml inference export``."""

from __future__ import annotations

from veml_cli._options import Json, Quiet, examples
from veml_cli._output import show
from veml_cli._records import Output, Replace
from veml_cli._session import opened
from veml_cli.inference._options import Inference

EXAMPLES = examples(
    ("the deployed file, byte for byte", "veml inference export detector -o detector.onnx"),
    ("as it was in v1.0", "veml inference export detector@v1.0 -o old.onnx"),
)


def export(
    inference: Inference,
    output: Output,
    force: Replace = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Write the deployed file of an inference version, byte for byte as it was measured."""
    from veml_cli.render.inferences import exported_lines
    from veml_vcs.repository.inferences.export import export_file

    with opened() as repo:
        done = export_file(repo, inference, output, force=force)
    if as_json or not quiet:
        show(done, exported_lines(done), as_json=as_json)
