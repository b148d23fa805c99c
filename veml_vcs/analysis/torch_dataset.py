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

from veml_vcs.errors import FormatError, InvalidInputError, MissingDependencyError
from veml_vcs.repository.dataset import Dataset
from veml_vcs.samples.annotations.targets import keypoint_form, targets_of

try:
    import torch
    from PIL import Image, UnidentifiedImageError
    from torch.utils.data import Dataset as _TorchData
except ImportError as error:
    raise MissingDependencyError(
        f"TorchDataset: package {error.name} is not installed", hint="pip install 'veml[ml]'"
    ) from error

MAX_PIXELS = 1 << 28
Item = tuple[Any, dict[str, Any]]


class TorchDataset(_TorchData[Item]):
    """Images and targets of a data version.

    Item ``i`` is ``(image, target)``. The image is uint8 [3, H, W], or what ``transform`` made of
    the decoded ``PIL.Image``. The target is a dict:

    * ``boxes``: float32 [n, 4], x1, y1, x2, y2 in pixels of the stored image;
    * ``labels``: int64 [n], positions in ``classes``, from ``first_label`` on; -1 without a class;
    * ``area``: float32 [n], square pixels; ``iscrowd``: int64 [n];
    * ``masks``: uint8 [n, H, W] of 0 and 1, if asked for;
    * ``keypoints``: float32 [n, k, 3], x, y and COCO's visibility, if asked for;
    * ``class_labels``: int64 [m], positions of the sample's own labels (classification);
    * ``key``: the sample's key; ``index`` and ``image_id``: i.

    This is what torchvision's detectors take (with ``first_label=1``: their 0 is the background).
    Objects without a box, mask, outline or keypoint are left out.

    Safe with any number of workers, forked or spawned: each opens the repository for itself.

    Args:
        dataset: The data version.
        transform: Called with the decoded RGB image; its result is the item's image.
        target_transform: Called with the target; its result is the item's target.
        masks: Whether targets have masks; an object without one has an empty mask.
        keypoints: Whether targets have keypoints; an object without any has zeros.
        crowd: Whether to keep objects that stand for a crowd (COCO's ``iscrowd``).
        first_label: The label of the first class.
    """

    def __init__(
        self,
        dataset: Dataset,
        transform: Callable[[Image.Image], Any] | None = None,
        target_transform: Callable[[dict[str, Any]], Any] | None = None,
        *,
        masks: bool = False,
        keypoints: bool = False,
        crowd: bool = True,
        first_label: int = 0,
    ) -> None:
        self.dataset = dataset
        self.transform = transform
        self.target_transform = target_transform
        self.masks = masks
        self.keypoints = keypoint_form(dataset.facts) if keypoints else None
        self.crowd = crowd
        self._positions = {name: i for i, name in enumerate(dataset.classes, first_label)}

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
            FormatError: The sample is not an image that can be decoded, or a mask or keypoints
                do not fit it.
            DamagedError: What is stored is not what the sample's id says.
        """
        sample = self.dataset[index]
        image = _decode(sample.data, sample.key)
        said = sample.annotation
        try:
            found = targets_of(
                said,
                *image.size,
                masks=self.masks,
                keypoints=self.keypoints,
                crowd=self.crowd,
            )
        except InvalidInputError as error:
            raise FormatError(f"{sample.key}: {error}") from error
        target: dict[str, Any] = {
            "boxes": torch.from_numpy(found.boxes),
            "labels": self._labels(found.names),
            "area": torch.from_numpy(found.area),
            "iscrowd": torch.from_numpy(found.iscrowd),
            "class_labels": self._labels((said or {}).get("labels", ())),
            "key": sample.key,
            "index": index,
            "image_id": index,
        }
        for name, values in (("masks", found.masks), ("keypoints", found.keypoints)):
            if values is not None:
                target[name] = torch.from_numpy(values)
        shown = self.transform(image) if self.transform else _tensor(image)
        return shown, self.target_transform(target) if self.target_transform else target

    def _labels(self, names: Sequence[str | None]) -> torch.Tensor:
        places = [-1 if name is None else self._positions[name] for name in names]
        return torch.tensor(places, dtype=torch.int64)

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
