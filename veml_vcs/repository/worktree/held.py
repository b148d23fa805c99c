"""Which data version each folder of this work tree holds.

Git keeps a record in the work tree right; the folder beside it follows later, or not at all (no
hook, no data). ``held.json`` says which version a folder was last brought to, or read as, so that
what a user changed can be told from what Git moved. It is per work tree and never travels. Losing
it costs care, not data: a folder of which nothing is known is only taken as what it proves to be.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from typing import Any

from veml_vcs.ids import TreeId, parse_hex
from veml_vcs.repository.repository import Repository
from veml_vcs.samples.facts import Facts
from veml_vcs.versions.data import RECORD_SUFFIX, DataRecord

HELD_FILE = "held.json"
_FORMAT = 1
_TICK_NS = 20_000_000


@dataclass(frozen=True)
class Held:
    """What a folder holds, apart from uncommitted changes.

    Attributes:
        tree: The version's tree.
        samples: Number of samples.
        files: Number of other files.
        annotations: Annotation files outside the folder, from the repository's root.
        stamp: Size, mtime and inode of the record in the work tree when it was this version's.
    """

    tree: TreeId
    samples: int
    files: int
    annotations: tuple[str, ...] = ()
    stamp: tuple[int, int, int] | None = None

    def as_record(self) -> DataRecord:
        """Return a record that is enough to compare the folder with the version."""
        return DataRecord(
            self.tree,
            Facts("files"),
            samples=self.samples,
            files=self.files,
            annotations=self.annotations,
        )

    def holds(self, record: DataRecord) -> bool:
        """Tell whether this is the version of a record."""
        return self.tree == record.tree and self.annotations == record.annotations


def load_held(repo: Repository) -> dict[str, Held]:
    """Return what each folder holds; a file that cannot be understood says nothing."""
    path = os.path.join(repo.private_folder, HELD_FILE)
    if not repo.files.exists(path):
        return {}
    try:
        stored = json.loads(bytes(repo.files.read(path)))
        if stored["veml"] != _FORMAT:
            return {}
        return {name: _parse(one) for name, one in stored["folders"].items()}
    except (AttributeError, ValueError, LookupError, TypeError, RecursionError):
        return {}


def save_held(repo: Repository, held: dict[str, Held]) -> None:
    """Remember what each folder holds."""
    folders: dict[str, Any] = {}
    for name, one in sorted(held.items()):
        folders[name] = {
            "tree": one.tree.hex(),
            "samples": one.samples,
            "files": one.files,
            "annotations": list(one.annotations),
            "stamp": list(one.stamp) if one.stamp else None,
        }
    text = json.dumps({"veml": _FORMAT, "folders": folders}, indent=1).encode() + b"\n"
    path = os.path.join(repo.private_folder, HELD_FILE)
    repo.files.make_folder(repo.private_folder)
    repo.files.write_atomic(path, text, durable=False)


def note_held(repo: Repository, path: str, record: DataRecord | None) -> None:
    """Remember which version a folder was just brought to, or read as; None: it is no data set.

    The caller holds the repository's lock.
    """
    held = load_held(repo)
    old = held.get(path)
    if record is None:
        if old is None:
            return
        del held[path]
    else:
        new = held_as(repo, path, record)
        if new == old:
            return
        held[path] = new
    save_held(repo, held)


def held_as(repo: Repository, path: str, record: DataRecord) -> Held:
    """Return what is to be remembered of a folder that holds a version.

    The record in the work tree may not be written yet. Its stamp is then an old one, which no
    later record has.
    """
    stamp = None
    file = repo.absolute(path + RECORD_SUFFIX)
    if os.path.isfile(file) and bytes(repo.files.read(file)) == record.to_bytes():
        stamp = record_stamp(file)
    return Held(record.tree, record.samples, record.files, record.annotations, stamp)


def record_stamp(file: str) -> tuple[int, int, int] | None:
    """Return the stamp of a record in the work tree; None if there is none, or it proves nothing.

    A file younger than a tick of the clock may change again without showing it.
    """
    try:
        status = os.lstat(file)
    except (FileNotFoundError, NotADirectoryError):
        return None
    if time.time_ns() - status.st_mtime_ns < _TICK_NS:
        return None
    return status.st_size, status.st_mtime_ns, status.st_ino


def _parse(one: dict[str, Any]) -> Held:
    stamp = one["stamp"]
    return Held(
        TreeId(parse_hex(one["tree"], "tree")),
        int(one["samples"]),
        int(one["files"]),
        tuple(map(str, one["annotations"])),
        (int(stamp[0]), int(stamp[1]), int(stamp[2])) if stamp else None,
    )
