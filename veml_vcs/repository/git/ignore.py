"""The lines in ``.gitignore`` that keep Git away from the folders veml tracks."""

from __future__ import annotations

import os

_SPECIAL = "\\ !#[]*?"


def ignore_line(path: str) -> tuple[str, str]:
    """Return where a path is ignored: the ``.gitignore`` beside it, and the line for it.

    A line cannot hold the end of a line: ``?``, any one character, stands for it.

    Args:
        path: A folder (ends with ``/``) or a file, from the repository's root.
    """
    folder, _, name = path.rstrip("/").rpartition("/")
    escaped = "".join("\\" + char if char in _SPECIAL else char for char in name)
    escaped = escaped.replace("\n", "?").replace("\r", "?")
    line = "/" + escaped + ("/" if path.endswith("/") else "")
    return (f"{folder}/.gitignore" if folder else ".gitignore"), line


def with_line(text: bytes, line: str) -> bytes:
    """Return the text of a ``.gitignore`` with a line added, if it is not in it."""
    raw = os.fsencode(line)
    if raw in text.splitlines():
        return text
    return text + (b"" if not text or text.endswith(b"\n") else b"\n") + raw + b"\n"


def without_line(text: bytes, line: str) -> bytes:
    """Return the text of a ``.gitignore`` without a line."""
    raw = os.fsencode(line)
    return b"".join(one for one in text.splitlines(keepends=True) if one.rstrip(b"\r\n") != raw)


def merge_lines(base: bytes, ours: bytes, theirs: bytes) -> bytes:
    """Merge three versions of a ``.gitignore``: each line is kept or dropped on its own."""
    old, left, right = (text.splitlines() for text in (base, ours, theirs))
    gone = {line for line in old if line not in left or line not in right}
    merged = [line for line in left if line not in gone]
    merged += [line for line in right if line not in gone and line not in left]
    return b"".join(line + b"\n" for line in merged)
