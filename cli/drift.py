"""``veml drift``."""

from __future__ import annotations

from typing import Annotated

import typer

from veml_cli._errors import DIFFERS
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
    ("does new data follow the training data", "veml drift images/train incoming"),
    ("stop a pipeline if it does not", "veml drift v1.0:images/train incoming --exit-code"),
)


def drift(
    train: Annotated[
        str, typer.Argument(metavar="TRAIN", help="The old data: a data set, REV:PATH, a folder.")
    ],
    test: Annotated[str, typer.Argument(metavar="TEST", help="The new data: the same.")],
    embedder: Embedder = DEFAULT_EMBEDDER,
    alpha: Annotated[
        float, typer.Option("--alpha", help="Level of the verdict: the share of false alarms.")
    ] = 0.05,
    centres: Centres = DEFAULT_CENTRES,
    permutations: Annotated[
        int, typer.Option("--permutations", min=1, help="Random splits of the test.")
    ] = 999,
    seed: Seed = 0,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="End with 1 if the verdict is drift.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Tell whether new data is like the old.

    Compares the distributions of the embeddings of their images; needs no labels. For tables,
    series and arrays, veml diff and veml data stats tell what changed.
    """
    from veml_cli.render.drift import drift_lines
    from veml_vcs.analysis.data_versions import drift as run

    with working() as (repo, progress):
        found = run(
            repo, train, test, embedder=embedder, alpha=alpha, permutations=permutations,
            k=centres, seed=seed, progress=progress,
        )  # fmt: skip
    show(found, drift_lines(found, out.width), as_json=as_json)
    if exit_code and found.drifted:
        raise typer.Exit(DIFFERS)
