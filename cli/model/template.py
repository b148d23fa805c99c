"""``veml model template``."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from veml_cli._options import Json, examples
from veml_cli._output import out, show
from veml_cli.render.line import line
from veml_vcs.errors import ConflictError

EXAMPLES = examples(
    ("which configs ship with veml", "veml model template"),
    ("begin from one that learns on a CPU",
     "veml model template faster-rcnn-small configs/small.py"),
)  # fmt: skip


def template(
    name: Annotated[
        str | None, typer.Argument(metavar="[TEMPLATE]", help="Which; none: list them.")
    ] = None,
    file: Annotated[
        str | None,
        typer.Argument(metavar="[FILE]", help="Where to write it; none: to the terminal."),
    ] = None,
    as_json: Json = False,
) -> None:
    """List the configs that ship with veml, or write one of them out to begin from.

    A file that is there is not overwritten. Configs of MMDetection need no copy: a config of your
    own inherits from them with _base_ = 'mmdet::faster_rcnn/...'.
    """
    from veml_cli.render.tables import Column, table
    from veml_vcs.objects.files import Files
    from veml_vcs.training.templates import template as one_template
    from veml_vcs.training.templates import templates

    if name is None:
        found = templates()
        rows = [[(one.name, "name"), one.says] for one in found]
        columns = (Column(), Column(shrinks=True))
        show(found, table(columns, rows, indent="", width=out.width), as_json=as_json)  # type: ignore[arg-type]
        return
    chosen = one_template(name)
    if file is None:
        if as_json:
            out.write_json(chosen)
        else:
            out.write_bytes(chosen.text.encode())
        return
    if os.path.lexists(file):
        raise ConflictError(f"{file}: is there already", hint="choose another name for it")
    files = Files()
    files.make_folder(os.path.dirname(os.path.abspath(file)))
    files.write_atomic(file, chosen.text.encode())
    show(
        chosen, [line("wrote ", (file, "name"), f"  next: veml model add {file}")], as_json=as_json
    )
