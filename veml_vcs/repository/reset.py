"""``veml reset``: move the branch, the index and the work tree to another commit.

What Git calls mixed leaves the work tree alone, and so does veml; the records of data sets are
index and work tree in one, so they follow the index, and the folders stay as they are.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from veml_vcs.errors import ConflictError, NotFoundError
from veml_vcs.ids import CommitId
from veml_vcs.repository.checkout import move_work_tree
from veml_vcs.repository.datasets import stage_record, unstage_record
from veml_vcs.repository.git.repo import TreeFile
from veml_vcs.repository.merging.state import forget_merge, under_way
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.worktree.plain_files import drop_conflicts
from veml_vcs.versions.data import RECORD_SUFFIX, is_data_record, parse_data_record

Mode = Literal["soft", "mixed", "hard"]


@dataclass(frozen=True)
class ResetResult:
    """Where everything is now.

    Attributes:
        commit: Where HEAD is.
        previous: Where it was; ``ORIG_HEAD`` names it too.
        mode: ``soft``, ``mixed`` or ``hard``.
        subject: First line of the commit's message.
        written: Data set -> number of files written or removed.
    """

    commit: CommitId
    previous: CommitId
    mode: Mode
    subject: str
    written: dict[str, int]


def reset(
    repo: Repository,
    revision: str = "HEAD",
    *,
    mode: Mode = "mixed",
    progress: Progress = silent,
) -> ResetResult:
    """Move HEAD, and the branch it is on, to a commit.

    Args:
        repo: The repository.
        revision: Where to.
        mode: ``soft`` moves HEAD alone, ``mixed`` the index too, ``hard`` the work tree too:
            uncommitted changes of tracked files are thrown away.
        progress: Is told how far it is.

    Raises:
        NotFoundError: There is no such revision, no commit yet, or the store lacks contents.
        ConflictError: ``soft`` while a merge is under way.
    """
    with repo.lock("veml reset"):
        old = repo.git.head().commit
        if old is None:
            raise NotFoundError(
                "HEAD has no commits yet", hint="veml rm --cached unstages", kind="unborn"
            )
        new = repo.resolve(revision)
        waiting = under_way(repo)
        if mode == "soft" and (waiting or repo.git.conflicted_paths()):
            raise ConflictError(
                f"no soft reset in the middle of a {waiting or 'merge'}",
                hint=f"veml {waiting or 'merge'} --abort, or veml reset --hard",
                kind="merging",
            )
        written: dict[str, int] = {}
        if mode == "hard":
            moves = move_work_tree(repo, old, new, "reset", force=True, progress=progress)
            written = {move.path: len(move.changes) for move in moves if move.changes}
            drop_conflicts(repo)
        elif mode == "mixed":
            move_index(repo, repo.git.files(new))
        repo.git.write_state("ORIG_HEAD", old.encode() + b"\n")
        message = os.fsencode(f"reset: moving to {revision}")
        if not repo.git.move_head(old, new, message):
            raise ConflictError("HEAD moved while it was reset", hint="run the same command again")
        if mode != "soft":
            forget_merge(repo)
            repo.unfinished.forget()
    lines = repo.git.commit(new).message.decode("utf-8", "replace").splitlines()
    return ResetResult(new, old, mode, lines[0] if lines else "", written)


def move_index(repo: Repository, wanted: Mapping[str, TreeFile]) -> None:
    """Make the index hold these files, and leave the work tree alone.

    Args:
        repo: The repository, whose lock the caller holds.
        wanted: All files that the index shall hold.
    """
    here = repo.staged_datasets()
    staged = repo.git.staged_files()
    for path in sorted(staged.keys() | wanted.keys() | set(repo.git.conflicted_paths())):
        file = wanted.get(path)
        if staged.get(path) == file or not path.endswith(RECORD_SUFFIX):
            continue
        name = path.removesuffix(RECORD_SUFFIX)
        data = repo.git.read_blob(file.blob) if file is not None else b""
        if file is not None and is_data_record(data):
            stage_record(repo, name, parse_data_record(data, path))
        elif file is None and name in here:
            unstage_record(repo, name, here[name])
    staged = repo.git.staged_files()
    gone = [path for path in sorted({*staged, *repo.git.conflicted_paths()}) if path not in wanted]
    if gone:
        repo.git.unstage(gone)
    changed = {path: file for path, file in wanted.items() if staged.get(path) != file}
    if changed:
        repo.git.stage_files(changed)
