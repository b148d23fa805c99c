"""``veml diff --plot``: what differs, before and after, as a picture."""

from __future__ import annotations

from typing import Any

import pytest

PIL = pytest.importorskip("PIL.Image", reason="needs Pillow (extra [plot])")
from veml_vcs.analysis.contact_sheet import TOP
from veml_vcs.analysis.pictures import class_colors
from veml_vcs.analysis.sheets import _CAPTION, _CELL, _GAP

Place = Any
ROW = _CELL[1] + _CAPTION


def opened(path: Any) -> Any:
    """Return a picture whose file is closed."""
    with PIL.open(path) as picture:
        picture.load()
        return picture


def cell(picture: Any, row: int, column: int) -> set[tuple[int, int, int]]:
    """Return the colours in one cell of the sheet."""
    x, y = _GAP + column * (_CELL[0] + _GAP), TOP + row * ROW + 20
    part = picture.crop((x + 1, y + 1, x + _CELL[0], y + _CELL[1])).convert("RGB")
    return {color for _, color in part.getcolors(1 << 20)}


@pytest.fixture
def colors() -> dict[str, tuple[int, int, int]]:
    return class_colors({"car", "bike", "bus"})


def test_two_commits(forked: Place, colors: dict[str, tuple[int, int, int]]) -> None:
    """On night a box of 0000 is larger, its other box is a bike; 0100 is new, 0200 is not there."""
    said = forked.veml("diff", "main", "night", "--plot", "out.png")
    assert "drew 3 of 3 samples that differ into out.png" in said.err
    assert "data images/train" in said.out or "images/train" in said.out
    picture = opened(forked.root / "out.png")
    assert picture.size == (2 * _CELL[0] + 3 * _GAP, TOP + 3 * ROW)
    # The same class has the same colour on both sides, though the sides have other classes.
    assert {colors["car"], colors["bus"]} <= cell(picture, 0, 0)
    assert {colors["car"], colors["bike"]} <= cell(picture, 0, 1)
    assert colors["bus"] not in cell(picture, 0, 1)
    image = (100, 0, 77)  # of 0100.png
    assert image not in cell(picture, 1, 0)
    assert image in cell(picture, 1, 1)
    assert colors["bike"] in cell(picture, 2, 0)
    assert colors["bike"] not in cell(picture, 2, 1)


def test_the_work_tree(drives: Place) -> None:
    """What was not added is drawn from the folder; seen to fail with the staged entries alone."""
    colors = class_colors({"car", "bike", "truck"})
    drives.voc("images/train", {"0001": [("truck", 1, 1, 4, 4), ("bike", 2, 2, 6, 5)]})
    drives.voc("images/train", {"0300": [("car", 0, 0, 3, 3)]}, first=44)
    drives.veml("diff", "--plot", "out.png", "--stat")
    picture = opened(drives.root / "out.png")
    assert colors["truck"] not in cell(picture, 0, 0)
    assert colors["truck"] in cell(picture, 0, 1)
    assert (44, 0, 77) in cell(picture, 1, 1)
    drives.veml("add", "images/train")
    drives.veml("diff", "--staged", "--plot", "staged.jpg")
    assert opened(drives.root / "staged.jpg").size == picture.size


def test_as_many_as_asked_for(forked: Place) -> None:
    said = forked.veml("diff", "main", "night", "--samples", "1", "--plot", "out.webp", "--json")
    assert "drew 1 of 3" in said.err
    assert said.json()["datasets"][0]["path"] == "images/train"
    assert opened(forked.root / "out.webp").size[1] == TOP + ROW


def test_nothing_differs_and_what_cannot_be_drawn(drives: Place) -> None:
    assert "drew 0 of 0" in drives.veml("diff", "--plot", "out.png").err
    assert (drives.root / "out.png").exists()
    drives.write("images/train/JPEGImages/0000.png", b"no image")
    assert "drew 1 of 1" in drives.veml("diff", "--plot", "out.png").err
    said = drives.veml("diff", "--plot", "out.gif", code=128)
    assert "expected a name that ends with .png" in said.err
    said = drives.veml("diff", "--plot", "no/such/out.png", code=74)
    assert "cannot be written" in said.err
