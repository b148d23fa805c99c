"""View of what follows a series."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from veml_cli.render.line import Line, line
from veml_cli.render.tables import Cell, Column, table
from veml_cli.render.words import plural
from veml_vcs.ids import short

if TYPE_CHECKING:
    from veml_vcs.deployment.forecast import Forecast

_SHORT_ID = 7
_AHEAD = (1, 2, 3, 6, 9, 12, 24, 48)


def forecast_lines(found: Forecast, width: int | None, most: int) -> Iterator[Line]:
    """Yield who was asked, and what follows at each sensor.

    Args:
        found: The forecast.
        width: Of the terminal.
        most: How many sensors are shown.
    """
    ahead, sensors = found.values.shape
    yield line(
        f"{found.kind} ", (found.name, "name"), "  ", (short(found.version, _SHORT_ID), "id"),
        f"  {plural(ahead, 'step')} after the {found.steps:,} of ", (found.data, "name"),
        "" if found.last_time is None else f", the last of which is {found.last_time}",
    )  # fmt: skip
    steps = [one for one in _AHEAD if one < ahead] + [ahead]
    columns = (
        Column("sensor", shrinks=True), Column("last", right=True),
        *(Column(f"+{one}", right=True) for one in steps),
    )  # fmt: skip
    rows: list[list[Cell]] = [
        [
            (found.sensors[place], "name"), _number(found.last[place]),
            *(_number(found.values[one - 1, place]) for one in steps),
        ]
        for place in range(min(most, sensors))
    ]  # fmt: skip
    yield from table(columns, rows, width=width)
    if sensors > most:
        yield line(
            (f"  and {plural(sensors - most, 'sensor')} more: --most N, --csv FILE, --json", "hint")
        )


def _number(value: float) -> str:
    return "-" if not math.isfinite(value) else f"{value:.2f}"
