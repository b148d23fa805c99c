"""The expression language: what it means, its canonical text, and that it runs nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veml_vcs.errors import InvalidInputError
from veml_vcs.samples.query import Conditions, SampleScope, Selector, parse
from veml_vcs.samples.query.expression import MAX_DEPTH, MAX_TEXT_CHARS

SAID: dict[str, Any] = {
    "weather": "night",
    "width": 1280,
    "height": 720,
    "attributes": {"color": "red", "a b": [1, 2, {"c": "deep"}]},
    "odd-name": 7,
    "splits": ["train"],
    "labels": ["scene"],
    "objects": [
        {"class": "car", "xywh": [0, 0, 40, 50], "iscrowd": 0},
        {"class": "car", "xywh": [0, 0, 10, 10], "iscrowd": 1},
        {"class": "dog", "xyxy": [5, 5, 25, 35], "$area": 3},
        {"class": "far"},
    ],
}


def sample(said: dict[str, Any] | None = None) -> SampleScope:
    return SampleScope("drive1/a.jpg", 1000, SAID if said is None else said, lambda key: (64, 32))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('weather == "night"', True),
        ("weather == 'day' or width >= 1280 and height < 721", True),
        ("not weather", False),
        ("width * 2 - 560 == 2000", True),
        ("width / 0", None),
        ("nothing == null and missing.deeper[3] == null", True),
        ("weather < 3", False),
        ("weather >= 3", False),
        ('attributes.color in ["red", "blue"]', True),
        ('attributes["a b"][2].c == "deep"', True),
        ('fields["odd-name"] + 1', 8),
        ('"train" in splits and "val" not in splits', True),
        ('key ~ "drive1/*" and not key ~ "Drive1/*"', True),
        ('classes ~ "c*"', True),
        ("bytes", 1000),
        ("len(objects) == count()", True),
        ('count(class == "car")', 2),
        ('count(class == "car" and box.area > 32*32)', 1),
        ("any(iscrowd)", True),
        ("all(iscrowd == false)", False),
        ("count(box == null)", 1),
        ("any(box.x1 == 5 and box.width == 20 and box.height == 30)", True),
        ("count(sample.width == 1280)", 4),
        ("any($area == 3)", True),
        ("-width < 0", True),
        ("true == 1 and not true == 2", True),
        ('"ight" in weather', True),
    ],
)
def test_values(text: str, value: Any) -> None:
    parsed = parse(text)
    assert parsed.value(sample()) == value
    assert str(parse(str(parsed))) == str(parsed)
    assert parse(str(parsed)) == parsed


@pytest.mark.parametrize(
    "text",
    ["", "a =", "a = 3", "a b", "(a", "a)", "[1, 2", '"open', "a.", "a[", "a[b]", "and", "not",
     "1e999", "f(x)", "__import__('os')", "a; b", "lambda: 0", "a if b else c", "{1}", "count(",
     "a ** b",
     "(" * 200, "not " * 3000, "-" * 200 + "1", "a" * (MAX_TEXT_CHARS + 1), "1" * 3999 + ".5"],
)  # fmt: skip
def test_what_is_no_expression_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError, match=r"expression"):
        parse(text)


def test_the_message_shows_the_place() -> None:
    with pytest.raises(InvalidInputError, match=r"character 9, found 'b'\n  a == 1  b\n {10}\^"):
        parse("a == 1  b")


@given(st.text(alphabet="ab.()[]\"'<>=~+-*/ 1, notidr", max_size=40))
def test_any_text_parses_or_is_refused(text: str) -> None:
    try:
        parsed = parse(text)
    except InvalidInputError:
        return
    parsed.value(sample())
    assert parse(str(parsed)) == parsed


def test_depth_is_bounded_but_usual_depth_is_not() -> None:
    text = "(" * (MAX_DEPTH - 1) + "1" + ")" * (MAX_DEPTH - 1)
    assert parse(text).value(sample()) == 1


def test_size_comes_from_the_image_where_nothing_says_it() -> None:
    bare = sample({"objects": [{"class": "car", "cxcywhn": [0.5, 0.5, 0.5, 0.25]}]})
    assert parse("width == 64 and height == 32").value(bare)
    assert parse("any(box.width == 32 and box.height == 8)").value(bare)
    polygon = sample({"objects": [{"segmentation_n": [0.0, 0.0, 0.5, 0.0, 0.5, 0.5]}]})
    assert parse("any(box.area == 32 * 16)").value(polygon)


def chosen(conditions: Conditions, said: dict[str, Any] | None = None) -> bool:
    return Selector(conditions).chooses(sample(said))


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        (Conditions(), True),
        (Conditions(classes=("car",)), True),
        (Conditions(classes=("bus", "dog")), True),
        (Conditions(classes=("bus",)), False),
        (Conditions(classes=("bus",), max_objects=0), True),
        (Conditions(classes=("car",), max_objects=1), False),
        (Conditions(classes=("car",), min_objects=2), True),
        (Conditions(classes=("car",), min_objects=2, min_area=200), False),
        (Conditions(max_area=100), True),
        (Conditions(max_area=99), False),
        (Conditions(min_objects=4, max_objects=4), True),
        (Conditions(classes=("scene",)), True),
        (Conditions(classes=("scene",), min_area=1), False),
        (Conditions(keys=("*.png", "drive?/*")), True),
        (Conditions(keys=("*.png",)), False),
        (Conditions(splits=("val", "train")), True),
        (Conditions(splits=("val",)), False),
        (Conditions(where="width > 100", objects="iscrowd"), True),
        (Conditions(where="width > 1300", objects="iscrowd"), False),
    ],
)
def test_conditions(conditions: Conditions, expected: bool) -> None:
    assert chosen(conditions) is expected


def test_a_sample_without_annotation() -> None:
    assert not chosen(Conditions(classes=("car",)), {})
    assert chosen(Conditions(classes=("car",), max_objects=0), {})


def test_arguments_are_canonical() -> None:
    one = Conditions(classes=("b", "a", "b"), where='weather=="night"', min_area=9)
    two = Conditions(classes=("a", "b"), where='(weather == "night")', min_area=9)
    assert one.arguments() == two.arguments()
    assert one.arguments() == {"class": ["a", "b"], "min-area": 9, "where": 'weather == "night"'}


@pytest.mark.parametrize(
    ("conditions", "near"),
    [
        (Conditions(classes=("cra",)), "car"),
        (Conditions(splits=("trian",)), "train"),
        (Conditions(where='wether == "night"'), "weather"),
        (Conditions(objects="iscrowed"), "iscrowd"),
        (Conditions(where="any(iscrowed)"), "iscrowd"),
    ],
)
def test_what_is_nowhere_is_an_error_that_says_what_is_near(
    conditions: Conditions, near: str
) -> None:
    with pytest.raises(InvalidInputError) as raised:
        Selector(conditions).check_names([SAID], ["car", "dog"])
    assert near in (raised.value.hint or "")


def test_without_others() -> None:
    selector = Selector(Conditions(classes=("dog",)))
    assert [one["class"] for one in selector.without_others(sample())["objects"]] == ["dog"]
    whole = Selector(Conditions(keys=("*",)))
    assert whole.without_others(sample()) is SAID


def test_impossible_numbers() -> None:
    with pytest.raises(InvalidInputError, match="nothing is both"):
        Selector(Conditions(min_objects=3, max_objects=2))
