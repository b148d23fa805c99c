"""``veml lineage find``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from veml_cli._options import Json, examples
from veml_cli._output import show
from veml_cli._session import paged
from veml_cli.lineage._options import At, Has, MaxCount, TrainedOn, asked
from veml_vcs.errors import InvalidInputError

if TYPE_CHECKING:
    from veml_vcs.lineage.graph import VersionKind

EXAMPLES = examples(
    ("trainings of any ResNet-50 that got far enough",
     "veml lineage find --kind training --has backbone:resnet50 --where 'mAP>.4'"),
    ("everything that was trained on data with cars, as of v1.0",
     "veml lineage find --trained-on class:car --at v1.0"),
    ("large data sets", "veml lineage find --kind data --where 'samples>=1000'"),
)  # fmt: skip


def find(
    kind: Annotated[
        list[str] | None,
        typer.Option(
            "--kind", metavar="KIND", help="data, model, training or inference; may be repeated."
        ),
    ] = None,
    has: Has = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            "--where", metavar="'NAME>VALUE'", help="A property or metric; may be repeated."
        ),
    ] = None,
    trained_on: TrainedOn = None,
    at: At = None,
    limit: MaxCount = None,
    as_json: Json = False,
) -> None:
    """List the versions of all of history that fit in every way that is asked for.

    A training has the facts of its model and of the data that it was trained on, an inference
    version those of its training; upper case, blanks and hyphens in names do not count. Properties
    are samples, objects, bytes, format, task, operation (data), epochs, iterations, learning_rate,
    batch_size, parameters (models), status, seed, and the metrics by their names (trainings),
    quantisation, device, median_ms (inference versions), and name. What a version does not say does
    not fit, for != either.
    """
    list_found(kind or (), has or (), where or (), trained_on or (), at, limit, as_json=as_json)


def list_found(
    kinds: Sequence[str],
    has: Sequence[str],
    where: Sequence[str],
    trained_on: Sequence[str],
    at: str | None,
    limit: int | None,
    *,
    as_json: bool,
) -> None:
    """Find versions and list them.

    Raises:
        InvalidInputError: There is no such kind, fact or condition.
    """
    from veml_cli.render.lineage_lists import found_lines
    from veml_vcs.lineage.conditions import parse_condition
    from veml_vcs.lineage.find import find as run
    from veml_vcs.lineage.graph import VERSIONS

    wanted: list[VersionKind] = [one for one in VERSIONS if not kinds or one in kinds]
    unknown = [one for one in kinds if one not in VERSIONS]
    if unknown:
        raise InvalidInputError(f"--kind {unknown[0]}: expected one of {', '.join(VERSIONS)}")
    conditions = [parse_condition(one) for one in where]
    with asked() as lineage:
        found = run(lineage, wanted, facts=has, where=conditions, trained_on=trained_on, at=at)[
            :limit
        ]
        with paged(lineage.repo, unless=as_json):
            told = [one.as_dict() for one in found] if as_json else []
            lines = found_lines(found, conditions) if limit != 0 else ()
            show(told, lines, as_json=as_json)
