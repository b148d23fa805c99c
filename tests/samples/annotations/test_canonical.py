"""The canonical form: RFC 8785's own vectors, the two writers against each other, and refusals."""

from __future__ import annotations

import enum
import json
import struct
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veml_vcs.errors import DamagedError, InvalidInputError
from veml_vcs.ids import digest
from veml_vcs.samples.annotations import annotation_id, canonical_bytes, canonical_json, parse
from veml_vcs.samples.annotations.canonical import MAX_DEPTH, _exact, child_path

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=6)
NUMBERS = st.one_of(
    st.integers(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(-1e-3, 1e-3),
    st.integers(-(2**60), 2**60).map(float),
    st.decimals(-2000, 2000, places=2).map(float),
)
VALUES = st.recursive(
    st.none() | st.booleans() | TEXTS | NUMBERS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


def exact(value: Any) -> bytes:
    parts: list[str] = []
    _exact(value, "", MAX_DEPTH, parts.append, "value")
    return "".join(parts).encode()


@pytest.mark.parametrize(
    ("bits", "text"),
    [
        # RFC 8785, appendix B.
        ("0000000000000000", "0"),
        ("8000000000000000", "0"),
        ("0000000000000001", "5e-324"),
        ("8000000000000001", "-5e-324"),
        ("7fefffffffffffff", "1.7976931348623157e+308"),
        ("ffefffffffffffff", "-1.7976931348623157e+308"),
        ("4340000000000000", "9007199254740992"),
        ("c340000000000000", "-9007199254740992"),
        ("4430000000000000", "295147905179352830000"),
        ("44b52d02c7e14af5", "9.999999999999997e+22"),
        ("44b52d02c7e14af6", "1e+23"),
        ("44b52d02c7e14af7", "1.0000000000000001e+23"),
        ("444b1ae4d6e2ef4e", "999999999999999700000"),
        ("444b1ae4d6e2ef4f", "999999999999999900000"),
        ("444b1ae4d6e2ef50", "1e+21"),
        ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
        ("3eb0c6f7a0b5ed8d", "0.000001"),
        ("41b3de4355555553", "333333333.3333332"),
        ("41b3de4355555554", "333333333.33333325"),
        ("41b3de4355555555", "333333333.3333333"),
        ("41b3de4355555556", "333333333.3333334"),
        ("41b3de4355555557", "333333333.33333343"),
        ("becbf647612f3696", "-0.0000033333333333333333"),
        ("43143ff3c1cb0959", "1424953923781206.2"),
    ],
)
def test_numbers_of_the_rfc(bits: str, text: str) -> None:
    (number,) = struct.unpack(">d", bytes.fromhex(bits))
    assert canonical_json(number).decode() == text
    assert canonical_json([1, number]).decode() == f"[1,{text}]"


def test_the_example_of_the_rfc() -> None:
    source = r"""{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }"""
    expected = (
        '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )
    assert canonical_json(json.loads(source)).decode() == expected


def test_keys_are_sorted_by_utf16_code_units() -> None:
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\x80", "\u00f6"]
    value = json.loads(canonical_json(dict.fromkeys(keys)))
    assert list(value) == ["\r", "1", "\x80", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({}, "{}"),
        ([], "[]"),
        ({"b": 1, "a": [{}, []]}, '{"a":[{},[]],"b":1}'),
        (48.0, "48"),
        (-0.0, "0"),
        ([-0.0, 1.5], "[0,1.5]"),
        ([1, 2.0, 1e-5], "[1,2,0.00001]"),
        ([2.0**53, 1], "[9007199254740992,1]"),
        (2**53 + 1, "9007199254740993"),  # the deviation: all digits of an int
        (10**30, "1" + "0" * 30),
        ("pre-e-1 9e-07", '"pre-e-1 9e-07"'),  # looks like an exponent, is text
        ("1.0", '"1.0"'),
        ("\x7f\u2028/", '"\x7f\u2028/"'),
        (True, "true"),
        ({"": None}, '{"":null}'),
    ],
)
def test_values(value: Any, text: str) -> None:
    assert canonical_json(value).decode() == text


@given(VALUES)
def test_both_writers_agree(value: Any) -> None:
    assert canonical_json(value) == exact(value)


@given(VALUES)
def test_what_is_read_back_is_the_same_value(value: Any) -> None:
    data = canonical_bytes({"value": value})
    back = parse(data)
    assert canonical_bytes(back) == data
    if not _has_large_float(value):  # a large float comes back as the int its digits spell
        assert back == {"value": value}


def _has_large_float(value: Any) -> bool:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return any(map(_has_large_float, value))
    return isinstance(value, float) and abs(value) >= 2**53


@given(st.dictionaries(TEXTS, VALUES, max_size=5), st.randoms())
def test_key_order_does_not_count(value: dict[str, Any], random: Any) -> None:
    items = list(value.items())
    random.shuffle(items)
    assert canonical_json(dict(items)) == canonical_json(value)


def test_the_value_is_left_as_it_was() -> None:
    value = {"xywh": [1.0, 2.0, 3.5, 4], "area": 12.0, "deep": {"a": [[2.0]]}}
    before = repr(value)
    canonical_bytes(value)
    assert repr(value) == before


def test_subclasses_count_as_what_they_derive_from() -> None:
    class Color(enum.StrEnum):
        RED = "red"

    class Level(enum.IntEnum):
        HIGH = 3

    class Real(float):
        def __repr__(self) -> str:
            return "Real"

    value = {Color.RED: [Level.HIGH, Color.RED, Real(0.5)]}
    assert canonical_json(value) == b'{"red":[3,"red",0.5]}'


def test_an_id_is_the_digest_of_the_form() -> None:
    annotation = {"width": 48.0, "objects": []}
    assert canonical_bytes(annotation) == b'{"objects":[],"width":48}'
    assert annotation_id(annotation) == digest(b'{"objects":[],"width":48}')
    assert annotation_id({"a": True}) != annotation_id({"a": 1})


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


CYCLE: dict[str, Any] = {}
CYCLE["again"] = CYCLE


@pytest.mark.parametrize(
    ("annotation", "message"),
    [
        (
            {"objects": [{}, {"xywh": [1.0, float("nan")]}]},
            "objects[1].xywh[1]: expected a finite number, found nan",
        ),
        ({"a": float("inf")}, "a: expected a finite number, found inf"),
        ({"a": [2.0, float("-inf")]}, "a[1]: expected a finite number, found -inf"),
        ({"a": {1: 2}}, "a: expected only str keys, found the key 1 (int)"),
        ({None: 2}, "annotation: expected only str keys, found the key None (NoneType)"),
        ({"a b": (1, 2)}, '["a b"]: expected a JSON value, found tuple (1, 2)'),
        ({"a": {"b c": {1}}}, 'a["b c"]: expected a JSON value, found set {1}'),
        ({"a": b"x"}, "a: expected a JSON value, found bytes b'x'"),
        ({"a": "x\ud800"}, "a: expected text that can be written as UTF-8, found the lone"),
        ({"a\udfff": 1}, 'a\\udfff"]: expected text that can be written as UTF-8, found the lone'),
        ({"a": nested(MAX_DEPTH)}, "expected at most 100 levels of nesting, found more"),
        (CYCLE, "expected at most 100 levels of nesting, found more"),
        ({"a": 10**5000}, "a: expected an integer of sane length, found 16610 bits"),
        ([1], "annotation: expected a dict, found list [1]"),
    ],
)
def test_refusals_name_the_place(annotation: Any, message: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        canonical_bytes(annotation)
    assert message in str(caught.value)
    assert len(str(caught.value)) < 400


def test_the_deepest_value_that_is_taken() -> None:
    assert canonical_json(nested(MAX_DEPTH)) == b"[" * MAX_DEPTH + b"1" + b"]" * MAX_DEPTH


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"1", b'{"a":NaN}', b'{"a":1', b'{"a":"\xff"}', b'{"a":' + b"[" * 100_000],
)
def test_damaged_bytes(data: bytes) -> None:
    with pytest.raises(DamagedError, match="annotation: expected"):
        parse(data)


def test_parse_takes_any_buffer() -> None:
    assert parse(memoryview(b'{"a":1}')) == parse(bytearray(b'{"a":1}')) == {"a": 1}


def test_paths() -> None:
    assert child_path("", "width") == "width"
    assert child_path("objects[3]", "größe") == "objects[3].größe"
    assert child_path("a", "b.c") == 'a["b.c"]'
    assert child_path("", "") == '[""]'


def test_importing_does_not_load_numpy() -> None:
    code = "import sys, veml_vcs.samples.annotations; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
