"""Put parts of data versions together: what a rebuilt training learns from.

As ``combine``, of chosen samples alone, and with labels that may come from elsewhere. What is left
out of the first version takes along the files that are named like it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from veml_vcs.errors import InvalidInputError
from veml_vcs.repository.data.combine import Incoming, Joiner
from veml_vcs.repository.data.operate import Operated, draft_of, finish
from veml_vcs.repository.data.place import target_path
from veml_vcs.repository.data.version import DataVersion
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.repository import Repository


def merge_parts(
    repo: Repository,
    first: DataVersion,
    keys: Collection[str],
    others: Sequence[Incoming],
    *,
    to: str,
    derived: Mapping[str, Any],
    force: bool = False,
    checkout: bool = False,
    dry_run: bool = False,
    progress: Progress = silent,
) -> Operated:
    """Make a version of some samples of one data version, with others added.

    Args:
        repo: The repository.
        first: Gives the format, the classes' order, and the samples ``keys``.
        keys: Of ``first``; may be none.
        others: Samples to add, with what is said of them.
        to: Stage the result as this data set.
        derived: How it is made, as its record says it.
        force: Replace a data set ``to`` that is there already.
        checkout: Bring its folder on disk to the result.
        dry_run: Tell what would be made, and store nothing.
        progress: Is told how far it is.

    Raises:
        InvalidInputError: The format has no place for something, or no sample would be left.
        ConflictError: Something of the user's would be lost.
    """
    unknown = set(keys) - first.samples.keys()
    if unknown:
        raise InvalidInputError(f"{first.name}: no sample {sorted(unknown)[0]!r:.80}")
    with repo.lock("veml rebuild"):
        target = target_path(repo, first.path, first.revision, to, force=force)
        dropped = {key for key in (*first.samples, *first.said) if key not in keys}
        said = {key: one for key, one in first.said.items() if key in keys}
        draft = draft_of(first, said, dropped, moved=target != first.path)
        draft.bare = not keys
        joiner = Joiner(first, draft)
        for one in others:
            joiner.join(one)
        return finish(
            repo, first, target, draft, derived, checkout=checkout, dry_run=dry_run,
            warnings=tuple(joiner.warnings), progress=progress,
        )  # fmt: skip


def some_of(source: Incoming, keys: Collection[str]) -> Incoming:
    """Return some of the samples of a source."""
    return replace(
        source,
        contents={key: one for key, one in source.contents.items() if key in keys},
        sizes={key: one for key, one in source.sizes.items() if key in keys},
        said={key: one for key, one in source.said.items() if key in keys},
    )
