"""What will be trained, settled before anything is: versions, split, seed, the final config.

Nothing here imports the engine: whatever is wrong with the data, the model's config or the options
is said within a second. The plan is kept beside the state of the run, so that a resumed training is
the same training, whatever became of branches and folders.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from veml_vcs.errors import ConflictError, FormatError, InvalidInputError
from veml_vcs.ids import VersionId
from veml_vcs.repository.absent import require_here
from veml_vcs.repository.dataset import Dataset
from veml_vcs.repository.git.repo import blob_id
from veml_vcs.repository.models.stale import stale_here
from veml_vcs.repository.models.versions import open_model
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.revisions import parse_data_spec
from veml_vcs.repository.trainings.versions import open_training
from veml_vcs.repository.worktree.changes import folder_changes
from veml_vcs.samples.facts import Annotation
from veml_vcs.training.adapt import Adapted, adapt_detection, refuse_other_tasks
from veml_vcs.training.detection_samples import (
    labelled,
    refuse_without_boxes,
    trained_classes,
)
from veml_vcs.training.settings import apply_settings
from veml_vcs.training.split import DEFAULT_FRACTION, Split, split_by_name, split_by_seed
from veml_vcs.versions.data import parse_data_record
from veml_vcs.versions.models import flatten, record_path, unflatten
from veml_vcs.versions.trainings import DataUse, Initial, ModelUse
from veml_vcs.versions.trainings.uses import Role

PLAN_FORMAT = 1


@dataclass(frozen=True)
class Request:
    """What the user asked for.

    Attributes:
        data: ``PATH``, ``PATH@REV`` or ``REV:PATH``: what is trained on.
        model: ``NAME`` or ``NAME@REV``.
        name: Of the training; None is the model's.
        val: Another data version to measure on; None holds back a part of ``data``.
        val_split: A fraction, or the name of a split that the data set has.
        settings: ``KEY=VALUE``, each changes the config.
        seed: Draws everything.
        epochs: Passes, instead of what the config says.
        iterations: Steps, instead of what the config says.
        start: A training (``NAME`` or ``NAME@REV``) whose weights are begun with.
        deterministic: Whether PyTorch takes reproducible algorithms alone.
        trust: Whether the config may name code that is not the engine's own.
    """

    data: str
    model: str
    name: str | None = None
    val: str | None = None
    val_split: str = f"{DEFAULT_FRACTION:g}"
    settings: tuple[str, ...] = ()
    seed: int = 0
    epochs: int | None = None
    iterations: int | None = None
    start: str | None = None
    deterministic: bool = True
    trust: bool = False


@dataclass(frozen=True)
class Part:
    """Samples of one data version, in one role.

    Attributes:
        path: The data set's folder.
        record: The text of its record.
        keys: The samples.
        part: How they were chosen, as a training record says it.
    """

    path: str
    record: str
    keys: tuple[str, ...]
    part: Mapping[str, Any] = field(default_factory=dict)

    def dataset(self, repo: Repository) -> Dataset:
        """Open the data version."""
        return Dataset(repo, self.path, parse_data_record(self.record.encode(), self.path))

    @property
    def version(self) -> VersionId:
        """Version id of the data version."""
        return blob_id(self.record.encode())


@dataclass(frozen=True)
class Plan:
    """A training that is settled.

    Attributes:
        name: Of the training.
        train: What is trained on.
        val: What is measured on.
        classes: Names of the classes, in order.
        model: Name of the model.
        model_version: Its version id.
        config: The final config, flat.
        seed: Draws everything.
        iterations: Steps there will be.
        epochs: Passes there will be, if the config counts in passes.
        deterministic: See ``Request``.
        trust: See ``Request``.
        start: The training that it begins with, as ``Initial`` says it in JSON; empty: none.
        notes: What the user should know before it begins.
    """

    name: str
    train: Part
    val: Part
    classes: tuple[str, ...]
    model: str
    model_version: str
    config: Mapping[str, Any]
    seed: int
    iterations: int
    epochs: int | None = None
    deterministic: bool = True
    trust: bool = False
    start: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def nested(self) -> dict[str, Any]:
        """Return the final config, nested."""
        return unflatten(self.config)

    def uses(self, repo: Repository) -> tuple[DataUse, ...]:
        """Return the data versions as a training record names them."""
        return (self._use(repo, self.train, "train"), self._use(repo, self.val, "val"))

    def _use(self, repo: Repository, one: Part, role: Role) -> DataUse:
        tree = one.dataset(repo).tree
        return DataUse(one.path, one.version, tree, role, len(one.keys), one.part)

    def model_use(self) -> ModelUse:
        """Return the model version as a training record names it."""
        return ModelUse(self.model, VersionId(self.model_version))

    def initial(self) -> Initial:
        """Return the weights that it begins with, as a training record says it."""
        if self.start:
            tree = bytes.fromhex(self.start["tree"])
            return Initial("training", self.start["name"], self.start["version"], tree)  # type: ignore[arg-type]
        for key, value in self.config.items():
            if key.endswith("init_cfg.checkpoint") and isinstance(value, str) and value:
                return Initial("pretrained", value)
        return Initial()

    def to_bytes(self) -> bytes:
        """Return the plan as JSON."""
        found = {name: getattr(self, name) for name in self.__dataclass_fields__}
        found |= {role: vars(getattr(self, role)) for role in ("train", "val")}
        return json.dumps({"veml": PLAN_FORMAT, **found}, default=list).encode()


def read_plan(data: bytes, where: str) -> Plan:
    """Return a plan that was kept.

    Raises:
        FormatError: It is none, or of another veml.
    """
    try:
        found = json.loads(data)
        if found.pop("veml") != PLAN_FORMAT:
            raise FormatError(f"{where}: kept by another veml", kind="newer-format")
        for role in ("train", "val"):
            part = found[role]
            found[role] = Part(part["path"], part["record"], tuple(part["keys"]), part["part"])
        for name in ("classes", "notes"):
            found[name] = tuple(found[name])
        return Plan(**found)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FormatError(f"{where}: not the plan of a training: {error!s:.200}") from error


def make_plan(repo: Repository, request: Request) -> Plan:
    """Settle a training, or refuse it.

    Raises:
        NotFoundError: There is no such data set, model or training, or its data is not here.
        ConflictError: A folder or a config differs from the version that would be trained.
        InvalidInputError: The data has no boxes, classes do not match, options contradict.
        FormatError: The config is for another task, or lacks something.
    """
    notes: list[str] = []
    data, path_record = _data_version(repo, request.data, notes)
    classes = trained_classes(data.facts)
    refuse_without_boxes(data.path, data.facts, classes)
    config, model, version = _model_config(repo, request.model, notes)
    changed = apply_settings(config, request.settings)
    refuse_other_tasks(changed, model)
    if request.start is not None:
        _without_pretrained(changed)
    notes += [
        f"--set {key}: a key that the config did not have"
        for key in flatten(changed).keys() - flatten(config).keys()
    ]
    _refuse_untrusted(changed, request)
    annotations = data.annotations()
    keys, blank = labelled(data.keys, annotations)
    if blank:
        notes.append(f"{data.path}: {blank} samples without annotation are left out")
    if not any(one.get("objects") for one in annotations.values()):
        raise InvalidInputError(
            f"{data.path}: no sample has a box, so there is nothing to learn from",
            hint=f"veml data show {data.path}",
            kind="no-labels",
        )
    train, val = _parts(repo, request, data, path_record, keys, annotations, notes)
    _refuse_unknown_classes(repo, val, classes)
    adapted = adapt_detection(
        changed, classes, len(train.keys), epochs=request.epochs, iterations=request.iterations
    )
    return Plan(
        name=request.name or model,
        train=train,
        val=val,
        classes=classes,
        model=model,
        model_version=version,
        config=_recorded(adapted),
        seed=request.seed,
        iterations=adapted.iterations,
        epochs=adapted.epochs,
        deterministic=request.deterministic,
        trust=request.trust,
        start=_start(repo, request.start),
        notes=(*notes, *adapted.notes),
    )


def _recorded(adapted: Adapted) -> dict[str, Any]:
    """Return the flat config, without what is the machine's."""
    config = adapted.config
    for loader in (config["train_dataloader"], config["val_dataloader"]):
        for name in ("num_workers", "persistent_workers", "pin_memory", "prefetch_factor"):
            loader.pop(name, None)
    return flatten(config)


# -- data --------------------------------------------------------------------------------------


def _data_version(repo: Repository, text: str, notes: list[str]) -> tuple[Dataset, str]:
    """Open a data version, and return the text of its record; refuse a folder that differs."""
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


def _parts(
    repo: Repository,
    request: Request,
    data: Dataset,
    record: str,
    keys: tuple[str, ...],
    annotations: Mapping[str, Annotation],
    notes: list[str],
) -> tuple[Part, Part]:
    """Return what is trained on and what is measured on."""
    if request.val is not None:
        other, other_record = _data_version(repo, request.val, notes)
        refuse_without_boxes(other.path, other.facts, trained_classes(other.facts))
        held, blank = labelled(other.keys, other.annotations())
        if blank:
            notes.append(f"{other.path}: {blank} samples without annotation are left out")
        if not held:
            raise InvalidInputError(f"{other.path}: no sample has labels", kind="no-labels")
        same = {data.entries[key].content for key in keys}
        shared = sum(other.entries[key].content in same for key in held)
        if shared:
            notes.append(f"{shared} of {len(held)} samples measured on are also trained on")
        return Part(data.path, record, keys), Part(other.path, other_record, held)
    split = _split(request, data, keys, annotations)
    return (
        Part(data.path, record, split.train, split.train_part),
        Part(data.path, record, split.val, split.val_part),
    )


def _split(
    request: Request,
    data: Dataset,
    keys: tuple[str, ...],
    annotations: Mapping[str, Annotation],
) -> Split:
    try:
        fraction = float(request.val_split)
    except ValueError:
        return split_by_name(keys, annotations, request.val_split)
    contents = {key: data.entries[key].content for key in keys}
    known = {key: one for key, one in contents.items() if one is not None}
    return split_by_seed(known, fraction, request.seed)


def _refuse_unknown_classes(repo: Repository, val: Part, classes: tuple[str, ...]) -> None:
    """Refuse to measure on classes that are not trained."""
    data = val.dataset(repo)
    counts = data.record.class_counts
    unknown = [
        name for name in trained_classes(data.facts) if name not in classes and counts[name].objects
    ]
    if unknown:
        raise InvalidInputError(
            f"{val.path} has boxes of {', '.join(unknown)}, which are not among the classes that "
            f"are trained: {', '.join(classes)}",
            hint="veml data filter makes a version with some of the classes",
            kind="unknown-class",
        )


# -- model -------------------------------------------------------------------------------------


def _model_config(repo: Repository, text: str, notes: list[str]) -> tuple[dict[str, Any], str, str]:
    """Return the config of a model version, nested, its name and its id."""
    found = open_model(repo, text)
    if found.revision is None:
        path = record_path(found.name)
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


def _refuse_untrusted(config: Mapping[str, Any], request: Request) -> None:
    """Refuse what would import modules of the author's, and what reads files by itself."""
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


def _without_pretrained(value: Any) -> None:
    """Take out what would load published weights: those of the training take their place."""
    if isinstance(value, dict):
        said = value.get("init_cfg")
        if isinstance(said, dict) and said.get("type") == "Pretrained":
            del value["init_cfg"]
        for one in value.values():
            _without_pretrained(one)
    elif isinstance(value, list):
        for one in value:
            _without_pretrained(one)


def _start(repo: Repository, text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    found = open_training(repo, text)
    tree = found.record.checkpoint.tree
    return {"name": found.name, "version": found.id, "tree": tree.hex()}
