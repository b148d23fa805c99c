"""``veml data fetch`` on the command line."""

from __future__ import annotations

from typing import Any

import pytest

Place = Any


@pytest.fixture
def clone(drives: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A plain ``git clone`` of drives beside it."""
    root = drives.root.parent / "clone"
    drives.git("clone", "-q", str(drives.root), str(root))
    monkeypatch.chdir(root)
    return type(drives)(root)


def test_fetch_says_what_it_brought(drives: Place, clone: Place) -> None:
    done = clone.veml("data", "fetch")
    assert done.out.startswith("fetched 12 files, 1 annotation, ")
    assert clone.veml("data", "fetch").out == "nothing to fetch: 1 version complete here\n"
    clone.veml("restore", ".")
    assert "working tree clean" in clone.veml("status").out


def test_fetch_as_json(drives: Place, clone: Place) -> None:
    found = clone.veml("data", "fetch", "--from", str(drives.root), "--json").json()
    assert found["files"] == 12
    assert found["missing"] == []
    assert found["source"] == str(drives.root)


def test_what_is_nowhere_ends_with_one(drives: Place, clone: Place) -> None:
    for pack in (drives.root / ".git/veml/packs").iterdir():
        pack.unlink()
    done = clone.veml("data", "fetch", code=1)
    assert "missing" in done.out
    assert "veml data fetch --from PATH" in done.err


def test_a_group_shows_its_commands(place: Place) -> None:
    done = place.veml("data", "--help")
    assert "fetch" in done.out
    assert "Examples:" in done.out
    assert place.veml("data", code=1).out == done.out
    assert "No such command" in place.veml("data", "fech", code=129).err
