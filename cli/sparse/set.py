"""``veml sparse set``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from veml_cli._conditions import with_conditions
from veml_cli._options import Json, Quiet, examples
from veml_cli._session import working
from veml_cli.sparse._change import Data, Patterns, tell
from veml_vcs.errors import InvalidInputError

if TYPE_CHECKING:
    from veml_vcs.samples.query import Conditions

EXAMPLES = examples(
    ("only the images with a car or a bus", "veml sparse set --class car --class bus"),
    ("only one drive, in one of the data sets", "veml sparse set -d images/train 'drive1/*'"),
    ("only large night images", "veml sparse set --where 'width >= 1280 and weather == \"night\"'"),
    ("records and code alone", "veml sparse set --no-data"),
)  # fmt: skip


@with_conditions
def set(  # noqa: A001 - the word of the command line
    patterns: Patterns = None,
    data: Data = None,
    *,
    wanted: Conditions,
    no_data: Annotated[
        bool, typer.Option("--no-data", help="Keep no file of the data sets at all.")
    ] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Keep the samples in the work tree that meet conditions; the others leave it.

    They stay in every version: no commit takes what is left out for deleted, and status says no
    more than that something is. Checkout, merge and plain git respect it. With a sample go its own
    annotation file and masks; files that speak of many (COCO, lists, classes) and all others stay.
    What was changed and not added is kept.
    """
    from veml_vcs.repository.sparse.verbs import sparse_set

    wanted = replace(wanted, keys=(*(patterns or ()), *wanted.keys))
    if no_data and wanted:
        raise InvalidInputError("--no-data keeps no file, so conditions make no sense with it")
    with working() as (repo, progress):
        done = sparse_set(repo, data or (), None if no_data else wanted, progress=progress)
    tell(done, quiet=quiet, as_json=as_json)
