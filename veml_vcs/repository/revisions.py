"""Revisions as Git writes them (``HEAD~2``, ``main:images/train``), and what they name."""

from __future__ import annotations

from typing import NamedTuple

from dulwich.objects import Commit, ObjectID, Tag
from dulwich.objectspec import parse_object

from veml_vcs.errors import InvalidInputError, NotFoundError
from veml_vcs.ids import CommitId
from veml_vcs.repository.git import GitRepo


class DataSpec(NamedTuple):
    """A data set named on a command line: a path, and a revision or None (the work tree)."""

    path: str
    revision: str | None


def resolve_commit(git: GitRepo, revision: str) -> CommitId:
    """Return the commit that a revision names.

    Args:
        git: The repository.
        revision: A branch, tag, (short) id, ``HEAD``, ``@``, ``main@{1}``, with any number of
            ``~n`` and ``^n`` after it.

    Raises:
        NotFoundError: Nothing has that name.
        InvalidInputError: The name is malformed, or a short id fits several commits.
    """
    if not revision or revision.startswith("-"):
        raise InvalidInputError(f"not a revision: {revision!r}")
    text = "HEAD" + revision[1:] if revision == "@" or revision[:2] in ("@~", "@^") else revision
    head = git.head()
    if head.commit is None and text.split("~")[0].split("^")[0] in ("HEAD", head.branch):
        raise NotFoundError(
            f"{revision}: the branch {head.branch} has no commits yet",
            hint="veml commit -m MESSAGE",
            kind="unborn",
        )
    try:
        found = parse_object(git.dulwich, text.encode("utf-8", "surrogateescape"))
        while isinstance(found, Tag):
            found = git.dulwich.object_store[found.object[1]]
    except (KeyError, AssertionError) as error:
        raise _unknown(git, revision) from error
    except ValueError as error:
        raise InvalidInputError(f"{revision!r}: {error}") from error
    if not isinstance(found, Commit):
        raise InvalidInputError(f"{revision!r} names a {found.type_name.decode()}, not a commit")
    return CommitId(found.id.decode())


def _unknown(git: GitRepo, revision: str) -> NotFoundError:
    names = sorted({*git.branches(), *git.tags()})
    near = [name for name in names if name.startswith(revision[:3])] or names
    return NotFoundError(
        f"unknown revision {revision!r}",
        hint=f"known branches and tags: {', '.join(near[:8])}" if near else "veml log",
        kind="unknown-revision",
    )


def parse_data_spec(text: str) -> DataSpec:
    """Split ``REV:PATH``, ``PATH@REV`` or ``PATH``.

    Raises:
        InvalidInputError: One part is empty.
    """
    revision: str | None = None
    path = text
    if ":" in text:
        revision, path = text.split(":", 1)
    elif "@" in text and not text.startswith("@"):
        path, revision = text.rsplit("@", 1)
    if not path or revision == "":
        raise InvalidInputError(
            f"{text!r}: expected PATH, REV:PATH or PATH@REV", hint="example: main:images/train"
        )
    return DataSpec(path.rstrip("/"), revision)


def merge_bases(git: GitRepo, ours: CommitId, theirs: CommitId) -> list[CommitId]:
    """Return the best common ancestors of two commits; several after criss-cross merges."""
    from dulwich.graph import find_merge_base

    found = find_merge_base(git.dulwich, [ObjectID(ours.encode()), ObjectID(theirs.encode())])
    return [CommitId(base.decode()) for base in found]


def is_ancestor(git: GitRepo, ancestor: CommitId, descendant: CommitId) -> bool:
    """Tell whether ``ancestor`` is reachable from ``descendant``."""
    return ancestor == descendant or merge_bases(git, ancestor, descendant) == [ancestor]
