"""Two fine-tunes of one parent as one training version: the mean of their checkpoints.

Nothing is measured by averaging, so the new version has neither metrics nor log nor predictions,
and says what it is made of.
"""

from __future__ import annotations

from veml_vcs.errors import ConflictError, InvalidInputError
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.trainings.versions import TrainingVersion, open_training
from veml_vcs.repository.trainings.write import (
    WrittenTraining,
    require_free,
    write_training,
)
from veml_vcs.samples.tensors import average
from veml_vcs.versions.trainings import Initial, TrainingOutcome


def average_trainings(
    repo: Repository,
    first: str,
    second: str,
    name: str,
    *,
    weight: float = 0.5,
    force: bool = False,
) -> WrittenTraining:
    """Write the weighted mean of two training versions as a version of its own.

    Args:
        repo: The repository.
        first: ``NAME`` or ``NAME@REV``.
        second: As ``first``.
        name: What the new training is called.
        weight: Of the second, 0 to 1.
        force: Also where they have no parent in common, or over a record that no commit has.

    Raises:
        NotFoundError: There is no such training, or this clone does not have a checkpoint.
        InvalidInputError: They are not of one network, or have no parent in common.
        ConflictError: The name's place is taken.
    """
    require_free(repo, name, force=force)
    left, right = open_training(repo, first), open_training(repo, second)
    return write_training(repo, averaged(left, right, weight, force=force), name, force=force)


def averaged(
    left: TrainingVersion, right: TrainingVersion, weight: float = 0.5, *, force: bool = False
) -> TrainingOutcome:
    """Return the mean of two training versions, to be written.

    Raises:
        InvalidInputError: They are not of one network, or have no parent in common.
        ConflictError: They are of two models or tasks.
    """
    one, other = left.record, right.record
    if one.task != other.task or one.model.name != other.model.name:
        raise ConflictError(
            f"{left.label} is a {one.task} of {one.model.name}, {right.label} a {other.task} of "
            f"{other.model.name}: two networks have no mean",
            kind="other-network",
        )
    parent = common_parent(left, right)
    if parent is None and not force:
        raise InvalidInputError(
            f"{left.label} and {right.label} did not begin with the same weights: the mean of two "
            "networks that have nothing in common is noise",
            hint="--force averages them all the same",
            kind="no-parent",
        )
    return TrainingOutcome(
        task=one.task,
        model=one.model,
        data=(*one.data, *(use for use in other.data if use not in one.data)),
        checkpoint=average(left.checkpoint(), right.checkpoint(), weight),
        config=one.config,
        initial=parent or Initial(),
        parameters=one.checkpoint.parameters,
        derived={
            "operation": "average",
            "arguments": {"weight": weight},
            "from": [named(left), named(right)],
        },
    )


def common_parent(left: TrainingVersion, right: TrainingVersion) -> Initial | None:
    """Return the weights that two trainings began with, or that one is of and the other began with.

    None where there are none, or where both began at random: then they have nothing in common.
    """
    one, other = left.record, right.record
    if one.initial == other.initial and one.initial.kind != "random":
        return one.initial
    if one.initial.tree is not None and one.initial.tree in (
        other.initial.tree,
        other.checkpoint.tree,
    ):
        return one.initial
    if other.initial.tree is not None and other.initial.tree == one.checkpoint.tree:
        return other.initial
    return None


def named(version: TrainingVersion) -> dict[str, str]:
    """Return what ``derived`` says of a training that weights were made of."""
    tree = version.record.checkpoint.tree.hex()
    return {"name": version.name, "version": version.id, "tree": tree}
