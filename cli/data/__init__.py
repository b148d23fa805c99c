"""``veml data``: the group of commands on stored data, one module each, as in ``cli/``."""

from __future__ import annotations

from types import ModuleType

from veml_cli._options import examples
from veml_cli.data import add, fetch, filter, ls, merge, show, stats, update  # noqa: A004

HELP = "Work on stored data versions: nothing is checked out."
COMMANDS: tuple[ModuleType, ...] = (ls, show, stats, filter, update, add, merge, fetch)
EXAMPLES = examples(
    ("what is in a data set", "veml data stats images/train"),
    ("the images with a car, as a data set of their own",
     "veml data filter images/train --class car --to images/cars"),
    ("get the data of this commit from another clone", "veml data fetch --from ../drives"),
)  # fmt: skip

__all__ = ["COMMANDS", "EXAMPLES", "HELP"]
