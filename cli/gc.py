"""``veml gc``."""

from __future__ import annotations

from typing import Annotated

import typer

from veml_cli._errors import DIFFERS
from veml_cli._options import DryRun, Json, Quiet, examples
from veml_cli._output import out, show
from veml_cli._session import working

EXAMPLES = examples(
    ("what would go, and which versions it was of", "veml gc --dry-run"),
    ("remove what nothing has led to for two weeks", "veml gc"),
    ("after deleting a branch with wrong data, without waiting",
     "git reflog expire --expire=now --all && veml gc --prune=now"),
    ("no byte of deleted samples stays", "veml gc --prune=now --threshold 0"),
)  # fmt: skip


def gc(
    prune: Annotated[
        str,
        typer.Option(
            "--prune", metavar="DATE", help="Keep what was stored since: now, never, 3.days.ago."
        ),
    ] = "2.weeks.ago",
    no_prune: Annotated[
        bool, typer.Option("--no-prune", help="The same as --prune=never.")
    ] = False,
    dry_run: DryRun = False,
    threshold: Annotated[
        float,
        typer.Option(
            "--threshold", min=0, max=1, metavar="SHARE",
            help="Rewrite a pack that is garbage to this share.",
        ),
    ] = 0.1,
    ignore_missing: Annotated[
        bool,
        typer.Option(
            "--ignore-missing", help="Collect although some versions' data was never fetched."
        ),
    ] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Remove data that no version needs.

    Kept is all that a branch, tag, stash, note, reflog entry, index or work tree leads to, and what
    was stored in the last two weeks. Where something cannot be read, what may hang below it is
    kept. Ends with 1 if nothing could be removed for that reason.
    """
    from veml_cli.render.maintenance import gc_lines
    from veml_vcs.repository.upkeep.expiry import parse_expiry
    from veml_vcs.repository.upkeep.gc import gc as run

    before = parse_expiry("never" if no_prune else prune)
    with working() as (repo, progress):
        done = run(
            repo, prune_before=before, dry_run=dry_run, threshold=threshold,
            ignore_missing=ignore_missing, progress=progress,
        )  # fmt: skip
    if as_json or not quiet:
        show(done, gc_lines(done), as_json=as_json)
    for one in done.kept:
        out.warn(f"{one.what}: {one.why}")
    if done.blocked:
        out.note("hint: veml fsck --repair mends it; veml data fetch gets data that is not here")
        raise typer.Exit(DIFFERS)
