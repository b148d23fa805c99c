"""``veml mv``."""

from __future__ import annotations

from typing import Annotated

import typer

from veml_cli._options import DryRun, Json, Quiet, examples
from veml_cli._output import out, show
from veml_cli._session import working
from veml_vcs.errors import InvalidInputError

EXAMPLES = examples(
    ("give a data set another name", "veml mv images/train images/day"),
    ("move a sample; its annotation goes along",
     "veml mv data/train/cat/7.jpg data/train/dog/7.jpg"),
    ("move samples to another data set, with what is said of them",
     "veml mv images/train/JPEGImages/0004.png images/val"),
    ("move files into a folder, those that can be moved", "veml mv -k a.py b.py src"),
)  # fmt: skip


def mv(
    paths: Annotated[
        list[str],
        typer.Argument(metavar="SOURCE... DESTINATION", help="Data sets, samples and files."),
    ],
    force: Annotated[
        bool, typer.Option("--force", "-f", help="A file may take the place of another file.")
    ] = False,
    skip_errors: Annotated[
        bool, typer.Option("-k", help="Skip what cannot be moved, instead of refusing all.")
    ] = False,
    dry_run: DryRun = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Move or rename data sets, samples, files and folders.

    The change is staged at once; uncommitted changes move along. With several sources the
    destination is a folder. With a sample go its own annotation file, its masks and its place in
    files that list many; later merges know it by its bytes. In class folders the label is that of
    the new place.

    A sample may also go to another data set of the same format: classes go by name, ids that are
    taken are given anew, and what could not be said there as it was said is refused. Moved to the
    data set itself, it keeps its folder if the data set has samples in such a folder, and else lies
    where most samples do. veml restore --staged --worktree of both data sets undoes it.
    """
    from veml_cli.render.mv import moved_lines
    from veml_vcs.repository.moving.mv import mv as run

    if len(paths) < 2:
        raise InvalidInputError("a source and a destination are needed", hint="veml mv --help")
    *sources, destination = paths
    with working() as (repo, progress):
        done = run(
            repo, sources, destination, force=force, skip_errors=skip_errors, dry_run=dry_run,
            progress=progress,
        )  # fmt: skip
    for one in done.skipped:
        out.note(f"skipped {one}")
    if as_json or not quiet:
        show(done, moved_lines(done), as_json=as_json)
