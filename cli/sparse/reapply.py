"""``veml sparse reapply``."""

from __future__ import annotations

from veml_cli._options import Json, Quiet, examples
from veml_cli._session import working
from veml_cli.sparse._change import Data, tell

EXAMPLES = examples(("after boxes were relabelled", "veml sparse reapply"))


def reapply(data: Data = None, quiet: Quiet = False, as_json: Json = False) -> None:
    """Bring the work tree to the rule again: samples come and go whose annotation has changed.

    Also makes the list of what is left out anew where it was damaged.
    """
    from veml_vcs.repository.sparse.verbs import sparse_reapply

    with working() as (repo, progress):
        done = sparse_reapply(repo, data or (), progress=progress)
    tell(done, quiet=quiet, as_json=as_json)
