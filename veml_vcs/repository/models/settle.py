"""The config that belongs to a side of a model's record in conflict.

A record says what its config says. One that is taken from a side fits only if its config is that
side's too; so ``veml resolve models/NAME.veml --ours`` settles both. Nothing is written here.
"""

from __future__ import annotations

from veml_vcs.errors import ConflictError, InvalidInputError, NotFoundError
from veml_vcs.ids import CommitId
from veml_vcs.repository.git.repo import TreeFile
from veml_vcs.repository.merging.operation import HEAD_FILES
from veml_vcs.repository.merging.state import MergeState, sides_of
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.worktree.plain_files import same_on_disk
from veml_vcs.samples.annotations import Choice, Resolution
from veml_vcs.versions.kinds import MODEL

_REPLAYED = {"cherry-pick": HEAD_FILES["cherry-pick"], "rebase": "REBASE_HEAD"}
_PACKAGE = "::"


def config_of_side(
    repo: Repository, state: MergeState, path: str, choice: Resolution
) -> dict[str, TreeFile]:
    """Return the files of a model's config as a side has them, those that are other ones now.

    Args:
        repo: The repository.
        state: What is under way.
        path: A file in conflict, from the repository's root.
        choice: The side.

    Returns:
        Path -> file; empty if ``path`` is no model's record, or the side has none.

    Raises:
        InvalidInputError: Both are asked for: a record cannot be two.
        NotFoundError: Nobody knows any more which commit that side is.
        ConflictError: A file has changes that would be lost.
        FormatError: The record is none that veml can read.
    """
    three = repo.git.conflict_stages(path)
    datas = [None if one is None else repo.git.read_blob(one.blob) for one in three]
    if not MODEL.may_be(path) or not any(one is not None and MODEL.is_record(one) for one in datas):
        return {}
    if choice == "both":
        raise InvalidInputError(
            f"{path}: both sides cannot be kept of a model; it is still in conflict",
            hint=f"settle its config, then veml add CONFIG; or veml resolve {path} --ours",
            kind="not-both",
        )
    data = dict(zip(("base", "ours", "theirs"), datas, strict=True))[choice]
    if data is None or not MODEL.is_record(data):
        return {}
    files = [one for one in MODEL.parse(data, path).files if _PACKAGE not in one]
    conflicted, staged = repo.git.conflicted_paths(), repo.git.staged_files()
    found: dict[str, TreeFile] = {}
    tree: dict[str, TreeFile] | None = None
    for file in files:
        if file in conflicted:
            sides = dict(
                zip(("base", "ours", "theirs"), repo.git.conflict_stages(file), strict=True)
            )
            wanted = sides[choice]
        else:
            tree = repo.git.files(_commit_of(repo, state, path, choice)) if tree is None else tree
            wanted = tree.get(file)
        if wanted is None or wanted == staged.get(file):
            continue
        if file in staged and not same_on_disk(repo, file, staged[file]):
            raise ConflictError(
                f"{file}: settling {path} would overwrite changes of it that are not staged",
                hint=f"veml add {file}, or veml restore {file}, then the same command again",
                kind="would-lose-changes",
            )
        found[file] = wanted
    return found


def _commit_of(repo: Repository, state: MergeState, path: str, choice: Choice) -> CommitId | None:
    """Return the commit of a side; None is the empty tree."""
    head = CommitId(state.ours) if state.ours else repo.git.head().commit
    if choice == "ours" or head is None:
        return head
    if state.ours or state.theirs:
        bases, theirs = sides_of(repo, state, head)
        return theirs if choice == "theirs" else bases[0]
    known = repo.git.read_state(_REPLAYED.get(state.kind, "")) if state.kind in _REPLAYED else None
    if known is None:
        raise NotFoundError(
            f"{path}: which commit {choice} are is not known after git {state.kind}",
            hint="settle its config (veml resolve CONFIG), then veml add CONFIG",
            kind="unknown-side",
        )
    theirs = repo.resolve(known.decode().strip())
    if choice == "theirs":
        return theirs
    parents = repo.git.parents(theirs)
    return parents[0] if parents else None
