"""``veml sparse add``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from veml_cli._conditions import with_conditions
from veml_cli._options import Json, Quiet, examples
from veml_cli._session import working
from veml_cli.sparse._change import Data, Patterns, tell

if TYPE_CHECKING:
    from veml_vcs.samples.query import Conditions

EXAMPLES = examples(("the images with a bicycle, too", "veml sparse add --class bicycle"))


@with_conditions
def add(
    patterns: Patterns = None,
    data: Data = None,
    *,
    wanted: Conditions,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Keep further samples in the work tree, besides those that are wanted already."""
    from veml_vcs.repository.sparse.verbs import sparse_set

    wanted = replace(wanted, keys=(*(patterns or ()), *wanted.keys))
    with working() as (repo, progress):
        done = sparse_set(repo, data or (), wanted, add=True, progress=progress)
    tell(done, quiet=quiet, as_json=as_json)
