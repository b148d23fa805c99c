"""Merge the records of one data set, outside a merge of whole trees: what git's merge driver does.

What the merge makes goes to the store; nothing in the work tree, the index or HEAD is touched.
"""

from __future__ import annotations

from collections.abc import Mapping

from veml_vcs.repository.absent import require_here
from veml_vcs.repository.merging.data import DataMerge, merge_data
from veml_vcs.repository.merging.rules import ConflictName, Settlement, rules_at
from veml_vcs.repository.repository import Repository
from veml_vcs.samples.annotations import Choice, Resolution
from veml_vcs.versions.data import DataRecord


def merge_records(
    repo: Repository,
    path: str,
    base: DataRecord | None,
    ours: DataRecord | None,
    theirs: DataRecord | None,
    *,
    choices: Mapping[str, Resolution] | None = None,
    chosen: Mapping[ConflictName, Resolution] | None = None,
    default: Choice | None = None,
) -> DataMerge:
    """Merge two versions of a data set that began as ``base``, and store the result.

    Args:
        repo: The repository.
        path: The folder.
        base: The common ancestor's record; None if it had none.
        ours: Our record; None if we removed the data set.
        theirs: Their record; None if they removed it.
        choices: Key -> side or both, for samples and files whose conflicts are settled.
        chosen: Conflict -> side or both, for single ones.
        default: Side for all other conflicts; None asks the rules of HEAD's commit, and leaves
            open what they say nothing of, with ours standing.

    Raises:
        NotFoundError: The data of one of them is not in this clone.
        ConflictError: The two cannot be merged at all.
    """
    for record in (base, ours, theirs):
        require_here(repo, path, record, then="veml resolve")
    settlement = Settlement(
        chosen={path: chosen or {}},
        keys={path: choices or {}},
        rules=rules_at(repo, repo.git.head().commit) if default is None else (),
        default=default,
    )
    with repo.store.write() as writer:
        merged = merge_data(repo, path, base, ours, theirs, writer, settlement=settlement)
    repo.catalog.refresh()
    return merged
