"""``veml checkout`` moves what differs, byte for byte, and loses nothing that no version has."""

from __future__ import annotations

import os

import pytest

from tests.repository.kit import Files, Project, coco, images, png, small_model, voc
from veml_vcs.errors import ConflictError, LockedError, NotFoundError
from veml_vcs.repository.checkout import checkout

ONE: Files = {"a.png": png(1), "b.png": png(2), "sub/c.png": png(3), "README": b"one\n"}
TWO: Files = {"a.png": png(1), "b.png": png(20), "d.png": png(4), "README": b"one\n"}
"""Against ONE: b.png changed, sub/c.png gone, d.png new; a.png and README the same."""


@pytest.fixture
def two(project: Project) -> Project:
    """A repository with ONE on main (checked out) and TWO on the branch two."""
    project.write(ONE, "data")
    project.save("data")
    project.git("branch", "two")
    project.checkout("two")
    project.replace(TWO, "data")
    project.save("data")
    project.checkout("main")
    assert project.files("data") == ONE
    return project


def refused(project: Project, target: str = "two", *names: str) -> None:
    """Check that a checkout is refused, says which files, and changes nothing."""
    before, head = project.files(), project.git("rev-parse", "--abbrev-ref", "HEAD")
    inodes = project.inodes("")
    with pytest.raises(ConflictError) as caught:
        project.checkout(target)
    assert caught.value.kind == "would-lose-changes"
    for name in names:
        assert name in str(caught.value)
    assert project.files() == before
    assert project.inodes("").keys() == inodes.keys()
    assert project.git("rev-parse", "--abbrev-ref", "HEAD") == head


def test_only_what_differs_is_written(two: Project) -> None:
    two.age()
    before = two.inodes("data")
    result = two.checkout("two")
    assert two.files("data") == TWO
    after = two.inodes("data")
    assert {key for key in TWO if before.get(key) != after[key]} == {"b.png", "d.png"}
    assert result.written == {"data": 3}
    assert not two.path("data/sub").exists()
    two.assert_clean()


def test_back_and_forth_gives_the_bytes_back(project: Project) -> None:
    states = [coco(small_model(n)) for n in (2, 4, 3)] + [voc(small_model(2))]
    commits = []
    for files in states:
        project.replace(files, "data")
        commits.append(project.save("data").id)
    for i in (0, 3, 1, 2, 0, 2, 3):
        project.checkout(commits[i])
        assert project.files("data") == states[i]
        project.assert_clean()


# -- changes that no version has ----------------------------------------------------------------


def test_a_loose_change_in_the_way_is_refused(two: Project) -> None:
    two.write({"b.png": png(99)}, "data")
    refused(two, "two", "b.png")


def test_a_loose_change_of_a_file_that_would_go_is_refused(two: Project) -> None:
    two.write({"sub/c.png": png(99)}, "data")
    refused(two, "two", "sub/c.png")


def test_a_staged_change_in_the_way_is_refused(two: Project) -> None:
    two.write({"b.png": png(99)}, "data")
    two.add("data")
    refused(two, "two")


def test_a_staged_change_elsewhere_in_a_data_set_that_differs_is_refused(two: Project) -> None:
    """As Git with one file that both changed: the record can hold one version only."""
    two.write({"a.png": png(99)}, "data")
    two.add("data")
    refused(two, "two")


def test_an_untracked_file_in_the_way_is_refused(two: Project) -> None:
    two.write({"d.png": png(99)}, "data")
    refused(two, "two", "d.png")


def test_an_untracked_file_with_the_wanted_bytes_is_not_in_the_way(two: Project) -> None:
    two.write({"d.png": png(4)}, "data")
    two.checkout("two")
    assert two.files("data") == TWO
    two.assert_clean()


def test_a_loose_change_with_the_wanted_bytes_is_not_in_the_way(two: Project) -> None:
    two.write({"b.png": png(20)}, "data")
    two.checkout("two")
    assert two.files("data") == TWO
    two.assert_clean()


def test_an_untracked_folder_where_a_file_belongs_is_refused(two: Project) -> None:
    two.write({"d.png/deep/mine.txt": b"mine\n"}, "data")
    refused(two, "two", "d.png/deep/mine.txt")


def test_an_untracked_file_where_a_folder_belongs_is_refused(two: Project) -> None:
    two.checkout("two")
    two.write({"sub": b"mine\n"}, "data")
    refused(two, "main", "sub")


def test_changes_that_are_not_in_the_way_are_carried_over(two: Project) -> None:
    two.write({"a.png": png(99), "mine.png": png(98), "README": b"two\n"}, "data")
    result = two.checkout("two")
    assert result.carried == ("data",)
    mine = {"a.png": png(99), "mine.png": png(98), "README": b"two\n"}
    assert two.files("data") == TWO | mine
    changes = two.status().changed_data["data"]
    assert (changes.changed, changes.added) == (["README", "a.png"], ["mine.png"])
    two.checkout("main")
    assert two.files("data") == ONE | mine


def test_a_file_removed_by_hand_stays_removed(two: Project) -> None:
    two.remove("data/a.png")
    two.checkout("two")
    assert two.files("data") == {key: data for key, data in TWO.items() if key != "a.png"}


def test_staged_and_loose_changes_stay_where_both_commits_agree(two: Project) -> None:
    two.write(images(2), "other")
    two.save("other")
    two.checkout("two")
    two.git("merge-base", "main", "two")
    two.write({"x.txt": b"x\n"})
    two.checkout("main")
    two.git("branch", "three")
    two.write({"0000.png": png(50)}, "other")
    two.add("other")
    two.write({"0001.png": png(51)}, "other")
    two.checkout("three")
    assert two.files("other") == {"0000.png": png(50), "0001.png": png(51)}
    assert [one.changed for one in two.status().staged_data] == [1]
    assert two.status().changed_data["other"].changed == ["0001.png"]


def test_a_whole_folder_that_is_gone_is_written_again(two: Project) -> None:
    two.remove("data")
    two.checkout("two")
    assert two.files("data") == TWO


def test_force_throws_away_what_is_in_the_way_and_only_tracked_files(two: Project) -> None:
    two.write({"b.png": png(99), "a.png": png(97), "mine.png": png(98)}, "data")
    two.checkout("two", force=True)
    assert two.files("data") == TWO | {"mine.png": png(98)}


# -- files and folders that change places -------------------------------------------------------


def test_a_file_becomes_a_folder_and_back(project: Project) -> None:
    project.write({"x": b"file\n", "a.png": png(1)}, "data")
    project.save("data")
    project.git("branch", "file")
    project.remove("data/x")
    project.write({"x/deep/1.png": png(2), "a.png": png(1)}, "data")
    project.save("data")
    project.checkout("file")
    assert project.files("data") == {"x": b"file\n", "a.png": png(1)}
    project.checkout("main")
    assert project.files("data") == {"x/deep/1.png": png(2), "a.png": png(1)}
    project.assert_clean()


def test_a_data_set_becomes_an_ordinary_folder_and_back(project: Project) -> None:
    project.write({"data/a.txt": b"text\n", "keep": b"k\n"})
    project.add("data", "keep")
    project.commit("plain")
    project.git("branch", "plain")
    project.write({"a.png": png(1)}, "data")
    project.add("data", format="files")
    project.commit("data")
    project.checkout("plain")
    assert project.files() == {"data/a.txt": b"text\n", "keep": b"k\n"}
    assert project.git("status", "--porcelain") == ""
    project.checkout("main")
    assert project.files("data") == {"a.txt": b"text\n", "a.png": png(1)}
    project.assert_clean()


def test_a_link_in_the_place_of_the_folder_is_not_followed(
    two: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    two.remove("data")
    os.symlink(outside, two.path("data"))
    with pytest.raises(ConflictError, match="not a folder"):
        two.checkout("two")
    assert list(outside.iterdir()) == []


def test_the_execute_bit_follows(project: Project) -> None:
    project.write({"a.png": png(1), "run.sh": b"#!/bin/sh\n"}, "data")
    project.save("data")
    project.git("branch", "plain")
    project.path("data/run.sh").chmod(0o755)
    assert project.status().changed_data["data"].changed == ["run.sh"]
    project.save("data")
    project.checkout("plain")
    assert not os.access(project.path("data/run.sh"), os.X_OK)
    project.checkout("main")
    assert os.access(project.path("data/run.sh"), os.X_OK)
    project.assert_clean()


# -- ordinary files beside ----------------------------------------------------------------------


def test_ordinary_files_follow_as_with_git(project: Project) -> None:
    project.write({"train.py": b"1\n", "data/a.png": png(1)})
    project.save("train.py", "data")
    project.git("branch", "old")
    project.write({"train.py": b"2\n", "lib/new.py": b"n\n"})
    project.save("train.py", "lib")
    project.checkout("old")
    assert project.files()["train.py"] == b"1\n"
    assert not project.path("lib").exists()
    project.write({"train.py": b"loose\n"})
    refused(project, "main", "train.py")
    project.write({"train.py": b"1\n", "lib/new.py": b"mine\n"})
    refused(project, "main", "lib/new.py")


def test_an_unknown_target_says_what_there_is(two: Project) -> None:
    with pytest.raises(NotFoundError) as caught:
        two.checkout("three")
    assert "main, two" in str(caught.value.hint)


def test_head_is_detached_under_its_lock(project: Project) -> None:
    """Seen to fail: HEAD was replaced under the hands of the git command that held its lock."""
    project.write({"notes.txt": b"one\n"})
    project.save("notes.txt", message="one")
    before = (project.root / ".git/HEAD").read_text()
    (project.root / ".git/HEAD.lock").touch()
    project.repo.git.dulwich.locks.timeout_seconds = 0.0
    with pytest.raises(LockedError):
        checkout(project.repo, "HEAD", detach=True)
    assert (project.root / ".git/HEAD").read_text() == before
    (project.root / ".git/HEAD.lock").unlink()
    checkout(project.repo, "HEAD", detach=True)
    assert project.git("rev-parse", "--abbrev-ref", "HEAD").strip() == "HEAD"
    assert project.git("log", "-g", "--format=%gs", "-1", "HEAD").startswith("checkout: moving")
