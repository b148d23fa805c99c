"""A rebuild as it was settled, and where it is kept until it is done.

Everything that was decided, by version ids: branches and folders may move on meanwhile.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

from veml_vcs.errors import ConflictError, FormatError, InvalidInputError, NotFoundError
from veml_vcs.objects.lock import FileLock
from veml_vcs.repository.rebuilds import STATE, pending_rebuilds, rebuild_folder
from veml_vcs.repository.repository import Repository
from veml_vcs.training.plan import Part, read_part
from veml_vcs.versions.trainings.outcome import Task

Method = Literal["full", "transfer", "active", "adapt"]
METHODS: tuple[Method, ...] = get_args(Method)

STATE_FORMAT = 1
_LOCK_SECONDS = 15.0
_PARTS = ("new", "test", "labels", "trained_on")


@dataclass(frozen=True)
class Rebuild:
    """A rebuild that is settled.

    Attributes:
        name: Of the training that is made.
        training: The one that is rebuilt: ``NAME`` or ``NAME@REV``.
        version: Its version id.
        method: How.
        why: Who chose the method, in a sentence.
        new: All samples of the new data version.
        chosen: Keys of ``new`` that are learnt from; of active learning in the order of choice.
        measured: Keys of ``new`` that wait for labels to be measured on; none where ``test`` is
            there.
        to: The data set that the merged version becomes; empty where none is made.
        test: What the new distribution is measured on; None: nothing is labelled (yet).
        labels: Where labels come from, if not from ``new`` itself: a data version.
        trained_on: The merged version, once it is made.
        selection: How samples were chosen; of active learning.
        budget: How many labels there may be; of active learning.
        seed: Draws everything.
        epochs: Passes, instead of what the old training had.
        iterations: Steps, instead of what the old training had.
        settings: ``KEY=VALUE``, each changes the old config.
        drift: What was measured of the two distributions, flat.
        listed: The COCO file that lists what waits for labels, from the repository's root.
        waits: Whether labels are waited for.
        labels_digest: SHA-256 of the file that the labels came from, in hex.
        notes: What the user should know.
        task: What is learnt.
        windows: How many windows of series are trained on; 0 of other tasks.
    """

    name: str
    training: str
    version: str
    method: Method
    why: str
    new: Part
    chosen: tuple[str, ...]
    measured: tuple[str, ...] = ()
    to: str = ""
    test: Part | None = None
    labels: Part | None = None
    trained_on: Part | None = None
    selection: str = ""
    budget: int = 0
    seed: int = 0
    epochs: int | None = None
    iterations: int | None = None
    settings: tuple[str, ...] = ()
    drift: Mapping[str, Any] = field(default_factory=dict)
    listed: str = ""
    waits: bool = False
    labels_digest: str = ""
    notes: tuple[str, ...] = ()
    task: Task = "detection"
    windows: int = 0

    @property
    def labels_needed(self) -> int:
        """How many samples of the new data have to be labelled; a series labels itself."""
        if self.method == "adapt" or self.task == "forecasting":
            return 0
        return len(self.chosen) + len(self.measured)

    def rebuilt_from(self) -> dict[str, Any]:
        """Return what the new training's record says of this, flat."""
        found: dict[str, Any] = {
            "training": self.training.partition("@")[0],
            "version": self.version,
            "data": self.new.path,
            "data_version": self.new.version,
            "method": self.method,
            "why": self.why,
            "labels": self.labels_needed,
            "seed": self.seed,
        }
        if self.method == "active":
            found |= {"selection": self.selection, "budget": self.budget}
        if self.labels is not None:
            found |= {"labels_from": self.labels.path, "labels_version": self.labels.version}
        if self.labels_digest:
            found["labels_file"] = self.labels_digest
        return found | {f"drift.{name}": value for name, value in self.drift.items()}

    def to_bytes(self) -> bytes:
        """Return it as JSON."""
        found = {one.name: getattr(self, one.name) for one in fields(self)}
        for name in _PARTS:
            if found[name] is not None:
                found[name] = vars(found[name])
        return json.dumps({"veml": STATE_FORMAT, **found}, default=dict).encode()


def read_rebuild(data: bytes, where: str) -> Rebuild:
    """Return a rebuild that was kept.

    Raises:
        FormatError: It is none, or of another veml.
    """
    try:
        found = json.loads(data)
        if found.pop("veml") != STATE_FORMAT:
            raise FormatError(f"{where}: kept by another veml", kind="newer-format")
        for name in _PARTS:
            if found[name] is not None:
                found[name] = read_part(found[name])
        for name in ("chosen", "measured", "settings", "notes"):
            found[name] = tuple(found[name])
        return Rebuild(**found)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FormatError(
            f"{where}: not the state of a rebuild: {error!s:.200}",
            hint="veml rebuild --abort drops it",
        ) from error


@dataclass(frozen=True)
class RebuildFolder:
    """Where one rebuild is kept until it is done.

    Attributes:
        repo: The repository.
        name: Of the training that is made.
    """

    repo: Repository
    name: str

    @property
    def path(self) -> str:
        """Where it lies."""
        return rebuild_folder(self.repo, self.name)

    @property
    def state_path(self) -> str:
        """Where its state lies."""
        return os.path.join(self.path, STATE)

    @property
    def begun(self) -> bool:
        """Whether there is one."""
        return self.repo.files.exists(self.state_path)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Be the only process that works at it.

        Raises:
            LockedError: Another one does.
        """
        self.repo.create_store()
        self.repo.files.make_folder(self.path)
        lock = os.path.join(self.path, "lock")
        with FileLock(lock, timeout_seconds=_LOCK_SECONDS, purpose=f"veml rebuild {self.name}"):
            yield

    def refuse_begun(self) -> None:
        """Refuse to begin anew what can go on.

        Raises:
            ConflictError: It is begun.
        """
        if self.begun:
            raise ConflictError(
                f"the rebuild {self.name!r} is begun and not done",
                hint=f"veml rebuild --continue --name {self.name} goes on, "
                f"veml rebuild --abort --name {self.name} drops it",
                kind="unfinished-rebuild",
            )

    def keep(self, rebuild: Rebuild) -> Rebuild:
        """Keep its state, in the place of any other; return it."""
        self.repo.files.write_atomic(self.state_path, rebuild.to_bytes())
        return rebuild

    def read(self) -> Rebuild:
        """Return what was kept.

        Raises:
            NotFoundError: Nothing was.
            FormatError: It is of another veml.
        """
        if not self.begun:
            known = ", ".join(one.name for one in pending_rebuilds(self.repo)) or "none"
            raise NotFoundError(
                f"no rebuild {self.name!r} is begun; begun: {known}",
                hint="veml rebuild --train TRAINING --new DATA begins one",
                kind="no-rebuild",
            )
        return read_rebuild(bytes(self.repo.files.read(self.state_path)), self.state_path)

    def clear(self) -> None:
        """Remove the state; the lock stays, as another process may wait for it."""
        if self.begun:
            self.repo.files.remove(self.state_path)


def begun_folder(repo: Repository, name: str | None) -> RebuildFolder:
    """Return the folder of a rebuild that is begun.

    Args:
        repo: The repository.
        name: Of the training that it makes; None is the only one.

    Raises:
        NotFoundError: None is begun.
        InvalidInputError: Several are, and no name is given.
    """
    known = [one.name for one in pending_rebuilds(repo)]
    if name is None:
        if len(known) > 1:
            raise InvalidInputError(
                f"{len(known)} rebuilds are begun: {', '.join(known)}",
                hint=f"--name {known[0]}",
            )
        if not known:
            raise NotFoundError(
                "no rebuild is begun",
                hint="veml rebuild --train TRAINING --new DATA begins one",
                kind="no-rebuild",
            )
        name = known[0]
    folder = RebuildFolder(repo, name)
    if not folder.begun:
        folder.read()  # raises
    return folder
