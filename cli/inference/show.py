"""``veml inference show``."""

from __future__ import annotations

from veml_cli._options import Json, examples
from veml_cli._output import out
from veml_cli._output import show as write
from veml_cli._session import opened
from veml_cli.inference._options import Inference

EXAMPLES = examples(
    ("what is deployed, and what was measured with it", "veml inference show detector"),
    ("as it was in v1.0", "veml inference show detector@v1.0"),
)


def show(inference: Inference, as_json: Json = False) -> None:
    """Show an inference version: training, file, parity, latency, metrics beside the checkpoint's.

    Parity is the largest difference between what the deployed file and the checkpoint say of the
    same samples. Latency is that of the machine that it was measured on.
    """
    from veml_cli.render.inferences import shown_lines
    from veml_cli.render.records import shown_document
    from veml_vcs.repository.inferences.versions import open_inference

    with opened() as repo:
        found = open_inference(repo, inference)
    if as_json:
        out.write_json(shown_document(found))
    else:
        write(found, shown_lines(found, out.width), as_json=False)
