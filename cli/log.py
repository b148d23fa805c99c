"""``veml log``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from veml_cli._options import Json, LogCommand, after_separator, examples
from veml_cli._output import out
from veml_cli._session import opened
from veml_vcs.errors import InvalidInputError, NotFoundError

if TYPE_CHECKING:
    from veml_vcs.repository.repository import Repository

COMMAND_CLASS = LogCommand
EXAMPLES = examples(
    ("all branches as a graph, with what each commit did to data", "veml log --graph --all"),
    ("the last five commits, a line each", "veml log --oneline -5"),
    ("what night has that main does not", "veml log main..night"),
    ("commits that changed a data set", "veml log -- images/train"),
)


def log(
    context: typer.Context,
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="REV|DATASET", help="Where to start (REV, A..B); then a data set, after --."
        ),
    ] = None,
    graph: Annotated[bool, typer.Option("--graph", help="Draw lines of history.")] = False,
    oneline: Annotated[bool, typer.Option("--oneline", help="One line a commit.")] = False,
    limit: Annotated[
        int | None,
        typer.Option("--max-count", "-n", min=0, metavar="N", help="At most so many; also -N."),
    ] = None,
    all_refs: Annotated[bool, typer.Option("--all", help="Start at every branch and tag.")] = False,
    stat: Annotated[
        bool, typer.Option("--stat", help="Add what each commit did to boxes and ordinary files.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show commits, and what each did to the data.

    Children come before their parents.
    """
    from itertools import islice

    from veml_cli.render.log import Layout, commit_blocks, drawn_blocks, drawn_parents, graph_order
    from veml_vcs.repository.log import log as run

    with opened() as repo:
        revisions, dataset = _arguments(repo, arguments or [], after_separator(context))
        found = islice(run(repo, revisions, all_refs=all_refs, dataset=dataset), limit)
        if as_json:
            out.write_json(list(found))
            return
        layout = Layout(repo if stat else None, oneline=oneline, width=out.width)
        if not graph:
            for block in commit_blocks(found, layout):
                out.write_lines(block)
            return
        # The graph needs to know which parents lie in the range, and how a filter shortens lines.
        every = run(repo, revisions, all_refs=all_refs, data=False)
        entries = list(found)
        parents = drawn_parents(every, {one.id for one in entries} if dataset else None)
        for block in drawn_blocks(graph_order(entries, parents), parents, layout):
            out.write_lines(block)


def _arguments(
    repo: Repository, arguments: list[str], after: list[str] | None
) -> tuple[list[str], str | None]:
    """Return the revisions, and the data set that commits must have changed."""
    from veml_cli._revisions import split_arguments

    if any("..." in one for one in arguments):
        raise InvalidInputError(
            "log knows no A...B", hint="veml log A..B shows what B has and A has not"
        )
    revisions, paths = split_arguments(repo, arguments, after)
    if len(paths) > 1:
        raise InvalidInputError(f"expected one data set, found {', '.join(paths)}")
    if not paths:
        return revisions, None
    if not _known(repo, paths[0], revisions):
        raise NotFoundError(
            f"{paths[0]}: no commit here has a data set of this name", kind="unknown-dataset",
            hint="veml show REV: lists the data sets of a commit; git log knows ordinary files",
        )  # fmt: skip
    return revisions, paths[0]


def _known(repo: Repository, path: str, revisions: list[str]) -> bool:
    from veml_vcs.repository.log import log as run

    if path in repo.staged_datasets():
        return True
    return next(run(repo, revisions, limit=1, dataset=path), None) is not None
