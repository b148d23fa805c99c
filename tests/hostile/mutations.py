"""Hostile variants of sound inputs: bytes flipped, cut, doubled; JSON values that make no sense."""

from __future__ import annotations

import copy
import json
import math
import os
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

HOSTILE_VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 1 << 31, 1 << 63, 1 << 64, -(1 << 63), 10**40, 1e308, -0.0, math.nan,
    math.inf, "", "..", "../../x", "/etc/passwd", "a\0b", "\x1b]0;x\x07", "\ud800", "a" * 5000,
    "CON", ".git/hooks/x", [], {}, [[]], [None], {"": 0}, {"a": {"a": {"a": []}}}, "ab" * 32,
)  # fmt: skip
"""Values of the wrong type, size or meaning for nearly every field."""


def fuzz(count: int) -> settings:
    """Return the settings of a test that feeds a parser: VEML_EXAMPLES times as many examples."""
    times = int(os.environ.get("VEML_EXAMPLES", "1"))
    return settings(
        deadline=None, max_examples=count * times, suppress_health_check=list(HealthCheck)
    )


@st.composite
def mutated_bytes(draw: st.DrawFn, seeds: tuple[bytes, ...]) -> bytes:
    """A sound input with a few bytes changed, a piece cut out or doubled, or cut short."""
    data = bytearray(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(1, 4))):
        if not data:
            break
        at = draw(st.integers(0, len(data) - 1))
        kind = draw(st.integers(0, 5))
        if kind == 0:
            data[at] = draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF, data[at] ^ 1]))
        elif kind == 1:
            del data[at:]
        elif kind == 2:
            del data[at : at + draw(st.integers(1, 64))]
        elif kind == 3:
            data[at:at] = data[max(0, at - 64) : at]
        elif kind == 4:
            data[at : at + 8] = draw(st.sampled_from([b"\xff" * 8, b"\0" * 8, b"\0" * 7 + b"\x80"]))
        else:
            data[at:at] = draw(
                st.sampled_from([b"\x1b[2J", b"..", b"\0", b"[" * 300, b"1e999", b"&x;", b"\r\n"])
            )
    return bytes(data)


@st.composite
def mutated_json(draw: st.DrawFn, seeds: tuple[Any, ...]) -> Any:
    """A sound JSON value with a few of its parts replaced, removed, renamed or doubled."""
    value = json.loads(json.dumps(draw(st.sampled_from(seeds))))
    for _ in range(draw(st.integers(1, 3))):
        place: Any = value
        # Go down a few levels, and change what is there.
        for _ in range(draw(st.integers(0, 5))):
            steps = list(place) if isinstance(place, dict) else list(range(len(place)))
            below = [one for one in steps if isinstance(place[one], dict | list) and place[one]]
            if not below:
                break
            place = place[draw(st.sampled_from(below))]
        if not place:
            continue
        steps = list(place) if isinstance(place, dict) else list(range(len(place)))
        step = draw(st.sampled_from(steps))
        kind = draw(st.integers(0, 3))
        if kind == 0:
            del place[step]
        elif kind == 1 and isinstance(place, dict):
            place[draw(st.sampled_from(["..", "", "a\x1b[0m", "__class__"]))] = place[step]
        elif kind == 1:
            place.append(place[step])
        else:
            place[step] = copy.deepcopy(draw(st.sampled_from(HOSTILE_VALUES)))
    return value


def as_text(value: Any) -> bytes:
    """Return JSON text, NaN and lone surrogates included."""
    return json.dumps(value).encode()


def deep(opening: str, closing: str, depth: int = 100_000) -> bytes:
    """Return a text that is nested 10^5 deep."""
    return (opening * depth + closing * depth).encode()
