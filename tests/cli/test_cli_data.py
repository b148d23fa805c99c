"""``veml data``: options, views, JSON, pictures and exit codes."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import Any

import pytest

from veml_vcs.repository.data.listing import ListedDataSet, Listing, ShownSample
from veml_vcs.repository.data.operate import Operated
from veml_vcs.repository.data.statistics import Statistics

Place = Any


def names(kind: type) -> set[str]:
    return {one.name for one in fields(kind)}


def test_ls(drives: Place) -> None:
    found = drives.veml("data", "ls", "main:images/train", "--class", "car", "--key", "*000[12]*")
    assert "2 of 6 samples" in found.out
    assert "JPEGImages/0001.png" in found.out
    keys = drives.veml("data", "ls", "images/train", "-q", "--where", 'key ~ "*3.png"').out
    assert keys == "JPEGImages/0003.png\n"
    document = drives.veml("data", "ls", "images/train", "--limit", "2", "--json").json()
    assert document.keys() == names(Listing)
    assert len(document["samples"]) == 2
    assert document["total"] == 6
    assert "0 of 6" in drives.veml("data", "ls", "images/train", "--min-area", "100").out


def test_ls_without_a_data_set_lists_them(forked: Place) -> None:
    told = forked.veml("data", "ls").out
    assert re.search(r"images/train +voc +detection +7 +13 +3 +\d", told)
    assert "1 data set" in told
    assert forked.veml("data", "ls", "-q").out == "images/train\n"
    there = forked.veml("data", "ls", "--rev", "night", "--json").json()
    assert [one.keys() for one in there] == [names(ListedDataSet)]
    assert there[0]["version"] == forked.git("rev-parse", "night:images/train.veml").strip()
    assert "none was named" in forked.veml("data", "ls", "--class", "car", code=128).err
    assert "unknown revision" in forked.veml("data", "ls", "--rev", "nosuch", code=128).err


def test_show_and_stats(drives: Place) -> None:
    shown = drives.veml("data", "show", "images/train", "0001.png", "--rev", "main")
    assert "2 objects" in shown.out
    assert drives.veml("data", "show", "images/train", "0001.png", "--json").json().keys() == names(
        ShownSample
    )
    stats = drives.veml("data", "stats", "images/train")
    assert "bike" in stats.out
    assert "8x6" in stats.out
    document = drives.veml("data", "stats", "images/train", "--class", "bike", "--json").json()
    assert document.keys() == names(Statistics)
    assert document["objects"] == 12


def test_filter_and_update(drives: Place) -> None:
    wanted = ("--object", "box.width > 3 and class=='bike'", "--drop-others")
    done = drives.veml("data", "filter", "images/train", *wanted, "--to", "images/bikes")
    assert "staged data images/bikes  6 samples (from 6), 6 objects (from 12)" in done.out
    assert (drives.root / "images/bikes/JPEGImages/0001.png").exists()
    document = drives.veml(
        "data", "update", "images/bikes", "--rename-class", "bike=bicycle", "--json"
    ).json()
    assert document.keys() == names(Operated)
    derived = document["record"]["derived"]
    assert derived["arguments"] == {"rename-class": {"bike": "bicycle"}}
    assert derived["from"][0]["data"] == "images/bikes"
    assert "derived operation" in drives.veml("show", ":images/bikes").out
    drives.veml("commit", "-m", "bicycles")
    assert drives.veml("status", "--short").out == ""


def test_add_and_merge(drives: Place) -> None:
    drives.voc("incoming", {"0100": [("bus", 0, 0, 3, 3)]}, first=100)
    dry = drives.veml("data", "add", "images/train", "incoming", "--dry-run")
    assert "would stage data images/train  7 samples (from 6)" in dry.out
    drives.veml("data", "add", "images/train", "incoming", "--to", "images/more")
    merged = drives.veml("data", "merge", "images/more", "main:images/train", code=128)
    assert "already" in merged.err
    merged = drives.veml("data", "merge", "images/train", "images/more")
    assert "7 samples (from 6)" in merged.out
    assert "taken once" in merged.err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("filter", "images/train"), 128, "no condition"),
        (("filter", "images/train", "--class", "cra"), 128, "there is car"),
        (("filter", "images/train", "--where", "width ="), 128, "character 7"),
        (("filter", "main:images/train", "--class", "car"), 128, "--to"),
        (("filter", "images/train", "--class", "car", "--to", "images/train"), 1, "--force"),
        (("update", "images/train", "--rename-class", "car"), 128, "OLD=NEW"),
        (("update", "images/train", "--set", "weather"), 128, "FIELD=VALUE"),
        (("show", "images/train", "9999.png"), 128, "veml data ls"),
        (("show", "images/train", "000.png"), 128, "did you mean"),
        (("ls", "nope"), 128, "no data set"),
        (("ls", "images/train", "--min-objects", "-1"), 129, "min-objects"),
    ],
)
def test_errors(drives: Place, arguments: tuple[str, ...], code: int, words: str) -> None:
    done = drives.veml("data", *arguments, code=code)
    assert words in done.err


@pytest.mark.ml  # Pillow comes with it
def test_pictures(drives: Place) -> None:
    from PIL import Image

    drives.veml("data", "show", "images/train", "0001.png", "--plot", "one.png")
    drives.veml("data", "stats", "images/train", "--plot", "all.webp")
    with Image.open(drives.root / "one.png") as picture:
        assert picture.size == (512, 384)
        assert len(picture.getcolors(1 << 20) or ()) > 3  # two boxes and their names
    with Image.open(drives.root / "all.webp") as picture:
        assert picture.width == 1120
    refused = drives.veml("data", "stats", "images/train", "--plot", "all.txt", code=128)
    assert ".png" in refused.err
