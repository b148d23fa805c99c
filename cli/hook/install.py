"""``veml hook install``."""

from __future__ import annotations

from typing import Annotated

import typer

from veml_cli._options import Json, Quiet, examples
from veml_cli._output import out
from veml_cli._session import opened

EXAMPLES = examples(
    ("once more, after veml moved or was updated", "veml hook install"),
    ("into the folder that core.hooksPath names", "veml hook install --force"),
)


def install(
    force: Annotated[
        bool, typer.Option("--force", "-f", help="Write into the folder of core.hooksPath too.")
    ] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Install git hooks and drivers.

    A hook of your own is moved aside, still runs first, and is back after uninstall. Doing it twice
    is harmless. With core.hooksPath set, only the drivers are installed, unless forced.
    """
    from veml_hooks.install import install as run
    from veml_hooks.install import require_installed

    with opened() as repo:
        done = run(repo, force=force)
    if as_json:
        out.write_json(done)
    elif not quiet:
        if done.hooks_path is None:
            out.write(f"hooks installed in {done.folder}")
        for name in done.moved:
            out.write(f"  your own {name} is {name}.user now, and runs first")
    require_installed(done)
