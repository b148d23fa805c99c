"""pre-commit refuses what could never be right, says how to go on, and nothing else.

Each refusal was seen to fail with its check taken out of ``pre_commit``.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.hooks.kit import GitProject
from tests.repository.kit import png
from veml_hooks.drivers import uninstall_drivers
from veml_vcs.repository.merging.resolve import resolve


def refused(project: GitProject, *arguments: str) -> str:
    """Commit, see it refused, and return what was said."""
    head = project.git("rev-parse", "HEAD")
    told = project.git("commit", "-m", "x", *arguments, check=False)
    assert project.git("rev-parse", "HEAD") == head, told
    assert "veml: nothing was committed" in told
    assert "hint:" in told
    return told


def edit(project: GitProject, old: bytes, new: bytes) -> None:
    record = project.path("data.veml")
    data = record.read_bytes()
    assert old in data
    record.write_bytes(data.replace(old, new, 1))


def test_a_count_edited_by_hand(drives: GitProject) -> None:
    edit(drives, b'"samples": 4,\n', b'"samples": 5,\n')
    assert "edited by hand: it says 5 samples" in refused(drives, "-a")
    drives.git("checkout", "-q", "--", "data.veml")
    drives.write({"notes.txt": b"two\n"})
    drives.git("commit", "-qam", "other files go")


@pytest.mark.slow
def test_other_edits_by_hand(drives: GitProject) -> None:
    tree = drives.repo.record_at("data", None).tree.hex()
    edit(drives, tree.encode(), b"0" * 64)
    assert "is not in the store, and no commit has this record" in refused(drives, "-a")
    drives.git("checkout", "-q", "--", "data.veml")
    edit(drives, b'"samples": 4,\n', b'"samples":  4,\n')
    assert "it is not in veml's form" in refused(drives, "-a")
    drives.git("checkout", "-q", "--", "data.veml")
    edit(drives, b'"samples": 4,\n', b'"samples": -4,\n')
    assert "edited by hand" in refused(drives, "-a")
    drives.git("commit", "-qam", "all the same", "--no-verify")


def test_conflict_marks_in_a_record(drives: GitProject) -> None:
    """A merge by line, where the driver is not set up, whose marks somebody added as they are.

    Seen to fail without the check for marks: it is then refused as "edited by hand", with the
    advice to write it anew from the folder, which would drop all of theirs.
    """
    drives.put(drives.move("0001.png", x=5), "day")
    uninstall_drivers(drives.repo)
    drives.git("merge", "night", check=False)
    assert b"\n<<<<<<< HEAD\n" in drives.path("data.veml").read_bytes()
    drives.git("add", "data.veml")
    told = refused(drives)
    assert "data.veml: the record has conflict marks" in told
    assert "git checkout -m -- data.veml, then veml resolve data" in told
    drives.git("checkout", "-m", "--", "data.veml")
    resolve(drives.reopen(), ["data"], "theirs")
    assert drives.boxes()["0001.png"][0].x == 20
    drives.git("commit", "-q", "--no-edit")
    drives.assert_follows()


def test_files_of_a_data_set_added_to_git(drives: GitProject) -> None:
    drives.write({"images/0055.png": png(55)}, "data")
    drives.git("add", "-f", "data/images/0055.png", "data/images/0001.png")
    told = refused(drives)
    assert "2 of its files would go into Git itself: data/images/0001.png" in told
    drives.git("rm", "-r", "--cached", "-q", "data")
    drives.reopen()
    drives.add("data")
    drives.git("commit", "-qm", "in the data set")
    drives.assert_follows()


@pytest.mark.slow
def test_changes_that_are_not_staged_do_not_block(drives: GitProject) -> None:
    drives.write({"images/0055.png": png(55)}, "data")
    drives.write({"notes.txt": b"two\n"})
    drives.git("commit", "-qm", "notes", "notes.txt")
    assert drives.fresh_status().changed_data["data"].added == ["images/0055.png"]


@pytest.mark.slow
def test_a_clone_without_data_commits_records_that_history_has(
    drives: GitProject, clone_of: Callable[..., GitProject]
) -> None:
    clone = clone_of(drives)
    clone.install()
    clone.git("checkout", "-q", "origin/night", "--", "data.veml")
    clone.git("commit", "-qm", "night's data")
    clone.git("revert", "--no-edit", "HEAD")
    assert [one.kind for one in clone.fresh_status().behind] == ["absent"]
