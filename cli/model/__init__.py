"""``veml model``: the group of commands on model versions, one module each, as in ``cli/``."""

from __future__ import annotations

from types import ModuleType

from veml_cli._options import examples
from veml_cli.model import add, compare, ls, rm, show, template

HELP = "Versions of models: configs of OpenMMLab, read and never run."
COMMANDS: tuple[ModuleType, ...] = (add, ls, show, compare, rm, template)
EXAMPLES = examples(
    ("record what a config says as the model 'detector'",
     "veml model add configs/detector.py --name detector"),
    ("what became of it since v1.0", "veml model compare detector@v1.0 detector"),
)  # fmt: skip

__all__ = ["COMMANDS", "EXAMPLES", "HELP"]
