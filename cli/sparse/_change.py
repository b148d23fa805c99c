"""What the commands share that change which samples are in the work tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from veml_cli._output import out, show

if TYPE_CHECKING:
    from veml_vcs.repository.sparse.verbs import SparseResult

Data = Annotated[
    list[str] | None,
    typer.Option("--data", "-d", metavar="PATH", help="This data set (repeatable); else all."),
]
Patterns = Annotated[
    list[str] | None,
    typer.Argument(metavar="[PATTERN]...", help="Samples whose key matches; * takes slashes too."),
]


def tell(done: SparseResult, *, quiet: bool, as_json: bool) -> None:
    """Say what a change did."""
    from veml_cli.render.sparse import sparse_lines

    for path, keys in done.kept.items():
        named = ", ".join(keys[:5]) + (f" and {len(keys) - 5} more" if len(keys) > 5 else "")
        out.warn(f"{path}: has changes that were not added, so it stays: {named}")
    if as_json or not quiet:
        show(done, sparse_lines(done), as_json=as_json)
