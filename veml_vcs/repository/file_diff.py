"""Differences of ordinary files, as unified diffs."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

from veml_vcs.repository.git.repo import TreeFile
from veml_vcs.repository.repository import Repository

_MAX_DIFF_BYTES = 2 << 20
_LOOK_FOR_NUL = 8000


@dataclass(frozen=True)
class FileDiff:
    """How one ordinary file differs.

    Attributes:
        path: From the repository's root.
        kind: ``added``, ``removed`` or ``changed``.
        binary: Whether its lines cannot be shown.
        added_lines: Number of new lines.
        removed_lines: Number of lines that are gone.
        lines: The unified diff.
    """

    path: str
    kind: str
    binary: bool = False
    added_lines: int = 0
    removed_lines: int = 0
    lines: tuple[str, ...] = ()


def diff_files(
    repo: Repository, changed: Mapping[str, tuple[TreeFile | None, TreeFile | None]]
) -> tuple[FileDiff, ...]:
    """Compare ordinary files.

    Args:
        repo: The repository.
        changed: Path -> file before and after.
    """
    return tuple(_diff_file(repo, path, old, new) for path, (old, new) in changed.items())


def _diff_file(repo: Repository, path: str, old: TreeFile | None, new: TreeFile | None) -> FileDiff:
    kind = "added" if old is None else "removed" if new is None else "changed"
    before = repo.git.read_blob(old.blob) if old else b""
    after = repo.git.read_blob(new.blob) if new else b""
    if (
        b"\0" in before[:_LOOK_FOR_NUL]
        or b"\0" in after[:_LOOK_FOR_NUL]
        or len(before) + len(after) > _MAX_DIFF_BYTES
    ):
        return FileDiff(path, kind, binary=True)
    lines = list(
        difflib.unified_diff(
            before.decode("utf-8", "replace").splitlines(),
            after.decode("utf-8", "replace").splitlines(),
            f"a/{path}" if old else "/dev/null",
            f"b/{path}" if new else "/dev/null",
            lineterm="",
        )
    )
    return FileDiff(
        path,
        kind,
        added_lines=sum(1 for line in lines[2:] if line.startswith("+")),
        removed_lines=sum(1 for line in lines[2:] if line.startswith("-")),
        lines=tuple(lines),
    )
