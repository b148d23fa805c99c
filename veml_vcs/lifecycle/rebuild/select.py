"""Choose the samples of the new data that are worth a label."""

from __future__ import annotations

from collections.abc import Sequence

from veml_vcs.analysis.data_versions.embed import embed_target
from veml_vcs.analysis.data_versions.target import Target, target_of_record
from veml_vcs.analysis.embedders import get_embedder
from veml_vcs.analysis.sampling import uniform_sample
from veml_vcs.analysis.selection import (
    SelectionMethod,
    box_uncertainty,
    class_uncertainty,
    k_center,
    prob_cover,
)
from veml_vcs.ids import SampleId
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.records.used import used_record
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.trainings.versions import TrainingVersion
from veml_vcs.samples.annotations import objects_of
from veml_vcs.training.held_back import part_of_use, uses_of
from veml_vcs.training.measure import classes_of, measure
from veml_vcs.training.plan import Part
from veml_vcs.training.watch import Watcher

_MOST_CLUSTERS = 50


def pool_of(part: Part, repo: Repository, held: set[SampleId]) -> dict[SampleId, str]:
    """Return what there is to choose from, by content and in its order: each content once.

    Args:
        part: The samples.
        repo: The repository.
        held: Contents that are measured on, and are not chosen.
    """
    entries = part.dataset(repo).entries
    found: dict[SampleId, str] = {}
    for key in part.keys:
        content = entries[key].content
        if content is not None and content not in held:
            found.setdefault(content, key)
    return {content: found[content] for content in sorted(found)}


def choose(
    repo: Repository,
    old: TrainingVersion,
    part: Part,
    pool: dict[SampleId, str],
    budget: int,
    selection: SelectionMethod,
    *,
    seed: int,
    embedder: str,
    watcher: Watcher,
    progress: Progress = silent,
) -> tuple[str, ...]:
    """Return keys of a pool, the most wanted first.

    Core set and ProbCover count what the old training was trained on as labelled.

    Args:
        repo: The repository.
        old: The training that is rebuilt.
        part: The new data.
        pool: What there is to choose from: content -> key, by content.
        budget: How many.
        selection: How.
        seed: Draws what is drawn.
        embedder: Name of the embedder.
        watcher: Is told what is done.
        progress: Is told how far embedding is.

    Raises:
        MissingDependencyError: The selection needs the embedder, or the engine, and it is not here.
    """
    ids, keys = list(pool), list(pool.values())
    if selection == "random":
        rows = uniform_sample(ids, budget, seed=seed).tolist()
    elif selection == "margin":
        unsure = _uncertainty(repo, old, part, keys, watcher)
        rows = sorted(range(len(ids)), key=lambda row: (-unsure[row], ids[row]))[:budget]
    else:
        watcher.doing("embedding")
        target = target_of_record(repo, part.path, part.dataset(repo).record)
        vectors, kept = _vectors(repo, target, ids, embedder, progress)
        ids, keys = [ids[row] for row in kept], [keys[row] for row in kept]
        known = _old_vectors(repo, old, embedder, progress)
        if selection == "coreset":
            rows = k_center(vectors, min(budget, len(ids)), labelled=known, seed=seed).tolist()
        else:
            clusters = min(_MOST_CLUSTERS, max(2, len(classes_of(old))))
            rows = prob_cover(
                vectors, min(budget, len(ids)), clusters=clusters, labelled=known, seed=seed
            ).tolist()
    return tuple(keys[row] for row in rows)


def _uncertainty(
    repo: Repository, old: TrainingVersion, part: Part, keys: Sequence[str], watcher: Watcher
) -> list[float]:
    some = Part(part.path, part.record, tuple(keys), {"pool": len(keys)})
    said = measure(repo, old, some, watcher, predictions=True, note=False).predictions
    if old.record.task == "classification":
        return [class_uncertainty([*said[key]["scores"].values()]) for key in keys]
    return [
        box_uncertainty([float(one["score"]) for one in objects_of(said.get(key, {}))])
        for key in keys
    ]


def _vectors(
    repo: Repository, target: Target, ids: Sequence[SampleId], embedder: str, progress: Progress
) -> tuple[object, list[int]]:
    """Return the embeddings of samples, and the rows of ``ids`` that could be embedded."""
    found, vectors, _ = embed_target(repo, target, get_embedder(embedder), progress)
    place = {one: row for row, one in enumerate(found)}
    kept = [row for row, one in enumerate(ids) if one in place]
    return vectors[[place[ids[row]] for row in kept]], kept


def _old_vectors(
    repo: Repository, old: TrainingVersion, embedder: str, progress: Progress
) -> object:
    """Return the embeddings of what the old training was trained on."""
    use = uses_of(old, "train")[0]
    part = part_of_use(repo, use)
    entries = part.dataset(repo).entries
    ids = [one for one in (entries[key].content for key in part.keys) if one is not None]
    target = target_of_record(repo, use.path, used_record(repo, use))
    return _vectors(repo, target, ids, embedder, progress)[0]
