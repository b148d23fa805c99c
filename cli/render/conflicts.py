"""Conflicts of a merge: what contradicts what, with the values, and how to settle it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from veml_cli.render.line import Line, line
from veml_cli.render.values import value_text
from veml_cli.render.words import plural, size
from veml_vcs.repository.merging.conflict import NOT_MERGED
from veml_vcs.versions.kinds import TRAINING, measured_at

if TYPE_CHECKING:
    from veml_vcs.repository.merging.conflict import DataConflict

LISTED = 20
_LOOSE = ("stash", "squash")
"""What leaves nothing but conflicts in the index: there is nothing to continue or abort."""

_WORDS = {
    NOT_MERGED: "not merged yet:",
    "moved-both": "both moved the box",
    "class-both": "both changed the class",
    "field-both": "both changed a field",
    "removed-changed": "one side removed it, the other changed it",
    "added-both": "both added nearly the same object",
    "labels-both": "both changed the label",
    "splits-both": "both changed the split",
    "image-field-both": "both changed a field of the image",
    "annotation-removed-changed": "one side removed what is said of it, the other changed it",
    "content-both": "both replaced the bytes",
    "place-both": "both moved it, to different places",
    "file-both": "both changed the file",
    "fact-both": "both changed it",
    "mask-both": "both gave pixels another class",
    "elements-both": "both changed elements",
    "rows-added-both": "both added rows at the end",
    "array-layout-both": "one side gave an array another layout, the other changed it, too",
    "array-both": "both changed an array, or added one of this name",
    "array-removed-changed": "one side removed an array, the other changed it",
    "needs-parquet": "both changed rows; merging them needs pip install 'veml[parquet]', then "
    "veml merge --abort and the merge again",
    "cell-both": "both changed a cell",
    "row-both": "both added or changed a row",
    "row-removed-changed": "one side removed a row, the other changed it",
}


def conflict_rows(conflicts: Sequence[DataConflict]) -> dict[str, list[Line]]:
    """Return one line a conflict, by data set."""
    found: dict[str, list[Line]] = {}
    for one in conflicts:
        words = _WORDS.get(one.kind, one.kind)
        where = f"  {one.path}" if one.path and one.path not in ("bytes", "place") else ""
        row = line((one.key, "name"), f"  {words}", (where, "dim"))
        found.setdefault(one.dataset, []).append(row)
    return {
        dataset: rows[:LISTED]
        + ([line((f"… and {len(rows) - LISTED:,} more", "dim"))] if len(rows) > LISTED else [])
        for dataset, rows in found.items()
    }


def conflict_lines(conflicts: Sequence[DataConflict], files: Sequence[str]) -> Iterator[Line]:
    """Yield each conflict with the values of the three sides."""
    shown: dict[str, list[DataConflict]] = {}
    for one in conflicts:
        shown.setdefault(one.dataset, []).append(one)
    for dataset, group in shown.items():
        yield line(
            ("CONFLICT", "removed"), " in data ", (dataset, "name"),
            f": {plural(len(group), 'contradiction')}",
        )  # fmt: skip
        rows = conflict_rows(group)[dataset]
        for one, row in zip(group[:LISTED], rows, strict=False):
            yield line("  ") + row
            yield from _sides(one)
        for row in rows[LISTED:]:
            yield line("  ") + row
    for path in files:
        yield line(("CONFLICT", "removed"), f" in {_word(path)} ", (path, "name"))


def _word(path: str) -> str:
    kind = measured_at(path)
    return "file" if kind is None else kind.name


def contradictions(group: Sequence[DataConflict]) -> Iterator[Line]:
    """Yield the conflicts of one sample, with the values of the three sides."""
    for one in group[:LISTED]:
        where = f"  {one.path}" if one.path and one.path not in ("bytes", "place") else ""
        yield line("  ", _WORDS.get(one.kind, one.kind), (where, "dim"))
        yield from _sides(one)
    if len(group) > LISTED:
        yield line((f"  … and {len(group) - LISTED:,} more", "dim"))


def next_steps(
    conflicts: Sequence[DataConflict], files: Sequence[str], kind: str = "merge"
) -> Iterator[Line]:
    """Yield what to type to finish a merge (cherry-pick, revert) with conflicts."""
    from veml_vcs.samples.annotations import can_be_both

    yield line("Settle the conflicts, then go on:")
    if any(one.kind == NOT_MERGED for one in conflicts):
        yield line(
            "  veml resolve", ("   merges by sample and by box, and lists what is left", "hint")
        )
    elif conflicts:
        first = f"{conflicts[0].dataset}/{conflicts[0].key}"
        both = ", --both" if can_be_both(conflicts[0].kind, conflicts[0].path) else ""
        yield line(
            "  veml resolve ",
            shlex.quote(first),
            " --ours",
            (f"   or --theirs, --base{both}", "hint"),
        )
    records = [path for path in files if measured_at(path) is not None]
    if records:
        average = ", --average" if TRAINING.may_be(records[0]) else ""
        yield line("  veml resolve ", shlex.quote(records[0]), " --ours",
                   (f"   or --theirs, --base{average}", "hint"))  # fmt: skip
    elif files:
        yield line(f"  edit {shlex.quote(files[0])}, then: veml add {shlex.quote(files[0])}")
    finish = "veml commit" if kind in ("merge", *_LOOSE) else f"veml {kind} --continue"
    drop = "veml reset --hard" if kind in _LOOSE else f"veml {kind} --abort"
    width = max(len(finish), len(drop))
    yield line("  ", finish.ljust(width), (f"   finishes the {kind}", "hint"))
    yield line("  ", drop.ljust(width), ("   drops it", "hint"))


def _sides(one: DataConflict) -> Iterator[Line]:
    if one.kind == NOT_MERGED:
        return
    values: dict[str, Any] = {"base": one.base, "ours": one.ours, "theirs": one.theirs}
    for name, value in values.items():
        yield line("      ", (name.ljust(7), "dim"), _say(value))


def _say(value: Any) -> str:
    if isinstance(value, dict) and {"bytes", "content"} <= value.keys():
        said = str(value["content"] or "")[:10]
        note = str(value.get("annotation") or "none")[:10]
        return f"{size(value['bytes'])}, content {said}, annotation {note}"
    return "nothing" if value is None else value_text(value)
