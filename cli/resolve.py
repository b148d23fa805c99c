"""``veml resolve``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from veml_cli._options import Json, Quiet, examples
from veml_cli._output import show
from veml_cli._session import opened, working
from veml_vcs.errors import InvalidInputError

if TYPE_CHECKING:
    from veml_vcs.samples.annotations import Choice

EXAMPLES = examples(
    ("list what contradicts", "veml resolve --list"),
    ("take our boxes of one sample", "veml resolve images/train/0001.jpg --ours"),
    ("take their side everywhere", "veml resolve --all --theirs"),
)


def resolve(
    keys: Annotated[
        list[str] | None,
        typer.Argument(metavar="KEY", help="Data sets, samples (DATASET/KEY), or files."),
    ] = None,
    ours: Annotated[bool, typer.Option("--ours", help="Take our side.")] = False,
    theirs: Annotated[bool, typer.Option("--theirs", help="Take their side.")] = False,
    base: Annotated[bool, typer.Option("--base", help="Take neither: as it was before.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Settle all open conflicts.")] = False,
    listing: Annotated[bool, typer.Option("--list", help="List the open conflicts.")] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Settle conflicts of a merge.

    Changes that do not contradict each other stay merged. Without arguments, lists what is open.
    """
    chosen = [name for name, on in _choices(ours, theirs, base) if on]
    if listing or not (keys or everything or chosen):
        _list(as_json)
        return
    if len(chosen) != 1 or bool(keys) == everything:
        raise InvalidInputError(
            "expected keys (or --all), and one of --ours, --theirs and --base",
            hint="veml resolve DATASET/KEY --ours",
        )
    from veml_cli.render.resolve import resolved_lines
    from veml_vcs.repository.resolve import resolve as run

    with working() as (repo, progress):
        wanted = keys or []
        if everything:
            from veml_cli._conflicts import open_conflicts

            found = open_conflicts(repo)
            wanted = [*dict.fromkeys(f"{c.dataset}/{c.key}" for c in found.conflicts), *found.files]
        done = run(repo, wanted, chosen[0], progress=progress)
    if as_json or not quiet:
        show(done, resolved_lines(done), as_json=as_json)


def _choices(ours: bool, theirs: bool, base: bool) -> list[tuple[Choice, bool]]:
    return [("ours", ours), ("theirs", theirs), ("base", base)]


def _list(as_json: bool) -> None:
    from veml_cli._conflicts import open_conflicts
    from veml_cli.render.resolve import open_lines

    with opened() as repo:
        found = open_conflicts(repo)
    show(found, open_lines(found), as_json=as_json)
