"""What will be trained, settled before anything is: versions, split, seed, the final config.

A plan is kept beside the state of the run, so that a resumed training is the same training,
whatever became of branches and folders. ``planning`` makes it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from veml_vcs.errors import FormatError
from veml_vcs.ids import VersionId
from veml_vcs.repository.dataset import Dataset
from veml_vcs.repository.git.repo import blob_id
from veml_vcs.repository.repository import Repository
from veml_vcs.training.split import DEFAULT_FRACTION
from veml_vcs.versions.data import parse_data_record
from veml_vcs.versions.models import unflatten
from veml_vcs.versions.trainings import DataUse, Initial, ModelUse
from veml_vcs.versions.trainings.outcome import Task
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
        like: A training (``NAME`` or ``NAME@REV``) whose model version and final config are taken;
            ``model`` then says nothing.
        classes: ``OLD=NEW`` each: which class of ``start`` a class of the data begins as, where
            names do not tell.
        transferred_from: The lifecycle that this one is taken from, as the record will have it.
        rebuilt_from: The training that is rebuilt, as the record will have it.
        parts: Samples to train on and to measure on that are settled; ``data``, ``val`` and
            ``val_split`` then say nothing.
        told_apart: With ``parts``: the classes, in order; none where there are no classes.
        also: With ``parts``: further samples to train on; of a series.
    """

    data: str
    model: str = ""
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
    like: str | None = None
    classes: tuple[str, ...] = ()
    transferred_from: Mapping[str, Any] = field(default_factory=dict)
    rebuilt_from: Mapping[str, Any] = field(default_factory=dict)
    parts: tuple[Part, Part] | None = None
    told_apart: tuple[str, ...] = ()
    also: tuple[Part, ...] = ()


@dataclass(frozen=True)
class Part:
    """Samples of one data version, in one role.

    Attributes:
        path: The data set's folder.
        record: The text of its record.
        keys: The samples.
        part: How they were chosen, as a training record says it.
        windows: How many windows are cut of them; of a series.
    """

    path: str
    record: str
    keys: tuple[str, ...]
    part: Mapping[str, Any] = field(default_factory=dict)
    windows: int | None = None

    def __len__(self) -> int:
        """How many examples a network is shown: samples, or windows of them."""
        return len(self.keys) if self.windows is None else self.windows

    def dataset(self, repo: Repository) -> Dataset:
        """Open the data version."""
        return Dataset(repo, self.path, parse_data_record(self.record.encode(), self.path))

    @property
    def version(self) -> VersionId:
        """Version id of the data version."""
        return blob_id(self.record.encode())

    @property
    def steps(self) -> tuple[int, int]:
        """The first step of a series that is meant, and the one after the last.

        Raises:
            FormatError: It is of no series.
        """
        first, colon, end = str(self.part.get("steps", "")).partition(":")
        if not (colon and first.isdecimal() and end.isdecimal()):
            raise FormatError(
                f"{self.path}: steps of a series were expected, found {dict(self.part)!r:.200}",
                kind="unknown-part",
            )
        return int(first), int(end)


def read_part(found: Mapping[str, Any]) -> Part:
    """Return samples that were kept as JSON.

    Raises:
        TypeError: They were not.
        KeyError: Something is missing.
    """
    return Part(**{**found, "keys": tuple(found["keys"])})


@dataclass(frozen=True)
class Plan:
    """A training that is settled.

    Attributes:
        task: What is learnt.
        name: Of the training.
        train: What is trained on.
        val: What is measured on.
        classes: Names of the classes, in order; none where there are no classes.
        model: Name of the model.
        model_version: Its version id.
        config: The final config, flat.
        seed: Draws everything.
        iterations: Steps there will be.
        epochs: Passes there will be, if the config counts in passes.
        deterministic: See ``Request``.
        trust: See ``Request``.
        start: The training that it begins with, as ``Initial`` says it in JSON, with ``classes``
            (those that its weights know) and ``rows`` (for each class of the data the position of
            the known one, or None) where there are classes; empty: none.
        notes: What the user should know before it begins.
        transferred_from: See ``Request``.
        rebuilt_from: See ``Request``.
        also: What is trained on besides ``train``; of a series.
    """

    task: Task
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
    transferred_from: Mapping[str, Any] = field(default_factory=dict)
    rebuilt_from: Mapping[str, Any] = field(default_factory=dict)
    also: tuple[Part, ...] = ()

    def nested(self) -> dict[str, Any]:
        """Return the final config, nested."""
        return unflatten(self.config)

    def uses(self, repo: Repository) -> tuple[DataUse, ...]:
        """Return the data versions as a training record names them."""
        trained = tuple(self._use(repo, one, "train") for one in (self.train, *self.also))
        return (*trained, self._use(repo, self.val, "val"))

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
        found["also"] = [vars(one) for one in self.also]
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
            found[role] = read_part(found[role])
        found["also"] = tuple(read_part(one) for one in found.get("also", ()))
        for name in ("classes", "notes"):
            found[name] = tuple(found[name])
        return Plan(**found)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FormatError(f"{where}: not the plan of a training: {error!s:.200}") from error
