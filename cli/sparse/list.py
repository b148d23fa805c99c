"""``veml sparse list``."""

from __future__ import annotations

from veml_cli._options import Json, examples
from veml_cli._output import show
from veml_cli._session import opened

EXAMPLES = examples(("what is in the work tree", "veml sparse list"))


def list(as_json: Json = False) -> None:  # noqa: A001 - the word of the command line
    """Show which samples of each data set are wanted in the work tree, and how many are there."""
    from veml_cli.render.sparse import data_lines
    from veml_vcs.repository.sparse.verbs import sparse_list

    with opened() as repo:
        found = sparse_list(repo)
    show(found, data_lines(found), as_json=as_json)
