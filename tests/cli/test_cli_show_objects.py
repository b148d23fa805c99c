"""``veml show`` of tags, trees and files prints what ``git show`` prints."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Place


@pytest.fixture
def tagged(place: Place) -> Place:
    """Tags of a commit, of a tag, of a file and of folders; nothing in it is a data set."""
    place.veml("init")
    for path, text in (("a.txt", "hi\n"), ("d/b.txt", "x"), ("d/e/f.txt", "y\n"), ("d.txt", "")):
        place.write(path, text)
    place.git("add", ".")
    place.git("commit", "-qm", "first")
    for name, of in (
        ("t1", "HEAD"), ("t2", "t1"), ("t3", "t2"), ("file", "HEAD:a.txt"), ("tree", "HEAD^{tree}"),
        ("folder", "HEAD:d"), ("deep", "folder"),
    ):  # fmt: skip
        place.git("-c", "advice.nestedTag=false", "tag", "-a", name, of, "-m", f"about {name}\n\nx")
    return place


NAMED: tuple[tuple[str, ...], ...] = (
    ("t1",), ("t2",), ("t3",), ("file",), ("tree",), ("folder",), ("deep",), ("HEAD:",),
    ("HEAD:d",), ("HEAD:a.txt",), ("HEAD:a.txt", "HEAD:d", "HEAD:a.txt", "tree"),
    ("HEAD^{tree}",), ("t2", "HEAD", "file", "t1"), ("t1^{}",), ("HEAD^@", "HEAD"),
    ("--oneline", "t2"), ("--format=%h", "t2"), ("--format=fuller", "t1"), ("--date=iso", "t1"),
    ("--format=short", "t1"), ("--format=full", "t2", "tree"), ("--format=reference", "t1"),
)  # fmt: skip


def test_objects_are_shown_as_git_shows_them(tagged: Place) -> None:
    for named in NAMED:
        theirs = tagged.git("show", "-s", "--decorate", *named)
        assert tagged.veml("show", "-s", *named).out == theirs, named


def test_objects_by_their_ids(tagged: Place) -> None:
    for spec in ("HEAD:a.txt", "HEAD:d", "t2", "HEAD"):
        name = tagged.git("rev-parse", spec).strip()
        assert tagged.veml("show", "-s", name).out == tagged.git("show", "-s", "--decorate", name)


def test_a_folder_of_data_sets(drives: Place) -> None:
    told = drives.veml("show", "HEAD:images").out.splitlines()
    assert told[:2] == ["tree HEAD:images", ""]
    assert [one.split() for one in told[2:]] == [
        [".gitignore"], ["train.veml", "its", "record"], ["train/", "data", "set"],
    ]  # fmt: skip
    assert drives.veml("show", "HEAD^{tree}", "--json").json()["datasets"] == ["images/train"]


def test_a_tag_of_what_is_gone_says_so(tagged: Place) -> None:
    name = tagged.git("rev-parse", "HEAD:a.txt").strip()
    (tagged.root / ".git/objects" / name[:2] / name[2:]).unlink()
    done = tagged.veml("show", "file", code=128)
    assert "Git does not have what the tag names" in done.err
