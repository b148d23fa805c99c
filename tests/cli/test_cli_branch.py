"""``veml branch``: the same words and answers as ``git branch``."""

from __future__ import annotations

from typing import Any

Place = Any


LISTINGS = (
        (), ("-a",), ("-r",), ("-l", "n*"), ("--list", "*/*"), ("--contains", "main"),
        ("--contains",), ("--merged",), ("--merged", "night"), ("--no-merged",),
        ("--no-merged", "night"), ("--contains", "night~1"), ("-a", "-l", "*far*"),
)  # fmt: skip


def test_lists_like_git(forked: Place) -> None:
    forked.veml("branch", "feature/one", "night")
    forked.git("update-ref", "refs/remotes/origin/far", "night")
    for arguments in LISTINGS:
        assert forked.veml("branch", *arguments).out == forked.git("branch", *arguments), arguments


def test_detached_head_is_listed(forked: Place) -> None:
    forked.veml("switch", "-q", "--detach", "main")
    assert forked.veml("branch").out == forked.git("branch")


def test_create_move_delete(forked: Place) -> None:
    assert forked.veml("branch", "evening", "night").out == ""
    assert forked.git("rev-parse", "evening") == forked.git("rev-parse", "night")
    assert forked.veml("branch", "evening", code=128).err.startswith("fatal: a branch named")
    forked.veml("branch", "-f", "evening", "main")
    assert forked.git("rev-parse", "evening") == forked.git("rev-parse", "main")
    forked.veml("branch", "-m", "evening", "dusk")
    assert "already" in forked.veml("branch", "-m", "dusk", "night", code=128).err
    gone = forked.veml("branch", "-d", "night", code=1)
    assert "veml branch -D night" in gone.err
    was = forked.git("rev-parse", "--short", "night").strip()
    assert forked.veml("branch", "-D", "night").out == f"Deleted branch night (was {was}).\n"
    forked.veml("branch", "-M", "dusk", "daylight")
    assert forked.veml("branch", "-d", "-q", "daylight").out == ""
    assert forked.git("branch", "--format=%(refname:short)") == "main\n"


def test_rename_of_the_current_branch(forked: Place) -> None:
    forked.veml("branch", "-m", "day")
    assert forked.veml("branch", "--show-current").out == "day\n"
    assert forked.git("symbolic-ref", "HEAD") == "refs/heads/day\n"


REFUSALS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("-d",), "which branch?"),
    (("-d", "nope"), "no branch named nope"),
    (("-d", "main"), "checked out"),
    (("a", "b", "c"), "expected NAME and START"),
    (("bad..name",), "not a valid name"),
    (("main/sub",), "cannot be a name beside 'main'"),
    (("new", "nope"), "unknown revision 'nope'"),
    (("-m", "nope", "x"), "no branch named nope"),
)


def test_refusals(forked: Place) -> None:
    for arguments, said in REFUSALS:
        done = forked.veml("branch", *arguments, code=None)
        assert done.code in (1, 128)
        assert said in done.err
        assert done.out == ""


def test_json_says_what_is_current(forked: Place) -> None:
    found = {one["name"]: one for one in forked.veml("branch", "-a", "--json").json()}
    assert found["main"]["current"] is True
    assert found["night"]["current"] is False
    assert found["night"]["commit"] == forked.git("rev-parse", "night").strip()
    assert found["night"]["subject"] == "night drive"
