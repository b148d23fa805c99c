"""What a user points at: a tracked data set, one at a revision, or any folder on disk."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from veml_vcs.errors import NotFoundError
from veml_vcs.ids import SampleId, TreeId, VersionId
from veml_vcs.repository.git import blob_id
from veml_vcs.repository.progress import Progress
from veml_vcs.repository.reading import read_files
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.revisions import DataSpec, parse_data_spec
from veml_vcs.repository.scan import scan_folder
from veml_vcs.samples.formats import detect
from veml_vcs.samples.images import is_image
from veml_vcs.samples.tree import EntryKind, Tree
from veml_vcs.versions.data import DataRecord


@dataclass(frozen=True)
class Target:
    """Samples to be looked at.

    Attributes:
        name: What the user called it.
        keys: Sample id -> key; a sample that stands under several keys has the first.
        read: Returns the bytes of a sample.
        version: The record's blob id; None for a folder that is not tracked.
        tree: The version's tree; None for a folder that is not tracked.
        samples: Number of samples, repeated ones counted each.
    """

    name: str
    keys: dict[SampleId, str]
    read: Callable[[SampleId], bytes]
    version: VersionId | None = None
    tree: TreeId | None = None
    samples: int = 0

    @property
    def ids(self) -> list[SampleId]:
        """The sample ids, sorted: an order that depends on nothing but content."""
        return sorted(self.keys)


def target_of_record(repo: Repository, name: str, record: DataRecord) -> Target:
    """Return the samples of a data version."""
    keys: dict[SampleId, str] = {}
    count = 0
    for key, entry in Tree(repo.store, record.tree).items():
        if entry.kind is EntryKind.SAMPLE and entry.content is not None:
            keys.setdefault(entry.content, key)
            count += 1
    version = blob_id(record.to_bytes())
    return Target(name, keys, lambda one: repo.contents.read(one), version, record.tree, count)


def find_target(repo: Repository, text: str, progress: Progress) -> Target:
    """Return what a text names.

    Args:
        repo: The repository.
        text: ``REV:PATH``, ``PATH@REV``, a tracked folder (as it is staged), or any other folder.
        progress: Is told how far reading an untracked folder is.

    Raises:
        NotFoundError: There is no such data set and no such folder, or no image in it.
    """
    spec = _spec(repo, text)
    if spec is not None:
        return target_of_record(repo, text, repo.record_at(spec.path, spec.revision))
    if not os.path.isdir(text):
        known = ", ".join(list(repo.staged_datasets())[:8]) or "none"
        raise NotFoundError(
            f"{text}: neither a data set nor a folder; data sets here: {known}",
            kind="unknown-dataset",
        )
    return _folder_target(text, progress)


def _spec(repo: Repository, text: str) -> DataSpec | None:
    staged = repo.staged_datasets()
    if os.path.isdir(text):
        try:
            relative = repo.relative(text)
        except ValueError:
            return None  # a folder outside the repository
        return DataSpec(relative, None) if relative in staged else None
    spec = parse_data_spec(text)
    if spec.revision is None and spec.path not in staged:
        return None
    return spec


def _folder_target(folder: str, progress: Progress) -> Target:
    """Return the samples of a folder: what its format says they are, as ``veml add`` would."""
    stamps = scan_folder(folder)

    def read_key(key: str) -> bytes:
        return next(read_files([(key, stamps[key])], lambda one: os.path.join(folder, one))).data

    samples = [key for key in detect(sorted(stamps), read_key).samples if is_image(key)]
    if not samples:
        raise NotFoundError(f"{folder}: there is no image in this folder", kind="no-samples")
    keys: dict[SampleId, str] = {}
    files = read_files(
        [(key, stamps[key]) for key in samples], lambda key: os.path.join(folder, key)
    )
    for done, file in enumerate(files):
        if done % 256 == 0:
            progress("reading files", done, len(samples))
        keys.setdefault(file.content, file.key)
    return Target(folder, keys, lambda one: read_key(keys[one]), samples=len(samples))
