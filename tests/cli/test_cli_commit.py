"""``veml commit``: messages, flags, exit codes, and what Git's log says of it."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Place


def test_message_from_everywhere(drives: Place) -> None:
    drives.voc("images/train", {"0000": []})
    done = drives.veml("commit", "-am", "subject", "-m", "body")
    assert done.out.splitlines()[0].startswith("[main ")
    assert done.out.splitlines()[1] == "  data images/train  ~1 sample, 1 other file"
    assert drives.git("log", "-1", "--format=%B") == "subject\n\nbody\n\n"
    drives.write("message.txt", "from a file\n\n# kept, as Git does with -F\n")
    drives.veml("commit", "--allow-empty", "-F", "message.txt")
    assert drives.git("log", "-1", "--format=%s") == "from a file\n"
    told = drives.program("commit", "--allow-empty", "-F", "-", input="from stdin\n")
    assert told.code == 0, told
    assert drives.git("log", "-1", "--format=%s") == "from stdin\n"
    assert drives.git("fsck", "--strict", "--no-dangling") == ""


def test_who_and_when(drives: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_COMMITTER_NAME", "Com")
    drives.veml(
        "commit", "--allow-empty", "-m", "x", "--author", "Bo Li <bo@x.org>",
        "--date", "2020-02-03T04:05:06+0100",
    )  # fmt: skip
    told = drives.git("log", "-1", "--format=%an|%ae|%ad|%cn|%ce", "--date=iso")
    assert told == "Bo Li|bo@x.org|2020-02-03 04:05:06 +0100|Com|ann@example.com\n"
    wrong = drives.veml("commit", "--allow-empty", "-m", "x", "--author", "nobody", code=128)
    assert "nobody" in wrong.err
    assert "is not 'Name <email>' and matches no existing author" in wrong.err
    wrong = drives.veml("commit", "--allow-empty", "-m", "x", "--date", "soonish", code=128)
    assert "soonish" in wrong.err


def test_amend(drives: Place) -> None:
    parent = drives.git("rev-list", "--parents", "-1", "HEAD")
    drives.write("notes.txt", "two\n")
    drives.veml("add", "notes.txt")
    drives.veml("commit", "--amend", "--no-edit")
    assert drives.git("log", "--format=%s") == "first drive\n"
    assert drives.git("show", "HEAD:notes.txt") == "two\n"
    drives.veml("commit", "--amend", "-qm", "again")
    assert drives.git("log", "--format=%s") == "again\n"
    assert len(drives.git("rev-list", "--parents", "-1", "HEAD")) == len(parent)


def test_nothing_to_commit_and_no_message(drives: Place) -> None:
    done = drives.veml("commit", "-m", "x", code=1)
    assert done.out == ""
    assert done.err.startswith("error: nothing to commit\nhint: veml add")
    assert "a commit needs a message" in drives.veml("commit", "--allow-empty", code=128).err
    drives.write("notes.txt", "two\n")
    assert drives.veml("commit", "-m", "x", code=1).out == ""  # it is not staged
    assert drives.veml("commit", "-aqm", "x").out == ""


def test_json(drives: Place) -> None:
    drives.voc("images/train", {"0000": []})
    done = drives.veml("commit", "-am", "x", "--json").json()
    assert done["id"] == drives.git("rev-parse", "HEAD").strip()
    (one,) = done["data"]
    assert (one["path"], one["annotated"], one["files"]) == ("images/train", 1, 1)


def test_git_hooks_run_and_can_be_left_out(drives: Place) -> None:
    hook = drives.root / ".git/hooks/commit-msg"
    hook.write_text("#!/bin/sh\necho no messages today >&2\nexit 1\n")
    hook.chmod(0o755)
    head = drives.git("rev-parse", "HEAD")
    done = drives.veml("commit", "--allow-empty", "-m", "x", code=1)
    assert "commit-msg" in done.err
    assert drives.git("rev-parse", "HEAD") == head
    drives.veml("commit", "--allow-empty", "-nm", "x")
    assert drives.git("rev-parse", "HEAD^") == head


def test_open_conflicts_are_counted_and_named(conflicted: Place) -> None:
    """Seen to fail as "1 conflicts are not settled"."""
    done = conflicted.veml("commit", "-m", "x", code=1)
    assert "2 conflicts are not settled: " in done.err
    assert "images/train/JPEGImages/0000.png" in done.err
    conflicted.veml("resolve", "notes.txt", "--ours")
    assert "1 conflict is not settled: " in conflicted.veml("commit", "-m", "x", code=1).err


@pytest.mark.parametrize(
    "message",
    ["one", "one\n\nbody", "one\n\nReviewed-by: Bo <b@x>", "one: two",
     "one\n\nSigned-off-by: Ann <ann@example.com>", "one\n\nbody\nmore: text"],
)  # fmt: skip
def test_signoff_is_that_of_git(place: Place, message: str) -> None:
    place.veml("init", "-q")
    place.veml("commit", "--allow-empty", "-s", "-qm", message)
    ours = place.git("log", "-1", "--format=%B")
    place.git("commit", "--allow-empty", "-s", "-qm", message)
    assert place.git("log", "-1", "--format=%B") == ours
    assert ours.count("Signed-off-by: Ann <ann@example.com>") == 1
    place.veml("commit", "--amend", "--allow-empty", "--no-edit", "-s", "-q")
    assert place.git("log", "-1", "--format=%B") == ours
