"""``veml similar``: which known data versions resemble this one (paper IV.C, Algorithm 2)."""

from __future__ import annotations

from dataclasses import dataclass

from veml_vcs.analysis.data_versions.summary import (
    VersionSummary,
    known_summaries,
    load_summary,
    summarise,
)
from veml_vcs.analysis.data_versions.target import Target, find_target, target_of_record
from veml_vcs.analysis.embedders import DEFAULT_EMBEDDER, Embedder, get_embedder
from veml_vcs.analysis.similarity import Similar, rank
from veml_vcs.errors import InvalidInputError, NotFoundError
from veml_vcs.ids import CommitId, TreeId, VersionId
from veml_vcs.repository.git import blob_id
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.repository import Repository
from veml_vcs.versions.data import DataRecord

DEFAULT_CENTRES = 10


@dataclass(frozen=True)
class SimilarRow:
    """One known data version, compared with the one asked about.

    Attributes:
        name: The data set's folder.
        revision: Where it is: a branch, a tag or a short commit id; ``index`` if only staged.
        version: The record's blob id.
        samples: Number of samples.
        energy: Energy distance between uniform samples; small is similar, near 0 is the same
            distribution; None with too few samples.
        core_set_distance: The paper's number: mean distance between the core sets.
        same: Whether it is the very same content.
    """

    name: str
    revision: str
    version: VersionId
    samples: int
    energy: float | None
    core_set_distance: float
    same: bool = False


@dataclass(frozen=True)
class Similarity:
    """The answer of ``similar``.

    Attributes:
        query: What was asked about.
        samples: Its number of samples.
        embedder: The embedder's id.
        k: Number of centres of the paper's number.
        radius: Covering radius of the query's k centres.
        rows: Known versions, the most similar first.
        notes: Sentences on what limits the answer.
    """

    query: str
    samples: int
    embedder: str
    k: int
    radius: float
    rows: tuple[SimilarRow, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Known:
    name: str
    revision: str
    version: VersionId
    record: DataRecord


def similar(
    repo: Repository,
    what: str,
    *,
    top: int | None = 5,
    embedder: str = DEFAULT_EMBEDDER,
    k: int = DEFAULT_CENTRES,
    seed: int = 0,
    progress: Progress = silent,
) -> Similarity:
    """Rank the known data versions by how much they resemble one.

    Known are the data sets of the index and of every branch and tag, and every older version whose
    summary is noted.

    Args:
        repo: The repository.
        what: ``REV:PATH``, a data set, or any folder with images.
        top: At most so many rows; None is all.
        embedder: Name of the embedder.
        k: Number of centres of the paper's number, at most 100.
        seed: Seed of the summaries.
        progress: Is told how far it is.

    Raises:
        NotFoundError: There is nothing of that name, or nothing to compare it with.
        MissingDependencyError: Something must be embedded and the embedder is not installed.
    """
    if not 1 <= k <= 100:
        raise InvalidInputError(f"k: expected 1 to 100 centres, found {k}")
    chosen = get_embedder(embedder)
    query = find_target(repo, what, progress)
    own, unreadable = summarise(repo, query, chosen, embedder, seed=seed, progress=progress)
    notes = [f"{query.name}/{key}: left out, {why}" for key, why in unreadable.items()]
    known, missing = _summaries(repo, query, chosen, embedder, seed, progress)
    notes += missing
    if not known:
        raise NotFoundError(
            f"there is no other data version to compare {what} with",
            hint="veml add another data set first",
            kind="nothing-known",
        )
    ranked = rank(
        own.for_similarity(k), {one: found.for_similarity(k) for one, (_, found) in known.items()}
    )
    rows = [_row(known[one.name][0], one, query.tree) for one in ranked]
    return Similarity(
        query.name,
        query.samples,
        chosen.id,
        k,
        float(own.radius_profile[min(k, len(own.radius_profile)) - 1]),
        tuple(rows if top is None else rows[:top]),
        tuple(notes),
    )


def _row(known: _Known, found: Similar, tree: TreeId | None) -> SimilarRow:
    return SimilarRow(
        known.name,
        known.revision,
        known.version,
        known.record.samples,
        found.energy,
        found.core_set_distance,
        same=known.record.tree == tree,
    )


def _summaries(
    repo: Repository,
    query: Target,
    embedder: Embedder,
    name: str,
    seed: int,
    progress: Progress,
) -> tuple[dict[str, tuple[_Known, VersionSummary]], list[str]]:
    """Return the summaries to compare with, by version id; versions of one content once."""
    found: dict[str, tuple[_Known, VersionSummary]] = {}
    notes: list[str] = []
    seen: set[TreeId] = set()
    for one in _tips(repo):
        if one.record.tree in seen or one.version == query.version or one.record.samples == 0:
            continue
        seen.add(one.record.tree)
        target = target_of_record(repo, f"{one.revision}:{one.name}", one.record)
        try:
            summary, unreadable = summarise(
                repo, target, embedder, name, seed=seed, progress=progress
            )
        except NotFoundError as error:
            notes.append(f"{target.name}: left out, {error}")
            continue
        notes += [f"{target.name}/{key}: left out, {why}" for key, why in unreadable.items()]
        found[one.version] = (one, summary)
    for one in _noted(repo, name):
        if one.record.tree not in seen and one.version != query.version:
            loaded = load_summary(repo, one.version, embedder, name, seed)
            if loaded is not None:
                seen.add(one.record.tree)
                found[one.version] = (one, loaded)
    return found, notes


def _tips(repo: Repository) -> list[_Known]:
    """List the data versions of HEAD, the index, all branches and all tags."""
    head = repo.git.head()
    places: list[tuple[str, CommitId]] = []
    if head.commit is not None:
        places.append((head.branch or "HEAD", head.commit))
    places += [(name, commit) for name, commit in repo.git.branches().items()]
    places += [(name, repo.resolve(f"refs/tags/{name}")) for name in repo.git.tags()]
    found = [
        _Known(path, revision, blob_id(record.to_bytes()), record)
        for revision, commit in places
        for path, record in repo.datasets_at(commit).items()
    ]
    found += [
        _Known(path, "index", blob_id(record.to_bytes()), record)
        for path, record in repo.staged_datasets().items()
    ]
    return found


def _noted(repo: Repository, name: str) -> list[_Known]:
    """List older versions that have a summary, with the newest commit that holds each."""
    wanted = set(known_summaries(repo, name))
    head = repo.git.head().commit
    heads = [*repo.git.branches().values(), *([head] if head else [])]
    found: list[_Known] = []
    for commit in repo.git.walk(heads) if wanted and heads else []:
        commit_id = CommitId(commit.id.decode())
        for path, record in repo.datasets_at(commit_id).items():
            version = blob_id(record.to_bytes())
            if version in wanted:
                wanted.discard(version)
                found.append(_Known(path, commit_id[:7], version, record))
        if not wanted:
            break
    return found
