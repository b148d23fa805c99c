"""``veml fsck``."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from veml_cli._errors import DIFFERS
from veml_cli._options import Json, examples
from veml_cli._output import out, show
from veml_cli._session import working
from veml_vcs.errors import InvalidInputError

EXAMPLES = examples(
    ("re-hash everything in the store", "veml fsck"),
    ("mend from the clone next door", "veml fsck --repair --from ../drives"),
)


def fsck(
    repair: Annotated[
        bool,
        typer.Option("--repair", help="Mend from duplicates, work tree files and another clone."),
    ] = False,
    source: Annotated[
        str | None,
        typer.Option("--from", metavar="PATH", help="A clone to mend from; else the remote."),
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Also compare every annotation and class count.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Check that nothing is damaged or missing, and mend it.

    Re-hashes the whole store, walks every version that anything in Git leads to, and names the
    samples and versions that a problem hits. --repair moves damaged packs to .git/veml/quarantine
    once what is sound in them is saved, and fills in what is missing. Versions that this clone
    never had, and the clone it came from has, are counted and no problem. The lineage's file is
    compared with one that is made anew. Ends with 1 if there is a
    problem (left). git fsck checks Git's own objects.
    """
    if source is not None and not repair:
        raise InvalidInputError("--from goes with --repair", hint="veml fsck --repair --from PATH")
    from veml_vcs.lineage.check import fault_of as lineage_fault
    from veml_vcs.lineage.check import made_anew

    with working() as (repo, progress):
        if repair:
            from veml_cli.render.maintenance import repair_lines
            from veml_vcs.repository.upkeep.repair import repair as mend

            mended = mend(repo, source, progress=progress)
            if lineage_fault(repo, progress=progress) is not None:
                made_anew(repo, progress=progress)
                out.note("the lineage's file was damaged, and is made anew")
            show(mended, repair_lines(mended), as_json=as_json)
            problems = mended.after.problems
            if problems and mended.unreachable_source:
                out.note(f"no other clone was asked: {mended.unreachable_source}")
            if problems:
                out.note("hint: veml fsck --repair --from PATH asks another clone")
        else:
            from veml_cli.render.simple import fsck_lines
            from veml_vcs.repository.upkeep.fsck import FsckProblem
            from veml_vcs.repository.upkeep.fsck import fsck as run

            done = run(repo, full=full, progress=progress)
            fault = lineage_fault(repo, progress=progress)
            if fault is not None:
                problem = FsckProblem("damaged", "lineage", f".git/veml/lineage.sqlite: {fault}")
                done = replace(done, problems=(*done.problems, problem))
            show(done, fsck_lines(done), as_json=as_json)
            problems = done.problems
            if problems:
                out.note("hint: veml fsck --repair mends what can be mended")
    if problems:
        raise typer.Exit(DIFFERS)
