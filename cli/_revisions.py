"""Tell revisions from paths among a command's arguments, as Git does."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from veml_vcs.errors import InvalidInputError, NotFoundError

if TYPE_CHECKING:
    from veml_vcs.repository.repository import Repository


class Split(NamedTuple):
    """A command's arguments.

    Attributes:
        revisions: Those that name commits, or ranges of them, as they were typed.
        paths: Those that name files or folders, from the repository's root.
    """

    revisions: list[str]
    paths: list[str]


def split_arguments(repo: Repository, arguments: Sequence[str], after: list[str] | None) -> Split:
    """Separate revisions from paths.

    Args:
        repo: The repository.
        arguments: Those before ``--``: revisions first; from the first that names no revision but
            something on disk, all are paths.
        after: Those after ``--``: paths. None: there was no ``--``.

    Raises:
        NotFoundError: An argument is neither.
    """
    from veml_vcs.repository.ranges import parse_range

    revisions: list[str] = []
    for place, one in enumerate(arguments):
        try:
            parse_range(repo.git, one)
        except (NotFoundError, InvalidInputError):
            if after is not None or not is_path(repo, one):
                raise
            rest = arguments[place:]
            for other in rest:
                if not is_path(repo, other):
                    raise NotFoundError(
                        f"{other}: neither a revision nor a path", kind="no-such-path"
                    ) from None
            return Split(revisions, _paths(repo, rest))
        revisions.append(one)
    return Split(revisions, _paths(repo, after or ()))


def _paths(repo: Repository, given: Sequence[str]) -> list[str]:
    from veml_vcs.repository.pathspec import expand

    return [repo.relative(one) for one in expand(repo, given)]


def is_path(repo: Repository, text: str) -> bool:
    """Tell whether a text names something on disk, or something that is tracked."""
    from veml_vcs.repository.datasets import owner_of

    if text.startswith((":/", ":!", ":^", ":(")):
        return True
    try:
        relative = repo.relative(text)
    except InvalidInputError:
        return False
    return (
        os.path.lexists(text)
        or any(mark in text for mark in "*?[")
        or relative in repo.git.staged_files()
        or owner_of(repo.staged_datasets(), relative) is not None
    )
