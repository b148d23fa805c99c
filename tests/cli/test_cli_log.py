"""``veml log``: the commits that real git lists, in its words; paths reach into data sets."""

from __future__ import annotations

from typing import Any

import pytest

Place = Any
IMAGE = "images/train/JPEGImages"

SAME_AS_GIT = (
    (), ("--all",), ("night",), ("main..night",), ("night..main",), ("main...night",),
    ("^main", "night"), ("-n", "2"), ("--author", "Bob"), ("--author", "ann@"),
    ("--author", "nobody"), ("--grep", "^night"), ("-i", "--grep", "NIGHT"),
    ("--since", "2020-01-03 00:00"), ("--merges",), ("--no-merges",),
    ("--until", "2020-01-02 12:00"),
    ("--first-parent",), ("--reverse",), ("--", "notes.txt"), ("--", "sub"),
    ("--all", "--", "sub/a.txt"), ("--", "images/train.veml"), ("--", "gone.txt"),
    ("--first-parent", "--", "notes.txt"), ("--", "sub", "notes.txt"),
    ("--after", "2020-01-02 00:00", "--before", "2020-01-04 12:00"),
)  # fmt: skip


@pytest.fixture
def history(drives: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Commits of two people on two branches, one a day, merged."""
    day = iter(range(1, 30))

    def commit(message: str, name: str = "Ann") -> None:
        date = f"2020-01-{next(day):02} 10:00:00 +0000"
        for role in ("AUTHOR", "COMMITTER"):
            monkeypatch.setenv(f"GIT_{role}_DATE", date)
        monkeypatch.setenv("GIT_AUTHOR_NAME", name)
        drives.veml("add", "-A")
        drives.veml("commit", "-qm", message)

    drives.veml("checkout", "-qb", "night")
    drives.voc("images/train", {"0000": [("bus", 1, 1, 4, 4), ("bike", 2, 2, 6, 5)]})
    commit("night: bus", "Bob")
    drives.write("sub/a.txt", "a\n")
    drives.write("gone.txt", "x\n")
    commit("night: files")
    drives.veml("checkout", "-q", "main")
    drives.voc("images/train", {"0001": [("bus", 1, 1, 4, 4)]})
    commit("day: one", "Bob")
    drives.write("notes.txt", "two\n")
    commit("day: notes")
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2020-01-09 10:00:00 +0000")
    monkeypatch.setenv("GIT_AUTHOR_DATE", "2020-01-09 10:00:00 +0000")
    drives.veml("merge", "-q", "night")
    (drives.root / "gone.txt").unlink()
    drives.git("rm", "-q", "--cached", "gone.txt")
    commit("after")
    return drives


def subjects(place: Place, *arguments: str) -> list[str]:
    found = place.veml("log", "--json", *arguments).json()
    return [one["message"].splitlines()[0] for one in found]


def test_the_same_commits_as_git(history: Place) -> None:
    for arguments in SAME_AS_GIT:
        expected = history.git("log", "--format=%s", *arguments).splitlines()
        # Git lists by date, veml children before parents: the commits are compared.
        found = subjects(history, *arguments)
        if {"--since", "--after"} & set(arguments):  # the first is younger than its children here
            found, expected = ([s for s in one if s != "first drive"] for one in (found, expected))
        assert sorted(found) == sorted(expected), arguments


def test_paths_reach_into_data_sets(history: Place) -> None:
    record = history.git("log", "--format=%s", "--", "images/train.veml").splitlines()
    assert sorted(subjects(history, "--", "images/train")) == sorted(record)
    assert subjects(history, "--", f"{IMAGE}/0000.png") == ["night: bus", "first drive"]
    assert subjects(history, f"{IMAGE}/0001.png") == ["day: one", "first drive"]
    assert subjects(history, "--", f"{IMAGE}/0002.png") == ["first drive"]
    assert subjects(history, "night", "--", "images/train/Annotations") == [
        "night: bus",
        "first drive",
    ]
    assert subjects(history, "--", f"{IMAGE}/nope.png") == []


def test_views(history: Place) -> None:
    (one,) = history.veml("log", "--oneline", "-1", "--grep", "bus").out.splitlines()
    assert "night: bus  [images/train ~1 sample, 1 other file]" in one
    patch = history.veml("log", "-p", "-1", f"{IMAGE}/0001.png").out
    assert "relabelled" in patch
    assert "0001.png" in patch
    names = history.veml("log", "--oneline", "--name-status", "-1", "--", "sub").out.splitlines()
    assert names[1:] == ["A\tsub/a.txt"]
    stat = history.veml("log", "--oneline", "--stat", "-1", "--", "notes.txt").out
    assert "notes.txt  |     2 +-" in stat
    graph = history.veml("log", "--graph", "--oneline", "--", "images/train").out
    assert graph.startswith("*")
    decorated = history.veml("log", "-1", "--oneline").out
    history.veml("tag", "v9")
    assert history.veml("log", "-1", "--oneline").out == decorated.replace(
        "main)", "main, tag: v9)"
    )


def test_refusals(history: Place) -> None:
    for arguments, said in (
        (("nope",), "unknown revision 'nope'"),
        (("--merges", "--no-merges"), "expected one of"),
        (("--author", "("), "not a regular expression"),
        (("--graph", "--reverse"), "do not go together"),
    ):
        assert said in history.veml("log", *arguments, code=128).err
    assert "veml log -- nope" in history.veml("log", "nope", code=128).err
