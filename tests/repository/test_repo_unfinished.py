"""The note of what a command is about: there as a whole, or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from veml_vcs.objects.files import Files
from veml_vcs.repository.worktree.unfinished import Unfinished


def test_a_note_has_its_name_when_all_of_it_is_there(tmp_path: Path) -> None:
    """Seen to fail: one killed in between left half a plan, which veml mv could not parse."""
    seen: list[bytes] = []

    def look(operation: str, path: str) -> None:
        seen.extend(one.read_bytes() for one in tmp_path.glob("intent-*"))

    notes = Unfinished(str(tmp_path), Files(look))
    with notes.about("mv a b"):
        assert [one.read_bytes() for one in tmp_path.iterdir()] == [b"mv a b"]
    assert set(seen) == {b"mv a b"}
    assert list(tmp_path.iterdir()) == []


def test_half_a_note_is_of_a_command_that_did_not_begin(tmp_path: Path) -> None:
    (tmp_path / f"draft-{os.getpid()}-00000000").write_bytes(b'mv {"asked": [')
    notes = Unfinished(str(tmp_path), Files())
    notes.sweep(merging=False)
    assert notes.interrupted is None
    assert list(tmp_path.iterdir()) == []
