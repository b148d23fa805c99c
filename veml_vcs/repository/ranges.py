"""Ranges of commits: ``A..B``, ``A...B``, ``^A B``, ``REV^@``, ``REV^!``, ``REV^-``.

Follows "Specifying ranges" of gitrevisions(7). What one revision names is ``revisions``'.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from veml_vcs.errors import NotFoundError, shown
from veml_vcs.ids import CommitId, short
from veml_vcs.repository.git.repo import GitRepo
from veml_vcs.repository.revisions import merge_bases, resolve_commit

_ALL_PARENTS, _BUT_PARENTS = "^@", "^!"
_BUT_ONE_PARENT = re.compile(r"(.+)\^-([0-9]{0,9})", re.DOTALL)


@dataclass(frozen=True)
class Range:
    """Which commits a list of revisions and ranges names.

    Attributes:
        include: Where to start, in the order given.
        exclude: What these reach is left out.
        left: The first sides of ``A...B``.
        right: The second sides.
        walked: History is walked: something is left out, or a range was given. Else, for a command
            like ``show``, these are single commits.
    """

    include: tuple[CommitId, ...] = ()
    exclude: tuple[CommitId, ...] = ()
    left: tuple[CommitId, ...] = ()
    right: tuple[CommitId, ...] = ()
    walked: bool = False

    def __add__(self, other: Range) -> Range:
        """Return both as one."""
        return Range(
            self.include + other.include,
            self.exclude + other.exclude,
            self.left + other.left,
            self.right + other.right,
            self.walked or other.walked,
        )


def parse_ranges(git: GitRepo, texts: Sequence[str]) -> Range:
    """Return what revisions and ranges name together.

    Args:
        git: The repository.
        texts: As typed.

    Raises:
        NotFoundError: One names nothing.
        InvalidInputError: One is malformed.
    """
    found = Range()
    for text in texts:
        found += parse_range(git, text)
    return found


def parse_range(git: GitRepo, text: str) -> Range:
    """Return what one revision or range names.

    Raises:
        NotFoundError: It names nothing.
        InvalidInputError: It is malformed.
    """
    dots = split_dots(text)
    if dots is not None:
        start, end, symmetric = dots
        sides = (resolve_commit(git, start), resolve_commit(git, end))
        if not symmetric:
            return Range(sides[1:], sides[:1], walked=True)
        return Range(sides, tuple(merge_bases(git, *sides)), sides[:1], sides[1:], walked=True)
    hidden = text.startswith("^")
    name = text.removeprefix("^")
    if name.endswith(_ALL_PARENTS):
        parents = tuple(git.parents(resolve_commit(git, name.removesuffix(_ALL_PARENTS))))
        return Range((), parents, walked=True) if hidden else Range(parents)
    if name.endswith(_BUT_PARENTS) and not hidden:
        commit = resolve_commit(git, name.removesuffix(_BUT_PARENTS))
        return Range((commit,), tuple(git.parents(commit)), walked=True)
    if (one := _BUT_ONE_PARENT.fullmatch(name)) and not hidden:
        commit = resolve_commit(git, one[1])
        parents, number = tuple(git.parents(commit)), int(one[2] or 1)
        if not 1 <= number <= len(parents):
            raise NotFoundError(
                f"{shown(text)}: the commit {short(commit)} has no parent {number}",
                kind="unknown-revision",
            )
        return Range((commit,), parents[number - 1 : number], walked=True)
    commit = resolve_commit(git, name)
    return Range((), (commit,), walked=True) if hidden else Range((commit,))


def split_dots(text: str) -> tuple[str, str, bool] | None:
    """Split ``A..B`` or ``A...B`` into its ends, and tell whether it is the second.

    An end that is left out is HEAD. Dots between braces (``HEAD^{/a..b}``) and after ``:/`` belong
    to a message that is looked for; ``..`` alone is a folder.
    """
    depth = 0
    if text.startswith(":/") or text == "..":
        return None
    for place, char in enumerate(text):
        depth += (char == "{") - (char == "}")
        if depth == 0 and text.startswith("..", place):
            symmetric = text.startswith("...", place)
            end = text[place + (3 if symmetric else 2) :]
            return text[:place] or "HEAD", end or "HEAD", symmetric
    return None
