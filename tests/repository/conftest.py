"""An isolated home for git, a fixed identity, and projects that are closed at the end."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.repository.kit import Project

IDENTITY = {
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
}


@pytest.fixture(autouse=True)
def isolated(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Point HOME at an empty folder, and drop what git would take from the environment."""
    home = tmp_path_factory.mktemp("home")
    for name in list(os.environ):
        if name.startswith(("GIT_", "VEML_", "XDG_")) and name != "VEML_DATA":
            monkeypatch.delenv(name)
    for name, value in {
        "HOME": str(home),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
        "TZ": "UTC",
        "LC_ALL": "C.UTF-8",
        **IDENTITY,
    }.items():
        monkeypatch.setenv(name, value)
    time.tzset()  # C has looked at TZ already
    return home


@pytest.fixture
def make_project(tmp_path: Path) -> Iterator[Callable[..., Project]]:
    """Return a maker of projects in folders of their own."""
    made: list[Project] = []

    def make(name: str = "project", *, create: bool = True) -> Project:
        project = Project(tmp_path / name, create=create)
        made.append(project)
        return project

    yield make
    for project in made:
        project.close()


@pytest.fixture
def project(make_project: Callable[..., Project]) -> Project:
    """Return an empty veml repository on the branch main."""
    return make_project()
