"""The full view of a difference: data sets down to their boxes, named records, then files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

from veml_cli.render.arrays import array_diff_lines
from veml_cli.render.classes import class_lines
from veml_cli.render.line import Line, Piece, Style, joined, line
from veml_cli.render.records import named, record_diff_lines
from veml_cli.render.series import series_diff_lines
from veml_cli.render.tables import Cell, Column, natural_width, table
from veml_cli.render.text_tables import table_diff_lines
from veml_cli.render.values import box_text, class_text, value_text
from veml_cli.render.words import counted, key_name, plural, plus_minus, size, unread_part

if TYPE_CHECKING:
    from veml_vcs.repository.diff_result import DataDiff, RepoDiff, SampleDiff
    from veml_vcs.repository.file_diff import FileDiff
    from veml_vcs.samples.annotations import AnnotationDiff, ObjectChange

_FILES_LISTED = 3
_INDENT = "  "
_HEAD = 2
_CLASSES_LISTED = 4
_COLUMNS = (
    Column("what"),
    Column("sample", shrinks=True),
    Column("box"),
    Column("class", shrinks=True),
    Column("change", shrinks=True),
    Column("IoU", right=True),
)
_STYLES: dict[str, Style] = {
    "added": "added", "removed": "removed", "changed": "changed", "renamed": "changed",
    "annotated": "changed",
}  # fmt: skip
_MARKS = {"added": "+", "removed": "-", "changed": "~"}

Row: TypeAlias = list[Cell]


def diff_lines(diff: RepoDiff, limit: int, width: int | None) -> Iterator[Line]:
    """Yield the view.

    Args:
        diff: What differs.
        limit: Samples a data set, and boxes a sample, to list; 0 lists all.
        width: Columns of the terminal; None is unlimited.
    """
    first = True
    for one in diff.datasets:
        yield from () if first else (line(),)
        yield from _dataset(one, limit, width)
        first = False
    for record in named(diff):
        yield from () if first else (line(),)
        yield from record_diff_lines(record, limit, width)
        first = False
    for file in diff.files:
        yield from () if first else (line(),)
        yield from _file(file)
        first = False


def data_header(diff: DataDiff) -> Line:
    """Return ``data images/train  +3 -1 ~12 samples, boxes +5 -2, 4 moved, 1 relabelled``."""
    kind = "new data " if diff.old is None else "deleted data " if diff.new is None else "data "
    return line((kind, "title"), (diff.path, "name"), "  ") + data_summary(diff)


def data_summary(diff: DataDiff) -> Line:
    """Return the header's numbers."""
    if diff.absent:
        return _absent_summary(diff)
    changed = diff.count("changed") + diff.count("annotated") + diff.count("renamed")
    samples = counted(diff.count("added"), diff.count("removed"), changed, "sample")
    parts = [samples] if samples.pieces else []
    counts = diff.counts
    boxes = plus_minus(counts.added, counts.removed, 0)
    if boxes.pieces:
        parts.append(line("boxes ") + boxes)
    told = (
        (counts.moved, "moved"),
        (counts.relabelled, "relabelled"),
        (counts.changed, "with other fields"),
        (_relabelled(diff), "with other labels"),
        (diff.count("renamed"), "renamed"),
    )
    parts += [line(f"{count:,} {word}") for count, word in told if count]
    if diff.files and not parts:
        parts.append(line(plural(len(diff.files), "other file")))
    if diff.unreadable:
        parts.append(unread_part(len(diff.unreadable)))
    return joined(parts) if parts else line("dataset-level facts only")


def _absent_summary(diff: DataDiff) -> Line:
    """Return what the records alone say: ``75 -> 74 samples, its data is not in this clone``."""
    sides = [one.samples for one in (diff.old, diff.new) if one is not None]
    counts = " -> ".join(f"{one:,}" for one in dict.fromkeys(sides))
    return line(f"{counts} samples; ", ("its data is not in this clone", "warning"))


def _relabelled(diff: DataDiff) -> int:
    """Count the samples of both sides whose own labels differ."""
    both = (one for one in diff.samples if one.kind not in ("added", "removed"))
    return sum(1 for one in both if one.annotation.counts.labels)


def _dataset(diff: DataDiff, limit: int, width: int | None) -> Iterator[Line]:
    yield data_header(diff)
    shown = diff.samples[: limit or None]
    rows = [row for sample in shown for row in _sample_rows(sample, limit)]
    if rows:
        yield from _sample_table(rows, width)
    left = len(diff.samples) - len(shown)
    if left > 0:
        yield line((f"  … and {left:,} more (--samples 0 shows all)", "dim"))
    yield from series_diff_lines(diff.series, limit)
    told = set(diff.series.files) if diff.series else set()
    yield from table_diff_lines(
        {key: one for key, one in diff.tables.items() if key not in told}, limit, width
    )
    yield from _masks(diff, limit)
    arrays = {key: one for key, one in diff.arrays.items() if key.partition("[")[0] not in told}
    yield from array_diff_lines(arrays, limit)
    yield from (line(("  note  ", "dim"), (one, "hint")) for one in diff.notes)
    yield from _facts(diff)
    yield from _other_files(diff, width)
    yield from class_lines(diff.classes, limit, width)


def _sample_table(rows: Sequence[Row], width: int | None) -> Iterator[Line]:
    """Yield a table of samples; where the terminal is too narrow, each sample on its own line."""
    kept = [i for i in range(len(_COLUMNS)) if any(_filled(row[i]) for row in rows)]
    columns = [_COLUMNS[i] for i in kept]
    cells = [[row[i] for i in kept] for row in rows]
    if width is None or natural_width(columns, cells) + len(_INDENT) <= width:
        yield from table(columns, cells, indent=_INDENT, width=width)
        return
    untitled = [Column("", one.right, one.shrinks) for one in columns[_HEAD:]]
    details = table(untitled, [row[_HEAD:] for row in cells], indent=_INDENT * 2, width=width)
    for row, detail in zip(cells, details, strict=True):
        heads = [line(cell) if not isinstance(cell, Line) else cell for cell in row[:_HEAD]]
        if _filled(row[0]):
            yield line(_INDENT) + joined(heads, "  ")
        if detail.plain:
            yield detail


def _filled(cell: Cell) -> bool:
    return cell not in ("", line())


def _sample_rows(sample: SampleDiff, limit: int) -> Iterator[Row]:
    style = _STYLES[sample.kind]
    key: Cell = (sample.key, "")
    if sample.old_key is not None:
        key = line((sample.old_key, "removed"), " => ", (sample.key, "added"))
    head: Row = [(sample.kind, style), key]
    if sample.kind in ("added", "removed"):
        yield [*head, "", *_whole(sample)]
        yield from (["", "", *_edited(one)] for one in sample.annotation.edited)
        return
    rows = [*_object_rows(sample.annotation), *_field_rows(sample.annotation)]
    if sample.kind == "changed" or not rows:
        bytes_text = ""
        if sample.kind == "changed":
            bytes_text = f"{size(sample.old_bytes)} -> {size(sample.new_bytes)}"
        rows.insert(0, ["", _note(sample), bytes_text, ""])
    shown = rows[: limit or None]
    for i, row in enumerate(shown):
        yield [*(head if i == 0 else ["", ""]), *row]
    if len(rows) > len(shown):
        yield ["", (f"… and {len(rows) - len(shown):,} more in this sample", "dim"), "", "", "", ""]


def _note(sample: SampleDiff) -> Piece:
    if sample.kind == "changed":
        return ("bytes", "dim")
    if sample.annotation.reordered:
        return ("boxes reordered", "dim")
    if sample.annotation.annotation_added or sample.annotation.annotation_removed:
        word = "added" if sample.annotation.annotation_added else "removed"
        return (f"annotation {word}", "dim")
    return ""


def _whole(sample: SampleDiff) -> Row:
    """Describe a sample that came or went: its classes, its size."""
    said = sample.annotation
    objects = [one.new or one.old for one in (*said.added, *said.removed)]
    counts = Counter(class_text(obj) or "no class" for obj in objects)
    labels = next((one.new or one.old for one in said.fields if one.path == "labels"), None)
    listed = [f"{name} {n}" for name, n in counts.most_common(_CLASSES_LISTED)]
    if len(counts) > _CLASSES_LISTED:
        listed.append("…")
    if isinstance(labels, list):
        listed = [str(one) for one in labels[:_CLASSES_LISTED]] + listed
    stays = sample.kind == "removed" and sample.annotation_stays and not said.removed
    text = size(sample.new_bytes or sample.old_bytes)
    return [", ".join(listed), text + (", its annotation stays" if stays else ""), ""]


def _object_rows(said: AnnotationDiff) -> Iterator[Row]:
    for one in said.edited:
        yield _edited(one)
    for one in said.added:
        yield [("added", "added"), (class_text(one.new), "added"), box_text(one.new), ""]
    for one in said.removed:
        yield [("removed", "removed"), (class_text(one.old), "removed"), box_text(one.old), ""]


def _edited(change: ObjectChange) -> Row:
    before, after = class_text(change.old), class_text(change.new)
    old_box, new_box = box_text(change.old), box_text(change.new)
    words = []
    name: Cell = before
    if before != after:
        words.append("relabelled")
        name = line((before, "removed"), " -> ", (after, "added"))
    values: Line = line()
    if old_box != new_box:
        words.append("moved")
        values = line((old_box, "removed"), " -> ", (new_box, "added"))
    fields = [
        line(
            f"{one.path} ", (value_text(one.old), "removed"), " -> ", (value_text(one.new), "added")
        )
        for one in change.fields
    ]
    if fields and not words:
        words.append("changed")
    overlap = f"{change.iou:.2f}" if change.iou is not None and old_box != new_box else ""
    shown = joined([*([values] if values.pieces else []), *fields])
    return [(", ".join(words) or "moved", "changed"), name, shown, overlap]


def _field_rows(said: AnnotationDiff) -> Iterator[Row]:
    for one in said.fields:
        values = line((value_text(one.old), "removed"), " -> ", (value_text(one.new), "added"))
        yield [("field", "changed"), one.path, values, ""]


def _facts(diff: DataDiff) -> Iterator[Line]:
    """Yield what differs of the data set as a whole."""
    if diff.old is None or diff.new is None:
        return
    for word, old, new in (
        ("format", diff.old.facts.format, diff.new.facts.format),
        ("task", diff.old.facts.task, diff.new.facts.task),
    ):
        if old != new:
            yield line(f"  {word}  ", (old, "removed"), " -> ", (new, "added"))
    before = [one.name for one in diff.old.facts.classes]
    after = [one.name for one in diff.new.facts.classes]
    gone, came = [n for n in before if n not in after], [n for n in after if n not in before]
    if gone or came:
        marked = [line((f"-{n}", "removed")) for n in gone]
        marked += [line((f"+{n}", "added")) for n in came]
        yield line("  class list  ") + joined(marked, " ")


def _masks(diff: DataDiff, limit: int) -> Iterator[Line]:
    """Yield which classes pixels of masks had before and after."""
    shown = list(diff.masks.items())
    for key, one in shown[: limit or None]:
        head = line("  mask ", (key, "name"), "  ")
        if one.resized:
            yield head + line("other size")
            continue
        moves = list((one.moves or {}).items())
        parts = [line(f"{name} ", (f"{count:,}", "changed")) for name, count in moves[:3]]
        if len(moves) > len(parts):
            parts.append(line((f"… and {len(moves) - len(parts)} more", "dim")))
        share = one.changed / one.pixels
        yield head + line(f"{one.changed:,} pixels ({share:.2%}): ") + joined(parts)
    if limit and len(shown) > limit:
        yield line((f"  … and {len(shown) - limit:,} more masks (--samples 0 shows all)", "dim"))


def _other_files(diff: DataDiff, width: int | None) -> Iterator[Line]:
    if not diff.files:
        return
    counts = Counter(diff.files.values())
    numbers = plus_minus(counts["added"], counts["removed"], counts["changed"])
    head = line("  other files  ") + numbers + line("  ")
    names = [key_name(key) for key in diff.files]
    for listed in range(min(_FILES_LISTED, len(names)), 0, -1):
        more = f", … and {len(names) - listed:,} more" if len(names) > listed else ""
        row = head + line((", ".join(names[:listed]) + more, "dim"))
        if width is None or row.width <= width:
            break
    yield row


def _file(file: FileDiff) -> Iterator[Line]:
    kind = {"added": "new file ", "removed": "deleted file "}.get(file.kind, "file ")
    yield line((kind, "title"), (file.path, "name"))
    if file.binary:
        yield line("  binary, or too large to show")
    for text in file.lines:
        yield line((text.expandtabs(), _line_style(text)))


def _line_style(text: str) -> Style:
    if text.startswith(("+++", "---")):
        return "title"
    if text.startswith("@@"):
        return "ref"
    return "added" if text.startswith("+") else "removed" if text.startswith("-") else ""
