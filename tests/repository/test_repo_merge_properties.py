"""Merges of random edits on two branches give what a plain-Python model says, box for box."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.repository.kit import CLASSES, Project, examples
from tests.repository.model import (
    FORMATS,
    SLOTS,
    Box,
    Choice,
    Image,
    State,
    merge_states,
    read,
    write,
)
from veml_vcs.repository.merging.merge import MergeResult, abort
from veml_vcs.repository.merging.resolve import resolve
from veml_vcs.repository.worktree.snapshot import take_snapshot
from veml_vcs.repository.worktree.store_snapshot import record_of
from veml_vcs.samples.tree import Tree

BASE_IMAGES = range(1, 6)
NEW_IMAGES = range(11, 14)

boxes = st.builds(
    Box,
    st.sampled_from(CLASSES),
    st.integers(0, 1),
    st.integers(0, 1),
    st.sampled_from((11, 12)),
    st.sampled_from((11, 12)),
)
slots = st.integers(0, SLOTS - 1)


def some_boxes(layout: str) -> st.SearchStrategy[dict[int, Box]]:
    if not FORMATS[layout].has_boxes:
        return st.just({})
    return st.dictionaries(slots, boxes, max_size=3)


@st.composite
def bases(draw: st.DrawFn, layout: str) -> State:
    """Draw a data set of a few images."""
    state: State = {}
    for number in draw(st.lists(st.sampled_from(BASE_IMAGES), min_size=2, unique=True)):
        name = draw(st.sampled_from(FORMATS[layout].places(number, "")))
        state[name] = Image(number, draw(some_boxes(layout)))
    return state


@st.composite
def sides(draw: st.DrawFn, layout: str, base: State) -> State:
    """Draw what one branch makes of a data set."""
    state, edited = dict(base), set()
    kinds = ["pixels", "remove", "move", "move", "add", "add"]
    if FORMATS[layout].has_boxes:
        kinds += ["box"] * 5
    for kind in draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=7)):
        if kind == "add":
            number = draw(st.sampled_from(NEW_IMAGES))
            places = FORMATS[layout].places(number, "")
            if not any(place in state for place in places):
                pixels = draw(st.sampled_from((number, 1000 + number)))
                name = draw(st.sampled_from(places))
                state[name] = Image(pixels, draw(some_boxes(layout)))
                edited.add(name)
            continue
        name = draw(st.sampled_from(sorted(state)))
        image = state[name]
        if kind == "box":
            changed = dict(image.boxes)
            slot = draw(
                st.sampled_from(sorted(changed)) if changed and draw(st.booleans()) else slots
            )
            box = draw(st.none() | boxes)
            if box is not None:
                changed[slot] = box
            else:
                changed.pop(slot, None)
            state[name] = image._replace(boxes=changed)
        elif kind == "remove" and len(state) > 1:
            del state[name]
        elif kind == "pixels" and name in base and image.pixels < 1000:
            state[name] = image._replace(pixels=1000 * draw(st.sampled_from((1, 2))) + image.pixels)
        elif kind == "move" and name in base and image.pixels == base[name].pixels:
            place = draw(st.sampled_from(FORMATS[layout].places(image.pixels, "")))
            if place not in state and place not in base:
                state[place] = state.pop(name)
    return state


def start(root: Path, layout: str, base: State, ours: State, theirs: State) -> Project:
    """Make a repository with two branches, ours checked out."""
    project = Project(root / "project")
    project.write(write(base, layout), "data")
    project.add("data", format=FORMATS[layout].name)
    project.commit("base")
    project.git("branch", "side")
    for branch, state in (("main", ours), ("side", theirs)):
        project.checkout(branch)
        project.replace(write(state, layout), "data")
        project.add("data")
        project.commit(branch, allow_empty=True)
    project.checkout("main")
    return project


def told(result: MergeResult, layout: str) -> Counter[tuple[str, str]]:
    """Return how often each kind of conflict was told of each image."""
    folder = FORMATS[layout].folder + "/"
    return Counter((one.key.removeprefix(folder), one.kind) for one in result.conflicts)


def check_merged(project: Project, layout: str, expected: State) -> None:
    """Check a finished merge: files, records, git, and that checkout gives the bytes back."""
    files = project.files("data")
    assert read(files, layout) == expected
    project.assert_clean()
    if not files:
        assert "data" not in project.repo.staged_datasets()
        assert project.path("data.veml").exists() is False
        return
    record = project.repo.staged_datasets()["data"]
    afresh = take_snapshot(project.repo, "data", None, {}, wanted_format=record.facts.format)
    assert afresh.entries == dict(Tree(project.repo.store, record.tree).items())
    assert record_of(afresh, record.tree, {}).to_bytes() == record.to_bytes()
    assert record.samples == len(expected)
    assert record.objects == sum(sum(boxes.values()) for _, boxes in expected.values())
    project.assert_clean()
    assert len(project.repo.git.parents(project.repo.resolve("HEAD"))) == 2
    project.checkout("HEAD~1")
    project.checkout("main")
    assert project.files("data") == files
    project.reopen()
    project.checkout("side")
    project.checkout("main")
    assert project.files("data") == files


@pytest.mark.parametrize("layout", FORMATS)
@examples(2)
@given(data=st.data())
def test_a_merge_gives_what_the_model_says(layout: str, data: st.DataObject) -> None:
    base = data.draw(bases(layout))
    ours, theirs = data.draw(sides(layout, base)), data.draw(sides(layout, base))
    expected = merge_states(base, ours, theirs)
    with tempfile.TemporaryDirectory() as folder:
        project = start(Path(folder), layout, base, ours, theirs)
        try:
            before, head = project.files(), project.repo.resolve("HEAD")
            result = project.merge("side")
            assert told(result, layout) == expected.conflicts
            assert read(project.files("data"), layout) == expected.seen
            if not expected.conflicts:
                if result.kind == "merged":
                    check_merged(project, layout, expected.seen)
                return
            assert result.kind == "conflicts"
            assert "data.veml" in project.git("diff", "--name-only", "--diff-filter=U")
            abort(project.repo)
            assert project.files() == before
            assert project.repo.resolve("HEAD") == head
            project.assert_clean()

            assert told(project.merge("side"), layout) == expected.conflicts
            choice: Choice = data.draw(st.sampled_from(("ours", "theirs", "base")))
            settled = merge_states(base, ours, theirs, choice)
            assert resolve(project.repo, ["data"], choice).left == ()
            assert read(project.files("data"), layout) == settled.seen
            project.commit("settled")
            check_merged(project, layout, settled.seen)
        finally:
            project.close()
