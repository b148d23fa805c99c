"""Line charts for people: curves of trainings, a panel a metric. Pillow draws them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from veml_vcs.analysis.drawing import Color, check_suffix, drawing, font, pillow, plain, save

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

    from veml_vcs.repository.trainings.curves import Curve

_PANEL, _PLOT, _MARGIN = (640, 320), (520, 220), (72, 40)
_GREY, _LIGHT, _BLACK = (130, 130, 130), (225, 225, 225), (30, 30, 30)
_COLORS: tuple[Color, ...] = (
    (31, 119, 180), (214, 39, 40), (44, 160, 44), (148, 103, 189), (255, 127, 14), (23, 160, 170),
)  # fmt: skip
_TICKS = 5


def draw_curves(curves: Sequence[Curve], target: str) -> None:
    """Write curves as a picture; those of one metric share a panel, a colour a training.

    Args:
        curves: Metric by metric.
        target: The file to write; its extension says which kind.

    Raises:
        MissingDependencyError: Pillow is not installed.
        InvalidInputError: The target's extension is unknown.
        StorageError: The target cannot be written.
    """
    check_suffix(target)
    module = pillow()
    metrics = list(dict.fromkeys(one.metric for one in curves))
    names = list(dict.fromkeys(one.training for one in curves))
    colors = {name: _COLORS[i % len(_COLORS)] for i, name in enumerate(names)}
    columns = 2 if len(metrics) > 1 else 1
    rows = -(-len(metrics) // columns)
    picture: Image = module.new("RGB", (columns * _PANEL[0], 40 + rows * _PANEL[1]), "white")
    draw = drawing(picture)
    left = 16
    for name in names:
        draw.line((left, 20, left + 24, 20), colors[name], 3)
        draw.text((left + 30, 11), plain(name), _BLACK, font(14))
        left += 60 + int(draw.textlength(plain(name), font(14)))
    for place, metric in enumerate(metrics):
        corner = (place % columns * _PANEL[0], 40 + place // columns * _PANEL[1])
        _panel(draw, corner, [one for one in curves if one.metric == metric], colors)
    save(picture, target)


def _panel(
    draw: ImageDraw, corner: tuple[int, int], curves: Sequence[Curve], colors: dict[str, Color]
) -> None:
    x0, y0 = corner[0] + _MARGIN[0], corner[1] + _MARGIN[1]
    x1, y1 = x0 + _PLOT[0], y0 + _PLOT[1]
    draw.text((x0, corner[1] + 12), plain(curves[0].metric), _BLACK, font(15))
    points = [
        (x, y) for one in curves for x, y in zip(one.x, one.y, strict=True) if math.isfinite(y)
    ]
    if not points:
        draw.text((x0 + 12, y0 + 12), "no number", _GREY, font(13))
        return
    across = _span([x for x, _ in points])
    down = _span([y for _, y in points])
    for value in _ticks(*down):
        y = y1 - (value - down[0]) / (down[1] - down[0]) * _PLOT[1]
        draw.line((x0, y, x1, y), _LIGHT, 1)
        text = f"{value:.4g}"
        draw.text((x0 - 8 - draw.textlength(text, font(11)), y - 7), text, _GREY, font(11))
    for value in _ticks(*across):
        x = x0 + (value - across[0]) / (across[1] - across[0]) * _PLOT[0]
        draw.text((x - 8, y1 + 6), f"{value:.4g}", _GREY, font(11))
    draw.rectangle((x0, y0, x1, y1), None, _GREY, 1)
    axis = curves[0].axis
    draw.text((x1 - draw.textlength(axis, font(11)), y1 + 20), axis, _GREY, font(11))
    for one in curves:
        for line in _lines(one, across, down, (x0, y1)):
            if len(line) > 1:
                draw.line(line, colors[one.training], 2)
            for x, y in line if len(line) < 2 or len(one.x) <= 30 else ():
                draw.ellipse((x - 2, y - 2, x + 2, y + 2), colors[one.training])


def _lines(
    one: Curve, across: tuple[float, float], down: tuple[float, float], origin: tuple[int, int]
) -> list[list[tuple[float, float]]]:
    """Return the pieces of a curve in pixels; it is cut where a number is not finite."""
    lines: list[list[tuple[float, float]]] = [[]]
    for x, y in zip(one.x, one.y, strict=True):
        if math.isfinite(y):
            lines[-1].append((
                origin[0] + (x - across[0]) / (across[1] - across[0]) * _PLOT[0],
                origin[1] - (y - down[0]) / (down[1] - down[0]) * _PLOT[1],
            ))  # fmt: skip
        elif lines[-1]:
            lines.append([])
    return [line for line in lines if line]


def _span(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    if low == high:
        room = abs(low) / 10 or 0.5
        return low - room, high + room
    return low, high


def _ticks(low: float, high: float) -> list[float]:
    """Return about five round numbers between two."""
    raw = (high - low) / _TICKS
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * one for one in (1, 2, 5, 10) if power * one >= raw)
    first = math.ceil(low / step)
    return [i * step for i in range(first, first + 2 * _TICKS) if i * step <= high + step * 1e-9]
