"""The place that tests of rebuild and transfer work in."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Place


@pytest.fixture
def cells(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A copy of the module's ``made`` for each test: what one does is not in the way of another."""
    shutil.copytree(made, tmp_path / "repository", symlinks=True)
    monkeypatch.chdir(tmp_path / "repository")
    return Place(tmp_path / "repository")
