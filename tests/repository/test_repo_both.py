"""Conflicts settled with both: two boxes of one, the lines of both sides; counts and ids hold."""

from __future__ import annotations

import json

import pytest

from tests.repository.kit import FORMATS, Box, Files, Model, Project
from veml_hooks.install import install
from veml_vcs.errors import ConflictError, InvalidInputError
from veml_vcs.repository.merging.resolve import resolve

BASE: Model = {
    "0001.png": (Box(10, "car", 2, 3, 10, 12), Box(11, "dog", 30, 30, 10, 12)),
    "0002.png": (Box(20, "person", 2, 3, 10, 12),),
}


def side(shift: int, name: str = "car") -> Model:
    """Move the car, and draw a tree, new under the id that every tool gives next."""
    moved = (Box(10, name, 2 + shift, 3, 10, 12), Box(11, "dog", 30, 30, 10, 12))
    return BASE | {"0001.png": (*moved, Box(21, "tree", 50 - 3 * shift, 5, 9, 9))}


def conflict(project: Project, files: tuple[Files, Files, Files]) -> None:
    base, ours, theirs = files
    project.write(base, "data")
    project.save("data")
    project.git("branch", "night")
    project.replace(ours, "data")
    project.save("data", message="ours")
    project.checkout("night")
    project.replace(theirs, "data")
    project.save("data", message="theirs")
    project.checkout("main")
    project.merge("night")


@pytest.mark.parametrize("name", ["coco", "voc", "yolo", "kitti"])
def test_both_boxes_in_every_format(project: Project, name: str) -> None:
    """Without the second object (``_theirs_beside``) a box is missing, or counts do not balance."""
    write = FORMATS[name]
    conflict(project, (write(BASE), write(side(2)), write(side(4))))
    found = project.status().merge
    assert found is not None
    assert [one.kind for one in found.conflicts] == ["moved-both"]
    key = found.conflicts[0].key
    done = resolve(project.repo, [f"data/{key}"], "both")
    assert (done.settled, done.left) == (1, ())
    project.commit("both")
    project.assert_clean()
    dataset = project.repo.dataset("data", "HEAD")
    (said,) = [one for key, one in dataset.annotations().items() if "0001" in key]
    objects = said["objects"]
    assert [one["class"] for one in objects] == ["car", "car", "dog", "tree", "tree"]
    assert dataset.record.objects == 6
    if name == "coco":
        stored = json.loads(project.files("data")["annotations.json"])["annotations"]
        ids = [one["id"] for one in stored]
        assert len(set(ids)) == len(ids) == 6
        boxes = {one["id"]: one["bbox"] for one in stored}
        assert boxes[10] == [4, 3, 10, 12]
        assert sorted(set(ids) - {10, 11, 20, 21}) == [22, 23]
        assert [6, 3, 10, 12] in boxes.values()


def test_settled_again_there_is_one_box(project: Project) -> None:
    write = FORMATS["coco"]
    conflict(project, (write(BASE), write(side(2)), write(side(4))))
    resolve(project.repo, ["data"], "both")
    resolve(project.repo, ["data"], "theirs")
    project.commit("theirs")
    assert project.repo.dataset("data", "HEAD").record.objects == 5
    project.assert_clean()


def test_a_text_of_the_data_set(project: Project) -> None:
    files = FORMATS["voc"](BASE)
    texts = (b"one\n", b"one\nours\n", b"one\ntheirs\n")
    base, ours, theirs = ({**files, "README.md": text} for text in texts)
    conflict(project, (base, ours, theirs))
    resolve(project.repo, ["data/README.md"], "both")
    assert project.files("data")["README.md"] == b"one\nours\ntheirs\n"
    project.commit("both")
    project.assert_clean()


def test_no_text_of_the_data_set_and_classes_are_refused(project: Project) -> None:
    """Nothing is settled by a command that is refused, whatever else it names."""
    coco = FORMATS["coco"]
    files = (coco(BASE), coco(side(2)), coco(side(4)))
    for index, name in enumerate(("one", "two", "three")):
        document = json.loads(files[index]["annotations.json"])
        document["categories"][0]["supercategory"] = name
        files[index]["annotations.json"] = json.dumps(document).encode()
        files[index]["notes.bin"] = b"\0" + name.encode()
    conflict(project, files)
    before = project.files("data")
    image = "data/images/0001.png"
    for wanted in (["data"], [image, "data/notes.bin"], [image, "data/class:car"]):
        with pytest.raises(InvalidInputError, match="both sides cannot be kept"):
            resolve(project.repo, wanted, "both")
        assert project.files("data") == before
        merge = project.status().merge
        assert merge is not None
        assert all(one.choice is None for one in merge.conflicts)


def two_sets(project: Project, how: str) -> None:
    """Boxes of two data sets contradict each other; in the second a file does too, if asked."""
    write = FORMATS["coco"]
    for number, model in enumerate((BASE, side(2), side(4))):
        if number == 2:
            project.checkout("night")
        for name in ("data", "more"):
            files = write(model)
            if name == "more" and how == "binary":
                files["notes.bin"] = b"\0%d" % number
            project.replace(files, name)
        project.save("data", "more", message=str(number))
        if number == 0:
            project.git("branch", "night")
    project.checkout("main")


@pytest.mark.parametrize("by_git", [False, True])
def test_several_data_sets_are_settled_together_or_none_is(project: Project, by_git: bool) -> None:
    """Before, each data set of a git merge was settled by itself, and the first one was."""
    two_sets(project, "binary")
    if by_git:
        install(project.repo)
        project.git("merge", "night", check=False)
        project.reopen()
    else:
        project.merge("night")
    before, index = project.files(), project.git("ls-files", "--stage")
    with pytest.raises(InvalidInputError, match=r"more/notes.bin: both sides cannot be kept"):
        resolve(project.repo, ["data", "more"], "both")
    assert project.files() == before
    assert project.git("ls-files", "--stage") == index
    found = project.status().merge
    assert found is not None
    assert {one.dataset for one in found.open_conflicts} == {"data", "more"}
    done = resolve(project.repo, ["data", "more/images/0001.png"], "both")
    assert [one.key for one in done.left] == ["notes.bin"]
    resolve(project.repo, ["more/notes.bin"], "ours")
    project.commit("both")
    project.assert_clean()
    for name in ("data", "more"):
        assert project.repo.dataset(name, "HEAD").record.objects == 6


def test_a_folder_in_the_way_of_the_second_leaves_the_first_open(project: Project) -> None:
    """Each folder used to be planned just before it was written."""
    two_sets(project, "")
    project.merge("night")
    project.write({"annotations.json": b"mine"}, "more")
    before, index = project.files(), project.git("ls-files", "--stage")
    with pytest.raises(ConflictError):
        resolve(project.repo, ["data", "more"], "both")
    assert project.files() == before
    assert project.git("ls-files", "--stage") == index
