"""``veml hook status``."""

from __future__ import annotations

import typer

from veml_cli._errors import DIFFERS
from veml_cli._options import Json, examples
from veml_cli._output import out
from veml_cli._session import opened
from veml_cli.render.line import Style, line

EXAMPLES = examples(("which hooks git would run", "veml hook status"))


def status(as_json: Json = False) -> None:
    """Show which of veml's hooks and drivers git would run.

    Ends with 1 if something is not in place.
    """
    from veml_hooks.install import hooks_status

    with opened() as repo:
        found = hooks_status(repo)
    if as_json:
        out.write_json(found)
    else:
        out.write(line("hooks in ", (found.folder, "name")))
        if found.hooks_path is not None:
            out.write(f"  core.hooksPath is set to {found.hooks_path}: git runs only what is there")
            out.write(line(('  (add there: veml hook run NAME "$@")', "hint")))
        for name, state in found.hooks.items():
            style: Style = "added" if state == "installed" else "removed"
            own = "  after your own" if name in found.kept else ""
            out.write(line("  ", (f"{state:<10}", style), name, own))
        out.write("drivers")
        for name, there in found.drivers.items():
            word = "installed" if there else "missing"
            out.write(line("  ", (f"{word:<10}", "added" if there else "removed"), name))
        if not found.complete and found.hooks_path is None:
            out.write(line(('(use "veml hook install")', "hint")))
    if not found.complete:
        raise typer.Exit(DIFFERS)
