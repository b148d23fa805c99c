"""Strict JSON: what Python's parser lets pass silently is refused, by name and place.

Python's parser keeps the last of two equal names in an object, takes ``NaN`` and ``Infinity``, and
turns ``1e999`` into infinity. It stays the parser, being written in C; only when it (or a cheap
look at the bytes) smells something is the text walked again, slowly, to say what stands where.
"""

from __future__ import annotations

import gc
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from math import isinf
from typing import Any

from veml_vcs.errors import FormatError
from veml_vcs.samples.formats.text import decode, malformed

_TOKEN = re.compile(
    r'[ \t\n\r]*+(?:(?P<string>"(?:[^"\\]|\\.)*+")|(?P<mark>[{}\[\],:])'
    r"|(?P<number>-?[0-9][0-9.eE+-]*+)|(?P<word>[A-Za-z-][A-Za-z]*+))",
    re.DOTALL,
)
_LONE_SURROGATE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])"
    rb"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F]"
)
# Digits become 0 and both exponent signs e, so that two substring searches find every literal
# that could lie beyond the range of a double.
_SHAPES = bytes(
    ord("0") if chr(byte).isdigit() else ord("e") if chr(byte) in "eE" else ord("x")
    for byte in range(128)
) + bytes([ord("x")] * 128)
_DEEPEST = 500


class _RefusedError(ValueError):
    """The fast pass met something that JSON, or veml, does not allow."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise _RefusedError
    return result


def _no_constant(name: str) -> Any:
    raise _RefusedError(name)


_decoder = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)


def parse_json(data: bytes, key: str) -> Any:
    """Parse a JSON file.

    Args:
        data: The file, UTF-8 with or without a byte order mark.
        key: Its name, for messages.

    Raises:
        FormatError: Not UTF-8, not JSON, a name twice in one object, NaN or an infinity, a number
            beyond the range of a double, half a surrogate pair, or nested hundreds of levels deep.
    """
    text = decode(data, key)
    if _smells(data):
        _walk(text, key)
    try:
        with collector_paused():
            return _decoder.decode(text)
    except (_RefusedError, RecursionError) as error:
        _walk(text, key)
        raise malformed(key, "", "strict JSON", str(error)) from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        found = text[error.pos : error.pos + 20] or "the end of the file"
        raise malformed(key, place, f"JSON ({error.msg})", found) from error
    except ValueError as error:  # An integer of more digits than Python converts.
        _walk(text, key)
        raise malformed(key, "", "strict JSON", str(error)) from error


def dump_json(value: Any) -> bytes:
    """Return a value as compact JSON, names in the order given, UTF-8, with a last newline."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode() + b"\n"


@contextmanager
def collector_paused() -> Iterator[None]:
    """Keep the cycle collector from walking a growing document again and again (half the time)."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _smells(data: bytes) -> bool:
    """Tell, quickly, whether numbers or escapes may be ones that Python parses but we refuse."""
    shapes = data.translate(_SHAPES, b"+")
    if b"0e000" in shapes or b"xe000" in shapes or b"0" * 309 in shapes:
        return True
    return b"\\u" in data and _LONE_SURROGATE.search(data) is not None


def _walk(text: str, key: str) -> None:
    """Walk the tokens of a text and raise for the first that is refused.

    Stops without a word where the text is no JSON: the parser says that better.
    """
    path: list[str | int] = []
    names: list[set[str] | None] = []
    position = 0
    expects_name = False

    def refused(expected: str, found: str) -> FormatError:
        line = text.count("\n", 0, position) + 1
        return malformed(key, f"{_shown(path)} (line {line})", expected, found)

    while (match := _TOKEN.match(text, position)) is not None:
        token = match.group(match.lastgroup or 0)
        position = match.start(match.lastgroup or 0)
        if match.lastgroup == "string":
            value = _string(token)
            if value is None:
                return
            if not value.isascii() and _is_halved(value):
                raise refused("whole characters", f"half a surrogate pair in {token}")
            if expects_name and names and (seen := names[-1]) is not None:
                if value in seen:
                    raise refused("each name once in an object", f"{token} twice")
                seen.add(value)
                path[-1] = value
                expects_name = False
        elif match.lastgroup == "number":
            if len(token) > 4000 or isinf(_float(token)):
                raise refused("a number within the range of a double", token)
        elif match.lastgroup == "word":
            if token in ("NaN", "Infinity", "-Infinity"):
                raise refused("a finite number", token)
        elif token in "{[":
            path.append(0 if token == "[" else "")
            names.append(None if token == "[" else set())
            expects_name = token == "{"
            if len(path) > _DEEPEST:
                place = f"line {text.count(chr(10), 0, position) + 1}"
                raise malformed(key, place, f"at most {_DEEPEST} levels", "deeper nesting")
        elif token in "}]":
            if not path:
                return
            path.pop()
            names.pop()
            expects_name = False
        elif token == "," and path:
            last = path[-1]
            if isinstance(last, int):
                path[-1] = last + 1
            expects_name = names[-1] is not None
        position = match.end()


def _string(token: str) -> str | None:
    """Return the string a token stands for; None where its escapes are wrong."""
    try:
        value = json.loads(token, strict=False)
    except json.JSONDecodeError:
        return None
    return value if isinstance(value, str) else None


def _float(token: str) -> float:
    """Return the token's value; 0 where the parser will refuse it anyway."""
    try:
        return float(token)
    except ValueError:
        return 0.0


def _is_halved(value: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in value)


def _shown(path: list[str | int]) -> str:
    """Return a path as people write it: ``annotations[17].bbox[2]``."""
    shown = ""
    for part in path:
        shown += f"[{part}]" if isinstance(part, int) else f".{part}" if shown else part
    return shown or "the top"
