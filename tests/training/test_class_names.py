"""Which class is which: by name, whatever its case, separators and number; or as the user says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veml_vcs.errors import InvalidInputError
from veml_vcs.training.class_names import match_classes


@pytest.mark.parametrize(
    ("old", "new", "rows"),
    [
        (("car", "bus"), ("bus", "car"), (1, 0)),
        (("Traffic light",), ("traffic_lights", "car"), (0, None)),
        (("buses", "Cars", "bodies"), ("bus", "car", "body"), (0, 1, 2)),
        (("bus",), ("bu",), (None,)),  # no plural of it
        (("glass",), ("glas",), (0,)),  # a plural by its ending; --map =glas says it is none
        (("car", "Car"), ("car", "CAR"), (0, 1)),  # the equal one first
        (("Car", "CAR"), ("car",), (None,)),  # it could be either
        (("car",), ("Car", "CAR"), (None, None)),  # either could be it
        (("车", "ÉTÉ"), ("été", "车"), (1, 0)),
        (("1", "2"), ("2", "3"), (1, None)),
        (("+", "-"), ("-", "+"), (1, 0)),
        ((), ("car",), (None,)),
    ],
)
def test_names(old: tuple[str, ...], new: tuple[str, ...], rows: tuple[int | None, ...]) -> None:
    found = match_classes(old, new)
    assert found.rows == rows
    assert {row for row in rows if row is not None} | {old.index(one) for one in found.gone} == set(
        range(len(old))
    )
    assert [new for _, new in found.pairs] + list(found.fresh) == sorted(
        new, key=lambda one: (one in found.fresh, new.index(one))
    )


def test_what_the_user_says_comes_first() -> None:
    old, new = ("vehicle", "bike"), ("car", "truck", "bike", "tram")
    found = match_classes(old, new, ["vehicle=car", "vehicle=truck", "=bike"])
    assert found.rows == (0, 0, None, None)
    assert found.pairs == (("vehicle", "car"), ("vehicle", "truck"))
    assert (found.fresh, found.gone) == (("bike", "tram"), ("bike",))
    assert not found.same
    assert match_classes(old, old).same


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (["car"], "expected OLD=NEW"),
        (["car="], "expected OLD=NEW"),
        (["lorry=car"], "the source has no class 'lorry'; it has vehicle, bike"),
        (["vehicle=lorry"], "the data has no class 'lorry'; it has car"),
        (["vehicle=car", "bike=car"], "'car' is to begin as 'vehicle' and as 'bike'"),
    ],
)
def test_pairs_that_make_no_sense(said: list[str], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        match_classes(("vehicle", "bike"), ("car",), said)


NAMES = st.lists(st.text("abcs_ S", min_size=1, max_size=4), unique=True, max_size=6).map(tuple)


@given(NAMES, NAMES)
def test_one_known_class_is_taken_once_and_both_ways(
    old: tuple[str, ...], new: tuple[str, ...]
) -> None:
    found = match_classes(old, new)
    taken = [row for row in found.rows if row is not None]
    assert len(set(taken)) == len(taken)
    assert all(found.rows[new.index(one)] == old.index(one) for one in new if one in old)
    back = match_classes(new, old)
    assert {(new[b], a) for a, b in zip(old, back.rows, strict=True) if b is not None} == {
        (b, a) for a, b in found.pairs
    }
