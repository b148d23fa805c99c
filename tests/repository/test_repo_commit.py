"""``veml commit``, ``diff`` and ``export``: what becomes history, and what history gives back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.repository.kit import (
    FORMATS,
    Box,
    Files,
    Model,
    Project,
    coco,
    images,
    kitti,
    png,
    small_model,
    voc,
)
from veml_vcs.errors import ConflictError, InvalidInputError, NotFoundError
from veml_vcs.repository.diff import diff
from veml_vcs.repository.export import export


def test_nothing_to_commit_changes_nothing(project: Project) -> None:
    project.write(images(2), "data")
    project.save("data")
    head = project.git("rev-parse", "HEAD")
    with pytest.raises(InvalidInputError) as caught:
        project.commit("again")
    assert caught.value.kind == "nothing-to-commit"
    assert project.git("rev-parse", "HEAD") == head


def test_commit_takes_what_is_staged_and_leaves_the_rest(project: Project) -> None:
    project.write(images(2), "data")
    project.save("data")
    project.write({"0000.png": png(50)}, "data")
    project.add("data")
    project.write({"0001.png": png(51)}, "data")
    done = project.commit("first")
    assert [(one.path, one.changed) for one in done.data] == [("data", 1)]
    assert project.status().changed_data["data"].changed == ["0001.png"]
    assert project.files("data") == {"0000.png": png(50), "0001.png": png(51)}
    project.commit("second", all=True)
    project.assert_clean()


def test_amend_replaces_the_last_commit_and_keeps_its_author(project: Project) -> None:
    project.write(images(2), "data")
    project.save("data")
    project.write(images(3), "data")
    project.save("data", message="to amend")
    project.write(images(4), "data")
    project.add("data")
    project.commit(None, amend=True)
    assert project.git("log", "--format=%s").split("\n")[:2] == ["to amend", "a commit"]
    assert project.repo.record_at("data", "HEAD").samples == 4
    assert project.repo.record_at("data", "HEAD~1").samples == 2
    project.assert_clean()


@pytest.mark.parametrize("message", ["", "  \n", None])
def test_a_commit_needs_a_message(project: Project, message: str | None) -> None:
    project.write(images(1), "data")
    project.add("data")
    with pytest.raises(InvalidInputError, match="message"):
        project.commit(message)


def test_messages_of_any_text(project: Project) -> None:
    project.write(images(1), "data")
    project.add("data")
    project.commit('grüße 日本\n\nbody with "quotes" and \\ and \t')
    told = project.git("log", "-1", "--format=%B")
    assert told.strip() == 'grüße 日本\n\nbody with "quotes" and \\ and'


def test_diff_counts_what_changed(project: Project) -> None:
    model = small_model(4)
    project.write(coco(model), "data")
    project.save("data")
    name = "0001.png"
    box = model[name][0]
    changed = model | {
        name: (box._replace(x=box.x + 1, name="tree"), Box(900, "car", 30, 30, 5, 5)),
        "0009.png": (),
    }
    del changed["0002.png"]
    project.replace(coco(changed), "data")
    project.save("data")
    found = diff(project.repo, "HEAD~1", "HEAD").datasets[0]
    assert {one.key: one.kind for one in found.samples} == {
        "images/0001.png": "annotated", "images/0002.png": "removed", "images/0009.png": "added",
    }  # fmt: skip
    counts = found.counts
    assert (counts.added, counts.moved, counts.relabelled, counts.edited) == (1, 1, 1, 1)
    assert counts.removed == len(model["0002.png"]) + len(model[name]) - 1


@pytest.mark.parametrize("make", [voc, kitti])
def test_diff_of_an_image_that_went_alone(project: Project, make: Callable[[Model], Files]) -> None:
    """Its label file stays, and yet the sample is removed, not one of 0 bytes.

    Seen to fail with the kind taken from whether the sides differ in content: it was ``changed``.
    """
    project.write(make(small_model(4)), "data")
    project.save("data")
    (gone,) = (key for key in project.files("data") if key.endswith("1.png"))
    project.remove(f"data/{gone}")
    (worktree,) = diff(project.repo).datasets
    project.save("data")
    (there,) = diff(project.repo, "HEAD~1", "HEAD").datasets
    (back,) = diff(project.repo, "HEAD", "HEAD~1").datasets
    for found, kind in ((worktree, "removed"), (there, "removed"), (back, "added")):
        (sample,) = found.samples
        assert (sample.key, sample.kind, sample.annotation_stays) == (gone, kind, True)
        assert not found.counts.removed + found.counts.added


@pytest.mark.parametrize("name", FORMATS)
def test_export_gives_the_bytes_back(project: Project, name: str) -> None:
    files = FORMATS[name](small_model(6))
    project.write(files, "data")
    project.save("data")
    project.replace(FORMATS[name](small_model(7)), "data")
    project.save("data")
    export(project.repo, "HEAD~1:data", str(project.path("out")))
    assert project.files("out") == files


def test_export_never_overwrites(project: Project) -> None:
    project.write(images(2), "data")
    project.save("data")
    project.write({"out/mine.txt": b"mine\n"})
    with pytest.raises(ConflictError, match="not empty"):
        export(project.repo, "data", str(project.path("out")))
    with pytest.raises(InvalidInputError, match="not a folder"):
        export(project.repo, "data", str(project.path("out/mine.txt")))
    with pytest.raises(NotFoundError):
        export(project.repo, "nowhere:data", str(project.path("new")))
    assert project.files("out") == {"mine.txt": b"mine\n"}
    assert not project.path("new").exists()
