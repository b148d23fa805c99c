"""``veml init``: new, in a Git repository, again; what it says and what Git sees."""

from __future__ import annotations

import subprocess

import pytest

from tests.cli.conftest import Place


def test_a_new_repository_is_one_of_git(place: Place) -> None:
    done = place.veml("init", "-b", "trunk", "drives")
    assert done.out == f"Initialized empty veml repository in {place.root}/drives/.git/veml\n"
    assert place.git("-C", "drives", "symbolic-ref", "HEAD") == "refs/heads/trunk\n"
    assert place.git("-C", "drives", "status", "--porcelain") == ""
    assert place.git("-C", "drives", "fsck", "--strict") == ""
    again = place.veml("init", "drives")
    assert again.out == f"Reinitialized existing veml repository in {place.root}/drives/.git/veml\n"
    assert place.veml("init", "-q", "drives").out == ""


def test_git_repository_with_history_keeps_it(place: Place) -> None:
    place.git("init", "-q")
    place.write("a.txt", "a\n")
    place.git("add", "a.txt")
    place.git("commit", "-qm", "before veml")
    head = place.git("rev-parse", "HEAD")
    done = place.veml("init")
    assert done.out == f"Added a veml store to the Git repository in {place.root}\n"
    assert place.git("rev-parse", "HEAD") == head
    assert place.git("status", "--porcelain") == ""
    assert "before veml" in place.veml("log").out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(("-b", "a..b"), "a..b"), (("notes.txt",), "notes.txt"), (("-b",), "requires an argument")],
)
def test_what_cannot_be_made_says_why(place: Place, arguments: tuple[str, ...], said: str) -> None:
    place.write("notes.txt", "mine\n")
    done = place.veml("init", *arguments, code=None)
    assert done.code in (128, 129), done
    assert said in done.err
    assert (place.root / "notes.txt").read_text() == "mine\n"
    assert not (place.root / ".git").exists()


def test_commands_of_git_are_named_as_such(place: Place) -> None:
    place.veml("init")
    done = place.veml("push", "origin", code=129)
    assert done.err.endswith("hint: git push works here: a veml repository is a Git repository\n")
    assert "git pushh" not in place.veml("pushh", code=129).err
    # Every command that the hint names is one of Git's.
    from veml_cli.main import _GITS_OWN

    known = subprocess.run(
        ["git", "--list-cmds=main,others"], capture_output=True, text=True, check=True
    ).stdout.split()
    assert set(known) >= _GITS_OWN
