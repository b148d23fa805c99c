"""``veml blame``."""

from __future__ import annotations

from typing import Annotated

import typer

from veml_cli._options import Json, examples
from veml_cli._output import out
from veml_cli._session import opened, paged
from veml_vcs.errors import InvalidInputError

EXAMPLES = examples(
    ("who brought a sample, and who drew each of its boxes", "veml blame images/train/0001.jpg"),
    ("as it was in v1.0, data set and key apart", "veml blame images/train 0001.jpg v1.0"),
)


def blame(
    names: Annotated[
        list[str], typer.Argument(metavar="DATASET/KEY [REV]", help="A sample; DATASET KEY too.")
    ],
    as_json: Json = False,
) -> None:
    """Show which commit brought or last changed a sample, and each of its boxes.

    Boxes are followed as a merge matches them, samples through renames, of their data set too.
    """
    from veml_cli.render.blame import blame_lines
    from veml_vcs.repository.blame import blame as run

    with opened() as repo, paged(repo, unless=as_json):
        first, *rest = names
        path = repo.relative(first)
        if path in repo.staged_datasets() and rest:
            path, rest = f"{path}/{rest[0].strip('/')}", rest[1:]
        if len(rest) > 1:
            raise InvalidInputError(
                f"expected a sample and a revision, found {' '.join(names)}",
                hint="veml blame DATASET/KEY REV",
            )
        found = run(repo, path, *rest)
        if as_json:
            out.write_json(found)
        else:
            out.write_lines(blame_lines(found, out.width))
