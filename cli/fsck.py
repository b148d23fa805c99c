"""``veml fsck``."""

from __future__ import annotations

import typer

from veml_cli._errors import DIFFERS
from veml_cli._options import Json, examples
from veml_cli._output import show
from veml_cli._session import working

EXAMPLES = examples(("re-hash everything in the store", "veml fsck"))


def fsck(as_json: Json = False) -> None:
    """Check that nothing is damaged or missing.

    Re-hashes the whole store, and names the data versions that a problem hits. Ends with 1 if there
    is a problem. git fsck checks Git's own objects.
    """
    from veml_cli.render.simple import fsck_lines
    from veml_vcs.repository.fsck import fsck as run

    with working() as (repo, progress):
        done = run(repo, progress=progress)
    show(done, fsck_lines(done), as_json=as_json)
    if done.problems:
        raise typer.Exit(DIFFERS)
