"""What a training was made of: data versions, a model version, initial weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from veml_vcs.ids import TreeId, VersionId

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
