"""``veml similar``: which known data versions resemble this one (paper IV.C, Algorithm 2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from veml_vcs.analysis.data_versions.summary import (
    VersionSummary,
    known_summaries,
    load_summary,
    summarise,
)
from veml_vcs.analysis.data_versions.target import (
    Target,
    find_target,
    of_commit,
    target_of_record,
)
from veml_vcs.analysis.embedders import DEFAULT_EMBEDDER, Embedder, get_embedder
from veml_vcs.analysis.similarity import Similar, rank
from veml_vcs.errors import FormatError, InvalidInputError, NotFoundError
from veml_vcs.ids import CommitId, TreeId, VersionId
from veml_vcs.repository.git.notes import add_comparisons
from veml_vcs.repository.git.repo import blob_id
from veml_vcs.repository.git.walk import walk
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.repository import Repository
from veml_vcs.versions.data import DataRecord

DEFAULT_CENTRES = 10
SIMILAR_NOTES = "similar"
_NOTED_ROWS = 10


@dataclass(frozen=True)
class SimilarRow:
    """One known data version, compared with the one asked about.

    Versions that nothing compared tells apart (the same samples under other annotations, as on two
    branches that corrected boxes) are one row.

    Attributes:
        name: The data set's folder.
        revision: Where it is: a branch, a tag or a short commit id; ``index`` if only staged.
        version: The record's blob id.
        samples: Number of samples.
        energy: Energy distance between uniform samples; small is similar, near 0 is the same
            distribution; None with too few samples.
        core_set_distance: The paper's number: mean distance between the core sets.
        same: Whether it is the very same content.
        same_samples: Whether its samples are the very same, whatever is said about them; False also
            where its tree is not in this clone.
        names: Everywhere it is, as ``REV:PATH``, beginning with ``revision`` and ``name``.
        versions: The blob ids of all records of the row, beginning with ``version``.
    """

    name: str
    revision: str
    version: VersionId
    samples: int
    energy: float | None
    core_set_distance: float
    same: bool = False
    same_samples: bool = False
    names: tuple[str, ...] = ()
    versions: tuple[VersionId, ...] = ()


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
class KnownVersion:
    """A data version that another is compared with.

    Attributes:
        name: The data set's folder.
        revision: Where it is: a branch, a tag, a commit; ``index`` if only staged; or any words.
        version: The record's blob id.
        record: What it is.
        committed: Whether a commit has it; of others no comparison is noted.
    """

    name: str
    revision: str
    version: VersionId
    record: DataRecord
    committed: bool = True


@dataclass
class _Group:
    """Known versions of which a summary tells the same."""

    summary: VersionSummary
    members: list[KnownVersion] = field(default_factory=list)


def similar(
    repo: Repository,
    what: str,
    *,
    top: int | None = 5,
    embedder: str = DEFAULT_EMBEDDER,
    k: int = DEFAULT_CENTRES,
    seed: int = 0,
    progress: Progress = silent,
    also: Iterable[KnownVersion] = (),
) -> Similarity:
    """Rank the known data versions by how much they resemble one; the nearest are noted.

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
        also: Further versions to compare with.

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
    tips = _tips(repo)
    candidates = [*tips, *also]
    known, missing = _summaries(repo, candidates, query, chosen, embedder, seed, progress)
    notes += missing
    if not known:
        raise NotFoundError(
            f"there is no other data version to compare {what} with",
            hint="veml add another data set first",
            kind="nothing-known",
        )
    groups = {group.members[0].version: group for group in known}
    ranked = rank(
        own.for_similarity(k),
        {one: group.summary.for_similarity(k) for one, group in groups.items()},
    )
    rows = [
        _row(repo, groups[VersionId(one.name)], one, query, own)
        for one in (ranked if top is None else ranked[:top])
    ]
    in_commits = {one.version for one in tips if one.committed}
    if query.version is not None and (of_commit(repo, what) or query.version in in_commits):
        said = [
            _said(other, one, chosen.id, k, seed)
            for one in ranked[:_NOTED_ROWS]
            for other in sorted(
                {known.version for known in groups[VersionId(one.name)].members if known.committed}
            )
        ]
        add_comparisons(repo, SIMILAR_NOTES, query.version, said)
    return Similarity(
        query.name,
        query.samples,
        chosen.id,
        k,
        float(own.radius_profile[min(k, len(own.radius_profile)) - 1]),
        tuple(rows),
        tuple(notes),
    )


def _row(
    repo: Repository, group: _Group, found: Similar, query: Target, own: VersionSummary
) -> SimilarRow:
    first = group.members[0]
    same = any(one.record.tree == query.tree for one in group.members)
    return SimilarRow(
        first.name,
        first.revision,
        first.version,
        first.record.samples,
        found.energy,
        found.core_set_distance,
        same=same,
        same_samples=same
        or (_told(group.summary) == _told(own) and _has_samples_of(repo, first, query)),
        names=tuple(dict.fromkeys(f"{one.revision}:{one.name}" for one in group.members)),
        versions=tuple(dict.fromkeys(one.version for one in group.members)),
    )


def _said(other: VersionId, found: Similar, embedder: str, k: int, seed: int) -> dict[str, object]:
    """Return what is noted of a version that was asked about, compared with another."""
    return {
        "other": other, "embedder": embedder, "energy": found.energy,
        "core_set_distance": found.core_set_distance, "k": k, "seed": seed,
    }  # fmt: skip


def _told(summary: VersionSummary) -> tuple[object, ...]:
    """Return what of a summary tells versions apart; equal for equal samples."""
    masses = tuple(summary.masses.tolist())
    return (summary.samples, summary.sample_ids, summary.centre_ids, masses)


def _has_samples_of(repo: Repository, known: KnownVersion, query: Target) -> bool:
    try:
        return target_of_record(repo, known.name, known.record).keys.keys() == query.keys.keys()
    except NotFoundError:
        return False


def _summaries(
    repo: Repository,
    candidates: Iterable[KnownVersion],
    query: Target,
    embedder: Embedder,
    name: str,
    seed: int,
    progress: Progress,
) -> tuple[list[_Group], list[str]]:
    """Return what to compare with, each content once, and notes on what was left out."""
    groups: dict[tuple[object, ...], _Group] = {}
    of_tree: dict[TreeId, _Group | None] = {}
    notes: list[str] = []

    def place(one: KnownVersion, summary: VersionSummary) -> None:
        group = groups.setdefault(_told(summary), _Group(summary))
        group.members.append(one)
        of_tree[one.record.tree] = group

    for one in candidates:
        if one.version == query.version or one.record.samples == 0:
            continue
        if one.record.tree in of_tree:
            group = of_tree[one.record.tree]
            if group is not None:
                group.members.append(one)
            continue
        target = target_of_record(repo, f"{one.revision}:{one.name}", one.record)
        try:
            summary, unreadable = summarise(
                repo, target, embedder, name, seed=seed, progress=progress
            )
        except NotFoundError as error:
            of_tree[one.record.tree] = None
            notes.append(f"{target.name}: left out, {error}")
            continue
        except FormatError as error:
            # Tables beside images are nothing to compare these with, and no reason to stop.
            of_tree[one.record.tree] = None
            notes.append(f"left out: {error.message}")
            continue
        notes += [f"{target.name}/{key}: left out, {why}" for key, why in unreadable.items()]
        place(one, summary)
    for one in _noted(repo, name):
        if one.record.tree not in of_tree and one.version != query.version:
            loaded = load_summary(repo, one.version, embedder, name, seed)
            if loaded is not None:
                place(one, loaded)
    return list(groups.values()), notes


def known_places(repo: Repository) -> list[tuple[str, CommitId]]:
    """List what this repository knows without being told: HEAD, all branches and all tags.

    Returns:
        The name of each and its commit; one commit may stand under several names.
    """
    head = repo.git.head()
    places: list[tuple[str, CommitId]] = []
    if head.commit is not None:
        places.append((head.branch or "HEAD", head.commit))
    places += [(name, commit) for name, commit in repo.git.branches().items()]
    return places + [(name, repo.resolve(f"refs/tags/{name}")) for name in repo.git.tags()]


def _tips(repo: Repository) -> list[KnownVersion]:
    """List the data versions of HEAD, the index, all branches and all tags."""
    found = [
        KnownVersion(path, revision, blob_id(record.to_bytes()), record)
        for revision, commit in known_places(repo)
        for path, record in repo.datasets_at(commit).items()
    ]
    found += [
        KnownVersion(path, "index", blob_id(record.to_bytes()), record, committed=False)
        for path, record in repo.staged_datasets().items()
    ]
    return found


def _noted(repo: Repository, name: str) -> list[KnownVersion]:
    """List older versions that have a summary, with the newest commit that holds each."""
    wanted = set(known_summaries(repo, name))
    head = repo.git.head().commit
    heads = [*repo.git.branches().values(), *([head] if head else [])]
    found: list[KnownVersion] = []
    for commit in walk(repo.git, heads) if wanted and heads else []:
        commit_id = CommitId(commit.id.decode())
        for path, record in repo.datasets_at(commit_id).items():
            version = blob_id(record.to_bytes())
            if version in wanted:
                wanted.discard(version)
                found.append(KnownVersion(path, commit_id[:7], version, record))
        if not wanted:
            break
    return found
