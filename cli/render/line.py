"""A line of output: pieces of text with the names of their styles.

Views build lines and know nothing of terminals; ``_output`` decides whether a style becomes a
colour. Every piece is cleaned when its line is made, so a view cannot forget to.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Literal, NamedTuple, TypeAlias

from veml_cli._sanitize import clean

Style: TypeAlias = Literal[
    "", "title", "dim", "hint", "added", "removed", "changed", "name", "ref", "id", "warning", "bar"
]
Piece: TypeAlias = str | tuple[str, Style]


class Line(NamedTuple):
    """One line of output, without its newline."""

    pieces: tuple[tuple[str, Style], ...] = ()

    @property
    def plain(self) -> str:
        """The text without styles, and without blanks at the end."""
        return "".join(text for text, _ in self.pieces).rstrip()

    @property
    def width(self) -> int:
        """Columns it takes in a terminal."""
        return sum(cell_width(text) for text, _ in self.pieces)

    def __add__(self, other: object) -> Line:
        """Return one line after the other."""
        if not isinstance(other, Line):
            return NotImplemented
        return Line(self.pieces + other.pieces)


def line(*pieces: Piece) -> Line:
    """Return a line of pieces: plain strings, or a string and the name of its style."""
    return Line(
        tuple(
            (clean(piece), "") if isinstance(piece, str) else (clean(piece[0]), piece[1])
            for piece in pieces
            if piece
        )
    )


def joined(parts: Iterable[Line], separator: str = ", ") -> Line:
    """Return lines as one, with a separator between them."""
    result = Line()
    for part in parts:
        result = result + (line(separator) + part if result.pieces else part)
    return result


def cell_width(text: str) -> int:
    """Return how many columns a text takes in a terminal.

    East Asian wide characters take two, combining marks none (Unicode annex 11).
    """
    if text.isascii():
        return len(text)
    return sum(_char_width(char) for char in text)


def _char_width(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def shorten(text: str, width: int) -> str:
    """Return a text in at most ``width`` columns, its middle replaced by an ellipsis.

    The end of a path tells more than its middle, so both ends are kept.
    """
    if cell_width(text) <= width:
        return text
    if width <= 1:
        return "…"[:width]
    head, tail = (width - 1) // 3, width - 1 - (width - 1) // 3
    start = end = ""
    for char in text:
        if cell_width(start + char) > head:
            break
        start += char
    for char in reversed(text):
        if cell_width(char + end) > tail:
            break
        end = char + end
    return f"{start}…{end}"
