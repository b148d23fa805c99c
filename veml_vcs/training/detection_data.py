"""What MMDetection is given of a data version: a data set, how its images are decoded, its draws.

Importing this registers the classes; ``engine.prepare_engine`` comes first.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import torch
from mmcv.transforms import LoadImageFromFile
from mmdet.datasets.base_det_dataset import BaseDetDataset
from mmdet.registry import DATA_SAMPLERS, DATASETS, TRANSFORMS
from mmengine.dist import get_rank
from torch.utils.data import BatchSampler, Dataset, get_worker_info

from veml_vcs.errors import FormatError
from veml_vcs.training.adapt import DATASET, LOADER
from veml_vcs.training.detection_samples import DetectionSamples
from veml_vcs.training.interruption import ignore_interrupts

_MAX_PIXELS = 1 << 28


@DATASETS.register_module(name=DATASET)
class VemlDetection(BaseDetDataset):  # type: ignore[misc]
    """Samples of a data version as MMDetection takes them.

    Args:
        samples: The samples.
        part: ``train`` or ``val``; told for people who read the config.
        rest: As of ``BaseDetDataset``.
    """

    def __init__(self, samples: DetectionSamples, part: str = "train", **rest: Any) -> None:
        self.samples = samples
        super().__init__(ann_file="", data_prefix={}, **rest)

    def load_data_list(self) -> list[dict[str, Any]]:
        """Return what is known of each sample, without its image."""
        samples = self.samples
        return [
            {
                "img_id": place,
                "img_path": key,
                "width": size[0],
                "height": size[1],
                "instances": [
                    {
                        "bbox": list(one.box),
                        "bbox_label": max(one.label, 0),
                        "ignore_flag": int(one.ignored),
                    }
                    for one in targets
                ],
            }
            for place, (key, size, targets) in enumerate(
                zip(samples.keys, samples.sizes, samples.targets, strict=True)
            )
        ]

    def filter_data(self) -> list[dict[str, Any]]:
        """Leave out of training what ``filter_cfg`` says: small images, those without a box."""
        found: list[dict[str, Any]] = self.data_list
        said = self.filter_cfg or {}
        if self.test_mode or not said:
            return found
        smallest, filled = said.get("min_size", 0), said.get("filter_empty_gt", False)
        return [
            one
            for one in found
            if min(one["width"], one["height"]) >= smallest
            and (not filled or any(not box["ignore_flag"] for box in one["instances"]))
        ]

    def prepare_data(self, index: int) -> Any:
        """Read one sample from the store, and put it through the pipeline."""
        info = self.get_data_info(index)
        info["img_bytes"] = self.samples.read(info["img_id"])
        return self.pipeline(info)


@TRANSFORMS.register_module(name=LOADER)
class LoadVemlImage(LoadImageFromFile):  # type: ignore[misc]
    """Decode the image of a sample, as it is stored: what EXIF says of rotation is not applied.

    Boxes are in pixels of the stored image, here as everywhere in veml.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Replace ``img_bytes`` by ``img``, uint8 [height, width, 3], blue first."""
        data = results.pop("img_bytes")
        flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
        try:
            image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
        except cv2.error:
            image = None
        if image is None or image.shape[0] * image.shape[1] > _MAX_PIXELS:
            raise FormatError(f"{results['img_path']}: cannot be decoded as an image")
        results["img"] = image.astype(np.float32) if self.to_float32 else image
        results["img_shape"] = results["ori_shape"] = image.shape[:2]
        return results


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
    """Seed the random numbers of Python, numpy and torch from whole numbers."""
    text = ":".join(map(str, numbers)).encode()
    drawn = int.from_bytes(hashlib.sha256(text).digest()[:8], "little")
    random.seed(drawn)
    np.random.seed(drawn & 0xFFFFFFFF)
    torch.manual_seed(drawn >> 1)
