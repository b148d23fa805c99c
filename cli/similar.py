"""``veml similar``."""

from __future__ import annotations

from typing import Annotated

import typer

from veml_cli._options import (
    DEFAULT_CENTRES,
    DEFAULT_EMBEDDER,
    Centres,
    Embedder,
    Json,
    Seed,
    examples,
)
from veml_cli._output import out, show
from veml_cli._session import working

EXAMPLES = examples(
    ("which known data does this new folder resemble", "veml similar incoming --top 3"),
    ("and this data set, as it was in v1.0", "veml similar v1.0:images/train"),
)


def similar(
    what: Annotated[
        str, typer.Argument(metavar="X", help="A data set, REV:PATH, or a folder of images.")
    ],
    top: Annotated[
        int, typer.Option("--top", min=0, metavar="N", help="At most so many rows; 0 is all.")
    ] = 5,
    embedder: Embedder = DEFAULT_EMBEDDER,
    centres: Centres = DEFAULT_CENTRES,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Find the known data versions that resemble one, by their images.

    Known are the data sets of the index and of every branch and tag, and versions that have been
    asked about before. Tables, series and arrays are left out: veml diff and veml data stats
    compare those.
    """
    from veml_cli.render.similar import similar_lines
    from veml_vcs.analysis.data_versions import similar as run

    with working() as (repo, progress):
        found = run(
            repo, what, top=top or None, embedder=embedder, k=centres, seed=seed, progress=progress
        )
    show(found, similar_lines(found, out.width), as_json=as_json)
