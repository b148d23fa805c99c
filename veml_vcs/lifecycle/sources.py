"""Which lifecycles there are to take over, and how near the data is that they were made for.

Algorithm 2 of the paper: rank the known data versions, take those that are near, and of each the
training that did best. Where trainings are looked for is where ``veml similar`` looks for data: the
index, HEAD, all branches, all tags. Nothing here trains.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from veml_vcs.analysis.data_versions import KnownVersion, SimilarRow, known_places, similar
from veml_vcs.errors import NotFoundError
from veml_vcs.ids import VersionId
from veml_vcs.repository.git.repo import TreeFile, blob_id
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.records.used import used_record
from veml_vcs.repository.records.versions import files_at, records_in
from veml_vcs.repository.repository import Repository
from veml_vcs.versions.changes import MainMetric, main_metric
from veml_vcs.versions.kinds import TRAINING
from veml_vcs.versions.trainings import DataUse, TrainingRecord
from veml_vcs.versions.trainings.outcome import Task

THRESHOLD = 20.0
"""Energy distance up to which data counts as similar. Measured between ten real sets (note 026):
26 of 28 pairs of road scenes are nearer, blood cells are 28 or more from everything."""


@dataclass(frozen=True)
class Source:
    """A training version that can be taken over.

    Attributes:
        name: The training.
        revision: Where it is: a branch, a tag; None if it is staged.
        version: Its version id.
        record: What it is.
    """

    name: str
    revision: str | None
    version: VersionId
    record: TrainingRecord

    @property
    def label(self) -> str:
        """What a command calls it: ``NAME`` or ``NAME@REV``."""
        return self.name if self.revision is None else f"{self.name}@{self.revision}"

    @property
    def data(self) -> DataUse:
        """The data version that it was trained on; the first, if there are several."""
        return next(one for one in self.record.data if one.role == "train")

    @property
    def metric(self) -> MainMetric | None:
        """What it is known by."""
        return main_metric(self.record.metrics)


@dataclass(frozen=True)
class Ranked:
    """One known data version, and the best lifecycle that was made for it.

    Attributes:
        place: Its place in the ranking, from 1; 0 where it was not ranked.
        data: The data set's folder.
        revision: Where it is.
        version: Its version id.
        samples: Number of samples.
        distance: Energy distance to the new data; None where it could not be measured.
        core_set_distance: The paper's number; None where it could not be measured.
        same_samples: Whether its samples are those of the new data.
        sources: Trainings of the task, the best first.
        others: Number of trainings on it that are of another task, or were interrupted.
    """

    place: int
    data: str
    revision: str
    version: VersionId
    samples: int
    distance: float | None
    core_set_distance: float | None
    same_samples: bool = False
    sources: tuple[Source, ...] = field(default_factory=tuple)
    others: int = 0

    def within(self, threshold: float) -> bool:
        """Whether it is near enough."""
        return self.distance is not None and self.distance <= threshold


def known_sources(repo: Repository) -> tuple[list[Source], list[str]]:
    """List the training versions of the index, HEAD, all branches and all tags, each once.

    Returns:
        The trainings, and a note for each record that cannot be read.
    """
    found: dict[VersionId, Source] = {}
    notes: dict[str, None] = {}

    def take(files: Mapping[str, TreeFile], revision: str | None) -> None:
        here = records_in(repo, TRAINING, files)
        for name, record in here.records.items():
            version = blob_id(record.to_bytes())
            if any(one.role == "train" for one in record.data):
                found.setdefault(version, Source(name, revision, version, record))
        notes.update(dict.fromkeys(f"left out: {one}" for one in here.unreadable.values()))

    take(files_at(repo, None), None)
    seen = set()
    for revision, commit in known_places(repo):
        if commit not in seen:
            seen.add(commit)
            take(repo.git.files(commit), revision)
    return list(found.values()), list(notes)


def best_first(sources: Iterable[Source]) -> list[Source]:
    """Order trainings: by their main metric, then those without; two clones agree on it.

    Metrics of other names do not compare: those of the name that most have come first.
    """
    every = list(sources)
    names = [one.metric.name for one in every if one.metric is not None]
    common = max(sorted(set(names)), key=names.count, default="")

    def order(one: Source) -> tuple[bool, bool, float, str]:
        metric = one.metric
        if metric is None:
            return True, True, 0.0, one.version
        return False, metric.name != common, -metric.goodness, one.version

    return sorted(every, key=order)


def ranked_sources(
    repo: Repository,
    data: str,
    task: Task,
    *,
    version: VersionId,
    progress: Progress = silent,
) -> tuple[list[Ranked], list[str]]:
    """Rank what is known by its distance to a data version, each with its lifecycles.

    Args:
        repo: The repository.
        data: The new data, as the user named it.
        task: What is to be learnt.
        version: The new data's version id.
        progress: Is told how far it is.

    Returns:
        The ranking, nearest first, and notes on what limits it.

    Raises:
        FormatError: The data has no images.
        MissingDependencyError: Something must be embedded and the embedder is not installed.
    """
    sources, notes = known_sources(repo)
    also = [
        KnownVersion(
            use.path,
            f"training {one.label}",
            use.version,
            used_record(repo, use),
            committed=one.revision is not None,
        )
        for one in sources
        for use in one.record.data
        if use.role == "train"
    ]
    try:
        found = similar(repo, data, top=None, progress=progress, also=also)
    except NotFoundError as error:
        if error.kind != "nothing-known":
            raise
        return [], notes
    rows = [
        _ranked(place, row, sources, task, version) for place, row in enumerate(found.rows, start=1)
    ]
    return rows, [*notes, *found.notes]


def _ranked(
    place: int, row: SimilarRow, sources: Sequence[Source], task: Task, new: VersionId
) -> Ranked:
    wanted = set(row.versions) - {new}
    on_it = [one for one in sources if one.data.version in wanted]
    fitting = [one for one in on_it if usable(one, task)]
    return Ranked(
        place, row.name, row.revision, row.version, row.samples, row.energy,
        row.core_set_distance, row.same_samples, tuple(best_first(fitting)),
        len(on_it) - len(fitting),
    )  # fmt: skip


def usable(source: Source, task: Task) -> bool:
    """Tell whether a training is taken without being named: of the task, whole, and with a config.

    An average of two has no config: nothing tells how to train like it.
    """
    record = source.record
    return record.task == task and record.status == "complete" and bool(record.config)
