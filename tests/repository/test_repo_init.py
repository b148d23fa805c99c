"""Where a repository may be made."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.repository.kit import Project
from veml_vcs.errors import InvalidInputError
from veml_vcs.repository import init


def test_inside_another_repository_only_where_that_one_ignores_it(tmp_path: Path) -> None:
    """The demo lives in an ignored folder of the checkout; once, it could not be made there."""
    outer = Project(tmp_path)
    outer.write({".gitignore": b"/demo/\n"})
    (tmp_path / "drives").mkdir()
    with pytest.raises(InvalidInputError, match="inside the Git repository"):
        init(str(tmp_path / "drives"))
    assert not (tmp_path / "drives" / ".git").exists()
    made = init(str(tmp_path / "demo" / "repository"))
    assert Path(made.root) == tmp_path / "demo" / "repository"
    assert made.new_git
    outer.git("init", "-q", "drives")
    assert init(str(tmp_path / "drives")).new_store
    outer.close()
