"""Where a sample and its boxes come from."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from veml_cli.render.line import Line, line
from veml_cli.render.simple import SHORT_ID
from veml_cli.render.tables import Cell, Column, table
from veml_cli.render.values import box_text, class_text
from veml_cli.render.words import plural
from veml_vcs.ids import short

if TYPE_CHECKING:
    from veml_vcs.ids import CommitId
    from veml_vcs.repository.blame import Blame


def blame_lines(found: Blame, width: int | None) -> Iterator[Line]:
    """Yield the sample's commits, then a line an object."""
    yield line(("sample ", "title"), (found.key, "name"), " of ", (found.dataset, "name"))
    rows: list[list[Cell]] = [["brought", *_commit(found, found.brought)]]
    if found.content is not None and found.content != found.brought:
        rows.append(["bytes", *_commit(found, found.content)])
    for commit, key in found.renamed.items():
        rows.append([line("renamed from ", (key, "name")), *_commit(found, commit)])
    for name, commit in found.image.items():
        if commit != found.brought:
            rows.append([name, *_commit(found, commit)])
    columns = (Column(shrinks=True), Column(), Column(), Column(), Column(shrinks=True))
    yield from table(columns, rows, width=width)
    if not found.objects:
        return
    yield line()
    yield line(plural(len(found.objects), "object"))
    objects: list[list[Cell]] = [
        [
            str(one.index),
            class_text(dict(one.object)),
            box_text(dict(one.object)),
            one.how,
            *_commit(found, one.commit),
        ]
        for one in found.objects
    ]
    heads = (
        Column("#", right=True), Column("class", shrinks=True), Column("box"), Column("how"),
        Column("commit"), Column("author"), Column("date"), Column("subject", shrinks=True),
    )  # fmt: skip
    yield from table(heads, objects, width=width)


def _commit(found: Blame, commit: CommitId) -> list[Cell]:
    entry = found.commits[commit]
    author = re.sub(r"\s*<[^>]*>$", "", entry.author)
    day = time.strftime("%Y-%m-%d", time.gmtime(entry.time_seconds + entry.offset_seconds))
    return [(short(commit, SHORT_ID), "id"), author, day, (entry.subject, "dim")]
