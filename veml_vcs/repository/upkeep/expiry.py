"""Moments in the past as Git's ``--prune`` takes them: ``now``, ``2.weeks.ago``, a date."""

from __future__ import annotations

import re
import time
from datetime import datetime

from veml_vcs.errors import InvalidInputError

_UNITS = {
    "second": 1,
    "minute": 60,
    "hour": 3600,
    "day": 86_400,
    "week": 7 * 86_400,
    "month": 30 * 86_400,
    "year": 365 * 86_400,
}
_AGO = re.compile(r"(\d{1,6})[.\s]*(second|minute|hour|day|week|month|year)s?([.\s]*ago)?")


def parse_expiry(text: str, now: float | None = None) -> float:
    """Return a moment as Unix time.

    Args:
        text: ``now``, ``never``, ``2.weeks.ago``, ``3 days ago``, or a date of ISO 8601 (local
            time where it names no zone).
        now: The present, Unix time; None asks the clock.

    Raises:
        InvalidInputError: It is none of these.
    """
    present = time.time() if now is None else now
    word = text.strip().lower()
    if word in ("now", "all"):
        return present + _UNITS["year"]  # a clock that is a little off keeps nothing back
    if word == "never":
        return 0.0
    if match := _AGO.fullmatch(word):
        return present - int(match[1]) * _UNITS[match[2]]
    try:
        return datetime.fromisoformat(text.strip()).timestamp()
    except (ValueError, OverflowError, OSError) as error:
        raise InvalidInputError(
            f"{text!r} is no moment in time",
            hint="now, never, 2.weeks.ago, or a date: 2026-11-30",
        ) from error
