"""The conflicts of the merge under way that are still open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from veml_vcs.errors import NotFoundError

if TYPE_CHECKING:
    from veml_vcs.repository.merging.conflict import DataConflict
    from veml_vcs.repository.repository import Repository


@dataclass(frozen=True)
class OpenConflicts:
    """What is left to settle.

    Attributes:
        conflicts: In data sets.
        files: Ordinary files.
        kind: What is under way: ``merge``, ``cherry-pick`` or ``revert``.
    """

    conflicts: tuple[DataConflict, ...]
    files: tuple[str, ...]
    kind: str = "merge"


def open_conflicts(repo: Repository) -> OpenConflicts:
    """Return what is left to settle.

    Raises:
        NotFoundError: No merge is under way.
    """
    from veml_vcs.repository.merging.state import load_merge_state

    state = load_merge_state(repo)
    if state is None:
        raise NotFoundError("no merge is under way", kind="not-merging")
    records = {one.dataset + ".veml" for one in state.conflicts}
    files = tuple(path for path in repo.git.conflicted_paths() if path not in records)
    return OpenConflicts(state.open_conflicts, files, state.kind)
