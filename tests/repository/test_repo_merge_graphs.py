"""Merges on random commit graphs, criss-cross included, lose nothing and bring nothing back.

The oracle is not a three-way merge: every box and every image has an owner, the one branch that
ever edits it. So a commit's state follows from its ancestors alone: of all edits of an element that
the commit has in its history, the last one stands. A merge must give just that, whatever the graph.
(matrixone dropped rows on deep branch graphs; FiftyOne missed thousands in a merge of 600,000.)
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.repository.kit import CLASSES, Project, examples
from tests.repository.model import FORMATS, Box, Image, State, read, see_state, write

BRANCHES = ("main", "left", "right")
SHARED = ("0001.png", "0002.png", "0003.png")
"""Images that are never removed; slot s of them belongs to branch s % 3."""

boxes = st.builds(
    Box,
    st.sampled_from(CLASSES),
    st.integers(0, 1),
    st.integers(0, 1),
    st.just(11),
    st.just(11),
)


class Graph:
    """A repository and, for every commit, the edits it has in its history.

    Args:
        root: An empty folder.
        layout: Format of the data set.
    """

    def __init__(self, root: Path, layout: str) -> None:
        self.project = Project(root / "project")
        self.layout = layout
        self.here = "main"
        self.edits: list[tuple[object, object]] = []
        """(element, value); an element is (image, slot) or an image of one branch."""
        self.known: dict[str, frozenset[int]] = {}
        """Branch -> indices of the edits in its history."""
        self.states: dict[str, State] = {}
        """Commit -> its state."""
        start: State = {name: Image(i + 1) for i, name in enumerate(SHARED)}
        start["0001.png"] = Image(1, {0: Box("car"), 1: Box("dog"), 2: Box("tree")})
        self.start = start
        self.project.write(write(start, layout), "data")
        self.project.add("data", format=FORMATS[layout].name)
        commit = self.project.commit("start").id
        for branch in BRANCHES:
            self.known[branch] = frozenset()
            if branch != "main":
                self.project.git("branch", branch)
        self.states[commit] = start

    def state(self, known: frozenset[int]) -> State:
        """Return what the edits of a history make."""
        state = dict(self.start)
        for index in sorted(known):
            element, value = self.edits[index]
            if isinstance(element, tuple):
                name, slot = element
                slots = {**state[name].boxes, slot: value}
                state[name] = state[name]._replace(
                    boxes={s: box for s, box in slots.items() if box is not None}
                )
            elif value is None:
                state.pop(element, None)
            else:
                state[element] = value
        return state

    def switch(self, branch: str) -> None:
        if self.here != branch:
            self.project.checkout(branch)
            self.here = branch
        self.check()

    def commit(self, branch: str, edits: list[tuple[object, object]]) -> None:
        """Make a commit of some edits on a branch."""
        self.switch(branch)
        new = range(len(self.edits), len(self.edits) + len(edits))
        self.edits += edits
        self.known[branch] |= frozenset(new)
        state = self.state(self.known[branch])
        self.project.replace(write(state, self.layout), "data")
        self.project.add("data")
        self.states[self.project.commit("edit", allow_empty=True).id] = state

    def merge(self, into: str, other: str, no_ff: bool) -> None:
        """Merge a branch into another one."""
        self.switch(into)
        result = self.project.merge(other, no_ff=no_ff)
        assert result.kind in ("merged", "fast-forward", "up-to-date")
        assert result.conflicts == ()
        self.known[into] |= self.known[other]
        self.states[result.commit] = self.state(self.known[into])
        self.check()

    def check(self) -> None:
        """Check that the folder and the record are what the history says."""
        expected = see_state(self.state(self.known[self.here]))
        assert read(self.project.files("data"), self.layout) == expected
        record = self.project.repo.staged_datasets()["data"]
        assert record.samples == len(expected)
        assert record.objects == sum(sum(found.values()) for _, found in expected.values())

    def check_all(self) -> None:
        """Check every commit by checking it out, and that git and the store are whole."""
        self.project.assert_clean()
        for commit, state in self.states.items():
            self.project.checkout(commit)
            assert read(self.project.files("data"), self.layout) == see_state(state)
        self.project.assert_clean()


def edits(branch: int) -> st.SearchStrategy[list[tuple[object, object]]]:
    """Draw edits of elements that one branch owns."""
    slots = st.sampled_from([slot for slot in range(9) if slot % 3 == branch])
    box = st.tuples(st.tuples(st.sampled_from(SHARED), slots), st.none() | boxes)
    names = st.sampled_from([f"{10 * (branch + 1) + i:04d}.png" for i in range(2)])
    contents = st.dictionaries(st.integers(0, 8), boxes, max_size=2)
    pixels = st.integers(0, 1)
    image = st.tuples(
        names,
        st.none() | st.builds(lambda p, b: Image(100 * branch + 1000 + p, b), pixels, contents),
    )
    return st.lists(st.one_of(box, box, image), min_size=1, max_size=3)


steps = st.one_of(
    st.integers(0, 2).flatmap(lambda b: st.tuples(st.just(b), edits(b))),
    st.tuples(st.permutations(range(3)), st.booleans()),
)


def run(graph: Graph, drawn: list[tuple[object, ...]]) -> None:
    for step in drawn:
        if isinstance(step[0], int):
            graph.commit(BRANCHES[step[0]], step[1])  # type: ignore[arg-type]
        else:
            into, other, _ = step[0]  # type: ignore[misc]
            graph.merge(BRANCHES[into], BRANCHES[other], bool(step[1]))
    for branch in BRANCHES[1:]:
        graph.merge("main", branch, no_ff=False)
    graph.check_all()


@pytest.mark.parametrize("layout", ["coco", "voc", "yolo lists"])
@examples(1)
@given(drawn=st.lists(steps, min_size=6, max_size=14))
def test_every_merge_of_a_random_graph_has_the_last_edit_of_everything(
    layout: str, drawn: list[tuple[object, ...]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        graph = Graph(Path(folder), layout)
        try:
            run(graph, drawn)
        finally:
            graph.project.close()


@pytest.fixture
def graph(tmp_path: Path) -> Iterator[Graph]:
    made = Graph(tmp_path, "coco")
    yield made
    made.project.close()


def test_criss_cross_keeps_what_only_one_of_two_ancestors_has(graph: Graph) -> None:
    """Each of the two best common ancestors lacks an edit that the other one has."""
    graph.commit("left", [(("0001.png", 1), Box("car", 1, 1))])
    graph.commit("right", [(("0001.png", 2), None), ("0030.png", Image(30, {4: Box("dog")}))])
    graph.project.git("branch", "old-left", "left")
    graph.known["old-left"] = graph.known["left"]
    graph.merge("left", "right", no_ff=True)
    graph.merge("right", "old-left", no_ff=True)
    assert len(graph.project.git("merge-base", "--all", "left", "right").split()) == 2
    graph.commit("left", [(("0001.png", 1), None)])
    graph.commit("right", [("0030.png", None)])
    graph.merge("left", "right", no_ff=True)
    graph.check_all()


def test_a_box_that_was_removed_and_merged_twice_does_not_come_back(graph: Graph) -> None:
    graph.commit("left", [(("0001.png", 1), None)])
    graph.merge("main", "left", no_ff=True)
    graph.commit("right", [(("0001.png", 2), Box("person"))])
    graph.merge("right", "main", no_ff=True)
    graph.merge("left", "right", no_ff=True)
    graph.commit("left", [(("0001.png", 4), Box("tree"))])
    graph.merge("main", "left", no_ff=True)
    assert 1 not in graph.state(graph.known["main"])["0001.png"].boxes
    graph.check_all()
