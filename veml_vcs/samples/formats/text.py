"""Text, numbers and field names, as every format needs them: strict in, exact out.

What cannot be understood becomes a ``FormatError`` of one shape: file, place, expected, found.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Any

from veml_vcs.errors import FormatError, InvalidInputError

_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_EXACT_BELOW = 2**53
_MAX_NUMBER_CHARS = 400
_SHOWN_CHARS = 80
_NAMED = 3


def malformed(key: str, place: str, expected: str, found: object) -> FormatError:
    """Build the error for content that cannot be understood.

    Args:
        key: The file.
        place: Where in it: ``line 3``, ``annotations[17].bbox``; empty for the whole file.
        expected: What should stand there.
        found: What does; strings as they are, everything else as Python shows it.
    """
    shown = found if isinstance(found, str) else repr(found)
    if len(shown) > _SHOWN_CHARS:
        shown = shown[:_SHOWN_CHARS] + "..."
    where = f"{key}: {place}" if place else key
    return FormatError(f"{where}: expected {expected}, found {shown}")


def decode(data: bytes, key: str) -> str:
    """Decode UTF-8, with or without a byte order mark.

    Raises:
        FormatError: The bytes are not UTF-8.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # With a byte order mark the codec counts from behind it; a line number survives that.
        line = data.count(b"\n", 0, error.start) + 1
        bad = error.object[error.start : error.start + 4].hex(" ")
        raise malformed(key, f"line {line}", "UTF-8 text", f"the bytes {bad}") from error


def parse_number(text: str) -> int | float | None:
    """Return the value a decimal literal stands for, or None where it is none.

    Integral values become ``int`` (``48.0`` is 48) as far as a double holds them exactly; no value
    is rounded beyond what a double does. Python's extras (``1_000``, ``nan``, other scripts'
    digits) and literals beyond the range of a double are not numbers here.
    """
    if text.isdigit() and text.isascii() and len(text) < 16:
        return int(text)
    if len(text) > _MAX_NUMBER_CHARS or _NUMBER.fullmatch(text) is None:
        return None
    if text.lstrip("+-").isdigit():
        return int(text)  # exact, however long
    return exact(float(text))


def exact(value: float) -> int | float | None:
    """Return ``value`` as ``int`` where it is integral and held exactly; None for infinities."""
    if -_EXACT_BELOW < value < _EXACT_BELOW:
        whole = int(value)
        return whole if whole == value else value
    return value if abs(value) != float("inf") else None


def format_number(value: float) -> str:
    """Return the shortest text that stands for exactly this number."""
    return str(value) if isinstance(value, int) else repr(float(value))


def is_number(value: object) -> bool:
    """Tell whether a JSON value is a number (a bool is none)."""
    return type(value) is int or type(value) is float


def escaped(name: str, reserved: Collection[str]) -> str:
    """Return the field name under which a source's own ``name`` is kept.

    Fields that veml gives a meaning of its own (``objects``, ``class``...) are told apart from a
    source's field of the same name by a leading ``$``.
    """
    return "$" + name if name.lstrip("$") in reserved else name


def unescaped(name: str, reserved: Collection[str]) -> str | None:
    """Undo ``escaped``; None for a reserved field itself."""
    if name in reserved:
        return None
    return name[1:] if name.startswith("$") and name.lstrip("$") in reserved else name


def few(names: Iterable[object], count: int) -> str:
    """Name the first of ``count`` culprits: ``a, b, c and 4 more``."""
    shown = [str(name) for _, name in zip(range(_NAMED), names, strict=False)]
    more = f" and {count - len(shown)} more" if count > len(shown) else ""
    return ", ".join(shown) + more


_SINGULAR = {
    "images": "image", "boxes": "box", "objects": "object", "classes": "class", "are": "is",
    "have": "has", "were": "was", "reach": "reaches", "their": "its",
}  # fmt: skip


class Tally:
    """Collects occurrences of one kind of oddity, for one sentence with a count and a few names.

    Args:
        sentence: About many, with ``{count}`` and ``{few}`` in it; of one it is said in singular.
        where: The file that has the oddities, put in front; any name.
    """

    def __init__(self, sentence: str, *, where: str = "") -> None:
        self._sentence = sentence
        self._where = f"{where}: " if where else ""
        self._first: list[str] = []
        self._count = 0

    def add(self, name: str) -> None:
        """Note one occurrence."""
        self._count += 1
        if self._count <= _NAMED:
            self._first.append(name)

    def warnings(self) -> list[str]:
        """Return the sentence, or nothing where nothing was noted."""
        if not self._count:
            return []
        sentence = self._sentence
        if self._count == 1:
            sentence = re.sub(r"\w+", lambda word: _SINGULAR.get(word[0], word[0]), sentence)
        return [self._where + sentence.format(count=self._count, few=few(self._first, self._count))]


def one_line(value: object, what: str, *, forbidden: str = "") -> str:
    """Check that a value may stand on a line of a text format.

    Raises:
        InvalidInputError: It is not text, empty, spans lines, or holds a ``forbidden`` character.
    """
    if not isinstance(value, str) or not value.strip() or value != value.strip():
        raise InvalidInputError(f"{what}: expected a word without blanks around, found {value!r}")
    if value.splitlines() != [value] or any(character in value for character in forbidden):
        raise InvalidInputError(f"{what}: expected one line without {forbidden!r}, found {value!r}")
    return value


def field(obj: dict[str, Any], name: str, what: str) -> Any:
    """Return a field that an object must have to be written.

    Raises:
        InvalidInputError: It is not there.
    """
    try:
        return obj[name]
    except KeyError:
        raise InvalidInputError(f"{what}: has no {name!r}, and cannot be written without") from None
