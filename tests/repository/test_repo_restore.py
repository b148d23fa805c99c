"""``veml restore`` and ``veml rm``: what they bring back, what they leave, what they refuse."""

from __future__ import annotations

import os

import pytest

from tests.repository.kit import Project, coco, images, png, small_model, voc
from veml_vcs.errors import ConflictError, InvalidInputError, NotFoundError
from veml_vcs.repository.restore import restore
from veml_vcs.repository.rm import rm


@pytest.fixture
def edited(project: Project) -> Project:
    """Committed: images 0-3 as they are. On disk: 0 changed, 1 gone, mine.png untracked."""
    project.write(images(4) | {"README": b"r\n"}, "data")
    project.write({"train.py": b"1\n"})
    project.save("data", "train.py")
    project.write({"0000.png": png(50), "mine.png": png(51)}, "data")
    project.remove("data/0001.png")
    return project


def paths(project: Project, *names: str) -> list[str]:
    return [str(project.path(name)) for name in names]


def test_restore_brings_tracked_files_back_and_leaves_the_others(edited: Project) -> None:
    done = restore(edited.repo, paths(edited, "data"))
    assert done.datasets == {"data": 2}
    assert edited.files("data") == images(4) | {"README": b"r\n", "mine.png": png(51)}


def test_restore_of_one_file_leaves_the_rest(edited: Project) -> None:
    restore(edited.repo, paths(edited, "data/0001.png"))
    assert edited.files("data")["0000.png"] == png(50)
    assert edited.files("data")["0001.png"] == png(1)


def test_restore_staged_leaves_the_folder(edited: Project) -> None:
    edited.add("data")
    before = edited.files("data")
    restore(edited.repo, paths(edited, "data"), staged=True, worktree=False)
    assert edited.files("data") == before
    assert edited.status().staged_data == ()
    changes = edited.status().changed_data["data"]
    assert (changes.added, changes.changed, changes.removed) == (
        ["mine.png"], ["0000.png"], ["0001.png"],
    )  # fmt: skip


def test_restore_from_a_revision_removes_what_it_does_not_have(edited: Project) -> None:
    edited.add("data")
    edited.commit("edited")
    restore(edited.repo, paths(edited, "data"), source="HEAD~1")
    assert edited.files("data") == images(4) | {"README": b"r\n"}
    assert edited.status().staged_data == ()


def test_restore_of_a_removed_data_set(edited: Project) -> None:
    edited.add("data")
    edited.commit("edited")
    before = edited.files()
    rm(edited.repo, paths(edited, "data"))
    assert not edited.path("data").exists()
    assert not edited.path("data.veml").exists()
    restore(edited.repo, paths(edited, "data"), staged=True)
    assert edited.files("data") == {
        key.removeprefix("data/"): data for key, data in before.items() if key.startswith("data/")
    }
    assert list(edited.repo.staged_datasets()) == ["data"]


def test_restore_of_everything(edited: Project) -> None:
    edited.write({"train.py": b"2\n"})
    restore(edited.repo, [str(edited.root)])
    assert edited.files()["train.py"] == b"1\n"
    assert edited.files("data")["0001.png"] == png(1)


def test_restore_of_what_is_nowhere(edited: Project) -> None:
    with pytest.raises(NotFoundError):
        restore(edited.repo, paths(edited, "nothing"))


def test_restore_says_so_when_a_sample_is_in_no_version(edited: Project) -> None:
    with pytest.raises(NotFoundError, match="not in"):
        restore(edited.repo, paths(edited, "data/never.png"))


# -- rm -----------------------------------------------------------------------------------------


def test_rm_of_a_sample_removes_it_and_stages_the_rest_as_it_was(project: Project) -> None:
    project.write(voc(small_model(3)), "data")
    project.save("data")
    rm(project.repo, paths(project, "data/JPEGImages/0001.png", "data/Annotations/0001.xml"))
    left = voc({k: v for k, v in small_model(3).items() if k != "0001.png"})
    assert project.files("data") == left
    project.commit("removed")
    project.assert_clean()


def test_rm_refuses_changes_that_no_version_has(edited: Project) -> None:
    before = edited.files()
    with pytest.raises(ConflictError) as caught:
        rm(edited.repo, paths(edited, "data/0000.png"))
    assert caught.value.kind == "would-lose-changes"
    with pytest.raises(ConflictError):
        rm(edited.repo, paths(edited, "data"))
    assert edited.files() == before
    assert list(edited.repo.staged_datasets()) == ["data"]


def test_rm_force_leaves_what_is_not_tracked(edited: Project) -> None:
    rm(edited.repo, paths(edited, "data"), force=True)
    assert edited.files("data") == {"mine.png": png(51)}


def test_rm_cached_keeps_the_folder(edited: Project) -> None:
    before = edited.files("data")
    rm(edited.repo, paths(edited, "data"), cached=True)
    assert edited.files("data") == before
    assert edited.repo.staged_datasets() == {}
    assert not edited.path("data.veml").exists()


def test_rm_of_the_last_file_ends_the_data_set(project: Project) -> None:
    project.write(images(1), "data")
    project.save("data")
    rm(project.repo, paths(project, "data/0000.png"))
    assert project.repo.staged_datasets() == {}
    project.commit("nothing left")
    assert project.files() == {}
    project.assert_clean()
    project.checkout("HEAD~1")
    assert project.files("data") == images(1)


def test_rm_of_all_images_of_a_coco_set_keeps_what_the_file_says(project: Project) -> None:
    project.write(coco(small_model(2)), "data")
    project.save("data")
    rm(project.repo, paths(project, "data/images"))
    record = project.repo.staged_datasets()["data"]
    assert (record.samples, record.objects) == (0, 3)
    project.commit("only boxes")
    project.assert_clean()
    project.checkout("HEAD~1")
    assert project.files("data") == coco(small_model(2))


def test_rm_that_is_refused_in_part_removes_nothing(edited: Project) -> None:
    before = edited.files()
    with pytest.raises(NotFoundError):
        rm(edited.repo, paths(edited, "data/0002.png", "data/never.png"))
    with pytest.raises(InvalidInputError):
        rm(edited.repo, paths(edited, "data.veml"))
    edited.write({"train.py": b"2\n"})
    with pytest.raises(ConflictError):
        rm(edited.repo, paths(edited, "data/0002.png", "train.py"))
    assert edited.files("data") == {
        key.removeprefix("data/"): data for key, data in before.items() if key.startswith("data/")
    }


def test_rm_dry_run_and_folders(edited: Project) -> None:
    edited.write({"lib/a.py": b"a\n"})
    edited.save("lib")
    before = edited.files()
    with pytest.raises(InvalidInputError, match="-r"):
        rm(edited.repo, paths(edited, "lib"))
    assert rm(edited.repo, paths(edited, "lib"), recursive=True, dry_run=True).files == (
        "lib/a.py",
    )
    assert edited.files() == before
    rm(edited.repo, paths(edited, "lib"), recursive=True)
    assert not os.path.exists(edited.path("lib/a.py"))
