"""``veml diff``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from veml_cli._errors import DIFFERS
from veml_cli._options import Json, PathCommand, after_separator, examples
from veml_cli._output import out
from veml_cli._session import end_unread, paged, working
from veml_vcs.errors import InvalidInputError

if TYPE_CHECKING:
    from veml_vcs.repository.diff_result import RepoDiff
    from veml_vcs.repository.progress import Progress
    from veml_vcs.repository.ranges import Range
    from veml_vcs.repository.repository import Repository

COMMAND_CLASS = PathCommand
EXAMPLES = examples(
    ("what add would stage", "veml diff"),
    ("what commit would commit", "veml diff --staged"),
    ("two branches, in numbers", "veml diff main night --stat"),
    ("one data set, every sample", "veml diff main night --samples 0 -- images/train"),
    ("before and after with boxes, as a picture", "veml diff main night --plot out.png"),
    ("one data set against another", "veml diff main:images/train main:images/val"),
)

DEFAULT_SAMPLES = 20
MOST_DRAWN = 100


def diff(
    context: typer.Context,
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="A|B|PATH", help="Revisions, then paths; -- between them."),
    ] = None,
    staged: Annotated[
        bool, typer.Option("--staged", "--cached", help="Compare the index with HEAD (or A).")
    ] = False,
    stat: Annotated[bool, typer.Option("--stat", help="Numbers only.")] = False,
    name_status: Annotated[
        bool, typer.Option("--name-status", help="One line a sample or file: A, D, M or R.")
    ] = False,
    name_only: Annotated[
        bool, typer.Option("--name-only", help="The path of each sample or file that differs.")
    ] = False,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="End with 1 if something differs.")
    ] = False,
    samples: Annotated[
        int, typer.Option("--samples", min=0, metavar="N", help="Samples to list; 0 lists all.")
    ] = DEFAULT_SAMPLES,
    plot: Annotated[
        str | None,
        typer.Option(
            "--plot", metavar="FILE", help="Also draw the samples before and after, with boxes."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what differs, down to samples, boxes and classes.

    Without a revision: the work tree against the index. With A: the work tree against A. With A and
    B, or A..B: B against A. A...B: B against the commit where it left A. With A:PATH B:PATH: what
    the two have there.

    --plot draws the first samples that differ (--samples N: so many) side by side. It needs Pillow:
    pip install 'veml[plot]'.
    """
    from veml_cli.render.diff import diff_lines
    from veml_cli.render.diff_stat import name_status_lines, stat_lines

    with working() as (repo, progress):
        # Numbers and names need no look into checkpoints.
        layers = as_json or not (stat or name_status or name_only)
        after = after_separator(context)
        found = _compare(repo, arguments or [], after, staged, layers, progress)
        if plot is not None:
            _draw(repo, found, plot, samples)
    with paged(repo, unless=as_json):
        if as_json:
            out.write_json(found)
        elif name_status or name_only:
            out.write_lines(name_status_lines(found, letters=not name_only))
        elif stat:
            out.write_lines(stat_lines(found, out.width))
        else:
            out.write_lines(diff_lines(found, samples, out.width))
    end_unread(found.unreadable)
    if exit_code and found:
        raise typer.Exit(DIFFERS)


def _draw(repo: Repository, found: RepoDiff, target: str, samples: int) -> None:
    from veml_vcs.analysis.sheets import draw_pairs
    from veml_vcs.repository.diff_pairs import pairs_of

    total = sum(len(one.samples) for one in found.datasets)
    pairs = [*pairs_of(repo, found, min(samples or MOST_DRAWN, MOST_DRAWN))]
    names = [name.removeprefix(":") for name in (found.old, found.new)]
    draw_pairs(pairs, f"{names[0]} (left), {names[1]} (right)", target)
    out.note(f"drew {len(pairs):,} of {total:,} samples that differ into {target}")


def _compare(
    repo: Repository,
    arguments: list[str],
    after: list[str] | None,
    staged: bool,
    layers: bool,
    progress: Progress,
) -> RepoDiff:
    from veml_cli._revisions import split_arguments
    from veml_vcs.repository.diff import diff as run
    from veml_vcs.repository.diff import diff_named
    from veml_vcs.repository.ranges import parse_range, parse_ranges

    if len(arguments) == 2 and after is None and all(map(_names_path, arguments)):
        return diff_named(repo, *arguments)
    revisions, paths = split_arguments(repo, arguments, after)
    if any(one.startswith("^") or parse_range(repo.git, one).walked for one in revisions):
        found = parse_ranges(repo.git, revisions)
        starts = found.exclude
        if len(starts) != 1 or len(found.include) != (2 if found.left else 1):
            raise InvalidInputError(_not_two(revisions, found))
        revisions = [starts[0], found.include[-1]]
    elif any(one.endswith("^@") for one in revisions):
        revisions = [*parse_ranges(repo.git, revisions).include]
    if len(revisions) > (1 if staged else 2):
        most = "1 revision" if staged else "2 revisions"
        raise InvalidInputError(
            f"expected at most {most}, found {' '.join(revisions)}",
            hint="veml diff A B, or veml diff --staged A",
        )
    old, new = [*revisions, None, None][:2]
    return run(repo, old, new, staged=staged, paths=paths, layers=layers, progress=progress)


def _not_two(revisions: list[str], found: Range) -> str:
    """Say why a range has not two ends to compare."""
    name = " ".join(revisions)
    if found.left and not found.exclude:
        return f"{name} have no common ancestor"
    if found.left and len(found.left) == 1 and len(revisions) == 1:
        return f"{name}: {len(found.exclude)} common ancestors; name the one to compare with"
    if len(revisions) == 1 and name.endswith("^!"):
        whole = name.removesuffix("^!")
        what = "is a merge; veml diff " if found.exclude else "has no parent to compare with"
        more = f"{whole}^- compares with its first parent" if found.exclude else ""
        return f"{whole} {what}{more}"
    return f"{name}: expected two ends to compare"


def _names_path(text: str) -> bool:
    return ":" in text[1:] and not text.startswith(":")
