"""What changed in a checkpoint layer by layer: tensors of one layer have one name but for the end.

``backbone.conv1.weight`` and ``backbone.conv1.bias`` are of the layer ``backbone.conv1``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt

from veml_vcs.samples.tensors.checkpoint import TensorChange


@dataclass(frozen=True)
class LayerChange:
    """How one layer of a network differs.

    Attributes:
        layer: Its name; of a tensor without a dot in its name, that name.
        kind: ``added``, ``removed``, ``reshaped`` or ``changed``: what all its tensors that differ
            have in common, else ``changed``.
        tensors: How many of its tensors differ.
        change: The L2 norm of the change of those weights that changed, divided by that of their
            old values; None where it cannot be said. Counters are no weights: 40 steps of batch
            norm would outweigh all of them.
    """

    layer: str
    kind: str
    tensors: int
    change: float | None = None


def layer_changes(changes: Iterable[TensorChange]) -> tuple[LayerChange, ...]:
    """Return the layers whose tensors differ, by name."""
    layers: dict[str, list[TensorChange]] = {}
    for one in changes:
        layers.setdefault(one.name.rpartition(".")[0] or one.name, []).append(one)
    return tuple(_layer(name, layers[name]) for name in sorted(layers))


def _layer(name: str, tensors: list[TensorChange]) -> LayerChange:
    kinds = {one.kind for one in tensors}
    kind = kinds.pop() if len(kinds) == 1 else "changed"
    told = [
        one for one in tensors if one.moved is not None and one.norm is not None and not one.whole
    ]
    norm = sqrt(sum((one.norm or 0.0) ** 2 for one in told))
    moved = sqrt(sum((one.moved or 0.0) ** 2 for one in told))
    return LayerChange(name, kind, len(tensors), moved / norm if norm else None)
