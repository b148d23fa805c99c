"""``veml resolve``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from veml_cli._options import Json, Quiet, examples
from veml_cli._output import out, show
from veml_cli._session import opened, working
from veml_cli._settling import is_terminal
from veml_cli.render.line import line
from veml_vcs.errors import InvalidInputError

if TYPE_CHECKING:
    from veml_vcs.samples.annotations import Resolution

EXAMPLES = examples(
    ("look at each conflict and decide, on a terminal", "veml resolve"),
    ("list what contradicts", "veml resolve --list"),
    ("take our boxes of one sample", "veml resolve images/train/0001.jpg --ours"),
    (
        "keep both boxes where both moved one",
        "veml resolve images/train/JPEGImages/0000.png --both",
    ),
    (
        "settle one box of it alone",
        "veml resolve images/train/JPEGImages/0000.png:objects#0 --theirs",
    ),
    (
        "a training that both sides fine-tuned: the mean of both",
        "veml resolve trainings/night.veml --average",
    ),
    ("take their side everywhere", "veml resolve --all --theirs"),
)


def resolve(
    keys: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="KEY",
            help="Data sets, samples (DATASET/KEY), or files; "
            "DATASET/KEY:PLACE is one conflict of a sample.",
        ),
    ] = None,
    ours: Annotated[bool, typer.Option("--ours", help="Take our side.")] = False,
    theirs: Annotated[bool, typer.Option("--theirs", help="Take their side.")] = False,
    base: Annotated[bool, typer.Option("--base", help="Take neither: as it was before.")] = False,
    both: Annotated[
        bool, typer.Option("--both", "--union", help="Keep both boxes, or both sides' lines.")
    ] = False,
    average: Annotated[
        bool,
        typer.Option("--average", help="Of a training: the mean of both sides' weights."),
    ] = False,
    everything: Annotated[bool, typer.Option("--all", help="Settle all open conflicts.")] = False,
    listing: Annotated[bool, typer.Option("--list", help="List the open conflicts.")] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Settle conflicts of a merge.

    Changes that do not contradict each other stay merged. With --both, an object that both sides
    changed or added becomes two, theirs under an id of its own; a text gets the lines of both.
    Where both cannot be (one side removed it, classes, binary files), that is refused.

    Of a training that both sides changed, --average takes the mean of both checkpoints, where the
    two began with the same weights; nothing is measured by that, so it has no metrics.

    Without a side, on a terminal, shows both sides of each conflict with their boxes and asks;
    elsewhere, or with --list, lists what is open. What plain git could not merge, because its data
    was not in this clone, is merged first, once veml data fetch has brought the data.
    """
    if average:
        if not keys or ours or theirs or base or both or everything or listing:
            raise InvalidInputError(
                "expected trainings in conflict, and --average alone",
                hint="veml resolve trainings/NAME.veml --average",
            )
        _average(keys, quiet, as_json)
        return
    chosen = [name for name, on in _choices(ours, theirs, base, both) if on]
    if not (chosen or listing or everything or as_json):
        _merge_unmerged(quiet)
    if not (chosen or listing or everything or as_json) and is_terminal():
        _ask(keys or [])
        return
    if listing or not (keys or everything or chosen):
        _list(as_json)
        return
    if len(chosen) != 1 or bool(keys) == everything:
        raise InvalidInputError(
            "expected keys (or --all), and one of --ours, --theirs, --base and --both",
            hint="veml resolve DATASET/KEY --ours",
        )
    from veml_cli.render.resolve import resolved_lines
    from veml_vcs.repository.merging.resolve import resolve as run

    with working() as (repo, progress):
        wanted = keys or []
        if everything:
            from veml_cli._conflicts import open_conflicts

            found = open_conflicts(repo)
            wanted = [*dict.fromkeys(f"{c.dataset}/{c.key}" for c in found.conflicts), *found.files]
        done = run(repo, wanted, chosen[0], progress=progress)
    if as_json or not quiet:
        show(done, resolved_lines(done), as_json=as_json)


def _choices(ours: bool, theirs: bool, base: bool, both: bool) -> list[tuple[Resolution, bool]]:
    return [("ours", ours), ("theirs", theirs), ("base", base), ("both", both)]


def _average(keys: list[str], quiet: bool, as_json: bool) -> None:
    from veml_cli.render.trainings import averaged_lines
    from veml_vcs.repository.trainings.merging import resolve_by_average

    with working() as (repo, _):
        done = resolve_by_average(repo, keys)
    if as_json or not quiet:
        show(done, averaged_lines(done), as_json=as_json)


def _merge_unmerged(quiet: bool) -> None:
    """Merge what git left unmerged; there is something to lock for only if there is such a one."""
    from veml_vcs.repository.merging.conflict import NOT_MERGED
    from veml_vcs.repository.merging.resolve import merge_unmerged
    from veml_vcs.repository.merging.state import load_merge_state

    with opened() as repo:
        state = load_merge_state(repo)
    if state is None or all(one.kind != NOT_MERGED for one in state.open_conflicts):
        return
    with working() as (repo, progress):
        merged = merge_unmerged(repo, progress=progress)
    if not quiet:
        out.write_lines(
            line("data ", (path, "name"), "  merged by sample and by box") for path in merged
        )


def _ask(keys: list[str]) -> None:
    from veml_cli._conflicts import open_conflicts
    from veml_cli._settling import ask_all
    from veml_cli.render.resolve import open_lines, resolved_lines
    from veml_vcs.repository.merging.resolve import ResolveResult
    from veml_vcs.repository.merging.resolve import resolve as run

    with opened() as repo:
        found = open_conflicts(repo)
        if not (found.conflicts or found.files):
            out.write_lines(open_lines(found, {}))
            return
        answers = ask_all(repo, found, keys)
    settled = 0
    done: ResolveResult | None = None
    with working() as (repo, progress):
        for choice, names in answers.items():
            done = run(repo, names, choice, progress=progress)
            settled += done.settled
    if done is None:
        out.write("nothing settled")
    else:
        out.write_lines(resolved_lines(replace(done, settled=settled)))


def _list(as_json: bool) -> None:
    from veml_cli._conflicts import open_conflicts
    from veml_cli.render.conflicts import LISTED
    from veml_cli.render.resolve import open_lines
    from veml_vcs.repository.merging.conflict_boxes import conflict_boxes

    with opened() as repo:
        found = open_conflicts(repo)
        keys = dict.fromkeys((one.dataset, one.key) for one in found.conflicts)
        boxes = {
            f"{dataset}/{key}": conflict_boxes(repo, dataset, key)
            for dataset, key in [*keys][: 0 if as_json else LISTED]
        }
    show(found, open_lines(found, boxes, out.width), as_json=as_json)
