"""How a source was deployed, and the same for what was made of it: the end of a lifecycle.

Algorithm 2 of the paper takes a lifecycle over as a whole; its last part is the inference version.
A file that cannot be made, or says something else than its checkpoint, takes nothing away from the
training that is there by then: it is told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from veml_vcs.analysis.data_versions import known_places
from veml_vcs.deployment.deploy import Deployed, DeployRequest, deploy
from veml_vcs.errors import VemlError
from veml_vcs.ids import VersionId
from veml_vcs.repository.git.repo import TreeFile
from veml_vcs.repository.inferences.write import require_free
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.records.versions import files_at, records_in
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.trainings.versions import open_training
from veml_vcs.versions.inferences.outcome import ExportFormat, Quantisation
from veml_vcs.versions.kinds import INFERENCE


@dataclass(frozen=True)
class DeployedAs:
    """One way in which a training was deployed.

    Attributes:
        inference: The inference version, as a command names it.
        format: Kind of the file.
        quantisation: How its numbers are kept.
    """

    inference: str
    format: ExportFormat
    quantisation: Quantisation

    @property
    def words(self) -> str:
        """Format and quantisation."""
        return self.format + ("" if self.quantisation == "none" else f" {self.quantisation}")


@dataclass(frozen=True)
class DeployedAlike:
    """What came of deploying like a source.

    Attributes:
        name: Of the inference version.
        like: How the source was deployed.
        deployed: The inference version; None where there is none.
        problem: Why not.
        hint: What to type next.
        again: Whether it was there already, from an interrupted transfer.
    """

    name: str
    like: DeployedAs
    deployed: Deployed | None = None
    problem: str = ""
    hint: str = ""
    again: bool = False


def deployments_of(repo: Repository, version: VersionId) -> tuple[DeployedAs, ...]:
    """Return the ways in which a training version was deployed, each once.

    Looked at are the index, HEAD, all branches and all tags, as for trainings.

    Args:
        repo: The repository.
        version: Of the training.
    """
    found: dict[tuple[str, str], DeployedAs] = {}

    def take(files: Mapping[str, TreeFile], revision: str | None) -> None:
        for name, record in sorted(records_in(repo, INFERENCE, files).records.items()):
            if record.training.version == version:
                label = name if revision is None else f"{name}@{revision}"
                way = DeployedAs(label, record.format, record.quantisation)
                found.setdefault((way.format, way.quantisation), way)

    take(files_at(repo, None), None)
    seen = set()
    for revision, commit in known_places(repo):
        if commit not in seen:
            seen.add(commit)
            take(repo.git.files(commit), revision)
    return tuple(sorted(found.values(), key=lambda one: (one.quantisation != "none", one.words)))


def names_alike(name: str, ways: Sequence[DeployedAs]) -> tuple[str, ...]:
    """Return a name for each way: that of the training, and behind it what tells others apart."""
    rest = [one.words.replace(" ", "-") for one in ways[1:]]
    return (name, *(f"{name}-{one}" for one in rest))[: len(ways)]


def refuse_taken(
    repo: Repository, name: str, ways: Sequence[DeployedAs], *, force: bool = False
) -> None:
    """Refuse, before anything is trained, what could not be written after it.

    Raises:
        ConflictError: The place of a name is taken.
    """
    for one in names_alike(name, ways):
        require_free(repo, one, force=force)


def deploy_alike(
    repo: Repository,
    training: str,
    ways: Sequence[DeployedAs],
    progress: Progress = silent,
    *,
    force: bool = False,
    tolerance: float | None = None,
) -> tuple[DeployedAlike, ...]:
    """Deploy a training as another one was.

    Args:
        repo: The repository.
        training: What is deployed, and its name.
        ways: How.
        progress: Is told what is done.
        force: Overwrite inference versions that no commit has.
        tolerance: How far file and checkpoint may be apart; None is the task's own.

    Returns:
        What came of each; nothing is raised for a file that could not be made.
    """
    version = open_training(repo, training).id
    done = []
    for name, way in zip(names_alike(training, ways), ways, strict=True):
        if _there(repo, name, version, way):
            done.append(DeployedAlike(name, way, again=True))
            continue
        request = DeployRequest(
            training, name, way.format, way.quantisation, tolerance=tolerance, overwrite=force
        )  # fmt: skip
        try:
            done.append(DeployedAlike(name, way, deploy(repo, request, progress)))
        except VemlError as error:
            options = f" --quantize {way.quantisation}" if way.quantisation != "none" else ""
            again = f"veml deploy {training} --name {name} --format {way.format}{options}"
            done.append(DeployedAlike(name, way, None, error.message, f"once more: {again}"))
    return tuple(done)


def _there(repo: Repository, name: str, training: VersionId, way: DeployedAs) -> bool:
    """Tell whether an interrupted transfer has made it."""
    found = records_in(repo, INFERENCE, files_at(repo, None)).records.get(name)
    return found is not None and (found.training.version, found.format, found.quantisation) == (
        training, way.format, way.quantisation,
    )  # fmt: skip
