"""What a user points at: a tracked data set, one at a revision, or any folder on disk."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property

from veml_vcs.errors import NotFoundError
from veml_vcs.ids import SampleId, TreeId, VersionId
from veml_vcs.repository.git.repo import blob_id
from veml_vcs.repository.progress import Progress
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.revisions import DataSpec, parse_data_spec
from veml_vcs.repository.worktree.reading import read_files
from veml_vcs.repository.worktree.scan import scan_folder
from veml_vcs.samples.formats import detect
from veml_vcs.samples.images import is_image
from veml_vcs.samples.tree import EntryKind, Tree
from veml_vcs.versions.data import DataRecord


class Target:
    """Samples to be looked at; they are listed when somebody asks for them.

    A version that has a summary noted can thus be answered for in a clone that lacks its data.

    Args:
        name: What the user called it.
        load: Returns sample id -> key; a sample that stands under several keys has the first.
        read: Returns the bytes of a sample.
        samples: Number of samples, repeated ones counted each.
        version: The record's blob id; None for a folder that is not tracked.
        tree: The version's tree; None for a folder that is not tracked.
        form: The format of the data set; empty for a folder that is not tracked.
    """

    def __init__(
        self,
        name: str,
        load: Callable[[], dict[SampleId, str]],
        read: Callable[[SampleId], bytes],
        samples: int,
        version: VersionId | None = None,
        tree: TreeId | None = None,
        form: str = "",
    ) -> None:
        self.name = name
        self._load = load
        self.read = read
        self.samples = samples
        self.version = version
        self.tree = tree
        self.form = form

    @cached_property
    def keys(self) -> dict[SampleId, str]:
        """Sample id -> key.

        Raises:
            NotFoundError: This clone's store does not have the version's tree.
        """
        return self._load()

    @property
    def ids(self) -> list[SampleId]:
        """The sample ids, sorted: an order that depends on nothing but content."""
        return sorted(self.keys)

    def key_of(self, sample: SampleId) -> str:
        """Return a sample's key, or the beginning of its id where the tree is not here."""
        try:
            return self.keys.get(sample, sample.hex()[:10])
        except NotFoundError:
            return sample.hex()[:10]


def target_of_record(repo: Repository, name: str, record: DataRecord) -> Target:
    """Return the samples of a data version."""

    def load() -> dict[SampleId, str]:
        keys: dict[SampleId, str] = {}
        for key, entry in Tree(repo.store, record.tree).items():
            if entry.kind is EntryKind.SAMPLE and entry.content is not None:
                keys.setdefault(entry.content, key)
        return keys

    version = blob_id(record.to_bytes())
    read = repo.contents.read if repo.has_data else _no_data
    return Target(name, load, read, record.samples, version, record.tree, record.facts.format)


def _no_data(_sample: SampleId) -> bytes:
    raise NotFoundError("this clone has no data", kind="data-missing")


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


def of_commit(repo: Repository, text: str) -> bool:
    """Tell whether a text names a data version of a commit, by its revision."""
    spec = _spec(repo, text)
    return spec is not None and spec.revision is not None


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
    return Target(folder, lambda: keys, lambda one: read_key(keys[one]), len(samples))
