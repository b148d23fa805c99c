"""``veml data``: the group of commands on stored data, one module each, as in ``cli/``."""

from __future__ import annotations

from types import ModuleType

from veml_cli._options import examples
from veml_cli.data import fetch

HELP = "Work on stored data versions: nothing is checked out."
COMMANDS: tuple[ModuleType, ...] = (fetch,)
EXAMPLES = examples(
    ("get the data of this commit from another clone", "veml data fetch --from ../drives"),
)

__all__ = ["COMMANDS", "EXAMPLES", "HELP"]
