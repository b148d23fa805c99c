"""``veml blame``: each box, and the sample, to the commit that made it what it is."""

from __future__ import annotations

from typing import Any

import pytest

Place = Any
FOLDER = "images/train"
KEY = "JPEGImages/0000.png"


def commit(place: Place, message: str, boxes: list[Any]) -> str:
    place.voc(FOLDER, {"0000": boxes})
    place.veml("commit", "-qam", message)
    return str(place.git("rev-parse", "HEAD").strip())


CAR, BIKE = ("car", 1, 1, 4, 4), ("bike", 2, 2, 6, 5)


@pytest.fixture
def edited(drives: Place) -> dict[str, str]:
    first = drives.git("rev-parse", "HEAD").strip()
    moved = commit(drives, "move", [("car", 0, 0, 4, 4), BIKE])
    inserted = commit(drives, "insert", [("bus", 5, 0, 7, 2), ("car", 0, 0, 4, 4), BIKE])
    relabelled = commit(
        drives, "relabel", [("bus", 5, 0, 7, 2), ("car", 0, 0, 4, 4), ("tram", 2, 2, 6, 5)]
    )
    return {"first": first, "moved": moved, "inserted": inserted, "relabelled": relabelled}


def objects(place: Place, *arguments: str) -> list[tuple[str, str, str]]:
    found = place.veml("blame", *arguments, "--json").json()
    return [(one["object"]["class"], one["how"], one["commit"]) for one in found["objects"]]


def test_boxes_of_one_line_of_history(drives: Place, edited: dict[str, str]) -> None:
    assert objects(drives, f"{FOLDER}/{KEY}") == [
        ("bus", "added", edited["inserted"]),
        ("car", "moved", edited["moved"]),
        ("tram", "relabelled", edited["relabelled"]),
    ]
    assert objects(drives, FOLDER, KEY, "HEAD~2") == [
        ("car", "moved", edited["moved"]),
        ("bike", "added", edited["first"]),
    ]
    found = drives.veml("blame", FOLDER, KEY, "--json").json()
    assert found["brought"] == found["content"] == edited["first"]


def test_through_a_merge(forked: Place) -> None:
    """Each side keeps what it did; nothing is the merge's own."""
    forked.veml("merge", "-q", "night")
    night, day = (forked.git("rev-parse", one).strip() for one in ("night", "HEAD^1"))
    assert objects(forked, f"{FOLDER}/{KEY}") == [
        ("car", "moved", night),
        ("bus", "relabelled", day),
    ]
    shown = forked.veml("blame", f"{FOLDER}/{KEY}").out.splitlines()
    assert shown[0] == f"sample {KEY} of {FOLDER}"
    assert "first drive" in shown[1]
    assert "night drive" in shown[-2]
    assert "day drive" in shown[-1]


def test_new_bytes_and_a_new_name(drives: Place, edited: dict[str, str]) -> None:
    from tests.cli.conftest import png

    drives.write(f"{FOLDER}/{KEY}", png(900))
    drives.veml("commit", "-qam", "new bytes")
    changed = drives.git("rev-parse", "HEAD").strip()
    for folder, suffix in (("JPEGImages", "png"), ("Annotations", "xml")):
        old = drives.root / FOLDER / folder / f"0000.{suffix}"
        old.rename(old.with_name(f"renamed.{suffix}"))
    drives.veml("commit", "-qam", "rename")
    found = drives.veml("blame", FOLDER, "JPEGImages/renamed.png", "--json").json()
    assert found["brought"] == edited["first"]
    assert found["content"] == changed
    assert found["renamed"] == {drives.git("rev-parse", "HEAD").strip(): KEY}
    assert [one["commit"] for one in found["objects"]] == [
        edited["inserted"],
        edited["moved"],
        edited["relabelled"],
    ]


def test_refusals(drives: Place) -> None:
    for arguments, said in (
        (("notes.txt",), "git blame FILE"),
        ((FOLDER,), "veml blame DATASET/KEY"),
        ((f"{FOLDER}/nope.png",), "no sample 'nope.png'"),
        ((f"{FOLDER}/{KEY}", "nope"), "unknown revision 'nope'"),
        ((FOLDER, KEY, "HEAD", "x"), "expected a sample and a revision"),
    ):
        assert said in drives.veml("blame", *arguments, code=128).err


def test_through_another_name_of_the_data_set(drives: Place, edited: dict[str, str]) -> None:
    """As ``git blame`` follows a file; seen to fail without ``renamed_datasets``: all the mv's."""
    before = objects(drives, f"{FOLDER}/{KEY}")
    drives.veml("mv", FOLDER, "day")
    drives.veml("commit", "-qm", "rename")
    rename = drives.git("rev-parse", "HEAD").strip()
    assert objects(drives, f"day/{KEY}") == before
    found = drives.veml("blame", f"day/{KEY}", "--json").json()
    assert found["brought"] == edited["first"]
    assert found["renamed"] == {rename: f"{FOLDER}/{KEY}"}
    assert f"renamed from {FOLDER}/{KEY}" in drives.veml("blame", f"day/{KEY}").out


def test_a_sample_that_came_from_another_data_set(drives: Place, edited: dict[str, str]) -> None:
    """Seen to fail where only the sample's own data set is looked through."""
    before = objects(drives, f"{FOLDER}/{KEY}")
    drives.voc("night", {"0077": [("car", 1, 1, 4, 4)]}, first=77)
    drives.veml("add", "night")
    drives.veml("commit", "-qm", "night")
    drives.veml("mv", f"{FOLDER}/{KEY}", f"night/{KEY}")
    drives.veml("commit", "-qm", "across")
    assert objects(drives, f"night/{KEY}") == before
    assert drives.veml("blame", f"night/{KEY}", "--json").json()["brought"] == edited["first"]
