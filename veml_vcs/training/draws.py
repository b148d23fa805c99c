"""Each draw of a sample has random numbers of its own, and a pass can begin in its middle.

For the loaders of all tasks. Importing this registers ``VemlDraws`` and ``VemlBatches``.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from mmengine.dist import get_rank
from mmengine.registry import DATA_SAMPLERS, DATASETS
from torch.utils.data import BatchSampler, Dataset, get_worker_info

from veml_vcs.training.interruption import ignore_interrupts


class Draw(int):
    """The position of a sample, with the place that it has among all draws of a training."""

    stream: tuple[int, ...]

    def __new__(cls, index: int, stream: tuple[int, ...]) -> Draw:
        """Return the position, with what its random numbers come from."""
        made = super().__new__(cls, index)
        made.stream = stream
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return Draw, (int(self), self.stream)


@DATA_SAMPLERS.register_module()
class VemlBatches(BatchSampler):
    """Batches that know which draw of the training each sample is, and can begin in the middle.

    Args:
        sampler: As the config says.
        batch_size: Samples in a batch.
        inner: The config's own batch sampler, if it has one.
        seed: Of the training.
        skip: Batches of the first pass that a resumed training has had already.
        drop_last: Leave out a last batch that is not full.
    """

    def __init__(
        self,
        sampler: Any,
        batch_size: int,
        inner: dict[str, Any] | None = None,
        seed: int = 0,
        skip: int = 0,
        drop_last: bool = False,
    ) -> None:
        given = {"sampler": sampler, "batch_size": batch_size}
        if inner is None:
            self.inner = BatchSampler(sampler, batch_size, drop_last)
        else:
            self.inner = DATA_SAMPLERS.build(dict(inner), default_args=given)
        self.sampler = sampler
        self.batch_size = batch_size
        self.seed = seed
        self.skip = skip

    def __iter__(self) -> Iterator[list[int]]:
        epoch, skip, self.skip = getattr(self.sampler, "epoch", 0), self.skip, 0
        for number, batch in enumerate(self.inner):
            if number >= skip:
                first = (self.seed, get_rank(), epoch, number)
                yield [Draw(one, (*first, place)) for place, one in enumerate(batch)]

    def __len__(self) -> int:
        return len(self.inner)


@DATASETS.register_module()
class VemlDraws(Dataset[Any]):
    """A data set each of whose draws has random numbers of its own.

    What a transform draws depends on the seed and the place of the draw in the training: neither
    on the number of workers, nor on whether the training was interrupted.

    Args:
        dataset: The data set, or what wraps it.
    """

    def __init__(self, dataset: dict[str, Any]) -> None:
        self.dataset = DATASETS.build(dataset)

    @property
    def metainfo(self) -> Any:
        """The data set's."""
        return self.dataset.metainfo

    def full_init(self) -> None:
        """Read what is said of the samples."""
        self.dataset.full_init()

    def get_data_info(self, index: int) -> Any:
        """Return what is said of a sample."""
        return self.dataset.get_data_info(int(index))

    def get_cat_ids(self, index: int) -> Any:
        """Return the labels of a sample."""
        return self.dataset.get_cat_ids(int(index))

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Any:
        if get_worker_info() is not None:
            ignore_interrupts()
        if not isinstance(index, Draw):
            return self.dataset[index]
        before = random.getstate(), np.random.get_state(), torch.get_rng_state()
        seed_all(*index.stream)
        try:
            return self.dataset[int(index)]
        finally:
            random.setstate(before[0])
            np.random.set_state(before[1])
            torch.set_rng_state(before[2])


def seed_all(*numbers: int) -> None:
    """Seed the random numbers of Python, numpy and torch on the CPU from whole numbers.

    Not by ``torch.manual_seed``: where there is no GPU that keeps a stack trace of each call for a
    later one (1.4 ms, and memory without end).
    """
    text = ":".join(map(str, numbers)).encode()
    drawn = int.from_bytes(hashlib.sha256(text).digest()[:8], "little")
    random.seed(drawn)
    np.random.seed(drawn & 0xFFFFFFFF)
    torch.default_generator.manual_seed(drawn >> 1)
