"""View of what a network says of images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from veml_cli.render.line import Line, line
from veml_cli.render.tables import Cell, Column, table
from veml_cli.render.words import plural
from veml_vcs.ids import short

if TYPE_CHECKING:
    from veml_vcs.deployment.predict import Prediction, Predictions

_SHORT_ID = 7


def predicted_lines(found: Predictions, width: int | None) -> Iterator[Line]:
    """Yield who was asked, and of each image what was said."""
    yield line(
        f"{found.kind} ", (found.name, "name"), "  ", (short(found.version, _SHORT_ID), "id"),
        f"  {plural(len(found.images), 'image')}",
    )  # fmt: skip
    rows: list[list[Cell]] = [[(one.image, "name"), _said(one)] for one in found.images]
    yield from table((Column("image"), Column("said")), rows, width=width)


def _said(one: Prediction) -> Cell:
    if one.said is None:
        return ("cannot be looked at", "warning")
    if "scores" in one.said:
        return ", ".join(f"{name} {score:.2f}" for name, score in one.said["scores"].items())
    objects = one.said["objects"]
    if not objects:
        return ("nothing", "dim")
    best: dict[str, float] = {}
    for obj in objects:
        best[obj["class"]] = max(best.get(obj["class"], 0.0), obj["score"])
    counts = Counter(str(obj["class"]) for obj in objects)
    return ", ".join(
        f"{count} {name} (best {best[name]:.2f})" for name, count in counts.most_common()
    )
