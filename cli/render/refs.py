"""Lists of branches and tags."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from veml_cli.render.line import Line, Piece, Style, line
from veml_cli.render.tables import Column, table
from veml_vcs.ids import short

if TYPE_CHECKING:
    from veml_vcs.repository.git.repo import Head
    from veml_vcs.repository.refs import NamedCommit

_SHORT_ID = 7


def branch_lines(
    branches: Sequence[NamedCommit], head: Head | None, *, verbose: bool, bare: bool = False
) -> Iterator[Line]:
    """Yield the branches as ``git branch`` lists them, the current one marked.

    Args:
        branches: What to list.
        head: Where HEAD stands, to be listed if it is on no branch; None is not asked for.
        verbose: Add commit and subject.
        bare: There are remote-tracking branches alone: without the ``remotes/``.
    """
    rows: list[list[Piece]] = []
    if head is not None and head.branch is None and head.commit is not None:
        at = short(head.commit, _SHORT_ID)
        rows.append([("* ", ""), (f"(HEAD detached at {at})", "ref"), (at, "id"), ""])
    for one in branches:
        style: Style = (
            "ref" if one.current else "removed" if one.name.startswith("remotes/") else ""
        )
        rows.append(
            [
                "* " if one.current else "  ",
                (one.name.removeprefix("remotes/") if bare else one.name, style),
                (short(one.commit, _SHORT_ID), "id"),
                one.subject,
            ]
        )
    if not verbose:
        for mark, name, *_ in rows:
            yield line(mark, name)
        return
    for row in table((Column(), Column(), Column()), [row[1:] for row in rows], indent=""):
        yield line(rows.pop(0)[0]) + row


def tag_lines(tags: Sequence[NamedCommit], *, messages: bool) -> Iterator[Line]:
    """Yield the tags, with the first line of an annotated one's message if asked for."""
    if not messages:
        yield from (line(one.name) for one in tags)
        return
    rows = [[one.name, (one.message or one.subject).split("\n", 1)[0]] for one in tags]
    yield from table((Column(), Column()), rows, indent="")


def deleted_line(what: str, one: NamedCommit) -> Line:
    """Return what Git says of a branch or tag that was deleted."""
    at = short(one.commit, _SHORT_ID)
    return line(f"Deleted {what} ", (one.name, "ref"), " (was ", (at, "id"), ").")
