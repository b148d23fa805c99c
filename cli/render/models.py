"""Views of model versions: what one is, a list, two side by side."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from veml_cli.render.line import Line, line
from veml_cli.render.records import SHORT_ID, change_lines, side_by_side, written_head
from veml_cli.render.tables import Cell, Column, table
from veml_cli.render.words import plural
from veml_vcs.ids import short

if TYPE_CHECKING:
    from veml_vcs.repository.models.add import AddedModel
    from veml_vcs.repository.models.changes import ModelDiff
    from veml_vcs.repository.models.listing import ListedModel, ModelComparison
    from veml_vcs.repository.models.versions import ModelVersion
    from veml_vcs.versions.models import ConfigChange
    from veml_vcs.versions.models.merge import KeyConflict

_LONGEST = 100


def added_lines(done: AddedModel, dry_run: bool, width: int | None) -> Iterator[Line]:
    """Yield what was recorded: of a new model all facts, of a known one those that changed."""
    if done.same:
        yield line("model ", (done.name, "name"), f"  {done.config} says what the record says")
        return
    word = "would record" if dry_run else "recorded"
    how = "run" if done.ran else "read"
    told = line(f"  {word}, {how} from {done.config}")
    yield written_head("model", done.name, done.version, new=done.new) + told
    if done.new:
        rows: list[list[Cell]] = [[(one.fact, "dim"), one.new] for one in done.facts]
        yield from table((Column(), Column(shrinks=True)), rows, width=width)
    else:
        yield from change_lines(done.facts, width)
        if done.changes:
            yield line("  ", plural(len(done.changes), "key"), " of the config changed")


def listing_lines(found: Sequence[ListedModel], width: int | None) -> Iterator[Line]:
    """Yield a table of models."""
    columns = (
        Column("model"), Column("version"), Column("architecture"),
        Column("backbone", shrinks=True), Column("classes", right=True),
        Column("parameters", right=True), Column("config", shrinks=True),
    )  # fmt: skip
    rows: list[list[Cell]] = [
        [
            (one.name, "name"),
            (short(one.version, SHORT_ID), "id") if one.version else "",
            one.architecture,
            one.backbone,
            ", ".join(map(str, one.classes)),
            "" if one.parameters is None else f"{one.parameters:,}",
            one.config,
        ]
        for one in found
    ]
    if rows:
        yield from table(columns, rows, indent="", width=width)
    else:
        yield line("no models (veml model add CONFIG --name NAME)")
    for one in found:
        if one.stale:
            yield line((one.name, "name"), "  ", (one.stale, "warning"))


def shown_lines(found: ModelVersion, width: int | None, *, config: bool) -> Iterator[Line]:
    """Yield what a model is."""
    from veml_vcs.versions.models import fact_rows

    record = found.record
    yield line("model ", (found.name, "name"), "  ", (found.id, "id"))
    rows: list[list[Cell]] = [[("config", "dim"), record.path]]
    rows += [[("", "dim"), f"inherits {file}"] for file in record.files[1:] if not record.ran]
    if record.ran:
        rows.append(["", ("was run, because it cannot be read", "warning")])
    rows += [[(name, "dim"), text] for name, text in fact_rows(record).items()]
    yield from table((Column(), Column(shrinks=True)), rows, width=width)
    if config:
        yield line()
        for key, value in record.config.items():
            yield line((key, "name"), " = ", config_text(value))


def shown_document(found: ModelVersion) -> dict[str, Any]:
    """Return what ``--json`` writes of a model."""
    return {
        "name": found.name,
        "revision": found.revision,
        "version": found.id,
        "files": found.record.files,
        "ran": found.record.ran,
        "parameters": found.record.parameters,
        "facts": found.record.facts,
        "config": found.record.config,
    }


def compared_lines(found: ModelComparison, width: int | None, *, config: bool) -> Iterator[Line]:
    """Yield two models side by side, what differs marked."""
    yield from side_by_side(found.facts, found.old, found.new, width)
    count = len(found.changes)
    if not found.differs:
        yield line("they are the same version ", (short(found.new_version, SHORT_ID), "id"))
    elif config:
        yield line()
        yield from config_lines(found.changes, width)
    else:
        told = "no key of the config differs" if not count else (
            f"{plural(count, 'key')} of the config differ{'s' if count == 1 else ''} "
            "(--config lists them)"
        )  # fmt: skip
        yield line((told, "hint"))


def diff_lines(diff: ModelDiff, limit: int, width: int | None) -> Iterator[Line]:
    """Yield how a model differs: its facts, then the keys of its config.

    Args:
        diff: What differs.
        limit: Keys to list at most; 0 lists all.
        width: Columns of the terminal; None is unlimited.
    """
    yield from change_lines(diff.facts, width)
    if diff.kind == "modified":
        yield from config_lines(diff.changes, width, limit)


def summary(diff: ModelDiff) -> Line:
    """Return what a model is, or in which facts it differs."""
    if diff.kind != "modified":
        side = [one.new if diff.kind == "new" else one.old for one in diff.facts[:2]]
        return line(", ".join(side))
    facts = ", ".join(one.fact for one in diff.facts)
    if not diff.changes:
        return line(facts or "other files of the same config")
    keys = plural(len(diff.changes), "key") + " of its config"
    return line(f"{facts}; {keys}" if facts else keys)


def conflict_lines(conflicts: Sequence[KeyConflict], limit: int = 20) -> Iterator[Line]:
    """Yield the keys of a config that a merge contradicts itself in, and how to go on."""
    for one in conflicts[:limit]:
        base, ours, theirs = (
            "none" if side in one.absent else config_text(value)
            for side, value in (("base", one.base), ("ours", one.ours), ("theirs", one.theirs))
        )
        yield line((one.key, "name"), f"  base {base}, ours {ours}, theirs {theirs}")
    if len(conflicts) > limit:
        yield line((f"… and {len(conflicts) - limit:,} more", "dim"))
    yield line(('(settle its config, then "veml add CONFIG" reads the record from it)', "hint"))


def config_text(value: Any) -> str:
    """Return a value of a config as JSON, whose numbers are whole: a rate may be 0.00001."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def config_lines(
    changes: Sequence[ConfigChange], width: int | None, limit: int = 0
) -> Iterator[Line]:
    """Yield the keys of a config that differ.

    Args:
        changes: What differs.
        width: Columns of the terminal; None is unlimited.
        limit: List at most so many; 0 lists all.
    """
    rows: list[list[Cell]] = []
    for one in changes[: limit or None]:
        old = "" if one.kind == "added" else config_text(one.old)
        new = "" if one.kind == "removed" else config_text(one.new)
        arrow = " -> " if one.kind == "changed" else ""
        mark = {"added": "+", "removed": "-"}.get(one.kind, "~")
        rows.append([
            line((mark, one.kind)),  # type: ignore[arg-type]
            one.key, line((old, "removed"), arrow, (new, "added")),
        ])  # fmt: skip
    yield from table((Column(), Column(), Column(shrinks=True)), rows, width=width)
    if limit and len(changes) > limit:
        yield line((f"  … and {len(changes) - limit:,} more keys", "dim"))
