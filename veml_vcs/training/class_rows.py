"""The rows of a network's last layers that belong to a class: moved to where the class is now.

A head tells classes apart by rows of its last tensors: one a class (and maybe one for "nothing"),
or four a class (its box), or some a class for every anchor. Which tensors these are is not guessed
by their names: the same network with one class more differs in exactly them. Imports PyTorch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Layout:
    """How the rows of a tensor belong to classes.

    Attributes:
        each: Rows that one class has.
        nothing: Whether a last class stands for "none of these".
        by_class: Whether the rows of one class lie together; else those of one anchor do.
    """

    each: int
    nothing: bool
    by_class: bool

    def rows(self, classes: int) -> int:
        """Return how many rows a tensor of so many classes has."""
        return self.each * (classes + self.nothing)


def class_layouts(
    own: Mapping[str, Shape], one_more: Mapping[str, Shape], classes: int
) -> dict[str, Layout]:
    """Find the tensors that depend on the number of classes, and how.

    Args:
        own: Tensor's name -> shape, of the network with ``classes`` classes.
        one_more: The same of that network with one class more.
        classes: How many there are.

    Returns:
        Those whose rows can be told to be of which class. Others are left out.
    """
    found = {}
    for name, shape in own.items():
        other = one_more.get(name, shape)
        if shape == other or len(shape) != len(other) or shape[1:] != other[1:]:
            continue
        each = other[0] - shape[0]
        fixed = shape[0] - each * classes
        weight = own.get(name.rpartition(".")[0] + ".weight", shape)
        linear = len(weight) == 2
        # Four numbers a class, and none for "nothing", lie together in a linear layer (a box); of a
        # convolution the classes of an anchor do. No head of MMDetection has other forms.
        if each < 1 or fixed not in (0, each) or (linear and each > 1 and fixed):
            continue
        found[name] = Layout(each, bool(fixed), by_class=linear)
    return found


def move_rows(
    old: torch.Tensor,
    fresh: torch.Tensor,
    layout: Layout,
    rows: Sequence[int | None],
    old_classes: int,
) -> torch.Tensor | None:
    """Return a tensor whose classes begin as known ones; the others are those of ``fresh``.

    Args:
        old: Of the network that knows ``old_classes`` classes.
        fresh: As it was drawn for the new classes.
        layout: How rows belong to classes, of both.
        rows: For each new class the known one, or None.
        old_classes: How many the old network knows.

    Returns:
        None where ``old`` is of another form.
    """
    counts = layout.rows(old_classes), layout.rows(len(rows))
    if (old.shape[:1], fresh.shape[:1]) != ((counts[0],), (counts[1],)):
        return None
    if old.shape[1:] != fresh.shape[1:]:
        return None
    made = fresh.clone()
    pairs = [(new, known) for new, known in enumerate(rows) if known is not None]
    if layout.nothing:
        pairs.append((len(rows), old_classes))
    source, target = _by_class(old, layout), _by_class(made, layout)
    for new, known in pairs:
        target[new] = source[known].to(target.dtype)
    return made


def _by_class(tensor: torch.Tensor, layout: Layout) -> torch.Tensor:
    """Return a view: class, row of the class, the rest."""
    rest = tensor.shape[1:]
    if layout.by_class:
        return tensor.view(-1, layout.each, *rest)
    return tensor.view(layout.each, -1, *rest).transpose(0, 1)
