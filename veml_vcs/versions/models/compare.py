"""The facts of a model as rows of a table."""

from __future__ import annotations

from veml_vcs.versions.changes import UNKNOWN
from veml_vcs.versions.models.record import ModelRecord


def fact_rows(record: ModelRecord) -> dict[str, str]:
    """Return what a model is: fact -> as people read it, in the order it is shown.

    Facts about which the config says nothing are left out, except for the number of parameters.
    """
    facts = record.facts
    rows = {
        "architecture": facts.architecture,
        "backbone": "" if facts.backbone is None else str(facts.backbone),
    }
    rows |= {one.name: str(one) for one in facts.necks}
    rows |= {f"head {one.name}": str(one) for one in facts.heads}
    rows |= {f"loss {_place(name)}": one for name, one in facts.losses.items()}
    rows |= {
        "classes": ", ".join(map(str, facts.classes)),
        "parameters": UNKNOWN if record.parameters is None else f"{record.parameters:,}",
        "optimiser": facts.optimiser,
        "learning rate": "" if facts.learning_rate is None else f"{facts.learning_rate:g}",
        "schedule": ", ".join(facts.schedule),
        "epochs": "" if facts.epochs is None else str(facts.epochs),
        "iterations": "" if facts.iterations is None else f"{facts.iterations:,}",
        "batch size": "" if facts.batch_size is None else str(facts.batch_size),
        "transforms": ", ".join(facts.transforms),
        "pretrained": ", ".join(facts.pretrained),
    }
    return {name: text for name, text in rows.items() if text}


def _place(name: str) -> str:
    """Return where a loss stands, without the word that is in its row's name already."""
    return name.replace(".loss_", ".").removeprefix("loss_")
