"""What a stranger committed cannot steer the terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veml_cli._sanitize import clean, clean_block
from veml_cli.render.line import line

ANY_TEXT = st.text(st.characters(codec=None, categories=None), max_size=40)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ünïcödé 写真 🚗", "plain ünïcödé 写真 🚗"),
        ("a\x1b[31mred", "a\\x1b[31mred"),
        ("two\nlines", "two\\x0alines"),
        ("tab\there", "tab\\x09here"),
        ("\x9b31m", "\\x9b31m"),
        ("not utf-8 \udcff", "not utf-8 \\xff"),
        ("\u202egpj.exe", "\\u202egpj.exe"),
        ("\u2028", "\\u2028"),
        ("", ""),
    ],
)
def test_clean(text: str, shown: str) -> None:
    assert clean(text) == shown


@given(ANY_TEXT)
def test_clean_text_can_be_printed_and_stays_on_its_line(text: str) -> None:
    shown = clean(text)
    shown.encode("utf-8")
    assert len(shown.splitlines()) <= 1
    assert not any(ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0 for char in shown)
    assert clean(shown) == shown


@given(ANY_TEXT)
def test_lines_are_clean_whatever_they_are_made_of(text: str) -> None:
    assert line(("x", "added"), (text, "removed")).pieces[-1][0] in (clean(text), "x")


def test_a_smuggled_line_cannot_pass_for_one_of_the_program() -> None:
    shown = clean_block("no such file: a\nhint: rm -rf .", "  ")
    assert shown == "no such file: a\n  hint: rm -rf ."
