"""One side empties a list or an annotation file, the other adds to it.

How a file names its images cannot be read from an empty one. Found by a long walk of the state
machine (``voc lists`` 5001: ``val.txt`` said ``JPEGImages/0102``); seen to fail without
``_with_naming``.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.repository.kit import Project
from tests.repository.model import FORMATS, Box, Image, State, read, see_state, write


@pytest.mark.parametrize("emptied_by", ["ours", "theirs"])
@pytest.mark.parametrize("layout", ["voc lists", "yolo lists", "coco two files"])
def test_a_file_that_one_side_emptied(
    make_project: Callable[..., Project], layout: str, emptied_by: str
) -> None:
    project = make_project()

    def save(state: State) -> None:
        project.replace(write(state, layout), "data")
        project.save("data")

    base: State = {f"{i:04d}.png": Image(i, {0: Box("car")}) for i in (1, 2, 3)}
    emptied = {name: one for name, one in base.items() if name != "0002.png"}  # the only even one
    added = base | {"0102.png": Image(102, {1: Box("dog")})}
    project.write(write(base, layout), "data")
    project.add("data", format=FORMATS[layout].name)
    project.commit()
    project.checkout("other", create=True)
    save(added if emptied_by == "ours" else emptied)
    project.checkout("main")
    save(emptied if emptied_by == "ours" else added)
    assert project.merge("other").kind == "merged"
    expected = {name: one for name, one in added.items() if name != "0002.png"}
    assert read(project.files("data"), layout) == see_state(expected)
    project.assert_clean()
