"""Three-way merge of one text file, line by line, with Git's conflict marks.

The matching of lines is merge3's; the marks are written here, so that they name the branches and
stand on lines of their own even where a file ends without a newline.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from veml_vcs.repository.git.repo import TreeFile
from veml_vcs.samples.annotations import Resolution

BLOB_KINDS = (0o100644, 0o100755)
"""Modes of files that have lines: neither links nor submodules."""

_LOOK_FOR_NUL = 8000


def merge_text(
    base: bytes,
    ours: bytes,
    theirs: bytes,
    *,
    names: tuple[str, str],
    favour: Resolution | None = None,
) -> tuple[bytes, bool]:
    """Merge two versions of a file that began as ``base``.

    Args:
        base: The common ancestor's bytes; empty if it had none.
        ours: Our bytes.
        theirs: Their bytes.
        names: What the marks call our side and theirs.
        favour: Side that settles what both changed; a file that is no text is taken whole. ``both``
            takes the lines of both, ours first, as Git's ``merge=union`` does; what is no text
            stays in conflict.

    Returns:
        The merged bytes, and whether there is a conflict in them. Of a file that is no text, ours.
    """
    sides = {"base": base, "ours": ours, "theirs": theirs}
    if ours == theirs or theirs == base:
        return ours, False
    if ours == base:
        return theirs, False
    if any(b"\0" in text[:_LOOK_FOR_NUL] for text in sides.values()):
        whole = "ours" if favour is None or favour == "both" else favour
        return sides[whole], favour is None or favour == "both"
    from merge3 import Merge3

    lines = {side: text.splitlines(keepends=True) for side, text in sides.items()}
    merge = Merge3(lines["base"], lines["ours"], lines["theirs"])
    marks = [
        f"<<<<<<< {names[0]}".encode("utf-8", "surrogateescape"),
        b"=======",
        f">>>>>>> {names[1]}".encode("utf-8", "surrogateescape"),
    ]
    newline = b"\r\n" if lines["ours"] and lines["ours"][0].endswith(b"\r\n") else b"\n"
    merged: list[bytes] = []
    conflict = False
    regions: Iterable[tuple[Any, ...]] = merge.merge_regions()
    if favour != "base":  # lines that both sides agree in leave a conflict, and its base is gone
        regions = merge.reprocess_merge_regions(merge.merge_regions())
    for kind, *bounds in regions:
        if kind != "conflict":
            side = {"unchanged": "base", "b": "theirs"}.get(kind, "ours")
            merged += lines[side][bounds[0] : bounds[1]]
            continue
        parts = {
            "base": lines["base"][bounds[0] : bounds[1]],
            "ours": lines["ours"][bounds[2] : bounds[3]],
            "theirs": lines["theirs"][bounds[4] : bounds[5]],
        }
        if favour == "both":
            merged += [*_ended(parts["ours"], newline), *parts["theirs"]]
            continue
        if favour is not None:
            merged += parts[favour]
            continue
        conflict = True
        for mark, part in ((marks[0], parts["ours"]), (marks[1], parts["theirs"])):
            merged += [mark + newline, *_ended(part, newline)]
        merged.append(marks[2] + newline)
    return b"".join(merged), conflict


def merged_mode(base: TreeFile | None, ours: TreeFile, theirs: TreeFile) -> int:
    """Return the merged mode of a file that both sides have: as the side says that changed it."""
    return ours.mode if base is None or theirs.mode == base.mode else theirs.mode


def _ended(lines: list[bytes], newline: bytes) -> list[bytes]:
    """Return lines, the last of them ended."""
    if lines and not lines[-1].endswith(b"\n"):
        return [*lines[:-1], lines[-1] + newline]
    return lines
