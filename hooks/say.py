"""What hooks and drivers say: to stderr, each line with veml's name, nothing that harms a terminal.

Names come from the repository, which may be a stranger's.
"""

from __future__ import annotations

import sys

from veml_vcs.errors import VemlError


def say(text: str, *more: str) -> None:
    """Write lines to stderr."""
    for line in (text, *more):
        sys.stderr.write(f"veml: {clean(line)}\n")
    sys.stderr.flush()


def say_error(error: VemlError) -> None:
    """Say what went wrong, and what to type next."""
    say(*error.message.split("\n"), *([f"hint: {error.hint}"] if error.hint else []))


def clean(text: str) -> str:
    """Return a text with whatever cannot be printed as an escape."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "replace").decode()
        for char in text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    )
