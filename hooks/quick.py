"""Tell in a few milliseconds that there is nothing to bring along: the usual case of most hooks.

Only the standard library, and no work tree is read: every tracked record has the stamp that
``held.json`` remembers. Whatever is unclear is for the real look.
"""

from __future__ import annotations

import json
import os
import subprocess

_REBASING = ("rebase-merge", "rebase-apply")
_HELD = os.path.join("veml", "held.json")


def nothing_to_follow(root: str) -> bool:
    """Tell whether every data folder is known to hold what its record says.

    Args:
        root: The top of the work tree.
    """
    try:
        with open(os.path.join(_control_folder(root), _HELD), "rb") as file:
            stored = json.load(file)
        if stored["veml"] != 1:
            return False
        stamps = {name + ".veml": one["stamp"] for name, one in stored["folders"].items()}
        listing = ["git", "ls-files", "-z", "--", "*.veml"]
        done = subprocess.run(listing, cwd=root, capture_output=True, check=True)
        tracked = set(os.fsdecode(done.stdout).split("\0")) - {""}
        tracked -= {one for one in tracked - stamps.keys() if _no_folder(os.path.join(root, one))}
        return tracked == stamps.keys() and all(
            stamp is not None and _stamp(os.path.join(root, file)) == stamp
            for file, stamp in stamps.items()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, subprocess.SubprocessError):
        return False


def is_mirrored(root: str) -> bool:
    """Tell whether the lineage is mirrored into Neo4j, and no rebase is under way.

    A rebase makes one commit after another; the hook at its end sends them all.

    Args:
        root: The top of the work tree.
    """
    try:
        control = _control_folder(root)
        common = control
        if os.path.exists(os.path.join(control, "commondir")):
            with open(os.path.join(control, "commondir"), encoding="utf-8") as file:
                common = os.path.join(control, file.read().rstrip("\n"))
        with open(os.path.join(common, "config"), "rb") as opened:
            mirrored = b'[veml "neo4j"]' in opened.read()
    except OSError:
        return False
    rebasing = any(os.path.isdir(os.path.join(control, one)) for one in _REBASING)
    return mirrored and not rebasing


def _no_folder(file: str) -> bool:
    """Tell whether a record is a model's or a training's: no folder can be behind these."""
    with open(file, "rb") as opened:
        data = opened.read()
    return b'\n "kind": "model",\n' in data or b'\n "kind": "training",\n' in data


def _control_folder(root: str) -> str:
    path = os.path.join(root, ".git")
    if os.path.isdir(path):
        return path
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return os.path.join(root, file.read().removeprefix("gitdir: ").rstrip("\n"))


def _stamp(file: str) -> list[int]:
    status = os.lstat(file)
    return [status.st_size, status.st_mtime_ns, status.st_ino]
