"""``veml export``."""

from __future__ import annotations

from typing import Annotated

import typer

from veml_cli._options import Json, Quiet, examples
from veml_cli._output import out, show
from veml_cli._session import working

EXAMPLES = examples(
    ("a data set as it is staged, byte for byte", "veml export images/train ../train"),
    ("as it was in v1.0, as one COCO file", "veml export v1.0:images/train out --format coco"),
)


def export(
    spec: Annotated[
        str, typer.Argument(metavar="SPEC", help="PATH (as staged), REV:PATH or PATH@REV.")
    ],
    destination: Annotated[
        str, typer.Argument(metavar="DEST", help="An empty folder, or one to make.")
    ],
    format: Annotated[  # noqa: A002 - the word of the command line
        str | None,
        typer.Option("--format", metavar="NAME", help="coco, voc, yolo, kitti, folders or files."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", "-f", help="Write into a folder that is not empty.")
    ] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Write a data version into a folder.

    Byte for byte as it is, or converted to another format.
    """
    from veml_cli.render.simple import export_lines
    from veml_vcs.repository.export import export as run

    with working() as (repo, progress):
        done = run(repo, spec, destination, format=format, force=force, progress=progress)
    for warning in done.warnings:
        out.warn(warning)
    if as_json or not quiet:
        show(done, export_lines(done), as_json=as_json)
