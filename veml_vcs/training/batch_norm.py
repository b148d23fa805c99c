"""Domain adaptation without labels: batch normalisation takes its statistics from the new data.

AdaBN (Li, Wang, Shi, Liu and Hou 2016, "Revisiting Batch Normalization For Practical Domain
Adaptation", arXiv 1603.04779): what a network knows is in its weights, what a domain looks like in
the means and variances of its normalisation, so those alone are measured anew. No weight changes,
no label is read, and one pass over the data is all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from veml_vcs.errors import InvalidInputError
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.trainings.average import named
from veml_vcs.repository.trainings.versions import TrainingVersion
from veml_vcs.repository.trainings.write import WrittenTraining, require_free, write_training
from veml_vcs.training.engine import library_versions, require_engine
from veml_vcs.training.machine import Machine
from veml_vcs.training.measure import loaded, run_network
from veml_vcs.training.plan import Part
from veml_vcs.training.watch import Quiet, Watcher
from veml_vcs.versions.trainings import DataUse, Initial, TrainingOutcome

if TYPE_CHECKING:
    from veml_vcs.samples.tensors import Checkpoint

_BATCH = {"classification": 64}
BATCH = 8
"""Images whose mean and variance are taken together: one image's alone are far from the data's.
Images of a classifier are small, and each is of one class, so that more have to be seen at once."""


def adapt_statistics(
    repo: Repository,
    old: TrainingVersion,
    new: Part,
    name: str,
    *,
    test: Part | None = None,
    rebuilt_from: Mapping[str, Any] | None = None,
    watcher: Watcher | None = None,
    machine: Machine | None = None,
) -> WrittenTraining:
    """Write a training version whose normalisation fits new data.

    Args:
        repo: The repository.
        old: The training.
        new: Samples of the new data; labels are not read.
        name: Of the training that is made.
        test: What it is measured on; None: on nothing.
        rebuilt_from: As the record will have it.
        watcher: Is told what is done.
        machine: How this machine computes.

    Raises:
        InvalidInputError: The network has no batch normalisation.
        MissingDependencyError: The engine is not installed.
        ConflictError: The name is taken.
    """
    record = old.record
    require_engine(record.task)
    require_free(repo, name)
    told = watcher or Quiet()
    told.doing(f"adapting {old.label} to {len(new.keys)} samples of {new.path}")
    weights = _adapted(repo, old, new, machine)
    trained = [use for use in record.data if use.role == "train"]
    uses = (*trained, _use(repo, new, "train"))
    outcome = TrainingOutcome(
        task=record.task,
        model=record.model,
        data=uses,
        checkpoint=weights,
        config=record.config,
        initial=Initial("training", old.name, old.id, record.checkpoint.tree),
        seed=record.seed,
        determinism=record.determinism,
        libraries=library_versions(record.task),
        parameters=record.checkpoint.parameters,
        rebuilt_from=rebuilt_from or {},
        derived={
            "operation": "adapt",
            "arguments": {"statistics": "batch-norm", "batch": _BATCH.get(record.task, BATCH)},
            "from": [named(old)],
        },
    )
    if test is not None:
        told.doing(f"measuring on {len(test.keys)} samples of {test.path}")
        found, said = run_network(repo, old, test, machine, weights=weights)
        outcome = replace(
            outcome,
            data=(*uses, _use(repo, test, "val")),
            metrics=found.metrics,
            per_class=found.per_class,
            predictions={test.path: said},
        )
    return write_training(repo, outcome, name)


def _adapted(
    repo: Repository, old: TrainingVersion, new: Part, machine: Machine | None
) -> Checkpoint:
    # Neighbours look alike, in folders of classes or on a drive; a batch is to look like the data.
    entries = new.dataset(repo).entries
    mixed = replace(new, keys=tuple(sorted(new.keys, key=lambda key: entries[key].content or b"")))
    size = _BATCH.get(old.record.task, BATCH)
    settings = {
        "val_dataloader.batch_size": size,
        # A smaller last batch would count as much as the others.
        "val_dataloader.drop_last": len(new.keys) > size,
    }
    with loaded(repo, old, mixed, machine, settings) as run:
        import torch
        from torch.nn.modules.batchnorm import _BatchNorm

        from veml_vcs.training.weights import checkpoint_of

        model = run.runner.bare_model
        model.eval()
        layers = [
            one for one in model.modules()
            if isinstance(one, _BatchNorm) and one.running_mean is not None
        ]  # fmt: skip
        if not layers:
            raise InvalidInputError(
                f"training {old.label}: its network has no batch normalisation, whose statistics "
                "could be fitted to new data",
                hint="veml rebuild --method active --budget N asks for labels",
                kind="no-batch-norm",
            )
        for one in layers:
            one.reset_running_stats()
            one.momentum = None  # the mean of all batches, not a moving one
            one.train()
        with torch.no_grad():
            for batch in run.runner.val_loop.dataloader:
                model.val_step(batch)
        return checkpoint_of(model.state_dict())


def _use(repo: Repository, part: Part, role: Any) -> DataUse:
    tree = part.dataset(repo).tree
    return DataUse(part.path, part.version, tree, role, len(part.keys), dict(part.part))
