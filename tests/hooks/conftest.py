"""Repositories with veml's hooks, worked in with the real git."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.hooks.kit import GitProject
from tests.repository.conftest import IDENTITY, isolated, make_project, project
from tests.repository.kit import coco, small_model
from veml_vcs.repository import init

__all__ = ["isolated", "make_project", "project"]


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """On main one commit with a data set; on night another box and another image."""
    root = tmp_path_factory.mktemp("prepared") / "drives"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in IDENTITY.items():
            patch.setenv(name, value)
        init(str(root), branch="main")
        made = GitProject(root, create=False)
        model = small_model(4)
        made.write(coco(model), "data")
        made.write({"notes.txt": b"one\n"})
        made.add("data", "notes.txt")
        made.commit("first")
        made.checkout("night", create=True)
        night = dict(model)
        night["0001.png"] = (night["0001.png"][0]._replace(x=20), *night["0001.png"][1:])
        night["0009.png"] = ()
        made.replace(coco(night), "data")
        made.add("data")
        made.commit("night")
        made.checkout("main")
        made.install()
        made.close()
    return root


@pytest.fixture
def drives(prepared: Path, tmp_path: Path) -> Iterator[GitProject]:
    """A copy of the prepared repository."""
    shutil.copytree(prepared, tmp_path / "drives", symlinks=True)
    made = GitProject(tmp_path / "drives", create=False)
    yield made
    made.close()


@pytest.fixture
def clone_of(tmp_path: Path) -> Iterator[Callable[..., GitProject]]:
    """Return a maker of plain ``git clone``s."""
    all_made: list[GitProject] = []

    def make(source: GitProject, name: str = "clone") -> GitProject:
        source.git("clone", "-q", str(source.root), str(tmp_path / name))
        all_made.append(GitProject(tmp_path / name, create=False))
        return all_made[-1]

    yield make
    for made in all_made:
        made.close()
