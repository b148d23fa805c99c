"""``veml version``: which veml this is."""

from __future__ import annotations

from veml_cli._options import examples
from veml_cli._output import out

EXAMPLES = examples(("which veml is this", "veml version"))


def version() -> None:
    """Show the version of veml."""
    from importlib import metadata

    out.write(f"veml version {metadata.version('veml')}")
