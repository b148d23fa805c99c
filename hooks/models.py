"""pre-commit's look at models: a record says what its config, as it is being committed, says."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from veml_vcs.ids import VersionId
from veml_vcs.repository.git.program import git
from veml_vcs.repository.git.repo import TreeFile
from veml_vcs.repository.repository import Repository
from veml_vcs.versions.kinds import MODEL


def blocked_models(
    repo: Repository, changed: Mapping[str, VersionId], head: str
) -> Iterator[tuple[str, str]]:
    """Yield why a commit is refused, and what to type.

    Args:
        repo: The repository.
        changed: The paths that the commit adds or changes, and their new blobs.
        head: What it is compared with.
    """
    if not os.path.isdir(os.path.join(repo.root, MODEL.folder)):
        return
    from veml_vcs.repository.models.read import from_git
    from veml_vcs.repository.models.stale import stale_models

    files = _index(repo)
    if not any(map(MODEL.may_be, files)):
        return
    gone = git(
        repo.root, "diff-index", "--cached", "--name-only", "-z", "--no-renames",
        "--diff-filter=D", head, "--", here=True,
    ).out.split(b"\0")  # fmt: skip
    touched = {*changed, *(os.fsdecode(path) for path in gone if path)}
    for one in stale_models(repo, files, from_git(repo, files, "the index"), touched):
        yield f"{one.path}: {one.reason}", one.hint


def _index(repo: Repository) -> dict[str, TreeFile]:
    """Return the files of git's own index: that of ``git commit -a`` is a temporary one."""
    found = {}
    for one in git(repo.root, "ls-files", "-s", "-z", here=True).out.split(b"\0"):
        fields, _, path = one.partition(b"\t")
        if path:
            mode, blob, stage = fields.split()
            if stage == b"0":
                found[os.fsdecode(path)] = TreeFile(int(mode, 8), VersionId(blob.decode()))
    return found
