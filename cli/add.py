"""``veml add``."""

from __future__ import annotations

import shlex
from typing import Annotated

import typer

from veml_cli._errors import USAGE
from veml_cli._options import DryRun, Json, Quiet, examples
from veml_cli._output import out, show
from veml_cli._session import working
from veml_vcs.errors import InvalidInputError

EXAMPLES = examples(
    ("track a folder as a data set; its format is recognised", "veml add images/train"),
    ("images here, boxes in a file elsewhere", "veml add images --annotations boxes.json"),
    ("everything that is tracked, and all new ordinary files", "veml add ."),
    ("what is tracked and changed, and nothing new", "veml add -u"),
)


def add(
    paths: Annotated[
        list[str] | None, typer.Argument(metavar="PATH", help="Data sets and files.")
    ] = None,
    annotations: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="Annotation file outside the folder; may be repeated."),
    ] = None,
    format: Annotated[  # noqa: A002 - the word of the command line
        str | None,
        typer.Option(
            "--format",
            metavar="NAME",
            help="coco, voc, yolo, kitti, folders, tables, zarr, files.",
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", "-A", help="The same as the path . at the repository's root.")
    ] = False,
    update: Annotated[
        bool, typer.Option("--update", "-u", help="All that is tracked and changed, nothing new.")
    ] = False,
    dry_run: DryRun = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Put data sets and files into what the next commit will hold.

    A folder with images becomes a data set: all its files count, annotations are read and kept
    sample by sample. Any other path is staged as Git does; of folders below it that look like data
    sets nothing is staged, and they are named.
    """
    from veml_cli.render.added import added_lines
    from veml_vcs.repository.add import add as run
    from veml_vcs.repository.add import add_tracked

    if update and (paths or everything or annotations or format):
        raise InvalidInputError("-u takes no paths and no other choice", hint="veml add -u")
    if not paths and not everything and not update:
        out.note("Nothing specified, nothing added.")
        out.note("hint: veml add FOLDER, or veml add . for all that is tracked")
        raise typer.Exit(USAGE)
    with working() as (repo, progress):
        done = (
            add_tracked(repo, dry_run=dry_run, progress=progress)
            if update
            else run(
                repo,
                [*(paths or ()), *([repo.root] if everything else ())],
                annotations=annotations or (),
                format=format,
                dry_run=dry_run,
                progress=progress,
            )
        )
    if done.left:
        names = ", ".join(f"{one}/" for one in done.left[:4]) + (
            f" and {len(done.left) - 4} more" if len(done.left) > 4 else ""
        )
        out.warn(f"left alone, as they look like data sets: {names}")
        first = shlex.quote(done.left[0])
        out.note(f"hint: veml add {first} tracks one, git add {first} keeps its files in Git")
    if done.mended:
        found = ", ".join(f"{count} from {where}" for where, count in done.mended.items())
        out.warn(f"the store was damaged, and was mended: {found}; veml fsck looks at all of it")
    for one in done.datasets:
        for warning in one.warnings:
            out.warn(f"{one.path}: {warning}")
    for model in done.models:
        if model.problem is not None:
            out.warn(f"{model.path} is as it was: {model.problem}")
            out.note(f"hint: {model.hint}")
    if as_json or not quiet:
        show(done, added_lines(done, dry_run=dry_run), as_json=as_json)
