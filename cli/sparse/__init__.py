"""``veml sparse``: the group of commands on what is left out of the work tree."""

from __future__ import annotations

from types import ModuleType

from veml_cli._options import examples
from veml_cli.sparse import add, disable, list, reapply, set  # noqa: A004

HELP = "Keep some samples in the work tree, and leave the others in the store."
COMMANDS: tuple[ModuleType, ...] = (set, add, list, reapply, disable)
EXAMPLES = examples(
    ("only the images with a car", "veml sparse set --class car"),
    ("what is here and what is not", "veml sparse list"),
    ("everything back", "veml sparse disable"),
)

__all__ = ["COMMANDS", "EXAMPLES", "HELP"]
