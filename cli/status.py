"""``veml status``."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import Annotated

import typer

from veml_cli._options import Json, examples
from veml_cli._output import out
from veml_cli._session import end_unread, working

EXAMPLES = examples(
    ("what the next commit would hold, and what it would not", "veml status"),
    ("one line a path, for people", "veml status -sb"),
    ("read every file, whatever size and time say", "veml status --verify"),
)


class Untracked(StrEnum):
    """Which untracked files to list."""

    NO = "no"
    NORMAL = "normal"
    ALL = "all"


def status(
    short: Annotated[bool, typer.Option("--short", "-s", help="One line a path.")] = False,
    porcelain: Annotated[
        bool,
        typer.Option("--porcelain", help="The same for programs: stable, from the root, quoted."),
    ] = False,
    branch: Annotated[
        bool, typer.Option("--branch", "-b", help="Name the branch in the short form too.")
    ] = False,
    untracked: Annotated[
        Untracked,
        typer.Option("--untracked-files", "-u", help="Untracked files: none, folders, or all."),
    ] = Untracked.NORMAL,
    verify: Annotated[
        bool, typer.Option("--verify", help="Read every file of every data set.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show what the next commit would hold, and what it would not."""
    from veml_cli.render.status import collapse, long_lines
    from veml_cli.render.status_short import short_lines
    from veml_vcs.repository.status import status as run

    with working() as (repo, progress):
        found = run(repo, untracked=untracked is not Untracked.NO, verify=verify, progress=progress)
        if as_json:
            out.write_json(found)
            end_unread(found.all_unreadable)
            return
        loose = list(found.untracked)
        if untracked is Untracked.NORMAL:
            loose = collapse(loose, [*repo.git.staged_files(), *repo.staged_datasets()])

        def from_here(path: str) -> str:
            slash = "/" if path.endswith("/") else ""
            return os.path.relpath(repo.absolute(path.rstrip("/"))) + slash

        if porcelain or short:
            place = (lambda path: path) if porcelain else from_here
            lines = short_lines(found, loose, place, branch=branch, quoted=porcelain)
        else:
            lines = long_lines(found, loose, from_here)
        out.write_lines(lines)
    end_unread(found.all_unreadable)
