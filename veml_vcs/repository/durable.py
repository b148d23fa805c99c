"""Make sure that what Git wrote is on the disk: dulwich syncs files, not folders."""

from __future__ import annotations

import os

from dulwich.objects import ObjectID, Tree

from veml_vcs.ids import CommitId
from veml_vcs.repository.repository import Repository


def sync_commit(repo: Repository, commit_id: CommitId) -> None:
    """Sync the folders that hold a new commit's own objects and the branch that names it.

    Objects that the commit shares with its first parent were synced when that one was made.
    """
    old: dict[str, bytes] = {}
    parents = repo.git.parents(commit_id)
    if parents:
        old = {path: file.blob.encode() for path, file in repo.git.files(parents[0]).items()}
    fresh = {commit_id[:2]}
    commit = repo.git.commit(commit_id)
    fresh.update(_new_trees(repo, commit.tree))
    for path, file in repo.git.files(commit_id).items():
        if old.get(path) != file.blob.encode():
            fresh.add(file.blob[:2])
    objects = os.path.join(repo.git.common_folder, "objects")
    folders = [os.path.join(objects, name) for name in sorted(fresh)]
    branch = repo.git.head().branch
    if branch is not None:
        ref = os.path.join(repo.git.common_folder, "refs", "heads", *branch.split("/"))
        folders.append(os.path.dirname(ref))
    for folder in folders:
        if os.path.isdir(folder):
            repo.files.fsync_folder(folder)


def _new_trees(repo: Repository, tree: bytes) -> set[str]:
    """Return the folders of a root tree and the trees below it (few: no data is in Git)."""
    found = {tree.decode()[:2]}
    pending = [ObjectID(tree)]
    while pending:
        one = repo.git.dulwich.object_store[pending.pop()]
        if isinstance(one, Tree):
            for entry in one.items():
                if entry.mode is not None and entry.sha is not None and entry.mode == 0o40000:
                    found.add(entry.sha.decode()[:2])
                    pending.append(entry.sha)
    return found
