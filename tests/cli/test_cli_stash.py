"""``veml stash``: Git's own stashes, with the data in them."""

from __future__ import annotations

import shutil
from typing import Any

Place = Any
FOLDER = "images/train"
IMAGE = f"{FOLDER}/JPEGImages/0003.png"


def edited(place: Place) -> None:
    place.write("notes.txt", "staged\n")
    place.veml("add", "notes.txt")
    place.voc(FOLDER, {"0001": [("bus", 0, 0, 2, 2)]})
    place.write(IMAGE, "loose")
    place.write("notes.txt", "loose\n")


def everything(place: Place) -> dict[str, bytes]:
    files = (one for one in place.root.rglob("*") if one.is_file())
    return {
        str(one.relative_to(place.root)): one.read_bytes()
        for one in files
        if ".git" not in one.relative_to(place.root).parts
    }


def test_push_and_pop_give_every_byte_back(drives: Place) -> None:
    clean = everything(drives)
    edited(drives)
    mine = everything(drives)
    head = drives.git("rev-parse", "--short", "HEAD").strip()
    said = drives.veml("stash").out
    assert said == f"Saved working directory and index state WIP on main: {head} first drive\n"
    assert everything(drives) == clean
    assert drives.veml("status", "--porcelain", "--verify").out == ""
    assert drives.git("stash", "list") == drives.veml("stash", "list").out
    assert "images/train.veml" in drives.git("stash", "show", "--name-only")
    shown = drives.veml("stash", "show").out
    assert "data images/train" in shown
    assert "relabelled" in shown or "boxes" in shown
    done = drives.veml("stash", "pop").out
    assert "Dropped stash@{0}" in done
    without = {name: data for name, data in everything(drives).items() if name[-5:] != ".veml"}
    assert without == {name: data for name, data in mine.items() if name[-5:] != ".veml"}
    assert drives.veml("status", "--porcelain").out == " M images/train/\n M notes.txt\n"
    assert drives.git("stash", "list") == ""


def test_index_is_staged_again_on_request(drives: Place) -> None:
    edited(drives)
    drives.veml("stash", "-q")
    drives.veml("stash", "pop", "-q", "--index")
    assert drives.veml("status", "--porcelain").out == " M images/train/\nMM notes.txt\n"


def test_git_understands_the_stash(drives: Place) -> None:
    """Parents are HEAD and index; git applies the ordinary files and the record."""
    edited(drives)
    drives.veml("stash", "push", "-m", "half done")
    assert drives.git("rev-parse", "stash^1") == drives.git("rev-parse", "HEAD")
    assert drives.git("show", "stash^2:notes.txt") == "staged\n"
    assert drives.git("show", "stash:notes.txt") == "loose\n"
    assert drives.git("stash", "list") == "stash@{0}: On main: half done\n"
    drives.git("stash", "apply", "-q")
    assert (drives.root / "notes.txt").read_text() == "loose\n"
    assert drives.git("status", "--porcelain") == " M images/train.veml\n M notes.txt\n"


def test_git_makes_a_stash_and_veml_brings_it_back(drives: Place) -> None:
    drives.write("notes.txt", "by git\n")
    drives.git("stash", "-q")
    drives.veml("stash", "pop")
    assert (drives.root / "notes.txt").read_text() == "by git\n"


def test_untracked_files(drives: Place) -> None:
    drives.write("sub/new.txt", "new\n")
    assert drives.veml("stash").out == "No local changes to save\n"
    drives.veml("stash", "-q", "-u")
    assert not (drives.root / "sub/new.txt").exists()
    assert drives.git("show", "stash^3:sub/new.txt") == "new\n"
    drives.write("sub/new.txt", "other\n")
    assert "sub/new.txt" in drives.veml("stash", "pop", code=1).err
    shutil.rmtree(drives.root / "sub")
    drives.veml("stash", "pop", "-q")
    assert (drives.root / "sub/new.txt").read_text() == "new\n"


def test_a_stash_merges_with_what_changed_since(forked: Place) -> None:
    """Made on main, applied to night, where the other box of the same image differs."""
    forked.voc(FOLDER, {"0000": [("car", 1, 1, 4, 4), ("tram", 2, 2, 6, 5)]})
    forked.veml("stash", "-q")
    forked.veml("checkout", "-q", "night")
    forked.veml("stash", "pop", "-q", code=1)
    assert "applying a stash" in forked.veml("status").out
    said = forked.veml("resolve", "--list").out
    assert "both changed the class" in said
    assert "veml reset --hard" in said
    forked.veml("resolve", "--all", "--theirs")
    assert forked.git("stash", "list") != ""
    forked.veml("commit", "-qm", "settled")
    assert forked.veml("status", "--porcelain", "--verify").out == ""
    forked.veml("stash", "drop")


def test_drop_one_of_several(drives: Place) -> None:
    for number in range(3):
        drives.write("notes.txt", f"{number}\n")
        drives.veml("stash", "push", "-q", "-m", str(number))
    one = drives.git("rev-parse", "stash@{1}").strip()
    assert drives.veml("stash", "drop", "stash@{1}").out == f"Dropped stash@{{1}} ({one})\n"
    assert drives.git("stash", "list") == "stash@{0}: On main: 2\nstash@{1}: On main: 0\n"
    drives.veml("stash", "apply", "-q", "1")
    assert (drives.root / "notes.txt").read_text() == "0\n"
    drives.veml("stash", "clear")
    assert drives.git("stash", "list") == ""
    assert drives.veml("stash", "list", "--json").json() == []


def test_refusals(drives: Place) -> None:
    for arguments, said in (
        (("pop",), "there is no stash"),
        (("drop", "nope"), "'nope' is not a stash"),
        (("show", "stash@{3}"), "there is no stash"),
    ):
        assert said in drives.veml("stash", *arguments, code=128).err
    drives.veml("stash", "wrong", code=129)
    drives.write("notes.txt", "a\n")
    drives.veml("stash", "-q")
    drives.write("notes.txt", "b\n")
    assert "would overwrite uncommitted" in drives.veml("stash", "pop", code=1).err
    assert (drives.root / "notes.txt").read_text() == "b\n"
    assert "stash@{7} is not there; there are 1" in drives.veml("stash", "drop", "7", code=128).err


def test_a_renamed_data_set_comes_back_renamed(drives: Place) -> None:
    """Found by the state machine: the old record was back, unstaged and without its folder.

    ``commit -a`` refused it as a folder that was lost. Seen to fail with ``kept`` as ``before``.
    """
    drives.veml("mv", "images/train", "images/day")
    drives.veml("stash")
    assert (drives.root / "images/train").is_dir()
    drives.veml("stash", "pop")
    assert not (drives.root / "images/train.veml").exists()
    assert drives.git("status", "--porcelain", "-M").splitlines() == [
        " M images/.gitignore",
        "R  images/train.veml -> images/day.veml",
    ]
    drives.veml("commit", "-am", "renamed")
    assert drives.git("status", "--porcelain") == ""
    assert drives.veml("status").out.endswith("working tree clean\n")
