"""``veml log``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from veml_cli._options import Json, LogCommand, after_separator, examples
from veml_cli._output import out
from veml_cli._session import end_unread, opened, paged
from veml_vcs.errors import InvalidInputError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from veml_cli.render.log import Layout
    from veml_vcs.repository.damage import Unreadable
    from veml_vcs.repository.git.walk import Order
    from veml_vcs.repository.log import Filter, LogEntry
    from veml_vcs.repository.repository import Repository

COMMAND_CLASS = LogCommand
EXAMPLES = examples(
    ("all branches as a graph, with what each commit did to data", "veml log --graph --all"),
    ("the last five commits, a line each", "veml log --oneline -5"),
    ("what night has that main does not", "veml log main..night"),
    ("commits that changed a data set", "veml log -- images/train"),
    ("commits that changed one sample, with what they did", "veml log -p images/train/0001.jpg"),
    ("Ann's of the last two weeks", "veml log --author Ann --since '2 weeks ago'"),
    ("in a form of one's own", "veml log --format='%h %ad %an: %s' --date=short"),
    ("with the full names of branches and tags", "veml log --oneline --decorate=full"),
    ("where a branch stood before", "veml log -g --oneline main"),
    ("on which side of a fork each commit is", "veml log --oneline --left-right main...night"),
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
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            "--pretty",
            metavar="FORMAT",
            help="As Git: oneline, short, medium, full, fuller, reference, raw, or '%h %an: %s'.",
        ),
    ] = None,
    date: Annotated[
        str | None,
        typer.Option(
            "--date",
            metavar="MODE",
            help="As Git: relative, iso, short, rfc, raw, unix, human, local, format:'%d.%m.'.",
        ),
    ] = None,
    abbreviated: Annotated[bool, typer.Option("--abbrev-commit", help="Short ids.")] = False,
    decorate: Annotated[
        str | None,
        typer.Option(
            "--decorate",
            metavar="short|full|auto|no",
            help="Name branches and tags: how, or not; auto: on a terminal.",
        ),
    ] = None,
    no_decorate: Annotated[
        bool, typer.Option("--no-decorate", help="Do not name branches and tags.")
    ] = False,
    mapped: Annotated[
        bool | None,
        typer.Option(
            "--mailmap/--no-mailmap",
            "--use-mailmap/--no-use-mailmap",
            help="Names as .mailmap has them, or not (log.mailmap; true).",
        ),
    ] = None,
    reflogs: Annotated[
        bool, typer.Option("--walk-reflogs", "-g", help="Where branches stood before, one by one.")
    ] = False,
    sides: Annotated[
        bool, typer.Option("--left-right", help="Of A...B: mark the side of each commit, < or >.")
    ] = False,
    author: Annotated[
        list[str] | None,
        typer.Option("--author", metavar="REGEX", help="Whose name or e-mail has this."),
    ] = None,
    committer: Annotated[
        list[str] | None,
        typer.Option("--committer", metavar="REGEX", help="The same of who committed it."),
    ] = None,
    grep: Annotated[
        list[str] | None, typer.Option("--grep", metavar="REGEX", help="Whose message has this.")
    ] = None,
    all_match: Annotated[
        bool, typer.Option("--all-match", help="Whose message has every --grep, not one of them.")
    ] = False,
    invert_grep: Annotated[
        bool, typer.Option("--invert-grep", help="Whose message has no --grep.")
    ] = False,
    ignore_case: Annotated[
        bool, typer.Option("--regexp-ignore-case", "-i", help="Upper or lower case is the same.")
    ] = False,
    fixed: Annotated[
        bool, typer.Option("--fixed-strings", "-F", help="What is looked for is plain text.")
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
    reverse: Annotated[bool, typer.Option("--reverse", help="The other way round.")] = False,
    topo_order: Annotated[
        bool,
        typer.Option("--topo-order", help="Children first, a line of history at a time (--graph)."),
    ] = False,
    date_order: Annotated[
        bool, typer.Option("--date-order", help="Children first, else newest first.")
    ] = False,
    author_date_order: Annotated[
        bool, typer.Option("--author-date-order", help="The same by when they were written.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show commits, and what each did to the data.

    Newest first, as they become known. Paths are data sets, samples (DATASET/KEY), folders, files.
    """
    from itertools import islice

    from veml_cli._formats import look_of
    from veml_cli.render.log import Layout
    from veml_vcs.repository.log import Filter, log_moves
    from veml_vcs.repository.log import log as run
    from veml_vcs.repository.revisions import parse_date

    order = _order(graph, topo_order, date_order, author_date_order)
    if merges and no_merges:
        raise InvalidInputError("expected one of --merges and --no-merges")
    for one, other, clash in (
        ("--reverse", "--graph", graph and reverse),
        ("--reverse", "--walk-reflogs", reflogs and reverse),
        ("--graph", "--walk-reflogs", reflogs and graph),
    ):
        if clash:
            raise InvalidInputError(f"{one} and {other} do not go together")
    with opened() as repo, paged(repo, unless=as_json):
        revisions, paths = _arguments(repo, arguments or [], after_separator(context))
        wanted = Filter(
            tuple(paths), tuple(author or ()), tuple(committer or ()), tuple(grep or ()),
            ignore_case, fixed, all_match, invert_grep,
            None if since is None else parse_date(since),
            None if until is None else parse_date(until),
            True if merges else False if no_merges else None, first_parent,
        )  # fmt: skip
        look = look_of(
            repo, form, oneline=oneline, date=date, abbreviated=abbreviated,
            decorate="no" if no_decorate else decorate, mapped=mapped, sides=sides, graph=graph,
        )  # fmt: skip
        mailmap = look.context.mailmap if look.context.mapped else None
        told = as_json or (look.data and look.form != "user")
        if reflogs:
            listed = log_moves(
                repo, revisions, all_refs=all_refs, by_date=date is not None, data=told,
                wanted=wanted, mailmap=mailmap, full_names=look.full_names,
            )  # fmt: skip
        else:
            listed = run(
                repo, revisions, all_refs=all_refs, data=told, wanted=wanted, order=order,
                mailmap=mailmap, full_names=look.full_names,
            )  # fmt: skip
        stop = None if limit is None else min(skip + limit, sys.maxsize)
        found: Iterator[LogEntry] = islice(listed, min(skip, sys.maxsize), stop)
        if reverse:
            found = iter(list(found)[::-1])
        unread: list[Unreadable] = []
        found = _noting(found, unread)
        if as_json:
            out.write_json(list(found))
            end_unread(unread)
            return
        extra = "patch" if patch else "names" if name_status else "stat" if stat else ""
        layout = Layout(repo if extra else None, out.width, extra, tuple(paths), look, unread)
        if graph:
            every = run(repo, revisions, all_refs=all_refs, data=False, order=order)
            _draw(every, list(found), layout, wanted, cut=bool(skip))
        else:
            write_commits(found, layout)
        if layout.absent:
            out.note("hint: veml data fetch --all gets the data of every commit")
        end_unread(unread)


def write_commits(entries: Iterable[LogEntry], layout: Layout) -> None:
    """Write commits one below the other."""
    from veml_cli.render.log import commit_blocks, extra_lines
    from veml_cli.render.pretty import expand

    look = layout.look
    if look.form != "user":
        for block in commit_blocks(entries, layout):
            out.write_lines(block)
        return
    if not (look.template or look.separated):
        return  # as Git: nothing at all, not even the ends of the lines
    for i, entry in enumerate(entries):
        text = expand(look.template, entry, look.context)
        out.write_text(("\n" if i and look.separated else "") + text)
        if not look.separated:
            out.write_text("\n")
        if more := extra_lines(entry, layout):
            out.write_text("\n")
            out.write_lines(more)


def _draw(
    every: Iterable[LogEntry],
    entries: list[LogEntry],
    layout: Layout,
    wanted: Filter,
    *,
    cut: bool,
) -> None:
    """Write commits with a graph beside them.

    The graph needs to know which parents lie in the range, and how a filter shortens lines.
    """
    from veml_cli.render.log import drawn_blocks, drawn_parents

    filtered = cut or wanted != type(wanted)()
    parents = drawn_parents(
        every, {one.id for one in entries} if filtered else None, first_parent=wanted.first_parent
    )
    for block in drawn_blocks(entries, parents, layout):
        out.write_lines(block)


def _order(graph: bool, topo: bool, by_date: bool, by_author: bool) -> Order:
    """Return the order that is asked for; a graph needs children before parents."""
    if by_author:
        return "author-date"
    if by_date:
        return "date-order"
    return "topo" if graph or topo else "date"


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
