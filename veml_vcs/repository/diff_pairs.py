"""The samples of a difference, before and after: their bytes and what is said of them.

For pictures of a difference; the difference itself is ``diff``'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from veml_vcs.ids import AnnotationId, digest
from veml_vcs.repository.diff import WORKTREE
from veml_vcs.repository.diff_result import DataDiff, RepoDiff, SampleDiff
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.worktree.snapshot import take_snapshot
from veml_vcs.samples.facts import Annotation
from veml_vcs.samples.tree import Entry, Tree


@dataclass(frozen=True)
class Side:
    """One sample on one side.

    Attributes:
        data: Its bytes; None if they are not to be had.
        said: What is said of it.
    """

    data: bytes | None
    said: Annotation | None


@dataclass(frozen=True)
class Pair:
    """One sample that differs.

    Attributes:
        dataset: The data set.
        sample: How it differs.
        before: The sample before; None if it was not there.
        after: The sample after; None if it is not there.
    """

    dataset: str
    sample: SampleDiff
    before: Side | None
    after: Side | None


def pairs_of(repo: Repository, found: RepoDiff, limit: int | None = None) -> Iterator[Pair]:
    """Yield the samples that differ, data set by data set, in key order.

    Args:
        repo: The repository.
        found: The difference.
        limit: So many at most.
    """
    left = sum(len(one.samples) for one in found.datasets) if limit is None else limit
    for data in found.datasets:
        samples = data.samples[:left]
        left -= len(samples)
        if samples:
            yield from _pairs(repo, data, samples, worktree=found.new == WORKTREE)


def _pairs(
    repo: Repository, data: DataDiff, samples: tuple[SampleDiff, ...], *, worktree: bool
) -> Iterator[Pair]:
    fresh: Mapping[AnnotationId, Annotation] = {}
    old_entries = _entries(repo, data, [one.old_key or one.key for one in samples], old=True)
    staged = repo.staged_datasets().get(data.path) if worktree and data.new is not None else None
    if staged is not None:
        snapshot = take_snapshot(repo, data.path, staged)
        new_entries: Mapping[str, Entry | None] = snapshot.entries
        fresh = snapshot.annotations
    else:
        new_entries = _entries(repo, data, [one.key for one in samples], old=False)
    for one in samples:
        before, after = old_entries.get(one.old_key or one.key), new_entries.get(one.key)
        yield Pair(
            data.path,
            one,
            _side(repo, data.path, one.old_key or one.key, before, {}),
            _side(repo, data.path, one.key, after, fresh),
        )


def _entries(
    repo: Repository, data: DataDiff, keys: list[str], *, old: bool
) -> Mapping[str, Entry | None]:
    record = data.old if old else data.new
    return {} if record is None else Tree(repo.store, record.tree).find(keys)


def _side(
    repo: Repository,
    path: str,
    key: str,
    entry: Entry | None,
    fresh: Mapping[AnnotationId, Annotation],
) -> Side | None:
    if entry is None or (entry.content is None and entry.annotation is None):
        return None
    said = None
    if entry.annotation is not None:
        said = fresh.get(entry.annotation)
        if said is None:
            said = repo.annotations.read_many({entry.annotation})[entry.annotation]
    return Side(_bytes(repo, path, key, entry), said)


def _bytes(repo: Repository, path: str, key: str, entry: Entry) -> bytes | None:
    """Return the bytes from the store, else from the work tree; None if neither has them."""
    if entry.content is None:
        return None
    if repo.catalog.find(entry.content, "content") is not None:
        return repo.contents.read(entry.content)
    full = repo.key_path(path, key)
    data = bytes(repo.files.read(full)) if repo.files.exists(full) else b""
    return data if digest(data) == entry.content else None
