"""``veml resolve``: settle conflicts of a merge, each to one side or to both."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from veml_vcs.errors import InvalidInputError, NotFoundError
from veml_vcs.ids import CommitId
from veml_vcs.repository.git.repo import TreeFile, blob_id
from veml_vcs.repository.merging.conflict import DataConflict
from veml_vcs.repository.merging.merge import settle
from veml_vcs.repository.merging.operation import Operation, operation_of
from veml_vcs.repository.merging.pending_settle import bring_settled, plan_unmerged
from veml_vcs.repository.merging.rules import ConflictName
from veml_vcs.repository.merging.state import MergeState, load_merge_state, sides_of
from veml_vcs.repository.merging.text import BLOB_KINDS, merge_text, merged_mode
from veml_vcs.repository.models.settle import config_of_side
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.worktree.follow import follow
from veml_vcs.repository.worktree.plain_files import write_plain
from veml_vcs.samples.annotations import Choice, Resolution, can_be_both
from veml_vcs.versions.data import RECORD_SUFFIX
from veml_vcs.versions.kinds import MODEL, measured_at


@dataclass(frozen=True)
class ResolveResult:
    """What was settled, and what is left.

    Attributes:
        settled: Number of conflicts settled now.
        left: Conflicts in data sets that are still open.
        files: Ordinary files that are still in conflict.
        kind: What is to be finished: a merge, a cherry-pick...
        by_git: Whether a plain git command began it.
    """

    settled: int
    left: tuple[DataConflict, ...] = ()
    files: tuple[str, ...] = ()
    kind: Operation = "merge"
    by_git: bool = False


def resolve(
    repo: Repository, keys: Sequence[str], choice: Resolution, *, progress: Progress = silent
) -> ResolveResult:
    """Settle conflicts to one side, or to both; changes that do not conflict stay merged.

    ``both`` keeps both versions of an object that both sides changed or added (theirs as an object
    of its own, which gets an id of its own), and the lines of both sides of a text, ours first.

    All that is named is settled together, or nothing is. The record of a model is settled with its
    config: the files of it become those of the same side.

    Args:
        repo: The repository.
        keys: ``DATASET`` (all its conflicts), ``DATASET/KEY``, ``KEY`` where it is unambiguous,
            either of these two with ``:PATH`` for one conflict of a sample
            (``images/a.jpg:objects[id=17]``), or an ordinary file.
        choice: ``ours``, ``theirs``, ``base`` or ``both``.
        progress: Is told how far it is.

    Raises:
        NotFoundError: No merge is under way, or there is no such conflict.
        InvalidInputError: Both are asked for where that has no meaning: nothing is settled then.
    """
    about = " ".join(["resolve", choice, *keys])
    with (
        repo.lock("veml resolve"),
        repo.git.batch(),
        _resuming(repo, about) as resumed,
    ):
        state, known = load_merge_state(repo), repo.staged_datasets()
        if state is None and repo.git.conflicted_paths():
            # Of a rebase or a stash of git's: no data is in conflict, ordinary files are.
            state = MergeState("", "", "", kind=operation_of(repo.git))
        if state is None and resumed:
            follow(repo, progress=progress)
            return ResolveResult(0)
        if state is None:
            raise NotFoundError("no merge is under way", kind="not-merging")
        files = _plain_conflicts(repo, state)
        choices: dict[str, dict[str, Resolution]] = {}
        chosen: dict[str, dict[ConflictName, Resolution]] = {}
        plain: dict[str, bytes | None] = {}
        beside: dict[str, TreeFile] = {}
        settled = 0
        for text in keys:
            if text in files:
                beside.update(config_of_side(repo, state, text, choice))
                plain[text] = _united(repo, text) if choice == "both" else None
                settled += 1
                continue
            found, one_by_one = _matching(state, text)
            if not found and (
                _is_settled_so(repo, state, text, choice) or (resumed and text.rstrip("/") in known)
            ):
                continue  # by a run of this very command that was killed
            if not found:
                raise NotFoundError(
                    f"no conflict at {text}", hint="veml status lists them", kind="no-conflict"
                )
            settled += len(found)
            for one in found:
                if one_by_one:
                    chosen.setdefault(one.dataset, {})[one.name] = choice
                else:
                    choices.setdefault(one.dataset, {})[one.key] = choice
        if choices or chosen:
            state = settle(repo, choices, chosen=chosen, progress=progress)
        elif resumed:
            follow(repo, progress=progress)
        for path, file in beside.items():
            write_plain(repo, path, file)
            repo.git.stage_file(path, file)
        for path, united in plain.items():
            if path not in beside:
                _settle_file(repo, path, choice, united)
        files = _plain_conflicts(repo, state)
        return ResolveResult(settled, state.open_conflicts, files, state.kind, state.by_git)


def merge_unmerged(repo: Repository, *, progress: Progress = silent) -> tuple[str, ...]:
    """Merge the records that plain git left unmerged, where no side contradicts the other.

    Git merges them by line where their data is not in the clone (``git pull`` brings records
    alone), or where the merge driver is not set up.

    Args:
        repo: The repository.
        progress: Is told how far it is.

    Returns:
        The data sets that were merged, staged, and brought to the result.

    Raises:
        ConflictError: A folder has changes that would be lost: it stays as it is.
    """
    with repo.lock("veml resolve"), repo.git.batch(), _resuming(repo, "resolve") as resumed:
        settled = plan_unmerged(repo)
        if settled:
            bring_settled(repo, settled, progress=progress)
        elif resumed:
            follow(repo, progress=progress)
        return tuple(one.path for one in settled)


@contextmanager
def _resuming(repo: Repository, about: str) -> Iterator[bool]:
    """Note what is being settled; give whether the same was, by a command that was killed."""
    resumed = repo.unfinished.interrupted == about
    with repo.unfinished.about(about):
        yield resumed


def both_can_be(repo: Repository, conflicts: Sequence[DataConflict], path: str = "") -> bool:
    """Tell whether ``both`` settles all of these conflicts, or an ordinary file in conflict.

    Of a text in a data set it is not known before it is tried.
    """
    if path:
        if MODEL.may_be(path):
            return False
        try:
            _united(repo, path)
        except InvalidInputError:
            return False
        return True
    return all(one.kind == "file-both" or can_be_both(one.kind, one.path) for one in conflicts)


def _matching(state: MergeState, text: str) -> tuple[list[DataConflict], bool]:
    """Return the conflicts that a text names, and whether it names them one by one."""
    name = text.rstrip("/")
    whole = [one for one in state.conflicts if one.dataset == name]
    exact = [one for one in state.conflicts if f"{one.dataset}/{one.key}" == name]
    loose = [one for one in state.conflicts if one.key == name]
    if len({one.dataset for one in loose}) > 1:
        loose = []
    if whole or exact or loose:
        return whole or exact or loose, False
    single = [one for one in state.conflicts if one.path and _names(one, name)]
    return (single if len({one.dataset for one in single}) == 1 else []), True


def _names(one: DataConflict, text: str) -> bool:
    """Tell whether a text is the key of a conflict and its place, or the object it is about."""
    for key in (f"{one.dataset}/{one.key}:", f"{one.key}:"):
        if text.startswith(key):
            place = text.removeprefix(key)
            return one.path == place or one.path.startswith(place + ".")
    return False


def _plain_conflicts(repo: Repository, state: MergeState) -> tuple[str, ...]:
    data = {one.dataset + RECORD_SUFFIX for one in state.conflicts}
    return tuple(path for path in repo.git.conflicted_paths() if path not in data)


def _is_settled_so(repo: Repository, state: MergeState, path: str, choice: Resolution) -> bool:
    """Tell whether an ordinary file is staged as the side that is asked for has it."""
    if not state.ours:
        return False
    ours = CommitId(state.ours)
    bases, theirs = sides_of(repo, state, ours)
    sides: dict[Choice, list[CommitId | None]] = {"ours": [ours], "theirs": [theirs], "base": bases}
    here = {name: [repo.git.files(one).get(path) for one in side] for name, side in sides.items()}
    known = any(file is not None for side in here.values() for file in side)
    if choice == "both":
        three = (_first(here["base"]), _first(here["ours"]), _first(here["theirs"]))
        staged = repo.git.staged_files().get(path)
        return known and staged is not None and staged.blob == blob_id(_unite(repo, path, three))
    return known and repo.git.staged_files().get(path) in here[choice]


def _first(files: Sequence[TreeFile | None]) -> TreeFile | None:
    return next((one for one in files if one is not None), None)


def _united(repo: Repository, path: str) -> bytes:
    """Return a file in conflict with the lines of both sides."""
    return _unite(repo, path, repo.git.conflict_stages(path))


def _unite(
    repo: Repository, path: str, three: tuple[TreeFile | None, TreeFile | None, TreeFile | None]
) -> bytes:
    """Merge a text with the lines of both sides, ours first, where they contradict each other.

    Raises:
        InvalidInputError: One side removed it, or it is no text.
    """
    _, ours, theirs = three
    reason = "one side removed it"
    if measured_at(path) is not None:
        from veml_vcs.repository.records.merging import refuse_both

        refuse_both(repo, path, three)
    if ours is not None and theirs is not None:
        reason = "it is not a text"
        if all(one is None or one.mode in BLOB_KINDS for one in three):
            sides = [b"" if one is None else repo.git.read_blob(one.blob) for one in three]
            text, conflict = merge_text(sides[0], sides[1], sides[2], names=("", ""), favour="both")
            if not conflict:
                return text
    raise InvalidInputError(
        f"{path}: both sides cannot be kept: {reason}; it is still in conflict",
        hint=f"veml resolve {path} --ours (or --theirs, --base)",
        kind="not-both",
    )


def _settle_file(repo: Repository, path: str, choice: Resolution, united: bytes | None) -> None:
    three = repo.git.conflict_stages(path)
    if united is not None:
        base, ours, theirs = three
        assert ours is not None
        assert theirs is not None
        file = TreeFile(merged_mode(base, ours, theirs), repo.git.write_blob(united))
        write_plain(repo, path, file)
        repo.git.stage_file(path, file)
        return
    assert choice != "both"
    chosen = dict(zip(("base", "ours", "theirs"), three, strict=True))[choice]
    full = repo.absolute(path)
    if chosen is None:
        if os.path.lexists(full):
            repo.files.remove(full)
        repo.git.unstage([path])
        return
    write_plain(repo, path, chosen)
    repo.git.stage_file(path, chosen)
