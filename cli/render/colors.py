"""Colours as Git's settings name them (``bold red``, ``ul 214``, ``#aa5500``)."""

from __future__ import annotations

import re

from veml_vcs.errors import InvalidInputError, shown

_NAMES = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
_ATTRIBUTES = {
    "bold": 1, "dim": 2, "italic": 3, "ul": 4, "blink": 5, "reverse": 7, "strike": 9,
}  # fmt: skip
_RGB = re.compile(r"#([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})")


def sgr(spec: str) -> str:
    """Return the escape sequence of a colour: attributes, then foreground, then background.

    Raises:
        InvalidInputError: There is no such colour.
    """
    words = spec.split()
    codes: list[str] = []
    attributes: list[int] = []
    grounds = [30, 40]
    if words == ["reset"]:
        return "\x1b[m"
    for word in words:
        name = word.removeprefix("no").removeprefix("-")
        if name in _ATTRIBUTES:
            code = _ATTRIBUTES[name]
            attributes.append(code if word == name else max(22, code + 20))
            continue
        found = _color(word, grounds.pop(0)) if grounds else None
        if found is None:
            raise InvalidInputError(f"invalid color value: {shown(spec)}")
        if found:
            codes.append(found)
    whole = [*map(str, sorted(attributes)), *codes]
    return f"\x1b[{';'.join(whole)}m" if whole else ""


def _color(word: str, ground: int) -> str | None:
    """Return the codes of one colour; empty for ``normal``, None if there is none."""
    if word == "normal":
        return ""
    if word == "default":
        return str(ground + 9)
    if word in _NAMES:
        return str(ground + _NAMES.index(word))
    if word.startswith("bright") and word.removeprefix("bright") in _NAMES:
        return str(ground + 60 + _NAMES.index(word.removeprefix("bright")))
    if re.fullmatch("[0-9]{1,3}", word) and int(word) < 256:
        number = int(word)
        if number < 8:
            return str(ground + number)
        return str(ground + 52 + number) if number < 16 else f"{ground + 8};5;{number}"
    if found := _RGB.fullmatch(word):
        return f"{ground + 8};2;{int(found[1], 16)};{int(found[2], 16)};{int(found[3], 16)}"
    return None
