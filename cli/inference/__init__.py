"""``veml inference``: the group of commands on inference versions, one module each."""

from __future__ import annotations

from types import ModuleType

from veml_cli._options import examples
from veml_cli.inference import compare, errors, export, ls, rm, show

HELP = "Versions of deployed models: the file, what it is of, and what was measured with it."
COMMANDS: tuple[ModuleType, ...] = (ls, show, compare, errors, export, rm)
EXAMPLES = examples(
    ("what is deployed, how accurate and how fast it is", "veml inference ls"),
    ("what quantising costs, and what it saves", "veml inference compare detector small"),
)  # fmt: skip

__all__ = ["COMMANDS", "EXAMPLES", "HELP"]
