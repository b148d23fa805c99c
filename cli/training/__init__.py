"""``veml training``: the group of commands on training versions, one module each."""

from __future__ import annotations

from types import ModuleType

from veml_cli._options import examples
from veml_cli.training import add, compare, curves, errors, export, ls, measure, merge, rm, show

HELP = "Versions of trainings: weights, metrics, logs, and what they were made of."
COMMANDS: tuple[ModuleType, ...] = (
    ls,
    show,
    compare,
    curves,
    errors,
    measure,
    export,
    add,
    merge,
    rm,
)
EXAMPLES = examples(
    ("what a training measured, and on what", "veml training show night"),
    ("what became of it since v1.0: metrics, and layers of the checkpoint",
     "veml training compare night@v1.0 night"),
)  # fmt: skip

__all__ = ["COMMANDS", "EXAMPLES", "HELP"]
