"""Times as ``git log --date=`` shows them."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from veml_cli.render.words import date as default_date
from veml_vcs.errors import InvalidInputError, shown

MODES = (
    "default", "relative", "local", "iso", "iso8601", "iso-strict", "iso8601-strict", "rfc",
    "rfc2822", "short", "raw", "unix", "human",
)  # fmt: skip
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ALIASES = {"iso8601": "iso", "iso8601-strict": "iso-strict", "rfc2822": "rfc"}


@dataclass(frozen=True)
class DateMode:
    """How times are shown.

    Attributes:
        name: One of Git's words, or ``format``.
        local: In the time zone of this machine, not of whoever made the commit.
        form: Of ``format``: as of ``strftime``.
    """

    name: str = "default"
    local: bool = False
    form: str = ""


DEFAULT = DateMode()
"""As Git shows them where nobody says how."""


def date_mode(text: str) -> DateMode:
    """Return the mode that ``--date=`` names.

    Raises:
        InvalidInputError: Git has no such mode.
    """
    word, colon, form = text.partition(":")
    local = word == "local" or word.endswith("-local")
    word = "default" if word == "local" else word.removesuffix("-local")
    if word == "format" and colon:
        return DateMode("format", local, form)
    if word not in MODES or colon:
        raise InvalidInputError(
            f"unknown date format {shown(text)}",
            hint=f"expected one of {', '.join(MODES)}, format:FORMAT",
        )
    return DateMode(_ALIASES.get(word, word), local)


def show_date(seconds: int, offset_seconds: int, mode: DateMode, now: int | None = None) -> str:
    """Return a time as Git shows it.

    Args:
        seconds: Unix time.
        offset_seconds: The time zone of whoever made the commit, east of UTC.
        mode: How.
        now: The present, Unix time; None is the clock's.
    """
    try:
        if mode.local:
            offset_seconds = time.localtime(seconds).tm_gmtoff
        at = time.gmtime(seconds + offset_seconds)
        present = int(time.time()) if now is None else now
        return _shown(seconds, offset_seconds, at, mode, present)
    except (OverflowError, ValueError, OSError):
        return f"{seconds} {zone(offset_seconds)}"


def _shown(seconds: int, offset: int, at: time.struct_time, mode: DateMode, now: int) -> str:
    day = f"{at.tm_year:04}-{at.tm_mon:02}-{at.tm_mday:02}"
    clock = f"{at.tm_hour:02}:{at.tm_min:02}:{at.tm_sec:02}"
    name = mode.name
    if name == "relative":
        return relative(seconds, now)
    if name == "iso":
        return f"{day} {clock} {zone(offset)}"
    if name == "iso-strict":
        return f"{day}T{clock}{zone(offset, ':')}"
    if name == "rfc":
        month = _MONTHS[at.tm_mon - 1]
        return f"{_DAYS[at.tm_wday]}, {at.tm_mday} {month} {at.tm_year} {clock} {zone(offset)}"
    if name == "short":
        return day
    if name == "unix":
        return str(seconds)
    if name == "raw":
        return f"{seconds} {zone(offset)}"
    if name == "human":
        return _human(seconds, offset, at, now)
    if name == "format":
        return _formatted(seconds, offset, at, mode)
    text = default_date(seconds, offset)
    return text.rpartition(" ")[0] if mode.local else text


def _formatted(seconds: int, offset: int, at: time.struct_time, mode: DateMode) -> str:
    """As ``strftime``; what depends on the zone is of the commit's, which C knows nothing of."""
    own = {"s": str(seconds), "z": zone(offset), "Z": "" if not mode.local else None}

    def put(found: re.Match[str]) -> str:
        said = own.get(found[1])
        return found[0] if said is None else said.replace("%", "%%")

    form = re.sub(r"%(.)", put, mode.form, flags=re.DOTALL)
    return time.strftime(form, time.localtime(seconds) if mode.local else at)


def zone(offset_seconds: int, colon: str = "") -> str:
    """Return a time zone: ``+0100``."""
    hours, minutes = divmod(abs(offset_seconds) // 60, 60)
    return f"{'-' if offset_seconds < 0 else '+'}{hours:02}{colon}{minutes:02}"


def relative(seconds: int, now: int) -> str:
    """Return how long ago a time was: ``3 days ago``, with Git's limits and rounding."""
    ago = now - seconds
    if ago < 0:
        return "in the future"
    if ago < 90:
        return _ago(ago, "second")
    minutes = (ago + 30) // 60
    if minutes < 90:
        return _ago(minutes, "minute")
    hours = (minutes + 30) // 60
    if hours < 36:
        return _ago(hours, "hour")
    days = (hours + 12) // 24
    if days < 14:
        return _ago(days, "day")
    if days < 70:
        return _ago((days + 3) // 7, "week")
    if days < 365:
        return _ago((days + 15) // 30, "month")
    if days < 1825:
        years, months = divmod((days * 12 * 2 + 365) // (365 * 2), 12)
        if months:
            whole = f"{years} year{'' if years == 1 else 's'}"
            return f"{whole}, {_ago(months, 'month')}"
        return _ago(years, "year")
    return _ago((days + 183) // 365, "year")


def _ago(count: int, unit: str) -> str:
    return f"{count} {unit}{'' if count == 1 else 's'} ago"


def _human(seconds: int, offset: int, at: time.struct_time, now: int) -> str:
    """Return a time with what matters now: Git's ``human``."""
    today = time.localtime(now)
    this_year = at.tm_year == today.tm_year
    no_date = False
    if this_year and at.tm_mon == today.tm_mon and at.tm_mday <= today.tm_mday:
        if at.tm_mday == today.tm_mday:
            return relative(seconds, now)
        no_date = at.tm_mday + 5 > today.tm_mday
    parts = [_DAYS[at.tm_wday]] if this_year else []
    if not no_date:
        parts.append(f"{_MONTHS[at.tm_mon - 1]} {at.tm_mday}")
    parts.append(f"{at.tm_hour:02}:{at.tm_min:02}" if this_year else str(at.tm_year))
    if no_date and offset != today.tm_gmtoff:
        parts.append(zone(offset))
    return " ".join(parts)
