"""Numbers in words, the same everywhere: counts, sizes, plus and minus."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from veml_cli.render.line import Line, joined, line

if TYPE_CHECKING:
    from veml_vcs.repository.data_changes import StagedData

_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")
_STEP = 1024


def plural(count: int, one: str, many: str = "") -> str:
    """Return a count with its noun: ``1 sample``, ``2 samples``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def size(count_bytes: int) -> str:
    """Return a number of bytes in the largest unit that keeps it above one."""
    value = float(count_bytes)
    for unit in _UNITS[:-1]:
        if value < _STEP:
            return f"{value:,.0f} {unit}" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= _STEP
    return f"{value:,.1f} {_UNITS[-1]}"


def counted(added: int, removed: int, changed: int, noun: str) -> Line:
    """Return ``+3 -1 ~12 samples``, the noun in the singular for one; nothing for nothing."""
    counts = plus_minus(added, removed, changed)
    if not counts.pieces:
        return counts
    return counts + line(f" {noun}" if added + removed + changed == 1 else f" {noun}s")


def key_name(key: str) -> str:
    """Return a key as people read it: a file outside the folder by its path from the root."""
    return f"{key[1:]} (outside the folder)" if key.startswith("/") else key


def plus_minus(added: int, removed: int, changed: int) -> Line:
    """Return ``+3 -1 ~12``, leaving out what is zero."""
    parts = []
    if added:
        parts.append(line((f"+{added:,}", "added")))
    if removed:
        parts.append(line((f"-{removed:,}", "removed")))
    if changed:
        parts.append(line((f"~{changed:,}", "changed")))
    return joined(parts, " ")


def unread_part(count: int) -> Line:
    """Return the words for parts of a version that cannot be read; the command's end names them."""
    return line((f"{plural(count, 'part')} cannot be read", "warning"))


def data_change(change: StagedData) -> Line:
    """Return what a step of history does to a data set: ``+20 -3 ~5 samples, 2 other files``."""
    if change.absent:
        return line("changed; its data is not in this clone")
    changed = change.changed + change.annotated
    samples = counted(change.added, change.removed, changed, "sample")
    parts = [samples] if samples.pieces else []
    if change.files:
        parts.append(line(plural(change.files, "other file")))
    if change.unreadable:
        parts.append(unread_part(len(change.unreadable)))
    return joined(parts) if parts else line("dataset-level facts only")


def date(seconds: int, offset_seconds: int) -> str:
    """Return a time as Git prints it by default."""
    sign = "-" if offset_seconds < 0 else "+"
    hours, minutes = divmod(abs(offset_seconds) // 60, 60)
    try:
        local = time.gmtime(seconds + offset_seconds)
    except (OverflowError, ValueError, OSError):
        return f"{seconds} {sign}{hours:02}{minutes:02}"
    day = time.strftime("%a %b", local)
    clock = time.strftime("%H:%M:%S %Y", local)
    return f"{day} {local.tm_mday} {clock} {sign}{hours:02}{minutes:02}"
