"""``.mailmap`` and ``--decorate``: as ``git log``, ``show`` and ``blame`` have them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.conftest import Place
from veml_vcs.repository.git.mailmap import Mailmap

MAILMAP = """\
# a comment <x@y> <ann@old>
Ann Proper <ann@new> <ann@old>
 \tAnn Spaced   <ANN@example.com>
no address
Bob <bob@x> Robert <Shared@x>
Bea <bea@x> beatrice <shared@x>
<shared@new> <shared@x>
Empty <> <ann@old>
Name Only <solo@x>
<new@x> <>
Broken <half
"""
PEOPLE = (
    "ann <ann@old>", "Ann <Ann@Example.com>", "robert <shared@x>", "Beatrice <SHARED@x>",
    "Someone <shared@x>", "S <solo@x>", "Nobody <nobody@x>", "Jörg <jörg@x>",
)  # fmt: skip
FORMATS = (
    "%an <%ae>", "%aN <%aE> %aL %al", "%cN <%cE>", "medium", "full", "fuller", "short", "raw",
)  # fmt: skip


@pytest.fixture
def crowd(place: Place) -> Place:
    place.veml("init")
    place.write(".mailmap", MAILMAP)
    for number, person in enumerate(PEOPLE):
        place.git("commit", "-q", "--allow-empty", "-m", str(number), f"--author={person}")
    return place


def test_names_are_those_of_the_mailmap(crowd: Place) -> None:
    for form in FORMATS:
        for options in ((), ("--no-mailmap",), ("--mailmap",)):
            command = ("log", f"--format={form}", "--no-decorate", *options)
            assert crowd.veml(*command).out == crowd.git(*command), command
    crowd.git("config", "log.mailmap", "false")
    for form in FORMATS:
        command = ("log", f"--format={form}", "--no-decorate")
        assert crowd.veml(*command).out == crowd.git(*command), command
        shown = ("show", "-s", f"--format={form}", "HEAD~7")
        assert crowd.veml(*shown).out == crowd.git(*shown), shown


def test_people_are_found_by_their_proper_names(crowd: Place) -> None:
    for pattern in ("Proper", "ann@old", "Bea", "shared@", "Nobody"):
        for options in ((), ("--no-mailmap",)):
            command = ("log", "--format=%s", f"--author={pattern}", *options)
            assert crowd.veml(*command).out == crowd.git(*command), (pattern, options)


def test_other_places_of_a_mailmap(crowd: Place, tmp_path: Path) -> None:
    """The file of ``mailmap.file`` has the last word; a link in the work tree is not followed."""
    other = tmp_path / "names"
    other.write_text("Last Word <ann@old>\nNobody at All <nobody@x>\n")
    crowd.git("config", "mailmap.file", str(other))
    command = ("log", "--format=%aN <%aE>")
    assert crowd.veml(*command).out == crowd.git(*command)
    assert "Nobody at All" in crowd.veml(*command).out
    crowd.git("config", "--unset", "mailmap.file")
    blob = crowd.git("hash-object", "-w", str(other)).strip()
    crowd.git("update-index", "--add", "--cacheinfo", f"100644,{blob},names")
    crowd.git("commit", "-qm", "names")
    crowd.git("config", "mailmap.blob", "HEAD:names")
    assert crowd.veml(*command).out == crowd.git(*command)
    crowd.git("config", "--unset", "mailmap.blob")
    (crowd.root / ".mailmap").unlink()
    os.symlink(other, crowd.root / ".mailmap")
    assert crowd.veml(*command).out == crowd.git(*command)
    assert "Nobody at All" not in crowd.veml(*command).out


def test_blame_and_commit_know_the_mailmap(drives: Place) -> None:
    drives.write(".mailmap", "Ann the Proper <ann@example.com>\n")
    image = "images/train/JPEGImages/0000.png"
    assert "Ann the Proper" in drives.veml("blame", image).out
    assert "Ann the Proper" in str(drives.veml("blame", image, "--json").json()["commits"])
    drives.write("notes.txt", "more\n")
    drives.veml("commit", "-am", "more", "--author", "the proper")
    assert drives.git("log", "-1", "--format=%an <%ae>") == "Ann the Proper <ann@example.com>\n"


def test_a_mailmap_of_anything_is_read() -> None:
    """No line ends the reading: dulwich's reader failed on the first without an address."""
    known = Mailmap(b"\0\xff<\n<<<>>>\n>\n<a>b\nX <y> <z> <w>\n#\nR <r@x>")
    assert known.person("r <R@X>") == "R <R@X>"
    assert known.person("nobody") == "nobody"


@pytest.mark.parametrize("how", ["short", "full", "no", "auto"])
def test_decorations(crowd: Place, how: str) -> None:
    for command in (
        ("tag", "v1"), ("tag", "-a", "v2", "-m", "x"), ("branch", "b/c", "HEAD~1"),
        ("update-ref", "refs/remotes/origin/main", "HEAD~2"), ("update-ref", "refs/x/y", "HEAD~3"),
    ):  # fmt: skip
        crowd.git(*command)
    for form in ("--oneline", "--format=%s%d|%D", "--format=short"):
        command = ("log", form, f"--decorate={how}")
        ours, theirs = crowd.veml(*command).out, crowd.git(*command)
        assert ours == theirs.replace(", refs/x/y", "").replace(" (refs/x/y)", "")
    crowd.git("config", "log.decorate", how)
    assert crowd.veml("log", "-2", "--oneline").out == crowd.git("log", "-2", "--oneline")
    crowd.git("checkout", "-q", "--detach")
    assert crowd.veml("log", "-2", "--oneline").out == crowd.git("log", "-2", "--oneline")


def test_an_unknown_way_to_decorate_is_refused(crowd: Place) -> None:
    done = crowd.veml("log", "--decorate=loud", code=128)
    assert "invalid --decorate option: loud" in done.err
