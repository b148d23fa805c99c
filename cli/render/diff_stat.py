"""Short views of a difference: numbers only, or one line a name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from veml_cli.render.diff import data_summary
from veml_cli.render.line import Line, line
from veml_cli.render.records import kind_word, named, record_summary
from veml_cli.render.tables import Cell, Column, table
from veml_cli.render.words import plural

if TYPE_CHECKING:
    from veml_vcs.repository.diff_result import DataDiff, RepoDiff
    from veml_vcs.repository.file_diff import FileDiff

_GRAPH_WIDTH = 40
_RECORD_LETTERS = {"new": "A", "deleted": "D", "modified": "M"}
_LETTERS = {"added": "A", "removed": "D", "changed": "M", "annotated": "M"}


def stat_lines(diff: RepoDiff, width: int | None) -> Iterator[Line]:
    """Yield one line a data set or file, and their numbers."""
    if not diff:
        return
    widest = max((file.added_lines + file.removed_lines for file in diff.files), default=0)
    rows: list[list[Cell]] = [
        [line(("data ", "dim"), (one.path, "name")), "|", data_summary(one)]
        for one in diff.datasets
    ]
    rows += [
        [line((kind_word(one.path) + " ", "dim"), (one.name, "name")), "|", record_summary(one)]
        for one in named(diff)
    ]
    rows += [[line(file.path), "|", _file_graph(file, widest)] for file in diff.files]
    yield from table((Column(shrinks=True), Column(), Column()), rows, indent=" ", width=width)
    parts = []
    if diff.datasets:
        parts.append(plural(len(diff.datasets), "data set") + " changed")
    kinds = Counter(kind_word(one.path) for one in named(diff))
    parts += [plural(count, kind) + " changed" for kind, count in kinds.items()]
    if diff.files:
        added = sum(file.added_lines for file in diff.files)
        removed = sum(file.removed_lines for file in diff.files)
        parts.append(
            f"{plural(len(diff.files), 'ordinary file')} changed (+{added:,} -{removed:,} lines)"
        )
    yield line(" " + ", ".join(parts))


def name_status_lines(diff: RepoDiff, *, letters: bool = True) -> Iterator[Line]:
    """Yield a letter and a path for every sample and file that differs, as ``git diff`` does.

    Without letters, the new path alone.
    """
    for one in diff.datasets:
        for letter, *paths in _data_names(one):
            yield _named(letter, *paths) if letters else _named("", paths[-1])
    files = [(file.path, _LETTERS[file.kind]) for file in diff.files]
    files += [(one.path, _RECORD_LETTERS[one.kind]) for one in named(diff)]
    for path, letter in sorted(files):
        yield _named(letter if letters else "", path)


def _data_names(diff: DataDiff) -> Iterator[tuple[str, ...]]:
    names: dict[str, tuple[str, ...]] = {
        key: (_LETTERS[kind], _path(diff.path, key)) for key, kind in diff.files.items()
    }
    for sample in diff.samples:
        path = _path(diff.path, sample.key)
        if sample.old_key is not None:
            names[sample.key] = ("R", _path(diff.path, sample.old_key), path)
        else:
            names[sample.key] = (_LETTERS[sample.kind], path)
    for key in sorted(names):
        yield names[key]


def _named(letter: str, *paths: str) -> Line:
    if not letter:
        return line(paths[0])
    # A tab between the fields, which cleaning would escape, is put in as Git does.
    result = line(letter)
    for path in paths:
        result = Line((*result.pieces, ("\t", ""), *line(path).pieces))
    return result


def _path(dataset: str, key: str) -> str:
    return key[1:] if key.startswith("/") else f"{dataset}/{key}"


def _file_graph(file: FileDiff, widest: int) -> Line:
    if file.binary:
        return line("binary")
    total = file.added_lines + file.removed_lines
    scale = min(1.0, _GRAPH_WIDTH / widest) if widest else 1.0
    plus = max(1, round(file.added_lines * scale)) if file.added_lines else 0
    minus = max(1, round(file.removed_lines * scale)) if file.removed_lines else 0
    return line(f"{total:>4} ", ("+" * plus, "added"), ("-" * minus, "removed"))
