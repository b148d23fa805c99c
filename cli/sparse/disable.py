"""``veml sparse disable``."""

from __future__ import annotations

from veml_cli._options import Json, Quiet, examples
from veml_cli._session import working
from veml_cli.sparse._change import Data, tell

EXAMPLES = examples(("everything back into the work tree", "veml sparse disable"))


def disable(data: Data = None, quiet: Quiet = False, as_json: Json = False) -> None:
    """Bring all files back into the work tree, and forget the conditions."""
    from veml_vcs.repository.sparse.verbs import sparse_disable

    with working() as (repo, progress):
        done = sparse_disable(repo, data or (), progress=progress)
    tell(done, quiet=quiet, as_json=as_json)
