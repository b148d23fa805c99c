"""A merge that waits for the user: which conflicts it has, and how each was settled.

Kept in the control folder beside Git's own ``MERGE_HEAD``, so that plain ``git merge --abort`` and
``git commit`` end it too (a state without its ``MERGE_HEAD`` is stale and ignored). Conflicts that
a plain git command left are read from the index; see ``pending``.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, replace
from typing import Any

from veml_vcs.errors import DamagedError
from veml_vcs.ids import short
from veml_vcs.repository.data_conflict import DataConflict
from veml_vcs.repository.operation import Operation, operation_of
from veml_vcs.repository.pending import forget_pending, pending_conflicts
from veml_vcs.repository.repository import Repository

_FILE = "merge.json"


@dataclass(frozen=True)
class MergeState:
    """A merge under way.

    Attributes:
        theirs_name: What was merged, as the user called it.
        ours: Our commit.
        theirs: Their commit.
        conflicts: All conflicts in data sets, settled ones too.
        operation: The git command that is under way.
    """

    theirs_name: str
    ours: str
    theirs: str
    conflicts: tuple[DataConflict, ...] = ()
    operation: Operation = "merge"

    @property
    def open_conflicts(self) -> tuple[DataConflict, ...]:
        """The conflicts that are not settled yet."""
        return tuple(one for one in self.conflicts if one.choice is None)


def load_merge_state(repo: Repository) -> MergeState | None:
    """Return the merge under way, or None.

    Raises:
        DamagedError: The state cannot be read.
    """
    heads = repo.git.read_state("MERGE_HEAD")
    path = os.path.join(repo.private_folder, _FILE)
    theirs = (heads.decode("utf-8", "replace").split() or [""])[0] if heads is not None else ""
    if heads is None or not repo.files.exists(path):
        return _from_git(repo, theirs)
    try:
        state = json.loads(bytes(repo.files.read(path)))
        check = state.pop("check", None)  # veml 0.1 wrote none
        if check is not None and check != _check(state):
            raise ValueError("the checksum is another")
        if state["theirs"] != theirs:
            return _from_git(repo, theirs)  # of another merge, which git ended
        found = MergeState(
            state["theirs_name"],
            state["ours"],
            state["theirs"],
            tuple(DataConflict(**one) for one in state["conflicts"]),
        )
        _check_words(found)
    except (AttributeError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise DamagedError(
            f"{path}: the state of the merge cannot be read", hint="veml merge --abort"
        ) from error
    return found


def _check_words(state: MergeState) -> None:
    """Raise TypeError where something that has to be text is not."""
    words: list[Any] = [state.theirs_name, state.ours, state.theirs]
    for one in state.conflicts:
        words += [one.dataset, one.key, one.kind, one.path, one.choice or ""]
    if not all(isinstance(word, str) for word in words):
        raise TypeError("expected text")


def _from_git(repo: Repository, theirs: str) -> MergeState | None:
    """Return what a plain git command left in conflict; None if it left nothing."""
    pending = pending_conflicts(repo)
    if not theirs and not pending:
        return None
    conflicts = tuple(one for left in pending.values() for one in left.conflicts)
    operation = "merge" if theirs else operation_of(repo.git)
    name = short(theirs, 7) if theirs else f"git {operation}"
    return MergeState(name, "", theirs, conflicts, operation)


def save_merge_state(repo: Repository, state: MergeState | None) -> None:
    """Remember a merge under way, or forget it (None)."""
    path = os.path.join(repo.private_folder, _FILE)
    if state is None:
        if repo.files.exists(path):
            repo.files.remove(path)
        return
    data: dict[str, Any] = {
        "theirs_name": state.theirs_name,
        "ours": state.ours,
        "theirs": state.theirs,
        "conflicts": [one.as_dict() for one in state.conflicts],
    }
    data["check"] = _check(data)
    repo.files.write_atomic(path, json.dumps(data, indent=1).encode())


def _check(data: dict[str, Any]) -> str:
    """Return the checksum of a state: a changed letter could settle a conflict the other way."""
    canonical = json.dumps(data, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def forget_merge(repo: Repository) -> None:
    """Remove all state of a merge."""
    for name in ("MERGE_HEAD", "MERGE_MSG", "MERGE_MODE"):
        repo.git.write_state(name, None)
    save_merge_state(repo, None)


def settle_by_hand(repo: Repository, dataset: str) -> None:
    """Take a data set's folder as the settlement of all its conflicts (``veml add`` does this)."""
    forget_pending(repo, dataset)
    state = load_merge_state(repo)
    if state is None or not state.ours:
        return
    conflicts = tuple(
        replace(one, choice=one.choice or "by hand") if one.dataset == dataset else one
        for one in state.conflicts
    )
    if conflicts != state.conflicts:
        save_merge_state(repo, replace(state, conflicts=conflicts))
