"""What a forecaster gets wrong: by steps ahead, the worst sensors, the worst times."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from veml_cli.render.line import Line, line
from veml_cli.render.records import number
from veml_cli.render.tables import Cell, Column, table
from veml_cli.render.words import plural

if TYPE_CHECKING:
    from veml_vcs.analysis.forecasting.errors import ForecastErrors


def forecast_error_lines(found: ForecastErrors, width: int | None, worst: int) -> Iterator[Line]:
    """Yield the whole view.

    Args:
        found: What is wrong.
        width: Columns of the terminal; None is unlimited.
        worst: Sensors to list at most.
    """
    where = f"  on {plural(found.windows, 'window')}: "
    yield line(f"{found.kind} ", (found.name, "name"), where, f"MAE {number(found.mae)}")
    yield line()
    columns: tuple[Column, ...] = (Column("steps ahead", right=True), Column("MAE", right=True),
               Column("values", right=True))  # fmt: skip
    rows: list[list[Cell]] = [
        [str(one.ahead), number(one.mae), f"{one.values:,}"] for one in found.ahead
    ]
    yield from table(columns, rows, indent="", width=width)
    shown = found.sensors[:worst]
    if shown:
        yield line()
        columns = (Column("worst sensors", shrinks=True), *columns[1:])
        rows = [[(one.sensor, "name"), number(one.mae), f"{one.values:,}"] for one in shown]
        yield from table(columns, rows, indent="", width=width)
        left = len(found.sensors) - len(shown)
        if left:
            yield line((f"  … and {plural(left, 'sensor')} more (--json lists all)", "dim"))
    if found.worst:
        yield line()
        columns = (Column("worst forecasts, from step", right=True), Column("MAE", right=True))
        rows = [[f"{one.step:,}", number(one.mae)] for one in found.worst]
        yield from table(columns, rows, indent="", width=width)
