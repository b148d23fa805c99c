"""Arguments that several lineage commands share, and the forms that a graph is written in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from veml_cli._output import out
from veml_cli._session import working
from veml_vcs.errors import InvalidInputError

if TYPE_CHECKING:
    from veml_cli.render.line import Line
    from veml_vcs.lineage.ask import RepositoryLineage
    from veml_vcs.lineage.graph import Edge, Node

Version = Annotated[
    str,
    typer.Argument(
        metavar="VERSION",
        help="NAME (as HEAD has it), NAME@REV, KIND:NAME, or digits of a version id.",
    ),
]
Mermaid = Annotated[bool, typer.Option("--mermaid", help="Write a Mermaid flowchart.")]
Dot = Annotated[bool, typer.Option("--dot", help="Write a graph for Graphviz.")]


@contextmanager
def asked() -> Iterator[RepositoryLineage]:
    """Open the lineage of the repository around the current folder, up to date."""
    from veml_vcs.lineage.ask import lineage

    with working() as (repo, progress), lineage(repo, progress) as found:
        if found.synced.skipped:
            count = len(found.synced.skipped)
            out.warn(f"{count} damaged record{'s' * (count > 1)} left out: veml lineage status")
        yield found


def show_graph(
    found: Any, lines: Iterable[Line], nodes: Iterable[Node], edges: Iterable[Edge],
    *, as_json: bool, mermaid: bool, dot: bool,
) -> None:  # fmt: skip
    """Write a part of the graph in the form that was asked for.

    Raises:
        InvalidInputError: Several were.
    """
    from veml_vcs.lineage.text import to_dot, to_mermaid

    if as_json + mermaid + dot > 1:
        raise InvalidInputError("--json, --mermaid and --dot: one of them")
    if as_json:
        out.write_json(found)
    elif mermaid or dot:
        out.write_text((to_mermaid if mermaid else to_dot)(nodes, edges))
    else:
        out.write_lines(lines)
