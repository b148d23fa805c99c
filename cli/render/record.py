"""Views of what a commit holds: a folder, a data set, a sample."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

from veml_cli.render.classes import record_class_lines
from veml_cli.render.line import Line, line
from veml_cli.render.tables import Cell, Column, table
from veml_cli.render.values import box_text, class_text, value_text
from veml_cli.render.words import plural, size

if TYPE_CHECKING:
    from veml_vcs.samples.facts import Annotation
    from veml_vcs.samples.tree import Entry
    from veml_vcs.versions.data import DataRecord

_SHOWN_ELSEWHERE = {"xywh", "xyxy", "cxcywhn", "class", "id"}


def folder_lines(names: Collection[str], datasets: Collection[str]) -> Iterator[Line]:
    """Yield what lies directly in a folder of a commit, data sets marked.

    Args:
        names: Paths of all files below the folder, from it.
        datasets: Paths of the data sets below it, from it.
    """
    found: dict[str, str] = {}
    for name in names:
        top, slash, _ = name.partition("/")
        found.setdefault(top + slash, "")
    for name in datasets:
        if "/" not in name:
            found[name + "/"] = "data set"
            found[name + ".veml"] = "its record"
    yield from table(
        (Column(), Column()), [[name, (what, "dim")] for name, what in sorted(found.items())],
        indent="",
    )  # fmt: skip


def record_lines(path: str, record: DataRecord, width: int | None) -> Iterator[Line]:
    """Yield a data version: its numbers, and its classes with bars."""
    facts = record.facts
    yield line(("data ", "title"), (path, "name"))
    rows: list[list[str]] = [
        ["tree", record.tree.hex()],
        ["format", facts.format if facts.task == "none" else f"{facts.format}, {facts.task}"],
        ["samples", f"{record.samples:,}"],
        ["objects", f"{record.objects:,}"],
        ["other files", f"{record.files:,}"],
        ["size", size(record.content_bytes)],
    ]
    # Both lists name a file outside the folder: one as a key, one as a path.
    named = [one[1:] if one[:1] == "/" else f"{path}/{one}" for one in record.sources]
    rows += [["annotations", one] for one in dict.fromkeys([*named, *record.annotations])]
    rows += [[f"derived {name}", value_text(value)] for name, value in record.derived.items()]
    yield from table((Column(), Column(shrinks=True)), rows, width=width)
    if facts.classes:
        yield line()
        yield from record_class_lines(record, width)


def sample_lines(
    dataset: str, key: str, entry: Entry, said: Annotation | None, width: int | None
) -> Iterator[Line]:
    """Yield a sample: its id and size, what is said of the image, and its objects as a table."""
    yield line(("sample ", "title"), (key, "name"), " of ", (dataset, "name"))
    rows: list[list[str]] = []
    if entry.content is None:
        rows.append(["file", "not in the folder, only named in an annotation file"])
    else:
        rows += [["id", entry.content.hex()], ["size", size(entry.size)]]
    if entry.annotation is not None:
        rows.append(["annotation", entry.annotation.hex()])
    rows += [[name, value_text(value)] for name, value in (said or {}).items() if name != "objects"]
    yield from table((Column(), Column(shrinks=True)), rows, width=width)
    objects = (said or {}).get("objects", [])
    if objects:
        yield line()
        yield line(plural(len(objects), "object"))
        yield from _objects(objects, width)


def _objects(objects: list[dict[str, Any]], width: int | None) -> Iterator[Line]:
    with_ids = any("id" in one for one in objects)
    rows: list[list[Cell]] = [
        [
            str(i),
            *([value_text(one.get("id"))] if with_ids else []),
            class_text(one),
            box_text(one),
            (_other_fields(one), "dim"),
        ]
        for i, one in enumerate(objects)
    ]
    columns = (
        Column("#", right=True), *([Column("id", right=True)] if with_ids else []),
        Column("class", shrinks=True), Column("box"), Column("also", shrinks=True),
    )  # fmt: skip
    yield from table(columns, rows, width=width)


def _other_fields(obj: dict[str, Any]) -> str:
    return ", ".join(
        f"{name} {value_text(value, 24)}"
        for name, value in obj.items()
        if name not in _SHOWN_ELSEWHERE
    )
