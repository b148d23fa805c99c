"""Make text that may come from a stranger safe to show in a terminal.

Names, messages and class lists of a clone are whatever somebody committed: an escape sequence in
one could recolour the screen, retitle the window or hide what a command really did.
"""

from __future__ import annotations

import re

_SURROGATE_ESCAPE = range(0xDC80, 0xDD00)
_UNSAFE = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # control characters, the one-byte forms of escape sequences among them
    "\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff"  # invisible, or turns the direction of text
    "\ud800-\udfff"  # bytes of a file name that are not UTF-8
    "]"
)


def clean(text: str) -> str:
    r"""Return ``text`` on one line, every character that is not plain text as an escape.

    >>> clean("a\x1b[31m\n")
    'a\\x1b[31m\\x0a'
    """
    return text if text.isascii() and text.isprintable() else _UNSAFE.sub(_escape, text)


def clean_block(text: str, indent: str = "") -> str:
    """Return a text of several lines with each line clean and all but the first indented.

    The indentation keeps a line that a name smuggled in from passing for one of the program's own.
    """
    return f"\n{indent}".join(clean(one.expandtabs()) for one in text.split("\n"))


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code in _SURROGATE_ESCAPE:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
