"""What ``model``, ``training`` and ``inference`` share: arguments, how ``ls`` and ``rm`` end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from veml_cli._output import show
from veml_cli._session import working
from veml_cli.render.line import Line, line

if TYPE_CHECKING:
    from veml_vcs.repository.records.versions import NamedVersion

Revision = Annotated[
    str | None, typer.Argument(metavar="[REV]", help="A commit; none: what is staged.")
]
NamesAlone = Annotated[bool, typer.Option("--quiet", "-q", help="Names alone.")]
Cached = Annotated[bool, typer.Option("--cached", help="Leave the record on disk.")]
ExitCode = Annotated[bool, typer.Option("--exit-code", help="End with 1 if they differ.")]
Output = Annotated[str, typer.Option("--output", "-o", metavar="FILE", help="The file to write.")]
Replace = Annotated[bool, typer.Option("--force", "-f", help="Replace a file that is there.")]


def show_list(found: Sequence[Any], lines: Iterable[Line], *, quiet: bool, as_json: bool) -> None:
    """Write a list of versions: a table, names alone, or JSON."""
    show(found, [line(one.name) for one in found] if quiet else lines, as_json=as_json)


def remove(
    version: type[NamedVersion[Any]], names: list[str], *, quiet: bool, as_json: bool, **how: bool
) -> None:
    """Remove records from the next commit, and tell; ``how`` is that of ``remove_records``."""
    from veml_cli.render.simple import removed_lines
    from veml_vcs.repository.records.remove import remove_records

    with working() as (repo, progress):
        done = remove_records(repo, version, names, progress=progress, **how)
    if as_json or not quiet:
        show(done, removed_lines(done), as_json=as_json)
