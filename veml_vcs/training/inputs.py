"""The versions that a training is made of: data, model, and weights to begin with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from veml_vcs.errors import ConflictError, FormatError
from veml_vcs.repository.absent import require_here
from veml_vcs.repository.dataset import Dataset
from veml_vcs.repository.models.stale import stale_here
from veml_vcs.repository.models.versions import open_model
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.revisions import parse_data_spec
from veml_vcs.repository.trainings.versions import open_training
from veml_vcs.repository.worktree.changes import folder_changes
from veml_vcs.training.class_names import match_classes
from veml_vcs.training.plan import Request
from veml_vcs.versions.kinds import MODEL
from veml_vcs.versions.models import unflatten
from veml_vcs.versions.trainings import TrainingRecord


def data_version(repo: Repository, text: str, notes: list[str]) -> tuple[Dataset, str]:
    """Open a data version, and return the text of its record.

    Args:
        repo: The repository.
        text: ``PATH`` (as staged), ``PATH@REV`` or ``REV:PATH``.
        notes: What the user should know is added.

    Raises:
        NotFoundError: There is none, or its data is not in this clone.
        ConflictError: The folder differs from what is staged, and would not be trained on.
    """
    path, revision = parse_data_spec(text)
    if revision is None:
        path = repo.relative(path)
    record = repo.record_at(path, revision)
    require_here(repo, path, record)
    if revision is None:
        changes = folder_changes(repo, path, record)
        if changes and not changes.missing:
            raise ConflictError(
                f"{path}: {len(changes.keys())} files differ from the version that would be "
                "trained on: what is not added is not seen",
                hint=f"veml add {path} first; or --data {path}@HEAD trains on what is committed",
                kind="uncommitted-data",
            )
        head = repo.datasets_at(repo.git.head().commit).get(path)
        if head != record:
            notes.append(f"{path}: this version is staged and not committed yet")
    return Dataset(repo, path, record), record.to_bytes().decode()


def model_config(repo: Repository, text: str, notes: list[str]) -> tuple[dict[str, Any], str, str]:
    """Return the config of a model version, nested, its name and its id.

    Args:
        repo: The repository.
        text: ``NAME`` (as staged) or ``NAME@REV``.
        notes: What the user should know is added.

    Raises:
        NotFoundError: There is no such model.
        ConflictError: The record is not what its config says.
    """
    found = open_model(repo, text)
    if found.revision is None:
        path = MODEL.path(found.name)
        for stale in stale_here(repo):
            if stale.path == path:
                raise ConflictError(
                    f"{stale.path} is not what its config says: {stale.reason}",
                    hint=f"{stale.hint}; or --model {found.name}@HEAD trains what is committed",
                    kind="stale-model",
                )
        head = repo.git.files(repo.git.head().commit).get(path)
        if head is None or head.blob != found.id:
            notes.append(f"model {found.name}: this version is staged and not committed yet")
    return unflatten(found.record.config), found.name, found.id


def refuse_untrusted(config: Mapping[str, Any], request: Request) -> None:
    """Refuse what would import modules of the author's, and what reads files by itself.

    Raises:
        FormatError: The config does.
    """
    if config.get("custom_imports") and not request.trust:
        raise FormatError(
            f"model {request.model!r} imports modules of its author's "
            f"(custom_imports: {config['custom_imports']!r:.200})",
            hint="--trust lets it: they are programs, and can do whatever you can",
            kind="not-trusted",
        )
    if config.get("load_from"):
        raise FormatError(
            f"model {request.model!r} begins with weights that are in no version "
            f"(load_from: {config['load_from']!r:.200})",
            hint="--start TRAINING begins with those of a training; --set load_from=None with none",
            kind="load-from",
        )


def without_pretrained(value: Any) -> None:
    """Take out what would load published weights: those of the training take their place."""
    if isinstance(value, dict):
        said = value.get("init_cfg")
        if isinstance(said, dict) and said.get("type") == "Pretrained":
            del value["init_cfg"]
        for one in value.values():
            without_pretrained(one)
    elif isinstance(value, list):
        for one in value:
            without_pretrained(one)


def config_of_training(repo: Repository, text: str) -> tuple[dict[str, Any], str, str]:
    """Return the final config of a training, nested, and the name and id of its model version.

    Args:
        repo: The repository.
        text: ``NAME`` (as staged) or ``NAME@REV``.

    Raises:
        NotFoundError: There is no such training.
        FormatError: Its record does not tell how it was trained.
    """
    found = open_training(repo, text)
    if not found.record.config:
        raise FormatError(
            f"training {found.label}: its record holds no config (it was made elsewhere, or by "
            "averaging), so nothing tells how to train like it",
            hint=f"veml train --model {found.record.model.name} --start {text} names the model",
            kind="no-config",
        )
    model = found.record.model
    return unflatten(found.record.config), model.name, model.version


def start_of(repo: Repository, request: Request, classes: Sequence[str]) -> dict[str, Any]:
    """Return the training whose weights are begun with, as ``Plan.start`` has it.

    Args:
        repo: The repository.
        request: Says which, and which class is which.
        classes: Those of the data; none where there are no classes.

    Raises:
        NotFoundError: There is no such training.
        InvalidInputError: What the user says of the classes does not fit them.
    """
    if request.start is None:
        return {}
    found = open_training(repo, request.start)
    tree = found.record.checkpoint.tree
    start: dict[str, Any] = {"name": found.name, "version": found.id, "tree": tree.hex()}
    known = known_classes(found.record)
    if classes and known:
        match = match_classes(known, classes, request.classes)
        start |= {"classes": list(match.old), "rows": list(match.rows)}
    return start


def known_classes(record: TrainingRecord) -> tuple[str, ...]:
    """Return the classes that the weights of a training tell apart, in order.

    Returns:
        Nothing where its config does not tell: it forecasts, or was made elsewhere.
    """
    place = unflatten(record.config).get("val_dataloader")
    while isinstance(place, Mapping):
        said = place.get("metainfo")
        names = said.get("classes") if isinstance(said, Mapping) else None
        if isinstance(names, list) and all(isinstance(one, str) for one in names):
            return tuple(names)
        place = place.get("dataset")
    return ()
