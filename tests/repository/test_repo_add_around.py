"""``veml add .``: of folders that look like data sets nothing goes into Git by the way."""

from __future__ import annotations

from tests.repository.kit import Project, images, png


def test_data_folders_are_left_alone_and_named(project: Project) -> None:
    """Seen to fail without ``left_alone``: 25 images were blobs of Git for good."""
    project.write(images(25), "photos/day")
    project.write({"notes.txt": b"n", "src/a.py": b"a"})
    done = project.add(".")
    assert done.left == ("photos",)
    assert done.plain == ("notes.txt", "src/a.py")
    assert "photos" not in project.git("ls-files")
    assert project.add(".", dry_run=True).left == ("photos",)
    (one,) = project.add("photos").datasets
    assert one.record.samples == 25
    assert project.add(".").left == ()


def test_a_few_pictures_beside_texts_are_files(project: Project) -> None:
    project.write({f"docs/{i}.png": png(i) for i in range(25)})
    project.write({f"docs/{i}.md": b"text" for i in range(60)})
    project.write({f"assets/{i}.png": png(100 + i) for i in range(3)})
    done = project.add(".")
    assert done.left == ()
    assert len(done.plain) == 25 + 60 + 3


def test_a_new_folder_beside_a_data_set(project: Project) -> None:
    project.write(images(4), "images/train")
    project.add("images/train")
    project.write(images(30, 50), "images/val")
    assert project.add("images").left == ("images/val",)
    assert "images/val" not in project.git("ls-files")
    project.add("images/val")
    assert set(project.repo.staged_datasets()) == {"images/train", "images/val"}


def test_what_git_tracks_already_stays_with_git(project: Project) -> None:
    project.write(images(30), "pictures")
    project.git("add", "pictures/0000.png")
    project.reopen()
    project.write({"pictures/0000.png": png(999)})
    assert project.add(".").left == ()
    assert len(project.git("ls-files", "pictures").splitlines()) == 30
