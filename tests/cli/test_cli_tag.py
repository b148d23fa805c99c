"""``veml tag``."""

from __future__ import annotations

from typing import Any

Place = Any


def test_create_list_delete(forked: Place) -> None:
    forked.veml("tag", "v1.0", "night")
    forked.veml("tag", "-a", "v1.1", "-m", "one", "-m", "more")
    message = forked.write("message.txt", "from a file\n")
    forked.veml("tag", "-F", str(message), "v2.0", "main~1")
    for arguments in ((), ("-l", "v1*"), ("--contains", "night"), ("--contains",)):
        assert forked.veml("tag", *arguments).out == forked.git("tag", *arguments), arguments
    assert forked.git("cat-file", "-p", "v1.1").endswith("\n\none\n\nmore\n")
    assert forked.veml("tag", "-n").out.splitlines() == [
        "v1.0  night drive",
        "v1.1  one",
        "v2.0  from a file",
    ]
    was = forked.git("rev-parse", "--short", "night").strip()
    assert forked.veml("tag", "-d", "v1.0").out == f"Deleted tag v1.0 (was {was}).\n"
    assert forked.git("tag") == "v1.1\nv2.0\n"


def test_an_annotated_tag_is_shown_with_its_message(drives: Place) -> None:
    drives.veml("tag", "-a", "v1.0", "-m", "first release")
    shown = drives.veml("show", "v1.0").out.splitlines()
    assert shown[0] == "tag v1.0"
    assert shown[1] == "Tagger: Ann <ann@example.com>"
    assert "first release" in shown[:6]
    assert any(one.startswith("commit ") for one in shown)


def test_force_moves(forked: Place) -> None:
    forked.veml("tag", "v1")
    assert "-f moves it" in forked.veml("tag", "v1", "night", code=128).err
    forked.veml("tag", "-f", "v1", "night")
    assert forked.git("rev-parse", "v1") == forked.git("rev-parse", "night")


REFUSALS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("-d",), "which tag?"),
    (("-d", "nope"), "no tag named nope"),
    (("a", "b", "c"), "expected NAME and REV"),
    (("-x",), "No such option"),
    (("v 1",), "not a valid name"),
    (("-a", "v1"), "veml tag -a v1 -m MESSAGE"),
    (("v1", "nope"), "unknown revision 'nope'"),
)


def test_refusals(drives: Place) -> None:
    for arguments, said in REFUSALS:
        done = drives.veml("tag", *arguments, code=None)
        assert done.code in (128, 129)
        assert said in done.err
