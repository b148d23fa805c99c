"""A merge that waits for the user: which conflicts it has, and how each was settled.

Kept in the control folder beside Git's own ``MERGE_HEAD`` (``CHERRY_PICK_HEAD``, ``REVERT_HEAD``),
so that plain ``git merge --abort`` and ``git commit`` end it too (a state without it is stale and
ignored). A cherry-pick and a revert are merges over another base. Conflicts that a plain git
command, or a stash, left are read from the index; see ``pending``.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, replace
from typing import Any

from veml_vcs.errors import ConflictError, DamagedError
from veml_vcs.ids import CommitId, short
from veml_vcs.repository.merging.conflict import DataConflict
from veml_vcs.repository.merging.operation import HEAD_FILES, Operation, how_to_end, operation_of
from veml_vcs.repository.merging.pending import forget_pending, pending_conflicts
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.revisions import merge_bases
from veml_vcs.samples.annotations.conflicts import Choice

_FILE = "merge.json"

Sides = tuple[list[CommitId | None], CommitId | None]
"""Bases, and the commit of their side; None is the empty tree."""


@dataclass(frozen=True)
class MergeState:
    """A merge under way.

    Attributes:
        theirs_name: What was merged, as the user called it.
        ours: Our commit.
        theirs: Their commit; empty for the empty tree.
        conflicts: All conflicts in data sets, settled ones too.
        kind: What is under way.
        base: What both sides are taken to have begun as; None is their common ancestors, empty
            the empty tree.
        todo: Commits that are still to be cherry-picked or reverted after this one.
        original: Where HEAD was before the first of them.
        favour: Side that settles all other conflicts.
    """

    theirs_name: str
    ours: str
    theirs: str
    conflicts: tuple[DataConflict, ...] = ()
    kind: Operation = "merge"
    base: str | None = None
    todo: tuple[str, ...] = ()
    original: str = ""
    favour: Choice | None = None

    @property
    def label(self) -> str:
        """What conflict marks call their side."""
        return label_of(self.kind, self.theirs_name)

    @property
    def by_git(self) -> bool:
        """Whether a plain git command, or a stash, left this; the index alone says what."""
        return not self.ours

    @property
    def open_conflicts(self) -> tuple[DataConflict, ...]:
        """The conflicts that are not settled yet."""
        return tuple(one for one in self.conflicts if one.choice is None)


def load_merge_state(repo: Repository) -> MergeState | None:
    """Return the merge under way, or None.

    Raises:
        DamagedError: The state cannot be read.
    """
    kind = under_way(repo)
    noted = (repo.git.read_state(HEAD_FILES[kind]) or b"" if kind else b"").decode(
        "utf-8", "replace"
    )
    head = (noted.split() or [""])[0]
    found = read_merge_state(repo) if kind is not None else None
    if found is None or found.kind != kind or _noted_head(found) != head:
        return _from_git(repo, kind, head)  # none, or of something else, which git ended
    return found


def read_merge_state(repo: Repository) -> MergeState | None:
    """Return the state that was saved last, whether or not it still waits for the user.

    Raises:
        DamagedError: It cannot be read.
    """
    path = os.path.join(repo.private_folder, _FILE)
    if not repo.files.exists(path):
        return None
    kind = under_way(repo) or "merge"
    try:
        state = json.loads(bytes(repo.files.read(path)))
        check = state.pop("check", None)  # veml 0.1 wrote none
        if check is not None and check != _check(state):
            raise ValueError("the checksum is another")
        found = MergeState(
            state["theirs_name"],
            state["ours"],
            state["theirs"],
            tuple(DataConflict(**one) for one in state["conflicts"]),
            state.get("kind", "merge"),
            state.get("base"),
            tuple(state.get("todo", ())),
            state.get("original", ""),
            state.get("favour"),
        )
        _check_words(found)
    except (AttributeError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise DamagedError(
            f"{path}: the state of the {kind} cannot be read", hint=how_to_end(kind)[1]
        ) from error
    return found


def sides_of(repo: Repository, state: MergeState, ours: CommitId) -> Sides:
    """Return what both sides of a merge began as, and their side.

    Args:
        repo: The repository.
        state: The merge, cherry-pick or revert.
        ours: Our side.

    Raises:
        NotFoundError: Their commit is not there (any more).
    """
    theirs = repo.resolve(state.theirs) if state.theirs else None
    if state.base is not None:
        bases: list[CommitId | None] = [CommitId(state.base) if state.base else None]
    else:
        bases = [*merge_bases(repo.git, ours, theirs)] if theirs else []
    return bases or [None], theirs


def label_of(kind: Operation, name: str) -> str:
    """Return what conflict marks call the side that is brought."""
    return f"parent of {name}" if kind == "revert" else name


def _check_words(state: MergeState) -> None:
    """Raise TypeError where something that has to be text is not."""
    words: list[Any] = [state.theirs_name, state.ours, state.theirs, state.kind, state.base or ""]
    words += [*state.todo, state.original, state.favour or ""]
    for one in state.conflicts:
        words += [one.dataset, one.key, one.kind, one.path, one.choice or ""]
    if not all(isinstance(word, str) for word in words):
        raise TypeError("expected text")


def _from_git(repo: Repository, kind: Operation | None, head: str) -> MergeState | None:
    """Return what a plain git command left in conflict; None if it left nothing."""
    pending = pending_conflicts(repo)
    if kind != "merge" and not pending:
        return None
    conflicts = tuple(one for left in pending.values() for one in left.conflicts)
    if kind == "merge":
        return MergeState(short(head, 7), "", head, conflicts)
    operation = operation_of(repo.git)
    names = {"stash": "a stash", "squash": "a branch"}
    name = names.get(operation, f"git {operation}")
    return MergeState(name, "", "", conflicts, operation)


def _noted_head(state: MergeState) -> str:
    """Return the commit that Git's own file names while this is under way."""
    return (state.base or "") if state.kind == "revert" else state.theirs


def replayed(state: MergeState) -> CommitId:
    """Return the commit that a cherry-pick or revert is at."""
    return CommitId(_noted_head(state))


def under_way(repo: Repository) -> Operation | None:
    """Return what waits for the user: ``merge``, ``cherry-pick``, ``revert``, or None."""
    return next(
        (kind for kind, name in HEAD_FILES.items() if repo.git.read_state(name) is not None), None
    )


def refuse_under_way(repo: Repository) -> None:
    """Refuse to begin something while something else waits for the user.

    Raises:
        ConflictError: A merge, cherry-pick or revert is under way.
    """
    kind = under_way(repo)
    if kind is not None:
        by_git = not repo.files.exists(os.path.join(repo.private_folder, _FILE))
        finish, drop = how_to_end(kind, by_git=by_git)
        raise ConflictError(
            f"a {kind} is under way",
            hint=f"{finish} finishes it, {drop} drops it",
            kind="merging",
        )


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
        "kind": state.kind,
        "base": state.base,
        "todo": list(state.todo),
        "original": state.original,
        "favour": state.favour,
    }
    data["check"] = _check(data)
    repo.files.write_atomic(path, json.dumps(data, indent=1).encode())


def _check(data: dict[str, Any]) -> str:
    """Return the checksum of a state: a changed letter could settle a conflict the other way."""
    canonical = json.dumps(data, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def forget_merge(repo: Repository) -> None:
    """Remove all state of a merge."""
    forget_heads(repo)
    save_merge_state(repo, None)


def forget_heads(repo: Repository) -> None:
    """Remove Git's own files that say what waits for the user.

    The heads last: while one is there, the rest is known to be left over.
    """
    for name in ("MERGE_MSG", "MERGE_MODE", "SQUASH_MSG", *HEAD_FILES.values()):
        repo.git.write_state(name, None)


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
