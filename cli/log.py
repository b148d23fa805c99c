"""``veml log``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from veml_cli._options import Json, LogCommand, after_separator, examples
from veml_cli._output import out
from veml_cli._session import end_unread, opened, paged
from veml_vcs.errors import InvalidInputError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from veml_vcs.repository.damage import Unreadable
    from veml_vcs.repository.log import LogEntry
    from veml_vcs.repository.repository import Repository

COMMAND_CLASS = LogCommand
EXAMPLES = examples(
    ("all branches as a graph, with what each commit did to data", "veml log --graph --all"),
    ("the last five commits, a line each", "veml log --oneline -5"),
    ("what night has that main does not", "veml log main..night"),
    ("commits that changed a data set", "veml log -- images/train"),
    ("commits that changed one sample, with what they did", "veml log -p images/train/0001.jpg"),
    ("Ann's of the last two weeks", "veml log --author Ann --since '2 weeks ago'"),
)


def log(
    context: typer.Context,
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="REV|PATH", help="Where to start (REV, A..B, A...B); then paths, after --."
        ),
    ] = None,
    graph: Annotated[bool, typer.Option("--graph", help="Draw lines of history.")] = False,
    oneline: Annotated[bool, typer.Option("--oneline", help="One line a commit.")] = False,
    limit: Annotated[
        int | None,
        typer.Option("--max-count", "-n", min=0, metavar="N", help="At most so many; also -N."),
    ] = None,
    skip: Annotated[
        int, typer.Option("--skip", min=0, metavar="N", help="Leave out the first so many.")
    ] = 0,
    all_refs: Annotated[bool, typer.Option("--all", help="Start at every branch and tag.")] = False,
    stat: Annotated[
        bool, typer.Option("--stat", help="Add what each commit did to boxes and ordinary files.")
    ] = False,
    patch: Annotated[
        bool, typer.Option("--patch", "-p", "-u", help="Add every sample, box and line it changed.")
    ] = False,
    name_status: Annotated[
        bool, typer.Option("--name-status", help="Add a line a sample or file: A, D, M or R.")
    ] = False,
    author: Annotated[
        str | None, typer.Option("--author", metavar="REGEX", help="Whose name or e-mail has this.")
    ] = None,
    grep: Annotated[
        str | None, typer.Option("--grep", metavar="REGEX", help="Whose message has this.")
    ] = None,
    ignore_case: Annotated[
        bool, typer.Option("--regexp-ignore-case", "-i", help="Upper or lower case is the same.")
    ] = False,
    since: Annotated[
        str | None, typer.Option("--since", "--after", metavar="DATE", help="Not older than this.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", "--before", metavar="DATE", help="Not younger.")
    ] = None,
    merges: Annotated[bool, typer.Option("--merges", help="Merges alone.")] = False,
    no_merges: Annotated[bool, typer.Option("--no-merges", help="No merges.")] = False,
    first_parent: Annotated[
        bool, typer.Option("--first-parent", help="Follow the first parent of a merge alone.")
    ] = False,
    reverse: Annotated[bool, typer.Option("--reverse", help="The oldest first.")] = False,
    as_json: Json = False,
) -> None:
    """Show commits, and what each did to the data.

    Children come before their parents. Paths are data sets, samples (DATASET/KEY), folders, files.
    """
    from itertools import islice

    from veml_cli.render.log import Layout, commit_blocks, drawn_blocks, drawn_parents, graph_order
    from veml_vcs.repository.log import Filter
    from veml_vcs.repository.log import log as run
    from veml_vcs.repository.revisions import parse_date

    if merges and no_merges:
        raise InvalidInputError("expected one of --merges and --no-merges")
    if graph and reverse:
        raise InvalidInputError("--reverse and --graph do not go together")
    with opened() as repo, paged(repo, unless=as_json):
        revisions, paths = _arguments(repo, arguments or [], after_separator(context))
        wanted = Filter(
            tuple(paths), author, grep, ignore_case,
            None if since is None else parse_date(since),
            None if until is None else parse_date(until),
            True if merges else False if no_merges else None, first_parent,
        )  # fmt: skip
        stop = None if limit is None else skip + limit
        listed = run(repo, revisions, all_refs=all_refs, wanted=wanted)
        found: Iterator[LogEntry] = islice(listed, skip, stop)
        if reverse:
            found = iter(list(found)[::-1])
        unread: list[Unreadable] = []
        found = _noting(found, unread)
        if as_json:
            out.write_json(list(found))
            end_unread(unread)
            return
        extra = "patch" if patch else "names" if name_status else "stat" if stat else ""
        layout = Layout(
            repo if extra else None, oneline=oneline, width=out.width, extra=extra,
            paths=tuple(paths), unread=unread,
        )  # fmt: skip
        if not graph:
            for block in commit_blocks(found, layout):
                out.write_lines(block)
            end_unread(unread)
            return
        # The graph needs to know which parents lie in the range, and how a filter shortens lines.
        every = run(repo, revisions, all_refs=all_refs, data=False)
        entries = list(found)
        filtered = wanted != Filter() or skip
        parents = drawn_parents(every, {one.id for one in entries} if filtered else None)
        for block in drawn_blocks(graph_order(entries, parents), parents, layout):
            out.write_lines(block)
        end_unread(unread)


def _noting(found: Iterator[LogEntry], unread: list[Unreadable]) -> Iterator[LogEntry]:
    """Pass commits on, and note what could not be read of what they did."""
    for one in found:
        unread += (part for data in one.data for part in data.unreadable)
        yield one


def _arguments(
    repo: Repository, arguments: list[str], after: list[str] | None
) -> tuple[list[str], list[str]]:
    """Return the revisions, and the paths that commits must have changed."""
    from veml_cli._revisions import split_arguments

    try:
        return split_arguments(repo, arguments, after)
    except NotFoundError as error:
        # What was deleted long ago is no path any more; after -- it need not be one.
        if after is None and error.kind in ("unknown-revision", "no-such-path"):
            raise NotFoundError(
                error.message, kind=error.kind,
                hint=f"veml log -- {arguments[-1]} if it is a path that is gone",
            ) from error  # fmt: skip
        raise
