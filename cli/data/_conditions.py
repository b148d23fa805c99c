"""The options that say which samples and objects are meant, the same for every data command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from veml_vcs.samples.query import Conditions

Spec = Annotated[
    str, typer.Argument(metavar="SPEC", help="PATH (as staged), REV:PATH or PATH@REV.")
]
Rev = Annotated[
    str | None, typer.Option("--rev", metavar="REV", help="The revision, instead of in SPEC.")
]
Classes = Annotated[
    list[str] | None,
    typer.Option("--class", metavar="NAME", help="Objects or labels of this class (repeatable)."),
]
Keys = Annotated[
    list[str] | None,
    typer.Option("--key", metavar="GLOB", help="Samples whose key matches; * takes slashes too."),
]
Splits = Annotated[
    list[str] | None, typer.Option("--split", metavar="NAME", help="Samples in this split.")
]
MinArea = Annotated[
    float | None, typer.Option("--min-area", metavar="PX", help="Boxes of at least PX pixels.")
]
MaxArea = Annotated[
    float | None, typer.Option("--max-area", metavar="PX", help="Boxes of at most PX pixels.")
]
MinObjects = Annotated[
    int | None,
    typer.Option("--min-objects", min=0, metavar="N", help="At least N such objects a sample."),
]
MaxObjects = Annotated[
    int | None,
    typer.Option("--max-objects", min=0, metavar="N", help="At most N such objects; 0 is none."),
]
Where = Annotated[
    str | None,
    typer.Option("--where", metavar="EXPR", help="What holds for the sample: 'width >= 640'."),
]
Objects = Annotated[
    str | None,
    typer.Option("--object", metavar="EXPR", help="What holds for an object: 'not iscrowd'."),
]
To = Annotated[
    str | None,
    typer.Option("--to", metavar="NAME", help="Stage the result as this data set."),
]
Replace = Annotated[
    bool, typer.Option("--force", "-f", help="Replace the data set --to NAME that is there.")
]
NoCheckout = Annotated[
    bool, typer.Option("--no-checkout", help="Leave the folder on disk as it is.")
]


def conditions(
    classes: list[str] | None,
    keys: list[str] | None,
    splits: list[str] | None,
    min_area: float | None,
    max_area: float | None,
    min_objects: int | None,
    max_objects: int | None,
    where: str | None,
    objects: str | None,
) -> Conditions:
    """Return the options as the library takes them."""
    from veml_vcs.samples.query import Conditions

    return Conditions(
        tuple(classes or ()), tuple(keys or ()), tuple(splits or ()), min_area, max_area,
        min_objects, max_objects, where, objects,
    )  # fmt: skip
