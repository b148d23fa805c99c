"""From the options of ``log`` and ``show`` to how a commit is written."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from veml_cli._git import setting
from veml_cli._output import out
from veml_vcs.errors import InvalidInputError

if TYPE_CHECKING:
    from veml_cli.render.log_head import Look
    from veml_vcs.repository.log import LogEntry
    from veml_vcs.repository.repository import Repository

_MOST_ALIASES = 10
_DECORATE = ("short", "full", "auto", "no")
_TEMPLATES = ("format:", "tformat:")


def look_of(
    repo: Repository,
    form: str | None,
    *,
    oneline: bool = False,
    date: str | None = None,
    abbreviated: bool = False,
    decorate: str | None = None,
    mapped: bool | None = None,
    sides: bool = False,
    graph: bool = False,
) -> Look:
    """Return how commits are written.

    Args:
        repo: Its settings name formats (``pretty.NAME``) and how dates are shown (``log.date``).
        form: What ``--format`` says; None is veml's own: as Git, and what was done to data.
        oneline: ``--oneline``.
        date: What ``--date`` says.
        abbreviated: Short ids.
        decorate: What ``--decorate`` says; None is what ``log.decorate`` says.
        mapped: Names are those of ``.mailmap``; None is what ``log.mailmap`` says.
        sides: Mark the sides of ``A...B``.
        graph: A graph is drawn beside it.

    Raises:
        InvalidInputError: There is no such format, or no such way to decorate.
    """
    from veml_cli.render.dates import date_mode
    from veml_cli.render.log_head import Look
    from veml_cli.render.pretty import Context
    from veml_vcs.repository.git.mailmap import read_mailmap
    from veml_vcs.repository.short_ids import shortener

    context = Context(
        shortener(repo.git),
        date_mode(date or setting(repo, "log", "date") or "default"),
        colored=out.colored and not graph,
        # The graph's lines go through what colours them, which takes plain text alone.
        guarded=out.for_people or graph,
        mailmap=read_mailmap(repo.git),
        mapped=_is_true(setting(repo, "log", "mailmap") or "true") if mapped is None else mapped,
    )
    decorate = _decoration(repo, decorate)
    look = Look(
        "oneline" if oneline else "medium", data=form is None, decorated=decorate != "no",
        full_names=decorate == "full", sides=sides, abbreviated=abbreviated or oneline,
        context=context,
    )  # fmt: skip
    if form is None:
        return look
    look = _formed(repo, look, form)
    if look.form == "reference" and date is None:
        look = replace(look, context=replace(context, date=date_mode("short")))
    return look


def _decoration(repo: Repository, asked: str | None) -> str:
    """Return ``short``, ``full`` or ``no``."""
    if asked is not None and asked not in _DECORATE:
        raise InvalidInputError(
            f"invalid --decorate option: {asked}", hint="short, full, auto or no"
        )
    found = asked or (setting(repo, "log", "decorate") or "short").lower()
    if found == "auto":
        return "short" if out.for_people else "no"
    if found in ("no", "full"):
        return found
    return "short" if found == "short" or _is_true(found) else "no"


def _is_true(text: str) -> bool:
    """Read a truth value as Git's configuration writes it."""
    return text.lower() in ("true", "yes", "on", "1", "")


def _formed(repo: Repository, look: Look, form: str) -> Look:
    from veml_cli.render.log_head import FORMS

    named = form
    for _ in range(_MOST_ALIASES):
        for one in FORMS:
            if named == one or (one != "raw" and len(named) > 1 and one.startswith(named)):
                return replace(look, form=one)
        prefix = next((one for one in _TEMPLATES if named.startswith(one)), None)
        if prefix is not None or "%" in named or not named:
            template = named.removeprefix(prefix or "")
            return replace(look, form="user", template=template, separated=prefix == "format:")
        found = setting(repo, "pretty", named)
        if found is None:
            break
        named = found
    raise InvalidInputError(
        f"invalid --pretty format: {form}", hint=f"expected one of {', '.join(FORMS)}, or %h %an %s"
    )


def write_head(entry: LogEntry, look: Look) -> None:
    """Write the head of one commit."""
    from veml_cli.render.log_head import head_lines
    from veml_cli.render.pretty import expand

    if look.form == "user":
        out.write_text(expand(look.template, entry, look.context) + "\n")
    else:
        out.write_lines(head_lines(entry, look))
