"""View of a rebuild: what was decided, what is waited for, what it gained and lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from veml_cli.render.line import Line, line
from veml_cli.render.tables import Cell, Column, table
from veml_cli.render.words import plural
from veml_vcs.ids import VersionId, short

if TYPE_CHECKING:
    from veml_vcs.lifecycle.rebuild.carry import Accuracy, Rebuilt
    from veml_vcs.lifecycle.rebuild.settle import Unmoved
    from veml_vcs.lifecycle.rebuild.state import Rebuild

_SHORT_ID = 7
_SHOWN = ("mAP", "mAP50", "accuracy", "F1", "MAE", "MAE_12", "MAE_last_value")
_LISTED = 5


def rebuilt_lines(done: Rebuilt | Unmoved, width: int | None) -> Iterator[Line]:
    """Yield what came of a rebuild, and what to type next."""
    from veml_vcs.lifecycle.rebuild.settle import Unmoved

    if isinstance(done, Unmoved):
        yield line("nothing to rebuild: ", done.why)
        yield line((f"  --method full rebuilds {done.training} all the same", "hint"))
        return
    yield line(
        "rebuild ", (done.name, "name"), f" of {done.training}  {done.method}"
        + (f", {done.selection}" if done.selection else ""),
    )  # fmt: skip
    yield line(("  " + done.why, "dim"))
    if done.status == "planned":
        yield from _planned(done)
    elif done.status == "waiting":
        yield from _waiting(done)
    elif done.status == "partial":
        yield line(("interrupted", "warning"), ": what is done is kept")
        yield line((f"  go on: veml rebuild --continue --name {done.name}", "hint"))
    else:
        yield from _complete(done, width)


def aborted_lines(given_up: Rebuild) -> Iterator[Line]:
    """Yield what became of a rebuild that was given up."""
    yield line("gave up the rebuild ", (given_up.name, "name"))
    if given_up.trained_on is not None:
        path = given_up.trained_on.path
        yield line((f"  {path} is staged still; veml rm --cached {path} takes it back", "hint"))


def _planned(done: Rebuilt) -> Iterator[Line]:
    verb = {"adapt": "adapted to", "active": "labelled and learnt from"}
    what = verb.get(done.method, "learnt from")
    if done.task == "forecasting":
        yield line(f"  {plural(done.samples, 'step')} are new")
        return
    yield line(f"  {len(done.chosen)} of {plural(done.samples, 'sample')} would be {what}")
    if done.method == "active":
        listed = ", ".join(done.chosen[:_LISTED]) + (", ..." if done.labels > _LISTED else "")
        yield line(f"  first: {listed}")
    if done.data:
        yield line(f"  merged into {done.data}")


def _waiting(done: Rebuilt) -> Iterator[Line]:
    yield line(f"  {done.labels} of {plural(done.samples, 'sample')} wait for labels")
    name = f" --name {done.name}"
    if done.task == "classification":
        yield line(f"  listed in {done.listed}")
        say = f"fill in its column label, then: veml rebuild --continue {done.listed}"
    else:
        yield line(f"  listed in {done.listed} and {done.listed.removesuffix('.json')}.csv")
        say = "label them, then: veml rebuild --continue LABELS.json"
    yield line((f"  {say}{name}", "hint"))
    yield line((f"  give it up: veml rebuild --abort{name}", "hint"))


def _complete(done: Rebuilt, width: int | None) -> Iterator[Line]:
    series = done.task == "forecasting"
    yield line(
        "training ", (done.name, "name"), "  ",
        (short(VersionId(done.version), _SHORT_ID), "id"),
        f"  {plural(done.trained_on, 'window' if series else 'sample')}, {_time(done.seconds)}",
    )  # fmt: skip
    yield line(
        f"labels needed: none, a series is its own; {plural(done.samples, 'step')} are new"
        if series
        else f"labels needed: {done.labels} of {plural(done.samples, 'sample')}"
    )
    rows: list[list[Cell]] = []
    for what, found in (("new", done.new), ("old", done.old)):
        if found is None:
            rows.append([what, "no labels to measure on", "", "", "", ""])
            continue
        rows += _rows(what, found)
    columns = (
        Column("on"), Column("data"), Column("metric"), Column("before", right=True),
        Column("after", right=True), Column("change", right=True),
    )  # fmt: skip
    yield from table(columns, rows, width=width)
    yield line((f"  staged: {done.path}; veml commit keeps it", "hint"))


def _rows(what: str, found: Accuracy) -> Iterator[list[Cell]]:
    first = f"{found.data} ({found.samples})"
    names = [one for one in _SHOWN if one in found.after] or list(found.after)[:2]
    for number, name in enumerate(names):
        before, after = found.before.get(name), found.after[name]
        head = [what, first] if not number else ["", ""]
        old = "-" if before is None else f"{before:.3f}"
        change = "-" if before is None else f"{after - before:+.3f}"
        yield [*head, (name, "dim"), old, f"{after:.3f}", change]


def _time(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else f"{seconds / 60:.1f} min"
