"""Reflogs as Git reads them: a line that is damaged is passed over, and ends nothing.

How they are written stands in ``git.disk``.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from dulwich.refs import Ref

from veml_vcs.ids import CommitId

if TYPE_CHECKING:
    from veml_vcs.repository.git.repo import GitRepo

_LINE = re.compile(
    rb"([0-9a-f]{40}) ([0-9a-f]{40}) ([^>\n]*>) (\d{1,18}) ([+-])(\d\d)(\d\d)(?:[ \t]([^\n]*))?"
)
_ZERO = "0" * 40


class ReflogEntry(NamedTuple):
    """One move of a ref.

    Attributes:
        old: Where it stood; empty if nowhere.
        new: Where it stands since.
        who: ``Name <email>``.
        time_seconds: When, Unix time.
        offset_seconds: The time zone, east of UTC.
        message: Why.
    """

    old: str
    new: CommitId
    who: str
    time_seconds: int
    offset_seconds: int
    message: str


def read_reflog(git: GitRepo, ref: bytes) -> list[ReflogEntry]:
    """Return the moves of a ref, oldest first; none if it has no reflog.

    Args:
        git: The repository.
        ref: The full name.
    """
    try:
        with open(os.fsdecode(git.dulwich._reflog_path(Ref(ref))), "rb") as file:
            lines = file.read().split(b"\n")
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return []
    return [_entry(found) for one in lines if (found := _LINE.fullmatch(one))]


def _entry(found: re.Match[bytes]) -> ReflogEntry:
    old, new, who, seconds, sign, hours, minutes, message = found.groups()
    offset = (int(hours) * 60 + int(minutes)) * 60
    before = old.decode()
    return ReflogEntry(
        "" if before == _ZERO else before,
        CommitId(new.decode()),
        who.decode("utf-8", "replace"),
        int(seconds),
        -offset if sign == b"-" else offset,
        (message or b"").decode("utf-8", "replace"),
    )
