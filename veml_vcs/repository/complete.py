"""What a half-typed word may become: data sets, keys, revisions, classes. For shell completion.

Everything is read level by level, so that a folder of a million samples costs what is shown of it.
Nothing is written, no lock is taken.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from veml_vcs.errors import VemlError
from veml_vcs.ids import TreeId
from veml_vcs.repository.absent import is_here
from veml_vcs.repository.datasets import owner_of
from veml_vcs.repository.repository import Repository
from veml_vcs.samples.tree import Tree
from veml_vcs.samples.tree.entry import encode_key
from veml_vcs.versions.data import RECORD_SUFFIX, DataRecord, dataset_path
from veml_vcs.versions.kinds import KINDS, RecordKind

MOST = 2000
"""So many candidates are given at most; no shell shows more in a useful way."""

_HEADS = ("HEAD", "ORIG_HEAD", "MERGE_HEAD", "FETCH_HEAD")


def dataset_names(repo: Repository) -> list[str]:
    """Return the folders of the data sets that are tracked.

    Records are looked at only where those of models, trainings and inference versions are.
    """
    found = repo.git.tracked_paths(RECORD_SUFFIX)
    named = {
        kind.path(name)
        for kind in KINDS
        if any(map(kind.may_be, found))
        for name in record_names(repo, kind)
    }
    return sorted(map(dataset_path, found - named))


def record_names(repo: Repository, kind: RecordKind[Any]) -> list[str]:
    """Return the models, trainings or inference versions that are tracked."""
    from veml_vcs.repository.records.versions import records_in

    return sorted(records_in(repo, kind, repo.git.staged_files()).records)


def revision_names(repo: Repository) -> list[str]:
    """Return branches, tags, remote branches and special names."""
    remote = [
        os.fsdecode(ref).removeprefix("refs/remotes/")
        for ref in repo.git.dulwich.refs.allkeys()
        if ref.startswith(b"refs/remotes/")
    ]
    heads = [name for name in _HEADS if name == "HEAD" or repo.git.read_state(name) is not None]
    return [*sorted(repo.git.branches()), *sorted(repo.git.tags()), *sorted(remote), *heads]


def class_names(repo: Repository) -> list[str]:
    """Return the classes of all data sets that are tracked."""
    names = {one.name for record in repo.staged_datasets().values() for one in record.facts.classes}
    return sorted(names)


def split_names(repo: Repository) -> list[str]:
    """Return the splits that the layouts of the data sets tell of."""
    found: set[str] = set()
    for record in repo.staged_datasets().values():
        layout = record.facts.layout
        found.update(map(str, layout.get("splits", ())))
        found.update(map(str, dict(layout.get("lists", {})).values()))
        for options in dict(layout.get("files", {})).values():
            if isinstance(options, dict) and isinstance(options.get("split"), str):
                found.add(options["split"])
    return sorted(found)


def keys_below(repo: Repository, record: DataRecord, typed: str) -> Iterator[str]:
    """Yield the keys, and folders of keys (with ``/``), that begin with what was typed."""
    if is_here(repo, record):
        yield from _names(repo, record.tree, typed)


def paths(repo: Repository, typed: str, revision: str | None = None) -> list[str]:
    """Return what a path may become: on disk, and in data sets, on disk or not.

    Args:
        repo: The repository.
        typed: What was typed, from the current folder; with ``revision`` from the root.
        revision: Look into this commit, and not at the disk.
    """
    head = typed[: typed.rfind("/") + 1]
    if revision is None:
        try:
            below = repo.relative(head or ".")
            datasets = repo.staged_datasets()
        except VemlError:
            return _on_disk(head, typed)
    else:
        below, datasets = head.rstrip("/"), repo.datasets_at(repo.resolve(revision))
    prefix = f"{below}/" if below else ""
    records = {name + RECORD_SUFFIX for name in datasets}  # moved and removed with their data set
    found: dict[str, None] = {}
    if revision is None:
        listed = _on_disk(head, typed)
        found.update((one, None) for one in listed if prefix + one[len(head) :] not in records)
    rest = typed[len(head) :]
    for name in datasets:
        if name.startswith(prefix + rest):
            inner = name[len(prefix) :]
            folder, slash, _ = inner.partition("/")
            found[head + folder + (slash or "/")] = None
    owner = owner_of(datasets, below) if below else None
    if owner is not None:
        inside = (below + "/")[len(owner) + 1 :]
        for key in keys_below(repo, datasets[owner], inside + rest):
            found[head + key[len(inside) :]] = None
            if len(found) > MOST:
                break
    return list(found)


def _on_disk(head: str, typed: str) -> list[str]:
    found = []
    rest = typed[len(head) :]
    try:
        with os.scandir(head or ".") as entries:
            for entry in entries:
                hidden = entry.name.startswith(".") and not rest.startswith(".")
                if entry.name.startswith(rest) and not hidden and entry.name != ".git":
                    found.append(head + entry.name + "/" * entry.is_dir())
    except OSError:
        return []  # there is no such folder
    return sorted(found)[:MOST]


def _names(repo: Repository, root: TreeId, typed: str) -> Iterator[str]:
    """Yield the next level of names below a prefix, each folder once."""
    tree = Tree(repo.store, root)
    folder = typed[: typed.rfind("/") + 1]
    at, count = encode_key(typed), 0
    while count < MOST and (key := tree.first_from(at)) is not None:
        if not key.startswith(typed):
            return
        slash = key.find("/", len(folder))
        count += 1
        if slash < 0:
            yield key
            at = encode_key(key) + b"\0"
        else:
            yield key[: slash + 1]
            at = encode_key(key[:slash]) + b"0"  # what follows "/" in the order of bytes
