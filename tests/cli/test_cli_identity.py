"""Who commits: real git is asked in the same environment, and veml does the same or refuses too.

Seen to fail with dulwich's ``get_user_identity`` in place of ``identity_of``: veml committed as
``root@host`` where git refuses, and as ``<>`` where a name is empty.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

Place = Any

ALL = {
    "GIT_AUTHOR_NAME": "Au", "GIT_AUTHOR_EMAIL": "au@x", "GIT_COMMITTER_NAME": "Co",
    "GIT_COMMITTER_EMAIL": "co@x",
}  # fmt: skip
CASES: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "nothing": ({}, {}),
    "name": ({"user.name": "Ann"}, {}),
    "address": ({"user.email": "ann@x"}, {}),
    "both": ({"user.name": "Ann", "user.email": "ann@x"}, {}),
    "EMAIL": ({}, {"EMAIL": "mail@x"}),
    "EMAIL, config only": ({"user.useConfigOnly": "true"}, {"EMAIL": "mail@x"}),
    "EMAIL, name": ({"user.name": "Ann"}, {"EMAIL": " mail@x "}),
    "config only": ({"user.useConfigOnly": "true"}, {}),
    "config only, address": ({"user.useConfigOnly": "yes", "user.email": "ann@x"}, {}),
    "config only, both": (
        {"user.useConfigOnly": "1", "user.email": "ann@x", "user.name": "Ann"}, {},
    ),
    "variables": ({"user.useConfigOnly": "true"}, ALL),
    "author alone": ({}, {k: v for k, v in ALL.items() if "AUTHOR" in k}),
    "committer alone": ({}, {k: v for k, v in ALL.items() if "COMMITTER" in k}),
    "roles": (
        {"user.name": "U", "user.email": "u@x", "author.name": "A", "committer.email": "c@x"}, {},
    ),
    "empty name": ({"user.name": "", "user.email": "u@x"}, {}),
    "empty variable": ({"user.name": "U", "user.email": "u@x"}, {"GIT_AUTHOR_NAME": ""}),
    "empty address": ({"user.name": "U", "user.email": ""}, {}),
    "dots": ({"user.name": " .,;: ", "user.email": "u@x"}, {}),
    "brackets": ({"user.name": ' "Dr. <A> B." ', "user.email": "<u@x>"}, {}),
    "unicode": ({"user.name": "李 Ö", "user.email": "ü@x"}, {}),
    "lines": ({"user.email": "u@x"}, {"GIT_AUTHOR_NAME": "a\nb", "GIT_COMMITTER_NAME": "c\td"}),
}  # fmt: skip


@pytest.fixture
def nobody(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A repository with something staged, and nobody's name."""
    place.veml("init", "-q")
    Path(place.root.parent / "home/.gitconfig").write_text("")
    monkeypatch.delenv("EMAIL", raising=False)
    place.write("a.txt", "a\n")
    place.git("add", "a.txt")
    return place


def git_commit(place: Place) -> tuple[int, str]:
    done = subprocess.run(
        ["git", "commit", "-qm", "one", "--allow-empty"], cwd=place.root, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stderr


def who(place: Place) -> str:
    told: str = place.git("log", "-1", "--format=%an|%ae|%cn|%ce")
    return told


@pytest.mark.parametrize("case", CASES)
def test_the_same_as_git(nobody: Place, case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    settings, variables = CASES[case]
    for name, value in settings.items():
        nobody.git("config", name, value)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    code, told = git_commit(nobody)
    expected = who(nobody) if code == 0 else ""
    done = nobody.veml("commit", "-qm", "one", "--allow-empty", code=code)
    if code == 0:
        assert who(nobody) == expected
    else:
        assert done.err.startswith("fatal: ")
        reason = told.split("fatal: ")[1].splitlines()[0]
        assert " ".join(reason.split()) in " ".join(done.err.split())
        assert "git config --global user.email" in done.err


def test_refused_before_anything_is_touched(forked: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A merge needs a name only where it makes a commit; a stash takes git's."""
    forked.git("config", "user.useConfigOnly", "true")
    Path(forked.root.parent / "home/.gitconfig").write_text("")
    head = forked.git("rev-parse", "HEAD")
    for command in (("merge", "night"), ("cherry-pick", "night"), ("revert", "HEAD"),
                    ("tag", "-a", "v1", "-m", "one"),
                    ("commit", "--allow-empty", "-m", "x")):  # fmt: skip
        assert "please tell me who you are" in forked.veml(*command, code=128).err, command
        assert forked.git("rev-parse", "HEAD") == head
        assert forked.veml("status", "--porcelain", "--verify").out == ""
        assert forked.veml("status", "--json").json()["waiting"] == []
    forked.veml("tag", "light")
    forked.veml("branch", "ahead", "night")
    forked.veml("checkout", "-q", "-b", "behind", "night~1")
    forked.veml("merge", "night")
    assert forked.git("rev-parse", "HEAD") == forked.git("rev-parse", "night")
    forked.write("notes.txt", "two\n")
    forked.veml("stash", "-q")
    assert forked.git("log", "-1", "--format=%an <%ae>", "stash") == "git <git@stash>\n"
    forked.veml("commit", "--allow-empty", "-qm", "x", "--author", "A <a@b>", code=128)


def test_a_guess_is_said(nobody: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine whose name has a dot; as in Git it is the address that makes it a guess."""
    monkeypatch.setattr("socket.gethostname", lambda: "box.example.com")
    monkeypatch.setattr("veml_vcs.repository.git.identity._MAILNAME", "/nowhere")
    done = nobody.veml("commit", "-m", "one")
    assert "@box.example.com>: your name and email address were configured automatic" in done.err
    monkeypatch.setenv("EMAIL", "mail@x")
    assert nobody.veml("commit", "--allow-empty", "-m", "one").err == ""
    assert who(nobody).endswith("|mail@x\n")
    nobody.git("config", "user.name", "Ann")
    nobody.git("config", "user.email", "ann@x")
    again = nobody.veml("commit", "--amend", "--reset-author", "--no-edit")
    assert again.err == ""
    assert who(nobody) == "Ann|ann@x|Ann|ann@x\n"
    for wrong in (
        ("--reset-author", "-m", "x"),
        ("--amend", "--reset-author", "--author", "A <b>"),
    ):
        assert "--reset-author goes with" in nobody.veml("commit", *wrong, code=128).err


def test_an_author_may_be_named_by_a_part(drives: Place) -> None:
    """As ``git commit --author=PATTERN``: the newest commit's author that it matches."""
    for commit in (drives.veml, drives.git):
        commit("commit", "--allow-empty", "-m", "x", "--author=Bob B. <bob@x>")
        commit("commit", "--allow-empty", "-m", "x", "--author=bOB")
        assert who(drives).startswith("Bob B|bob@x|Ann")  # git takes dots at the end away
    refused = drives.veml("commit", "--allow-empty", "-m", "x", "--author", "nobody here", code=128)
    assert "is not 'Name <email>' and matches no existing author" in refused.err
