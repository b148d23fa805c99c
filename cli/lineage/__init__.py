"""``veml lineage``: the group of commands on what came from what, one module each."""

from __future__ import annotations

from types import ModuleType

from veml_cli._options import examples
from veml_cli.lineage import (
    chain,
    changed,
    common,
    compare,
    connect,
    disconnect,
    find,
    impact,
    models,
    neighbours,
    page,
    path,
    query,
    show,
    status,
    sync,
)

HELP = "What came from what: data, models, trainings, deployments, over all of history."
COMMANDS: tuple[ModuleType, ...] = (
    show, path, impact, common, chain, compare, changed, neighbours, find, models, page, status,
    sync, connect, disconnect, query,
)  # fmt: skip
EXAMPLES = examples(
    ("what a training was made of", "veml lineage show night --up"),
    ("which models and deployments a data set went into", "veml lineage impact images/train"),
)  # fmt: skip

__all__ = ["COMMANDS", "EXAMPLES", "HELP"]
