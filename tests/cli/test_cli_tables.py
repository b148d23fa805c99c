"""Tables, bars and numbers: aligned, never wider than asked, right for wide characters."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veml_cli.render.bars import bar
from veml_cli.render.line import cell_width, line, shorten
from veml_cli.render.tables import Column, natural_width, table
from veml_cli.render.values import box_text, number, value_text
from veml_cli.render.words import date, plural, size

NAMES = st.text(st.sampled_from("abc/._-äß写真🚗\u0301"), max_size=30)


def test_columns_line_up() -> None:
    lines = table(
        (Column("name"), Column("n", right=True)), [["a", "1"], [("写真", "added"), "100"]]
    )
    assert [one.plain for one in lines] == ["  name    n", "  a       1", "  写真  100"]


def test_nothing_is_cut_without_a_terminal() -> None:
    long = "x" * 500
    (only,) = table((Column(shrinks=True),), [[long]], width=None)
    assert only.plain == "  " + long


def test_a_narrow_terminal_shortens_the_middle_of_what_may_shrink() -> None:
    rows = [["images/train/a/very/long/path/0001.jpg", "car"]]
    (only,) = table((Column(shrinks=True), Column()), rows, width=30)
    assert only.width <= 30
    assert only.plain.endswith("0001.jpg  car")
    assert "…" in only.plain


@given(NAMES, st.integers(0, 40))
def test_shortened_text_fits(text: str, width: int) -> None:
    short = shorten(text, width)
    assert cell_width(short) <= width
    assert short == text or "…" in short or width == 0


@given(st.lists(st.tuples(NAMES, NAMES), min_size=1, max_size=5))
def test_natural_width_is_that_of_the_widest_row(rows: list[tuple[str, str]]) -> None:
    columns = (Column("first"), Column("second"))
    widest = max(one.width for one in table(columns, rows, indent=""))
    assert natural_width(columns, rows) == widest


@pytest.mark.parametrize(
    ("value", "shown"), [(0, ""), (-1, ""), (10, "██████████"), (5, "█████"), (20, "██████████")]
)
def test_bar(value: float, shown: str) -> None:
    assert bar(value, 10, 10) == shown


def test_a_small_value_still_has_a_bar() -> None:
    assert bar(1, 1_000_000, 10) == "▏"
    assert bar(1, 0, 10) == ""
    assert bar(float("nan"), 1, 10) == ""


@given(st.floats(0, 1), st.floats(0, 1))
def test_bars_grow_with_their_values(a: float, b: float) -> None:
    def eighths(text: str) -> int:
        return sum(" ▏▎▍▌▋▊▉█".index(char) for char in text)

    low, high = sorted((a, b))
    assert eighths(bar(low, 1, 9)) <= eighths(bar(high, 1, 9))


def test_line_without_blanks_at_the_end() -> None:
    assert line("a", "  ").plain == "a"


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0 bytes"), (1023, "1,023 bytes"), (1536, "1.5 KiB"), (5 << 30, "5.0 GiB")],
)
def test_size(count: int, shown: str) -> None:
    assert size(count) == shown


def test_plural() -> None:
    assert plural(1, "class", "classes") == "1 class"
    assert plural(2000, "class", "classes") == "2,000 classes"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(48.0, "48"), (48, "48"), (0.125, "0.125"), (1 / 3, "0.3333"), (-0.00001, "0"), (0.0, "0")],
)
def test_number(value: float, shown: str) -> None:
    assert number(value) == shown


def test_values() -> None:
    assert value_text([1, 2.5]) == "[1, 2.5]"
    assert value_text({"b": 1, "a": None}) == '{"a": null, "b": 1}'
    assert value_text(True) == "true"
    assert len(value_text("x" * 500)) == 60
    assert value_text({"xyxy": [1, 2, 3, 4]}) == "1,2 .. 3,4"
    assert box_text({"xywh": [1, 2.5, 3, 4]}) == "1,2.5 3x4"
    assert box_text({"xywh": "odd"}) == ""


def test_date_is_that_of_git() -> None:
    assert date(1700000000, 3600) == "Tue Nov 14 23:13:20 2023 +0100"
    assert date(1700000000, -19800) == "Tue Nov 14 16:43:20 2023 -0530"
    assert date(10**18, 0) == "1000000000000000000 +0000"


def test_stats_shows_the_columns_and_no_labels(place: Any) -> None:
    place.veml("init")
    for i, name in enumerate("ab"):
        place.write(f"flows/{name}.csv", f"id,speed\n{i},10\n{i + 10},NA\n")
    place.veml("add", "--format", "tables", "flows")
    said = place.veml("data", "stats", "flows").out
    assert "4 rows in 2 tables" in said
    assert ["speed", "int", "2", "10", "10", "10", "10"] in [
        line.split()[:7] for line in said.splitlines()
    ]
    assert "without any label" not in said
