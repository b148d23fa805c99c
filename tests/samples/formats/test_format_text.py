"""Strict JSON, XML, YAML and numbers: what Python lets pass and we do not."""

from __future__ import annotations

import gc
import json
from math import isfinite

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veml_vcs.errors import FormatError
from veml_vcs.samples.formats.json_text import dump_json, parse_json
from veml_vcs.samples.formats.text import (
    Tally,
    decode,
    escaped,
    few,
    format_number,
    parse_number,
    unescaped,
)
from veml_vcs.samples.formats.yaml_text import dump_yaml, parse_yaml


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": [1, {"b": [0, NaN]}]}', "a[1].b[1] (line 1): expected a finite number, found NaN"),
        ('[1,\n-Infinity]', "[1] (line 2): expected a finite number, found -Infinity"),
        ('{"a": 1,\n"b": {"c": 1, "c": 2}}', 'b.c (line 2): expected each name once in an object'),
        ('{"a": 1, "\\u0061": 2}', 'expected each name once in an object, found "\\u0061" twice'),
        ('{"a": [0, 1e999]}', "a[1] (line 1): expected a number within the range of a double"),
        ('{"a": -1E+400}', "expected a number within the range of a double"),
        ("[" + "9" * 400 + ".0]", "expected a number within the range of a double"),
        ("[" + "9" * 5000 + "]", "expected a number within the range of a double"),
        ('{"a": "\\ud800"}', "a (line 1): expected whole characters, found half a surrogate pair"),
        ('["\\udc00\\ud800"]', "found half a surrogate pair"),
        ("[" * 10**5, "expected at most 500 levels, found deeper nesting"),
        ('{"a":' * 10**5, "expected at most 500 levels, found deeper nesting"),
        ("", "line 1, column 1: expected JSON (Expecting value), found the end of the file"),
        ('{"a": 1,}', "line 1, column 9: expected JSON"),
        ('{"a" 1}', "expected JSON (Expecting ':' delimiter), found 1}"),
        ('{"a": 1} x', "expected JSON (Extra data), found x"),
    ],
)  # fmt: skip
def test_json_that_is_refused(text, message) -> None:
    with pytest.raises(FormatError) as caught:
        parse_json(text.encode(), "x.json")
    assert str(caught.value).startswith("x.json: ")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        '["7e1234.jpg", "1e999", 1e300, 1e-999, "\\ud83d\\ude00", "NaN", "\\\\ud800"]',
        '{"a": {"b": 1}, "c": {"b": 1}, "b": [{"b": 1}, {"b": 2}], "\\n": ""}',
        "[" * 200 + "]" * 200,
        "123456789012345678901234567890",
    ],
)
def test_json_that_only_looks_suspicious(text) -> None:
    assert parse_json(text.encode(), "x.json") == json.loads(text)
    assert parse_json(b"\xef\xbb\xbf" + text.encode(), "x.json") == json.loads(text)


def test_parsing_leaves_the_collector_as_it_was() -> None:
    for enabled in (True, False):
        (gc.enable if enabled else gc.disable)()
        try:
            with pytest.raises(FormatError):
                parse_json(b"[NaN]", "x")
            parse_json(b"[]", "x")
            assert gc.isenabled() is enabled
        finally:
            gc.enable()


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)  # fmt: skip


@given(value=_json)
def test_json_survives(value) -> None:
    assert parse_json(dump_json(value), "x") == value


@given(value=_json)
def test_yaml_survives(value) -> None:
    assert parse_yaml(dump_yaml(value), "x") == value


def test_yaml_bombs() -> None:
    bomb = "a: &a [x, x]\n" + "".join(
        f"{new}: &{new} [*{old}, *{old}, *{old}, *{old}]\n"
        for old, new in zip("abcdefghijk", "bcdefghijkl", strict=True)
    )
    with pytest.raises(FormatError, match="line 10: expected at most 32 aliases"):
        parse_yaml(bomb.encode(), "x")
    for text in ("a: &a [*a]", "[" * 1000, "x: " + "{a: " * 1000, "? " * 5000):
        with pytest.raises(FormatError):
            parse_yaml(text.encode(), "x")
    with pytest.raises(FormatError, match="at most 4194304 bytes"):
        parse_yaml(b"#" * (5 << 20), "x")
    assert parse_yaml(b"a: &x [1]\nb: *x\nc: {<<: {d: 1}, e: 2}", "x") == {
        "a": [1],
        "b": [1],
        "c": {"d": 1, "e": 2},
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [("48", 48), ("48.0", 48), ("-0.5", -0.5), ("+.5", 0.5), ("1e3", 1000), ("5.", 5), ("007", 7)],
)
def test_numbers(text, value) -> None:
    found = parse_number(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "text",
    ["", " 1", "1 ", "nan", "inf", "-Infinity", "1_0", "0x1", "1e", "\u0663", "1e999", "²", "--1"],
)
def test_what_is_no_number(text) -> None:
    assert parse_number(text) is None


@given(value=st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53))
def test_numbers_survive(value) -> None:
    found = parse_number(format_number(value))
    assert found is not None
    assert found == value
    assert isfinite(found)


@given(name=st.text(st.sampled_from("$abc"), max_size=5))
def test_field_names_survive(name) -> None:
    reserved = frozenset(("a", "bc"))
    inside = escaped(name, reserved)
    assert inside not in reserved
    assert unescaped(inside, reserved) == name
    assert unescaped("a", reserved) is None


def test_text() -> None:
    assert decode(b"\xef\xbb\xbf\xc3\xa4", "x") == "ä"
    with pytest.raises(FormatError, match="x: line 2: expected UTF-8 text, found the bytes ff 62"):
        decode(b"a\n\xffb", "x")
    assert few(["a", "b"], 2) == "a, b"
    assert few(iter("abcdef"), 6) == "a, b, c and 3 more"


def test_a_tally_speaks_of_one_and_of_many_whatever_the_file_is_called() -> None:
    """Seen to fail with the file's name as a part of the sentence: ``{0}`` is no place in it."""
    tally = Tally("{count} boxes reach out of their image: {few}", where="boxes{0}/images.txt")
    assert tally.warnings() == []
    tally.add("boxes.jpg")
    assert tally.warnings() == ["boxes{0}/images.txt: 1 box reaches out of its image: boxes.jpg"]
    tally.add("b.jpg")
    assert tally.warnings() == [
        "boxes{0}/images.txt: 2 boxes reach out of their image: boxes.jpg, b.jpg"
    ]
