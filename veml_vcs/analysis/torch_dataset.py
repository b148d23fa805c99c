"""A data version as a PyTorch map-style data set, read from the store: nothing is checked out.

>>> from torch.utils.data import DataLoader                             # doctest: +SKIP
>>> from veml_vcs.analysis.torch_dataset import TorchDataset            # doctest: +SKIP
>>> data = TorchDataset(repo.dataset("images/train", "main"))           # doctest: +SKIP
>>> loader = DataLoader(data, batch_size=8, num_workers=2,
...                     collate_fn=TorchDataset.collate)                # doctest: +SKIP
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch.utils.data import Dataset as _TorchData

from veml_vcs.errors import FormatError
from veml_vcs.repository.dataset import Dataset

MAX_PIXELS = 1 << 28
Item = tuple[Any, dict[str, Any]]


class TorchDataset(_TorchData[Item]):
    """Images and targets of a data version.

    Item ``i`` is ``(image, target)``. The image is uint8 [3, H, W], or what ``transform`` made of
    the decoded ``PIL.Image``. The target is a dict:

    * ``boxes``: float32 [n, 4], x1, y1, x2, y2 in pixels of the stored image;
    * ``labels``: int64 [n], positions in ``classes``;
    * ``class_labels``: int64 [m], positions of the sample's own labels (classification);
    * ``key``: the sample's key; ``index``: i.

    Safe with any number of workers, forked or spawned: each opens the repository for itself.

    Args:
        dataset: The data version.
        transform: Called with the decoded RGB image; its result is the item's image.
        target_transform: Called with the target; its result is the item's target.
    """

    def __init__(
        self,
        dataset: Dataset,
        transform: Callable[[Image.Image], Any] | None = None,
        target_transform: Callable[[dict[str, Any]], Any] | None = None,
    ) -> None:
        self.dataset = dataset
        self.transform = transform
        self.target_transform = target_transform
        self._positions = {name: i for i, name in enumerate(dataset.classes)}

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names; labels are positions in it."""
        return self.dataset.classes

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Item:
        """Return image and target.

        Raises:
            IndexError: There is no such position.
            FormatError: The sample is not an image that can be decoded.
            DamagedError: What is stored is not what the sample's id says.
        """
        sample = self.dataset[index]
        image = _decode(sample.data, sample.key)
        boxes, names = sample.boxes()
        target: dict[str, Any] = {
            "boxes": torch.from_numpy(boxes.astype(np.float32)),
            "labels": self._labels(names),
            "class_labels": self._labels(sample.labels),
            "key": sample.key,
            "index": index,
        }
        shown = self.transform(image) if self.transform else _tensor(image)
        return shown, self.target_transform(target) if self.target_transform else target

    def _labels(self, names: Sequence[str]) -> torch.Tensor:
        return torch.tensor([self._positions[name] for name in names], dtype=torch.int64)

    @staticmethod
    def collate(items: Sequence[Item]) -> tuple[tuple[Any, ...], tuple[dict[str, Any], ...]]:
        """Join items whose images and boxes differ in size: two tuples, as detectors take them."""
        images, targets = zip(*items, strict=True)
        return images, targets


def _decode(data: bytes, key: str) -> Image.Image:
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.width * image.height > MAX_PIXELS:
                raise FormatError(f"{key}: {image.width} x {image.height} pixels are too many")
            return image.convert("RGB")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise FormatError(f"{key}: cannot be decoded as an image: {error}") from error


def _tensor(image: Image.Image) -> torch.Tensor:
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous()
