"""Revisions mean what they mean to git: every form is asked of both."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

Place = Any

FORMS = (
    "HEAD", "@", "HEAD~2", "@~1", "HEAD^", "HEAD^^", "HEAD~1^2", "HEAD^0", "HEAD~~", "main~1^2~1",
    "main", "heads/main", "refs/heads/main", "tags/v1.0", "v1.0", "v1.0^{commit}", "rel", "rel^{}",
    "rel^{commit}", "rel~1", "rel^0", "main@{0}", "main@{1}", "main@{2}", "@{0}", "@{1}",
    "HEAD@{1}", "HEAD@{3}", "@{-1}", "@{-2}", "@{-1}~1", ":/night", ":/^fir", "HEAD^{/day}",
    "@{now}", "rel-3-g{}", "main@{yesterday}", "main@{2001-01-01}", "origin/far", "far@{u}",
    "far@{upstream}", "MERGE_HEAD",
)  # fmt: skip
NAMELESS = (
    "nope", "HEAD~99", "HEAD^9", "ffffff", "HEAD@{99}", "v1.0@{0}", "main@{u}", "@@", "HEAD@", "~1",
    "main@{-1}", "HEAD^{tree}", "HEAD:notes.txt", "main..", ":/no such message", "HEAD^{/nope}",
    "HEAD^{wrong}", "@{-99}", "",
)  # fmt: skip


@pytest.fixture
def history(forked: Place) -> Place:
    forked.veml("merge", "night")
    forked.veml("tag", "v1.0", "HEAD~1")
    forked.veml("tag", "-a", "rel", "-m", "release")
    for name in ("night", "main", "night", "main"):
        forked.veml("switch", "-q", name)
    forked.veml("commit", "--allow-empty", "-m", "after\n\nmore to say")
    forked.veml("commit", "--amend", "-m", "afterwards")
    forked.git("branch", "far", "HEAD~1")
    forked.git("update-ref", "refs/remotes/origin/far", "HEAD~2")
    forked.git("config", "branch.far.remote", "origin")
    forked.git("config", "branch.far.merge", "refs/heads/far")
    forked.git("config", "remote.origin.url", "nowhere")
    forked.git("config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*")
    forked.write(".git/MERGE_HEAD", forked.git("rev-parse", "HEAD~1"))
    return forked


def asked_of_git(place: Place, revision: str) -> str:
    commit = revision if revision.startswith(":/") else f"{revision}^{{commit}}"
    done = subprocess.run(
        ["git", "rev-parse", "--verify", "-q", commit], cwd=place.root, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    return done.stdout.strip()


def test_every_form_names_gits_commit(history: Place) -> None:
    wrong = []
    for form in FORMS:
        revision = form.replace("{}", history.git("rev-parse", "--short", "HEAD~1").strip()) if (
            "g{}" in form
        ) else form  # fmt: skip
        (entry,) = history.veml("log", "-1", "--json", revision).json()
        if entry["id"] != asked_of_git(history, revision):
            wrong.append((revision, entry["id"], asked_of_git(history, revision)))
    assert wrong == []


def test_of_one_second_the_first_that_git_comes_to(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to fail: among tips in a set chance decided, and what a remote has was left out."""
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_DATE", "1700000000 +0000")
    place.git("init", "-q", "-b", "main")
    for number in range(3):
        place.git("commit", "-q", "--allow-empty", "-m", f"same {number}")
    for ref in ("heads/a", "heads/z", "remotes/o/far", "tags/t"):
        place.git("checkout", "-q", "--detach", "main~1")
        place.git("commit", "-q", "--allow-empty", "-m", f"same at {ref}")
        place.git("update-ref", f"refs/{ref}", "HEAD")
    place.git("checkout", "-q", "main")
    place.git("merge", "-q", "-m", "joined", "a", "tags/t", "z")
    for text in ("same", "at", "same [012]", "remotes", "heads", "same 0", "joined"):
        (entry,) = place.veml("log", "-1", "--json", f":/{text}").json()
        assert entry["id"] == asked_of_git(place, f":/{text}"), text
        asked = f"HEAD^{{/{text}}}"
        if expected := asked_of_git(place, asked):
            (entry,) = place.veml("log", "-1", "--json", asked).json()
            assert entry["id"] == expected, asked


def test_short_ids_from_four_digits(history: Place) -> None:
    commit = history.git("rev-parse", "main~1").strip()
    for digits in (4, 7, 39, 40):
        (entry,) = history.veml("log", "-1", "--json", commit[:digits]).json()
        assert entry["id"] == commit
    history.veml("log", "-1", commit[:3], code=128)


def test_what_names_no_commit_is_refused_by_both(history: Place) -> None:
    for revision in NAMELESS:
        if ":" not in revision or revision.startswith(":"):
            assert asked_of_git(history, revision) == "", revision
        done = history.veml("tag", "x", revision, code=128)
        assert done.err.startswith("fatal: "), revision


def test_reflogs_are_gits(history: Place) -> None:
    """Both reflogs of a commit are written, and a switch says where HEAD went."""
    head = history.git("log", "-g", "--format=%H %gs", "HEAD").splitlines()
    assert head[0].endswith("commit (amend): afterwards")
    assert head[1].endswith("commit: after more to say")
    assert [one.partition(" ")[2] for one in head[2:4]] == [
        "checkout: moving from night to main",
        "checkout: moving from main to night",
    ]
    assert head[3].split()[0] == history.git("rev-parse", "night").strip()
    branch = history.git("log", "-g", "--format=%gs", "main").splitlines()
    assert branch[:2] == ["commit (amend): afterwards", "commit: after more to say"]
    assert branch[-1] == "commit: first drive"


def test_looking_at_differences_writes_nothing(drives: Place) -> None:
    drives.write("notes.txt", "two\n")
    before = drives.git("count-objects")
    assert "+two" in drives.veml("diff").out
    assert drives.git("count-objects") == before
