"""``veml lineage page``."""

from __future__ import annotations

from typing import Annotated

import typer

from veml_cli._options import examples
from veml_cli._records import Replace
from veml_cli.lineage._options import asked, write_page

EXAMPLES = examples(
    ("the whole repository as one page, to click through and to send",
     "veml lineage page lineage.html"),
    ("as it was in v1.0", "veml lineage page old.html --at v1.0"),
)  # fmt: skip


def page(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The file to write; - is stdout.")],
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="REV", help="What REV and the commits before it brought."),
    ] = None,
    force: Replace = False,
) -> None:
    """Draw the versions of all branches and tags, and what leads from one to another, as a page.

    It is one HTML file that asks for nothing from anywhere: open it, mail it, keep it. Click a
    version to see its record; search by name, id, kind or fact (class:car). At most 2,000 versions
    are drawn, the newest; what is left out is said. For one version: veml lineage show --html.
    """
    from veml_vcs.lineage.page import page_of_all

    with asked() as lineage:
        write_page(lineage, page_of_all(lineage, at), file, force=force)
