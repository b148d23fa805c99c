"""Versions that are not here and need not be: the clone that this one came from has them.

``veml clone`` brings the data of one commit, not of all history. A version whose tree was never
here is no damage then, as an object that a partial clone of Git leaves to its *promisor* is none.
What was here once and is gone is damage; this tells the two apart, and in doubt says damage.
"""

from __future__ import annotations

import os

from veml_vcs.ids import CommitId, TreeId
from veml_vcs.repository.git.walk import walk
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.source import local_remote
from veml_vcs.repository.sync import wanted_versions
from veml_vcs.repository.worktree.held import load_held

_REMOTES = b"refs/remotes/"


def promised_trees(repo: Repository) -> set[TreeId]:
    """Return the trees of versions that another clone has, and that were not seen here.

    Those of commits that a remote branch reaches, if the remote is a clone on this machine; none
    that a folder of this work tree holds, and none at all once a damaged pack was put aside.
    """
    remote = local_remote(repo)
    if remote is None or not os.path.isdir(remote):
        return set()
    if repo.files.exists(os.path.join(repo.folder, "quarantine")):
        return set()
    refs = repo.git.dulwich.refs
    names = [name for name in refs.allkeys() if name.startswith(_REMOTES)]
    heads = [CommitId(refs[name].decode()) for name in names]
    commits = [CommitId(one.id.decode()) for one in walk(repo.git, heads)]
    if not commits:
        return set()
    found = {tree for trees in wanted_versions(repo, commits).values() for tree in trees}
    return found - {held.tree for held in load_held(repo).values()}
