"""What every rebuild is refused for, whatever the task: names that are taken, known data."""

from __future__ import annotations

from veml_vcs.errors import ConflictError, InvalidInputError
from veml_vcs.lifecycle.rebuild.request import RebuildRequest
from veml_vcs.lifecycle.rebuild.state import Method, RebuildFolder
from veml_vcs.repository.dataset import Dataset
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.trainings.versions import TrainingVersion
from veml_vcs.repository.trainings.write import require_free
from veml_vcs.training.held_back import uses_of
from veml_vcs.training.run_folder import RunFolder


def free_name(
    repo: Repository, request: RebuildRequest, old: TrainingVersion, method: Method
) -> str:
    """Return the name of the new training.

    Raises:
        ConflictError: There is such a training, or it is begun.
    """
    name = request.name or f"{old.name}-{method}"
    try:
        require_free(repo, name)
    except ConflictError as error:
        raise ConflictError(
            error.message, hint='veml commit -m "..." first, or --name NAME', kind=error.kind
        ) from error
    RunFolder(repo, name).refuse_begun(force=False)
    RebuildFolder(repo, name).refuse_begun()
    return name


def refuse_known(old: TrainingVersion, data: Dataset) -> None:
    """Refuse data that the old training was trained on.

    Raises:
        InvalidInputError: It was.
    """
    if any(use.tree == data.tree for use in uses_of(old, "train")):
        raise InvalidInputError(
            f"{data.path}: {old.label} was trained on this very version; nothing is new in it",
            hint="veml status tells what is not added yet",
            kind="nothing-new",
        )
