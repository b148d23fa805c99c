"""``veml data update``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from veml_cli._conditions import with_conditions
from veml_cli._options import DryRun, Json, Quiet, examples
from veml_cli._output import out, show
from veml_cli._session import working
from veml_cli.data._options import NoCheckout, Replace, Rev, Spec, To
from veml_vcs.errors import InvalidInputError

if TYPE_CHECKING:
    from veml_vcs.samples.query import Conditions

EXAMPLES = examples(
    ("a class was misspelt", "veml data update images/train --rename-class motobike=motorbike"),
    ("two classes become one",
     "veml data update images/train --rename-class bus=vehicle --rename-class truck=vehicle"),
    ("say of one drive that it was at night",
     "veml data update images/train --key 'drive7/*' --set weather=night"),
    ("tiny boxes are difficult", "veml data update images/train --max-area 100 --set-object "
     "difficult=1"),
)  # fmt: skip


@with_conditions
def update(
    spec: Spec,
    rev: Rev = None,
    *,
    wanted: Conditions,
    rename_class: Annotated[
        list[str] | None,
        typer.Option("--rename-class", metavar="OLD=NEW", help="Rename or join classes."),
    ] = None,
    set_field: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="Set a field of the samples (JSON)."),
    ] = None,
    unset: Annotated[
        list[str] | None, typer.Option("--unset", metavar="FIELD", help="Remove a field.")
    ] = None,
    set_object: Annotated[
        list[str] | None,
        typer.Option("--set-object", metavar="FIELD=VALUE", help="Set a field of the objects."),
    ] = None,
    unset_object: Annotated[
        list[str] | None,
        typer.Option("--unset-object", metavar="FIELD", help="Remove a field of the objects."),
    ] = None,
    drop_objects: Annotated[
        bool, typer.Option("--drop-objects", help="Remove the objects that are meant.")
    ] = False,
    to: To = None,
    force: Replace = False,
    no_checkout: NoCheckout = False,
    dry_run: DryRun = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Change what is said of many samples or objects at once, and stage the result.

    Conditions say of which; without any, of all. The new version's record says what it was made
    from, and how. A format that has no place for a field refuses it, and nothing is changed.
    """
    from veml_cli.render.data import operated_lines
    from veml_vcs.repository.data.update import Edit, parse_assignment, update_data

    edit = Edit(
        dict(_renames(rename_class or [])),
        dict(parse_assignment(one) for one in set_field or ()),
        tuple(unset or ()),
        dict(parse_assignment(one) for one in set_object or ()),
        tuple(unset_object or ()),
        drop_objects,
    )
    with working() as (repo, progress):
        done = update_data(
            repo, spec, wanted, edit, revision=rev, to=to, force=force, checkout=not no_checkout,
            dry_run=dry_run, progress=progress,
        )  # fmt: skip
    if as_json or not quiet:
        show(done, operated_lines(done, out.width), as_json=as_json)


def _renames(given: list[str]) -> list[tuple[str, str]]:
    pairs = []
    for one in given:
        old, sign, new = one.partition("=")
        if not sign or not old or not new:
            raise InvalidInputError(
                f"--rename-class {one!r}: expected OLD=NEW", hint="--rename-class bike=bicycle"
            )
        pairs.append((old, new))
    return pairs
