"""``veml hook uninstall``."""

from __future__ import annotations

from veml_cli._options import Json, Quiet, examples
from veml_cli._output import out
from veml_cli._session import opened

EXAMPLES = examples(("take them out again", "veml hook uninstall"))


def uninstall(quiet: Quiet = False, as_json: Json = False) -> None:
    """Remove veml's git hooks and drivers, and put your own hooks back.

    Git then moves records and not data folders; veml checkout brings the folders along.
    """
    from veml_hooks.install import uninstall as run

    with opened() as repo:
        done = run(repo)
    if as_json:
        out.write_json(done)
    elif not quiet:
        out.write(f"removed {len(done.removed)} hooks, and the drivers")
        for name in done.restored:
            out.write(f"  your own {name} is back")
