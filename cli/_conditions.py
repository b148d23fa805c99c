"""The options that say which samples and objects are meant, for all commands that take them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

if TYPE_CHECKING:
    from veml_vcs.samples.query import Conditions

_NAME = "wanted"


def with_conditions(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command that has an option a condition where ``wanted: Conditions`` stands."""
    options = _parameters(_conditions)
    shown: list[Parameter] = []
    for name, one in _parameters(command).items():
        shown += options.values() if name == _NAME else [one]

    @wraps(command)
    def run(**given: Any) -> None:
        said = {name: given.pop(name) for name in options}
        command(**{_NAME: _conditions(**said)}, **given)

    # What typer looks at. Its own look would not know the names of the command's module.
    run.__signature__ = Signature(shown)  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in shown}
    return run


def _parameters(function: Callable[..., Any]) -> dict[str, Parameter]:
    # The class is not imported for this: the whole query language would come along.
    hints = get_type_hints(function, localns={"Conditions": object}, include_extras=True)
    return {
        name: one.replace(annotation=hints[name], kind=Parameter.KEYWORD_ONLY)
        for name, one in signature(function).parameters.items()
    }


def _conditions(
    classes: Annotated[
        list[str] | None,
        typer.Option(
            "--class", metavar="NAME", help="Objects or labels of this class (repeatable)."
        ),
    ] = None,
    key: Annotated[
        list[str] | None,
        typer.Option(
            "--key", metavar="GLOB", help="Samples whose key matches; * takes slashes too."
        ),
    ] = None,
    split: Annotated[
        list[str] | None, typer.Option("--split", metavar="NAME", help="Samples in this split.")
    ] = None,
    min_area: Annotated[
        float | None, typer.Option("--min-area", metavar="PX", help="Boxes of at least PX pixels.")
    ] = None,
    max_area: Annotated[
        float | None, typer.Option("--max-area", metavar="PX", help="Boxes of at most PX pixels.")
    ] = None,
    min_objects: Annotated[
        int | None,
        typer.Option("--min-objects", min=0, metavar="N", help="At least N such objects a sample."),
    ] = None,
    max_objects: Annotated[
        int | None,
        typer.Option(
            "--max-objects", min=0, metavar="N", help="At most N such objects; 0 is none."
        ),
    ] = None,
    where: Annotated[
        str | None,
        typer.Option("--where", metavar="EXPR", help="What holds for the sample: 'width >= 640'."),
    ] = None,
    objects: Annotated[
        str | None,
        typer.Option("--object", metavar="EXPR", help="What holds for an object: 'not iscrowd'."),
    ] = None,
) -> Conditions:
    """Return the options as the library takes them."""
    from veml_vcs.samples.query import Conditions

    return Conditions(
        tuple(classes or ()), tuple(key or ()), tuple(split or ()), min_area, max_area,
        min_objects, max_objects, where, objects,
    )  # fmt: skip
