"""``veml sparse``, ``checkout --no-data``, ``clone --no-data``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

Place = Any
TRAIN = "images/train"


def images(place: Place) -> set[str]:
    folder = place.root / TRAIN / "JPEGImages"
    return {one.name for one in folder.iterdir()} if folder.exists() else set()


def test_set_add_list_disable(drives: Place) -> None:
    said = drives.veml("sparse", "set", "*/0001.png", "*/0002.png")
    assert said.out.splitlines() == [
        "left out 8 files of data images/train",
        "images/train  2 of 6 samples",
        "    --key '*/0001.png' --key '*/0002.png'",
    ]
    assert images(drives) == {"0001.png", "0002.png"}
    status = drives.veml("status").out
    assert "Sparse work tree: 8 files left out" in status
    assert "nothing to commit, working tree clean" in status
    assert drives.veml("status", "--short").out == ""
    drives.veml("commit", "-am", "nothing", code=1)
    found = drives.veml("sparse", "add", "-d", TRAIN, "--key", "*3.png", "--json").json()
    assert found["written"] == {TRAIN: 2}
    (one,) = drives.veml("sparse", "list", "--json").json()
    assert (one["mode"], one["present"], one["samples"]) == ("some", 3, 6)
    assert drives.veml("sparse", "reapply", "-q").out == ""
    drives.veml("sparse", "disable")
    assert len(images(drives)) == 6
    assert drives.veml("sparse", "list").out == "images/train  everything\n"


def test_a_change_that_was_not_added_is_named(drives: Place) -> None:
    drives.write(f"{TRAIN}/JPEGImages/0005.png", b"changed")
    said = drives.veml("sparse", "set", "*1.png")
    assert "0005.png" in said.err
    assert images(drives) == {"0001.png", "0005.png"}


def test_errors_say_what_to_type(drives: Place) -> None:
    said = drives.veml("sparse", "set", code=128)
    assert "veml sparse set --class NAME" in said.err
    said = drives.veml("sparse", "set", "--class", "cra", code=128)
    assert "there is car" in said.err
    said = drives.veml("sparse", "set", "--no-data", "--class", "car", code=128)
    assert "--no-data" in said.err


@pytest.mark.parametrize(
    "target", [["nigth"], ["-b", "night"], ["night", "--", TRAIN], [TRAIN], ["night", "main"]]
)
def test_checkout_without_data_of_what_is_not_there(forked: Place, target: list[str]) -> None:
    """Data was gone already when the name was found to be misspelt."""
    forked.veml("checkout", "--no-data", *target, code=128)
    assert (forked.root / TRAIN).exists()
    assert "Sparse" not in forked.veml("status").out


def test_checkout_without_data(forked: Place) -> None:
    forked.veml("checkout", "--no-data", "night")
    assert not (forked.root / TRAIN).exists()
    status = forked.veml("status").out
    assert "no data of images/train" in status
    assert "working tree clean" in status
    forked.git("checkout", "-q", "main")
    forked.veml("merge", "night")
    assert not (forked.root / TRAIN).exists()
    record = (forked.root / f"{TRAIN}.veml").read_text()
    assert '"samples": 8' in record
    forked.veml("sparse", "disable")
    assert len(images(forked)) == 8
    assert "working tree clean" in forked.veml("status").out


def test_clone_without_data(drives: Place, tmp_path: Path) -> None:
    target = tmp_path / "light"
    said = drives.veml("clone", "--no-data", str(drives.root), str(target))
    assert "veml sparse disable" in said.out
    at = ("-C", str(target))
    assert not (target / TRAIN).exists()
    status = drives.veml(*at, "status").out
    assert "no data of images/train" in status
    assert "working tree clean" in status
    (target / "notes.txt").write_text("from the light clone\n")
    drives.veml(*at, "commit", "-qam", "notes")
    assert drives.veml(*at, "show", "--stat").out.count("images/train") == 0
    said = drives.veml(*at, "sparse", "disable", code=128)
    assert "veml data fetch" in said.err
    drives.veml(*at, "data", "fetch", "HEAD")
    assert not (target / TRAIN).exists()
    drives.veml(*at, "sparse", "disable")
    assert len(list((target / TRAIN / "JPEGImages").iterdir())) == 6
    assert "working tree clean" in drives.veml(*at, "status").out


def test_a_split_that_is_not_there_is_said_with_what_to_type(drives: Any) -> None:
    drives.voc("other", {"9": [("car", 1, 1, 4, 4)]}, first=50)
    drives.veml("add", "-q", "other")
    said = drives.veml("sparse", "set", "--split", "nope", code=128).err
    assert "no split 'nope'" in said
    assert "--data PATH" in said
    assert "None" not in said
