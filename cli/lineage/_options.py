"""Arguments that several lineage commands share, and the forms that a graph is written in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from veml_cli._output import out
from veml_cli._session import paged, working
from veml_vcs.errors import InvalidInputError

if TYPE_CHECKING:
    from veml_cli.render.line import Line
    from veml_vcs.lineage.ask import RepositoryLineage
    from veml_vcs.lineage.graph import Edge, Node
    from veml_vcs.lineage.page import Page
    from veml_vcs.lineage.sync import Synced

Version = Annotated[
    str,
    typer.Argument(
        metavar="VERSION",
        help="NAME (as HEAD has it), NAME@REV, KIND:NAME, or digits of a version id.",
    ),
]
Mermaid = Annotated[bool, typer.Option("--mermaid", help="Write a Mermaid flowchart.")]
Dot = Annotated[bool, typer.Option("--dot", help="Write a graph for Graphviz.")]
Html = Annotated[
    str | None,
    typer.Option("--html", metavar="FILE", help="Write a page for a browser; - is stdout."),
]

Has = Annotated[
    list[str] | None,
    typer.Option("--has", metavar="KIND:NAME", help="With this fact; may be repeated."),
]
TrainedOn = Annotated[
    list[str] | None,
    typer.Option(
        "--trained-on", metavar="class:NAME|DATA", help="Trained on such data; may be repeated."
    ),
]
At = Annotated[
    str | None,
    typer.Option("--at", metavar="REV", help="What REV and the commits before it brought."),
]
MaxCount = Annotated[
    int | None,
    typer.Option("--max-count", "-n", min=0, metavar="N", help="At most so many."),
]


@contextmanager
def asked() -> Iterator[RepositoryLineage]:
    """Open the lineage of the repository around the current folder, up to date."""
    from veml_vcs.lineage.ask import lineage

    with working() as (repo, progress), lineage(repo, progress) as found:
        warn_unkept(found.synced)
        if found.synced.skipped:
            from veml_cli.render.words import plural

            notes = sum(one.is_note for one in found.synced.skipped)
            both = ((len(found.synced.skipped) - notes, "record"), (notes, "note"))
            told = " and ".join(plural(count, f"damaged {what}") for count, what in both if count)
            out.warn(f"{told} left out: veml lineage status")
        yield found


def warn_unkept(synced: Synced) -> None:
    """Say that the graph is not kept, which makes each question as slow as the first."""
    if synced.unkept:
        out.warn(f"all of history is read each time: its graph cannot be kept ({synced.unkept})")


def show_graph(
    found: Any, lines: Iterable[Line], nodes: Iterable[Node], edges: Iterable[Edge],
    *, as_json: bool, mermaid: bool, dot: bool, html: str | None = None, force: bool = False,
    lineage: RepositoryLineage | None = None, title: str = "Lineage", starts: Iterable[Node] = (),
) -> None:  # fmt: skip
    """Write a part of the graph in the form that was asked for.

    Args:
        found: For JSON.
        lines: For a terminal.
        nodes: The part, most important first: a page has a bound.
        edges: The part's.
        as_json: Write JSON.
        mermaid: Write Mermaid.
        dot: Write Graphviz.
        html: The file of a page; ``lineage`` is needed for it, and still open.
        force: Replace a file that is there.
        lineage: Is asked what else there is to say of each version of a page.
        title: Of a page.
        starts: The versions that were asked about, marked on a page.

    Raises:
        InvalidInputError: Several forms were asked for.
        ConflictError: The file is there already.
    """
    from veml_vcs.lineage.text import to_dot, to_mermaid

    if as_json + mermaid + dot + (html is not None) > 1:
        raise InvalidInputError("--json, --mermaid, --dot and --html: one of them")
    if as_json:
        out.write_json(found)
    elif mermaid or dot:
        out.write_text((to_mermaid if mermaid else to_dot)(nodes, edges))
    elif html is not None:
        from veml_vcs.lineage.page import page_of

        assert lineage is not None, "a page is written while the lineage is open"
        page = page_of(lineage, nodes, edges, title=title, starts=[one.id for one in starts])
        write_page(lineage, page, html, force=force)
    else:
        assert lineage is not None, "lines are written while the lineage is open"
        with paged(lineage.repo):
            out.write_lines(lines)


def write_page(lineage: RepositoryLineage, page: Page, target: str, *, force: bool) -> None:
    """Write a page into a file, or to stdout, and tell what is not on it.

    Raises:
        ConflictError: The file is there already.
    """
    from veml_vcs.lineage.page import to_html
    from veml_vcs.repository.records.export import export_bytes

    text = to_html(page)
    if target == "-":
        out.write_text(text.decode("utf-8"))
    else:
        export_bytes(lineage.repo, text, target, force=force)
    if page.left_out:
        told = ", ".join(f"{count:,} {kind}" for kind, count in page.left_out.items())
        how = "; ".join(f"{what}: {command}" for what, command in page.narrow.items())
        out.warn(f"not on the page: {told}. To see {how}")
    if target != "-":
        out.note(f"drawn into {target}")
