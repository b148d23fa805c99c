"""A version's identity depends on its content alone: not on the history of adds that led to it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.repository.kit import (
    CLASSES,
    FORMATS,
    Box,
    Files,
    Model,
    Project,
    coco,
    examples,
    images,
    kitti,
    small_model,
    voc,
    yolo,
)


def record_text(project: Project, path: str = "data") -> bytes:
    return project.path(f"{path}.veml").read_bytes()


boxes = st.builds(
    Box,
    st.just(0),
    st.sampled_from(CLASSES),
    st.integers(0, 20),
    st.integers(0, 20),
    st.integers(1, 40),
    st.integers(1, 40),
)
names = st.sampled_from([f"{i:04d}.png" for i in range(1, 7)])


@st.composite
def models(draw: st.DrawFn) -> Model:
    """Draw a data set of up to six images, with ids that no two boxes share."""
    chosen = draw(st.lists(names, min_size=1, max_size=6, unique=True))
    return {
        name: tuple(
            box._replace(id=100 * i + j) for j, box in enumerate(draw(st.lists(boxes, max_size=3)))
        )
        for i, name in enumerate(sorted(chosen), 1)
    }


def same_record_after(histories: list[dict[str, bytes]], partial: bool = False) -> None:
    """Add the states one after the other in one clone, the last alone in another; compare."""
    with tempfile.TemporaryDirectory() as folder:
        long, fresh = Project(Path(folder, "long")), Project(Path(folder, "fresh"))
        try:
            for files in histories:
                before = long.files("data")
                long.replace(files, "data")
                if partial and before:
                    changed = {k for k in before.keys() | files.keys()
                               if before.get(k) != files.get(k)}  # fmt: skip
                    if changed:
                        long.add(*(f"data/{key}" for key in sorted(changed)))
                else:
                    long.add("data")
            fresh.write(histories[-1], "data")
            wanted = long.repo.staged_datasets()["data"].facts.format
            fresh.add("data", format=wanted)
            assert record_text(long).decode() == record_text(fresh).decode()
        finally:
            long.close()
            fresh.close()


@st.composite
def edited(draw: st.DrawFn) -> list[Model]:
    """Draw a data set and a few versions of it that differ in an image or two each."""
    states = [draw(models())]
    for _ in range(draw(st.integers(1, 4))):
        state = dict(states[-1])
        name = draw(names)
        if name in state and len(state) > 1 and draw(st.booleans()):
            del state[name]
        else:
            number = int(name[:4])
            drawn = draw(st.lists(boxes, max_size=3))
            state[name] = tuple(b._replace(id=100 * number + j) for j, b in enumerate(drawn))
        states.append(state)
    return states


@st.composite
def with_gaps(draw: st.DrawFn, name: str) -> list[Files]:
    """Draw states of which some files (images, labels) are left out."""
    states = []
    for state in draw(edited()):
        files = FORMATS[name](state)
        for key in draw(st.lists(st.sampled_from(sorted(files)), max_size=2)):
            if len(files) > 1 and not key.endswith((".json", "classes.txt")):
                files.pop(key, None)
        states.append(files)
    return states


@pytest.mark.parametrize("partial", [False, True], ids=["whole", "file by file"])
@pytest.mark.parametrize("name", FORMATS)
@examples(4)
@given(data=st.data())
def test_a_history_of_adds_gives_the_record_of_one_add(
    name: str, partial: bool, data: st.DataObject
) -> None:
    same_record_after([FORMATS[name](state) for state in data.draw(edited())], partial)


@pytest.mark.parametrize("name", FORMATS)
@examples(4)
@given(data=st.data())
def test_files_that_come_and_go_give_the_record_of_one_add(name: str, data: st.DataObject) -> None:
    histories = data.draw(with_gaps(name))
    # A folder without an image is no data set yet.
    assume(any(key.endswith((".png", ".jpg")) for key in histories[0]))
    same_record_after(histories)


def without(files: Files, *keys: str) -> Files:
    return {key: data for key, data in files.items() if key not in keys}


LAST = {"0008.png": (Box(99, "tree", 1, 1, 5, 5),)}
EIGHT = small_model(7) | LAST
"""The last image has the only tree."""


@pytest.mark.parametrize(
    ("whole", "gone"),
    [
        (voc(EIGHT), ("JPEGImages/0008.png", "Annotations/0008.xml")),
        (voc(EIGHT), ("JPEGImages/0008.png",)),
        (voc(EIGHT), ("Annotations/0008.xml",)),
        (coco(EIGHT), ("images/0008.png",)),
        (yolo(EIGHT), ("images/0008.png",)),
        (yolo(EIGHT), ("labels/0008.txt",)),
        (kitti(EIGHT), ("image_2/0008.png", "label_2/0008.txt")),
        (FORMATS["folders"](EIGHT), ("tree/0008.png",)),
        (without(yolo(EIGHT), "classes.txt"), ("labels/0008.txt",)),
    ],
    ids=lambda value: "" if isinstance(value, dict) else " ".join(value),
)
def test_the_last_of_a_class_goes_and_comes_back(whole: Files, gone: tuple[str, ...]) -> None:
    same_record_after([whole, without(whole, *gone)])
    same_record_after([without(whole, *gone), whole])
    same_record_after([whole, without(whole, *gone), whole])


def test_numbered_classes_without_a_list_keep_the_order_of_their_numbers() -> None:
    files = without(yolo(small_model(8)), "classes.txt")
    for i in range(1, 9):
        files[f"labels/{i:04d}.txt"] = b"%d 0.5 0.5 0.25 0.25\n" % (i + 3)
    same_record_after([files, {**files, "labels/0001.txt": b"2 0.5 0.5 0.25 0.25\n"}])


def test_two_clones_that_add_in_another_order_agree(
    make_project: Callable[[str], Project],
) -> None:
    files = voc(small_model(8))
    parts = sorted(files)
    one, other = make_project("one"), make_project("other")
    for project, order in ((one, parts), (other, parts[::-1])):
        project.write({order[0]: files[order[0]]}, "data")
        project.add("data", format="voc" if order[0].endswith("xml") else "files")
        for key in order[1:]:
            project.write({key: files[key]}, "data")
        project.add("data", format="voc")
    assert record_text(one) == record_text(other)


def test_names_in_two_data_sets_share_their_bytes(project: Project) -> None:
    project.write(images(5), "a")
    project.write(images(5), "b")
    first = project.add("a").datasets[0]
    second = project.add("b").datasets[0]
    assert first.new_bytes > 0
    assert second.new_bytes == 0
    assert first.record == second.record
