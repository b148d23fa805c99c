"""``veml sparse add``."""

from __future__ import annotations

from veml_cli._options import Json, Quiet, examples
from veml_cli._session import working
from veml_cli.data._conditions import (
    Classes,
    Keys,
    MaxArea,
    MaxObjects,
    MinArea,
    MinObjects,
    Objects,
    Splits,
    Where,
    conditions,
)
from veml_cli.sparse._change import Data, Patterns, tell

EXAMPLES = examples(("the images with a bicycle, too", "veml sparse add --class bicycle"))


def add(
    patterns: Patterns = None,
    data: Data = None,
    classes: Classes = None,
    key: Keys = None,
    split: Splits = None,
    min_area: MinArea = None,
    max_area: MaxArea = None,
    min_objects: MinObjects = None,
    max_objects: MaxObjects = None,
    where: Where = None,
    objects: Objects = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Keep further samples in the work tree, besides those that are wanted already."""
    from veml_vcs.repository.sparse.verbs import sparse_set

    keys = [*(patterns or ()), *(key or ())]
    wanted = conditions(
        classes, keys, split, min_area, max_area, min_objects, max_objects, where, objects
    )
    with working() as (repo, progress):
        done = sparse_set(repo, data or (), wanted, add=True, progress=progress)
    tell(done, quiet=quiet, as_json=as_json)
