"""Clones: with data, without, and what a clone without data says; notes travel."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hooks.kit import GitProject
from tests.repository.kit import Files
from veml_cli.main import main
from veml_vcs.errors import InvalidInputError, NotFoundError
from veml_vcs.ids import VersionId
from veml_vcs.repository.checkout import checkout
from veml_vcs.repository.clone import bring_data, clone_git
from veml_vcs.repository.git.notes import noted_versions, read_note, write_note
from veml_vcs.repository.log import log, show
from veml_vcs.repository.sync import fetch_data

Maker = Callable[..., GitProject]


def opened(root: str | Path) -> GitProject:
    return GitProject(Path(root), create=False)


def test_clone_brings_data_hooks_and_drivers(
    drives: GitProject, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["clone", "-q", str(drives.root), str(tmp_path / "copy")]) == 0
    clone = opened(tmp_path / "copy")
    clone.assert_follows()
    assert clone.files("data") == drives.files("data")
    assert main(["-C", str(clone.root), "hook", "status"]) == 0
    assert main(["clone", str(drives.root), str(tmp_path / "copy")]) == 128
    assert "exists and is not an empty folder" in capfd.readouterr().err
    clone.close()


def test_clone_without_data_says_so_everywhere(drives: GitProject, tmp_path: Path) -> None:
    """Status, checkout, show, log, diff, data set: each names the command that gets the data."""
    root = clone_git(str(drives.root), str(tmp_path / "light"))
    clone = opened(root)
    done = bring_data(clone.repo, "https://example.org/drives.git")
    assert done.hint is not None
    assert done.hint.startswith("veml data fetch")
    status = clone.status()
    assert [(one.path, one.kind) for one in status.behind] == [("data", "absent")]
    assert "veml data fetch" in str(status.behind[0].hint)
    assert status.changed_data == {}
    for ask in (
        lambda: clone.repo.dataset("data", "HEAD").keys,
        lambda: show(clone.repo, "origin/night"),
    ):
        with pytest.raises(NotFoundError, match="is not in this clone") as error:
            ask()
        assert "veml data fetch" in str(error.value.hint)
    assert [one.data[0].absent for one in log(clone.repo, ["origin/night"], limit=1)] == [True]
    moved = checkout(clone.repo, "night")
    assert [one.path for one in moved.absent] == ["data"]
    refuses_to_follow(clone, None)
    fetch_data(clone.reopen())
    status = clone.status()  # nobody deleted what was never here; seen to fail before
    assert [(one.path, one.kind) for one in status.behind] == [("data", "behind")]
    assert status.changed_data == {}
    assert clone.follow().written == {"data": 6}
    clone.assert_follows()
    clone.close()


def refuses_to_follow(clone: GitProject, held: Files | None) -> None:
    """Nothing is touched, and the way to the data is named.

    Without the check in ``follow`` what is missing is told as an object of the store.
    """
    done = clone.follow()
    assert done.written == {}
    assert [(one.path, one.kind) for one in done.left] == [("data", "absent")]
    assert "data: the data of version" in done.left[0].reason
    assert "is not in this clone" in done.left[0].reason
    assert "veml data fetch" in str(done.left[0].hint)
    assert (clone.files("data") or None) == held


def test_git_moves_to_data_that_is_not_here(drives: GitProject, tmp_path: Path) -> None:
    """The folder keeps the version that it has; seen to fail as ``refuses_to_follow`` says."""
    clone = opened(clone_git(str(drives.root), str(tmp_path / "half")))
    bring_data(clone.repo, str(drives.root))
    clone.reopen()
    before = clone.files("data")
    assert before
    clone.git("-c", "core.hooksPath=/dev/null", "checkout", "-q", "night")
    refuses_to_follow(clone, before)
    fetch_data(clone.reopen())
    assert clone.follow().written
    clone.assert_follows()
    clone.close()


def test_clone_with_no_data_wanted_names_the_way_to_it(drives: GitProject, tmp_path: Path) -> None:
    """Nothing is behind then: no data in the work tree is what was asked for."""
    clone = opened(clone_git(str(drives.root), str(tmp_path / "light")))
    done = bring_data(clone.repo, str(drives.root), no_data=True)
    assert done.hint == "veml data fetch HEAD, then veml sparse disable"
    assert clone.status().clean
    assert not clone.status().behind
    clone.close()


def test_where_no_data_is_wanted_git_may_move_to_data_that_is_not_here(
    drives: GitProject, tmp_path: Path
) -> None:
    """Seen to fail (``absent``, a warning at each move) without ``_is_left_out`` in ``_behind``."""
    clone = opened(clone_git(str(drives.root), str(tmp_path / "light")))
    bring_data(clone.repo, str(drives.root), no_data=True)
    clone.git("-c", "core.hooksPath=/dev/null", "checkout", "-q", "night")
    assert clone.reopen() is not None
    assert clone.status().behind == ()
    done = clone.follow()
    assert (done.written, done.left) == ({}, ())
    assert not clone.path("data").exists()
    assert clone.status().clean
    clone.close()


def test_checkout_of_absent_data_leaves_a_folder_that_is_here_alone(
    drives: GitProject, tmp_path: Path
) -> None:
    root = clone_git(str(drives.root), str(tmp_path / "half"))
    clone = opened(root)
    bring_data(clone.repo, str(drives.root))
    before = clone.files("data")
    with pytest.raises(NotFoundError, match="is not in this clone"):
        checkout(clone.repo, "night")
    assert clone.files("data") == before
    assert clone.git("branch", "--show-current").strip() == "main"
    clone.close()


def test_names_and_sources_of_clones(drives: GitProject, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="not a Git repository"):
        clone_git(str(tmp_path / "nothing"), str(tmp_path / "x"))
    with pytest.raises(InvalidInputError, match="no name"):
        clone_git("..")
    with pytest.raises(NotFoundError, match="could not clone"):
        clone_git(str(drives.root), str(tmp_path / "y"), branch="no-such-branch")
    assert not (tmp_path / "x").exists()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["drift", "similar", "measured"])
def test_notes_travel_with_clone_fetch_and_push(
    drives: GitProject, tmp_path: Path, clone_of: Maker, kind: str
) -> None:
    """Two clones write different notes; a push joins them, a fetch brings them, none is lost.

    Seen to fail for ``measured`` when ours alone was kept.
    """
    version = VersionId(drives.git("rev-parse", "main:data.veml").strip())
    other = VersionId(drives.git("rev-parse", "night:data.veml").strip())
    bare = tmp_path / "bare"
    drives.git("init", "-q", "--bare", str(bare))
    drives.git("remote", "add", "origin", str(bare))
    drives.install()
    drives.reopen()
    write_note(drives.repo, kind, version, b"one\n")
    drives.git("push", "-q", "origin", "main", "night")
    drives.git("clone", "-q", str(bare), str(tmp_path / "second"), "-b", "main")
    second = opened(tmp_path / "second")
    second.install()
    second.git("fetch", "-q")
    second.reopen()
    assert read_note(second.repo, kind, version) == b"one\n"
    write_note(second.repo, kind, version, b"two\n")
    write_note(second.repo, kind, other, b"three\n")
    second.git("config", "push.default", "current")
    fetch_data(second.repo, str(drives.root), everything=True)
    second.git("commit", "-q", "--allow-empty", "-m", "empty")
    second.git("push", "-q")
    drives.git("fetch", "-q")
    drives.reopen()
    assert read_note(drives.repo, kind, version) == b"one\n"  # ours goes first
    assert read_note(drives.repo, kind, other) == b"three\n"
    assert set(noted_versions(drives.repo, kind)) == {version, other}
    drives.git("pull", "-q", "origin", "main")
    write_note(drives.repo, kind, version, b"one\nfour\n")
    drives.git("commit", "-q", "--allow-empty", "-m", "again")
    drives.git("push", "-q", "origin", "main")
    second.git("fetch", "-q")
    joined = second.git("show", f"refs/veml/remotes/origin/{kind}:{version}")
    assert set(joined.split()) == {"one", "two", "four"}
    second.close()


@pytest.mark.slow
def test_push_of_records_whose_data_is_nowhere_is_refused(
    drives: GitProject, tmp_path: Path, clone_of: Maker
) -> None:
    clone = clone_of(drives)
    clone.install()
    clone.git("init", "-q", "--bare", str(tmp_path / "bare"))
    clone.git("remote", "add", "backup", str(tmp_path / "bare"))
    told = clone.git("push", "backup", "main", check=False)
    assert "1 version to be pushed is not in this clone: data" in told
    assert clone.git("ls-remote", "backup") == ""
    fetch_data(clone.repo, str(drives.root), everything=True)
    clone.git("push", "-q", "backup", "main")
    assert "refs/heads/main" in clone.git("ls-remote", "backup")


def test_older_versions_that_a_clone_never_had_are_no_damage(
    drives: GitProject,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """A clone has the data of one commit: the rest is counted; what is lost here is a problem.

    Seen to fail without ``_leave_absent`` (problems in a new clone), without the line that takes
    out what folders hold in ``promised_trees`` (a lost store is "all good"), without its look for
    ``quarantine``, and without ``absent=True`` in ``log --stat`` (it ended at the second commit).
    """
    drives.put(drives.move("0003.png", y=11), "second")
    clone = opened(clone_git(str(drives.root), str(tmp_path / "half")))
    bring_data(clone.repo, str(drives.root))
    clone.close()
    monkeypatch.chdir(clone.root)
    assert main(["fsck"]) == 0
    said = capfd.readouterr().out
    assert said.startswith("all good; ")
    assert "2 versions are not in this clone  veml data fetch --all" in said
    assert main(["log", "--stat"]) == 0
    said, hint = capfd.readouterr()
    assert "4 samples; its data is not in this clone" in said
    assert "veml data fetch --all" in hint
    aside = clone.root / ".git/veml/quarantine"
    aside.mkdir()
    assert main(["fsck"]) == 1
    aside.rmdir()
    for pack in (clone.root / ".git/veml/packs").iterdir():
        pack.unlink()
    capfd.readouterr()
    assert main(["fsck"]) == 1
    assert "tree of" in capfd.readouterr().out
    assert main(["data", "fetch", "-q", "--all"]) == 0
    assert main(["fsck"]) == 0


@pytest.mark.parametrize("contradicts", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_pull_of_data_that_is_not_here_goes_on_once_it_is(
    drives: GitProject,
    tmp_path: Path,
    contradicts: bool,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """``git pull`` brings records alone; what it says to type is what finishes the merge.

    Seen to fail without ``_in_conflict`` in ``wanted_versions`` (nothing to fetch), and without
    ``merge_unmerged`` in ``veml resolve`` (it told what was open, and never merged it).
    """
    clone = opened(clone_git(str(drives.root), str(tmp_path / "half")))
    bring_data(clone.repo, str(drives.root))
    clone.install()
    clone.put(clone.move("0003.png", y=11), "mine")
    drives.put(drives.move("0003.png" if contradicts else "0002.png", y=13), "theirs")
    told = clone.git("pull", "-q", "--no-rebase", check=False)
    assert "is not in this clone" in told
    assert "veml data fetch, then veml resolve" in told
    monkeypatch.chdir(clone.root)
    assert main(["resolve"]) == 0  # nothing can be merged before the data is here
    assert "not merged yet" in capfd.readouterr().out
    assert main(["data", "fetch"]) == 0
    assert main(["resolve"]) == 0
    said = capfd.readouterr().out
    clone.reopen()
    if contradicts:
        assert "both moved the box" in said
        assert main(["resolve", "data/images/0003.png", "--theirs"]) == 0
    else:
        assert "data data  merged by sample and by box" in said
    clone.git("commit", "-q", "--no-edit")
    clone.assert_follows()
    assert clone.boxes()["0003.png"][0].y == (13 if contradicts else 11)
    assert clone.boxes()["0002.png"] == drives.boxes()["0002.png"]
    clone.close()


def test_git_diff_shows_a_record_as_a_table(drives: GitProject) -> None:
    told = drives.git("diff", "main", "night", "--", "data.veml")
    assert "-samples        4\n+samples        5\n" in told
    assert "class          car: " in told
    drives.path("notes.txt").write_text("two\n")
    assert "+two" in drives.git("diff")
