"""What a training or an inference version is of: data versions, a model, initial weights.

And what a network said of samples, which both may keep. Each with how a record holds it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from veml_vcs.errors import FormatError
from veml_vcs.ids import TreeId, VersionId, short
from veml_vcs.versions.changes import in_words
from veml_vcs.versions.data import RECORD_SUFFIX
from veml_vcs.versions.fields import (
    MAX_ITEMS,
    choice,
    count,
    flat,
    only,
    part,
    text,
    tree,
    version,
)
from veml_vcs.versions.kinds import Need, check_path

Role = Literal["train", "val", "calibration"]
ROLES: tuple[Role, ...] = ("train", "val")
"""Those that a training has; calibration is of a quantised inference version."""
InitialKind = Literal["random", "training", "checkpoint", "pretrained"]


@dataclass(frozen=True)
class DataUse:
    """One use of a data version.

    Attributes:
        path: The data set's folder.
        version: Its version id.
        tree: Root of its tree.
        role: ``train``, ``val`` or, of a quantised inference version, ``calibration``.
        samples: How many of its samples were used so.
        part: How they were chosen, as flat JSON values: ``{"seed": 0, "fraction": 0.8}``,
            ``{"split": "val"}``; empty where all were.
    """

    path: str
    version: VersionId
    tree: TreeId
    role: Role
    samples: int
    part: Mapping[str, Any] = field(default_factory=dict)

    @property
    def need(self) -> Need:
        """The data version."""
        return Need("data", self.path, self.path + RECORD_SUFFIX, self.version)

    def __str__(self) -> str:
        """Return the use as people read it."""
        part = f" ({in_words(self.part)})" if self.part else ""
        count = f"{self.samples:,} sample{'' if self.samples == 1 else 's'}"
        return f"{self.path} ({short(self.version, 7)}), {count}{part}"

    def to_json(self) -> dict[str, Any]:
        """Return the use as a record holds it."""
        found: dict[str, Any] = {
            "path": self.path,
            "version": self.version,
            "tree": self.tree.hex(),
            "role": self.role,
            "samples": self.samples,
        }
        if self.part:
            found["part"] = dict(self.part)
        return found


def data_uses(record: Mapping[str, Any], roles: tuple[Role, ...]) -> tuple[DataUse, ...]:
    """Read the data versions of a record.

    Args:
        record: Its fields.
        roles: What a data version can be used for there.

    Raises:
        FormatError: They are none.
    """
    value = record.get("data", [])
    if not isinstance(value, list) or len(value) > MAX_ITEMS:
        raise FormatError(f"'data': expected the data versions, found {value!r:.80}")
    found = []
    for one in value:
        if not isinstance(one, dict):
            raise FormatError(f"'data': expected a data version, found {one!r:.80}")
        only(one, ("path", "version", "tree", "role", "samples", "part"), "'data'")
        path = text(one, "path")
        check_path(path)
        role = choice(one, "role", roles)
        found.append(
            DataUse(path, version(one), tree(one), role, count(one, "samples"), flat(one, "part"))
        )
    return tuple(found)


@dataclass(frozen=True)
class PredictionFacts:
    """What a network said of samples.

    Attributes:
        tree: Root in the store: annotations without samples, by data set's folder and key.
        samples: Of how many.
    """

    tree: TreeId
    samples: int

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> PredictionFacts:
        """Read the field ``predictions``.

        Raises:
            FormatError: It is none.
        """
        value = part(record, "predictions", ("tree", "samples"))
        return cls(tree(value), count(value, "samples"))

    def to_json(self) -> dict[str, Any]:
        """Return it as a record holds it."""
        return {"tree": self.tree.hex(), "samples": self.samples}


@dataclass(frozen=True)
class ModelUse:
    """The model version that was trained.

    Attributes:
        name: The model.
        version: Its version id.
    """

    name: str
    version: VersionId


@dataclass(frozen=True)
class Initial:
    """The weights that a training began with.

    Attributes:
        kind: ``random``, ``training`` (another training version), ``checkpoint`` (one in the store,
            of no training version) or ``pretrained`` (published ones).
        name: Of the training, or of the published weights.
        version: Version id of the training.
        tree: Root of the checkpoint, of ``training`` and ``checkpoint``.
    """

    kind: InitialKind = "random"
    name: str | None = None
    version: VersionId | None = None
    tree: TreeId | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the weights as a record holds them."""
        found: dict[str, Any] = {"kind": self.kind}
        if self.name is not None:
            found["name"] = self.name
        if self.version is not None:
            found["version"] = self.version
        if self.tree is not None:
            found["tree"] = self.tree.hex()
        return found

    def __str__(self) -> str:
        """Return the weights as people read them."""
        if self.kind == "training":
            return f"{self.name} ({(self.version or '')[:10]})"
        if self.kind == "checkpoint":
            return f"checkpoint {'' if self.tree is None else self.tree.hex()[:10]}"
        return self.kind if self.name is None else self.name
