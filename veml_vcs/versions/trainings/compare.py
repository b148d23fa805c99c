"""What a training version says, as rows of a table."""

from __future__ import annotations

from veml_vcs.ids import short
from veml_vcs.versions.changes import UNKNOWN, in_words
from veml_vcs.versions.trainings.record import TrainingRecord


def fact_rows(record: TrainingRecord) -> dict[str, str]:
    """Return what a training is: fact -> as people read it, in the order it is shown.

    Metrics and config are not among them.
    """
    rows = {
        "task": record.task,
        "status": record.status,
        "model": f"{record.model.name} ({short(record.model.version, 7)})",
    }
    for use in record.data:
        name = "trained on" if use.role == "train" else "validated on"
        rows[name] = f"{rows[name]}; {use}" if name in rows else str(use)
    checkpoint = record.checkpoint
    count = UNKNOWN if checkpoint.parameters is None else f"{checkpoint.parameters:,}"
    rows |= {
        "initial weights": str(record.initial),
        "epochs": "" if record.epochs is None else f"{record.epochs:,}",
        "iterations": "" if record.iterations is None else f"{record.iterations:,}",
        "seed": "" if record.seed is None else str(record.seed),
        "determinism": in_words(record.determinism),
        "libraries": in_words(record.libraries),
        "checkpoint": f"{checkpoint.tensors:,} tensors, {checkpoint.content_bytes:,} bytes "
        f"({short(checkpoint.tree, 7)})",
        "parameters": count,
        "made by": str(record.derived.get("operation", "")),
        "made of": in_words(record.derived, without="operation"),
        "transferred from": in_words(record.transferred_from),
        "rebuilt from": in_words(record.rebuilt_from),
    }
    return {name: text for name, text in rows.items() if text}
