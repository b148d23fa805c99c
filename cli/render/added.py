"""What ``veml add`` did."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from veml_cli.render.line import Line, joined, line
from veml_cli.render.words import counted, plural, size

if TYPE_CHECKING:
    from veml_vcs.repository.add import AddedData, AddResult


def added_lines(result: AddResult, *, dry_run: bool) -> Iterator[Line]:
    """Yield one line a data set, and one for each ordinary file of a dry run."""
    for one in result.datasets:
        yield _dataset(one, dry_run)
    if dry_run:
        for path in result.plain:
            yield line(f"would add {path}")
    for model in result.models:
        if model.problem is None:
            facts = ", ".join(one.fact for one in model.facts)
            keys = plural(len(model.changes), "key") + " of its config"
            head = line("would add " if dry_run else "", ("model ", "dim"), (model.name, "name"))
            yield head + line("  ", f"{facts}; {keys}" if facts else keys)


def _dataset(one: AddedData, dry_run: bool) -> Line:
    head = line("would add " if dry_run else "", ("data ", "dim"), (one.path, "name"), "  ")
    record = one.record
    if one.new:
        parts = [
            line(record.facts.format),
            line(plural(record.samples, "sample")),
            line(plural(record.objects, "object")) if record.objects else line(),
            line(plural(len(record.facts.classes), "class", "classes")),
            line(plural(record.files, "other file")),
            line(size(record.content_bytes)),
        ]
        return head + joined(part for part in parts if part.pieces)
    samples = counted(one.added, one.removed, one.changed + one.annotated, "sample")
    parts = [samples] if samples.pieces else []
    if one.files_changed:
        parts.append(line(plural(one.files_changed, "other file")))
    if not parts:
        return head + line(("unchanged", "dim"))
    return head + joined([*parts, line(f"{size(one.new_bytes)} new")])
