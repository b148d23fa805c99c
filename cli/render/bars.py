"""Horizontal bars, to an eighth of a character."""

from __future__ import annotations

_EIGHTHS = " ▏▎▍▌▋▊▉█"


def bar(value: float, largest: float, width: int) -> str:
    """Return a bar for a value.

    Args:
        value: What the bar shows; negative values have no bar.
        largest: The value of a full bar.
        width: Characters of a full bar.
    """
    if not value > 0 or not largest > 0:
        return ""
    eighths = max(1, round(min(value / largest, 1.0) * width * 8))
    full, rest = divmod(eighths, 8)
    return "█" * full + (_EIGHTHS[rest] if rest else "")
