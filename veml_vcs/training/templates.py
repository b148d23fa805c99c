"""Configs that ship with veml: to begin from, and for its own tests and demo.

They are texts. Nothing here imports the engine, or reads a config: ``veml model add`` does.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files

from veml_vcs.errors import NotFoundError

_ENDING = ".py"


@dataclass(frozen=True)
class Template:
    """A config that ships with veml.

    Attributes:
        name: Its name, without the ending.
        says: Its first comment: what it is.
        text: All of it.
    """

    name: str
    says: str
    text: str


def templates() -> tuple[Template, ...]:
    """Return the configs that ship with veml, by name."""
    folder = files("veml_vcs.training").joinpath("configs")
    found = []
    for one in folder.iterdir():
        if one.name.endswith(_ENDING):
            text = one.read_text(encoding="utf-8")
            says = text.splitlines()[0].removeprefix("#").strip()
            found.append(Template(one.name.removesuffix(_ENDING), says, text))
    return tuple(sorted(found, key=lambda one: one.name))


def template(name: str) -> Template:
    """Return one of them.

    Raises:
        NotFoundError: There is none of this name.
    """
    known = templates()
    for one in known:
        if one.name == name.removesuffix(_ENDING):
            return one
    raise NotFoundError(
        f"no config {name!r} ships with veml; there are {', '.join(one.name for one in known)}",
        hint="veml model template",
        kind="unknown-template",
    )
