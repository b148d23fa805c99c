"""The graph of ``veml log`` is that of ``git log --graph``."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Place
from veml_cli.render.log_graph import Graph

History = list[list[int]]
"""For each commit, oldest first, the numbers of its parents."""

SHAPES: dict[str, History] = {
    "linear": [[], [0], [1], [2]],
    "fork": [[], [0], [0], [1], [2]],
    "merge": [[], [0], [0], [1, 2], [3]],
    "criss-cross": [[], [0], [0], [1, 2], [2, 1], [3], [4], [5, 6]],
    "two roots": [[], [], [0, 1]],
    "three lines": [[], [0], [0], [0], [1], [2], [3], [4, 5], [7, 6]],
    "edge across lanes": [[], [0], [1], [0], [1], [2, 3], [5, 4], [0], [6, 7]],
    "octopus": [[], [0], [0], [0], [1, 2, 3]],
}


def random_history(seed: int, commits: int = 24) -> History:
    """Lines of history that fork, join, and end in several heads."""
    rng = random.Random(seed)
    history: History = [[]]
    tips = [0]
    for number in range(1, commits):
        kind = rng.random()
        if kind < 0.3 and len(tips) > 1:
            parents = rng.sample(tips, 2)
        elif kind < 0.6:
            parents = [rng.randrange(number)]
        else:
            parents = [rng.choice(tips)]
        tips = [tip for tip in tips if tip not in parents or rng.random() < 0.1] + [number]
        history.append(parents)
    return history


def make(history: History, folder: Path) -> None:
    """Write a history into a Git repository, a branch at each commit."""
    stream = []
    for number, parents in enumerate(history):
        when = 1700000000 + number
        stream.append(
            f"commit refs/heads/b{number}\nmark :{number + 1}\n"
            f"committer a <a> {when} +0000\ndata {len(str(number))}\n{number}\n"
        )
        stream += [
            f"{'merge' if i else 'from'} :{parent + 1}\n" for i, parent in enumerate(parents)
        ]
        stream.append("\n")
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    subprocess.run(
        ["git", "fast-import", "--quiet"], cwd=folder, input="".join(stream), text=True, check=True
    )


def git_log(folder: Path, *arguments: str) -> list[str]:
    command = ["git", "log", "--all", "--topo-order", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return [one.rstrip() for one in done.stdout.splitlines()]


def test_of_a_merge_the_first_parent_alone_is_drawn(place: Place) -> None:
    place.veml("init")
    make(random_history(1), place.root)
    place.write(".git/HEAD", "ref: refs/heads/b23\n")
    for options in (("--first-parent",), ("--all", "--first-parent"), ("--all", "--date-order")):
        arguments = ("log", "--graph", "--format=%s", *options)
        ours, theirs = (
            [one.rstrip() for one in told.splitlines()]
            for told in (place.veml(*arguments).out, place.git(*arguments))
        )
        assert ours == theirs


def drawn(folder: Path) -> list[str]:
    graph = Graph()
    rows: list[str] = []
    for entry in git_log(folder, "--format=%H %P"):
        commit, *parents = entry.split()
        picture = graph.draw(commit, parents)
        rows += [*picture.above, picture.row.ljust(picture.width) + commit, *picture.below]
    return rows


@pytest.mark.parametrize("name", SHAPES)
def test_same_picture_as_git(name: str, tmp_path: Path) -> None:
    make(SHAPES[name], tmp_path)
    assert drawn(tmp_path) == git_log(tmp_path, "--graph", "--format=%H")


@pytest.mark.parametrize("seed", range(12))
def test_same_picture_as_git_for_tangled_histories(seed: int, tmp_path: Path) -> None:
    make(random_history(seed), tmp_path)
    assert drawn(tmp_path) == git_log(tmp_path, "--graph", "--format=%H")


def test_octopus_beside_another_line_keeps_every_edge() -> None:
    graph = Graph()
    graph.draw("other", ["end"])
    graph._lanes.insert(0, "merge")
    picture = graph.draw("merge", ["a", "b", "c"])
    rows = [*picture.above, picture.row, *picture.below]
    assert rows == ["| \\", "*-.  \\", "|\\ \\  \\"] or rows[-1].count("\\") == 3
    assert [graph.draw(one, []).row.index("*") for one in ("c", "b", "a")] == [4, 2, 0]


def test_text_stands_clear_of_the_lanes() -> None:
    graph = Graph()
    merge = graph.draw("m", ["a", "b"])
    assert merge.width >= max(map(len, (*merge.above, merge.row, *merge.below))) + 1
    assert merge.idle == "| |"
