"""The short form of ``veml status``: two letters and a path, as ``git status -s``.

A data set is one path that ends with a slash: its letters say how the record, or the folder,
differs. ``B``: the folder is behind a record that Git moved; ``X``: the data is not in this clone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from veml_cli.render.line import Line, line

if TYPE_CHECKING:
    from veml_vcs.repository.status import Status

_LETTERS = {"new": "A", "modified": "M", "deleted": "D"}
_BEHIND_LETTERS = {"absent": "X"}
_ESCAPES = {"\a": "a", "\b": "b", "\t": "t", "\n": "n", "\v": "v", "\f": "f", "\r": "r"}


def short_lines(
    status: Status,
    untracked: Sequence[str],
    place: Callable[[str], str],
    *,
    branch: bool,
    quoted: bool,
) -> Iterator[Line]:
    """Yield one line a path.

    Args:
        status: What the library found.
        untracked: Untracked files and folders to list.
        place: Turns a path from the root into one to show.
        branch: Name the branch first.
        quoted: Quote odd paths as Git does, so that a program can undo it.
    """
    if branch:
        yield _head(status)
    data = {change.path + "/" for change in status.staged_data}
    staged = {change.path + "/": _LETTERS[change.kind] for change in status.staged_data}
    staged |= {path: _LETTERS[kind] for path, kind in status.staged_files.items()}
    loose = {
        path + "/": "D" if changes.missing else "M" for path, changes in status.changed_data.items()
    }
    loose |= {path: _LETTERS[kind] for path, kind in status.changed_files.items()}
    for one in status.behind:
        loose.setdefault(one.path + "/", _BEHIND_LETTERS.get(one.kind, "B"))
    for damaged in status.unreadable:
        loose.setdefault(damaged.path + "/", "X")
    conflicted = {
        path.removesuffix(".veml") + "/" if _is_data(status, path) else path
        for path in status.conflicted
    }
    for path in sorted({*data, *staged, *loose, *conflicted}):
        name = quote(place(path)) if quoted else place(path)
        if path in conflicted:
            yield line(("UU", "removed"), " ", name)
        else:
            yield line(
                (staged.get(path, " "), "added"), (loose.get(path, " "), "removed"), " ", name
            )
    for path in [*(folder + "/" for folder in status.untracked_data), *untracked]:
        yield line(("??", "removed"), " ", quote(place(path)) if quoted else place(path))


def quote(path: str) -> str:
    r"""Return a path as Git quotes it: in C's way, if a byte is not printable ASCII.

    >>> quote("a\n")
    '"a\\n"'
    """
    if path.isascii() and path.isprintable() and not {'"', "\\"} & {*path}:
        return path
    return '"' + "".join(map(_escaped, path)) + '"'


def _escaped(char: str) -> str:
    if char in _ESCAPES:
        return "\\" + _ESCAPES[char]
    if char in '"\\':
        return "\\" + char
    if char.isascii() and char.isprintable():
        return char
    return "".join(f"\\{byte:03o}" for byte in char.encode("utf-8", "surrogateescape"))


def _head(status: Status) -> Line:
    head = status.head
    if head.branch is None:
        return line("## HEAD (no branch)")
    if head.commit is None:
        return line("## No commits yet on ", (head.branch, "ref"))
    return line("## ", (head.branch, "ref"))


def _is_data(status: Status, path: str) -> bool:
    datasets = {one.dataset for one in status.merge.conflicts} if status.merge else set()
    return path.removesuffix(".veml") in datasets
