"""``veml hook``: the group of commands on git hooks and drivers."""

from __future__ import annotations

from types import ModuleType

from veml_cli._options import examples
from veml_cli.hook import drive, install, run, status, uninstall

HELP = "Make plain git agree: its hooks, and its merge and diff drivers for records."
COMMANDS: tuple[ModuleType, ...] = (install, uninstall, status, run, drive)
EXAMPLES = examples(
    ("install them (veml init and veml clone do)", "veml hook install"),
    ("which ones git would run", "veml hook status"),
)

__all__ = ["COMMANDS", "EXAMPLES", "HELP"]
