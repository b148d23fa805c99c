"""What MMEngine is given of a data version of classes. Importing this registers it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmengine.registry import DATASETS
from torch.utils.data import Dataset

from veml_vcs.errors import FormatError
from veml_vcs.training.classification.adapt import DATASET
from veml_vcs.training.classification.samples import ClassificationSamples
from veml_vcs.training.classification.transforms import Pipeline

_SIZES_TRIED = 8


@DATASETS.register_module(name=DATASET)
class VemlClassification(Dataset[Any]):
    """Samples of a data version as MMEngine takes them.

    Args:
        samples: The samples.
        pipeline: What is done to each image; what comes out is of one size.
        part: ``train`` or ``val``; told for people who read the config.
        metainfo: The classes, told as well.

    Raises:
        FormatError: The pipeline cannot be built, or leaves images of several sizes.
    """

    def __init__(
        self,
        samples: ClassificationSamples,
        pipeline: Sequence[Mapping[str, Any]],
        part: str = "train",
        metainfo: Mapping[str, Any] | None = None,
    ) -> None:
        self.samples = samples
        self.pipeline = Pipeline(pipeline)
        self.metainfo: dict[str, Any] = {"part": part, **(metainfo or {})}
        self._shape: tuple[int, ...] | None = None
        # Before anything is trained: one image of each size, of some sizes.
        some = {size: place for place, size in enumerate(samples.sizes)}
        with torch.random.fork_rng(devices=[]):
            for place in [*some.values()][:_SIZES_TRIED]:
                self[place]

    def full_init(self) -> None:
        """Do nothing: all is here."""

    def get_cat_ids(self, index: int) -> list[int]:
        """Return the label of a sample, for samplers that balance classes."""
        return [self.samples.labels[index]]

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> dict[str, Any]:
        samples, place = self.samples, int(index)
        key = samples.keys[place]
        image = self.pipeline(samples.read(place), f"{samples.data.path}/{key}")
        shape = tuple(image.shape)
        if self._shape is None:
            self._shape = shape
        if shape != self._shape:
            raise FormatError(
                f"{samples.data.path}/{key}: {_size(shape)} pixels, others {_size(self._shape)}; "
                "a network is given images of one size",
                hint='a pipeline that begins with dict(type="Resize", size=[32, 32])',
                kind="image-sizes",
            )
        return {"inputs": image, "label": samples.labels[place], "index": place}


def _size(shape: Sequence[int]) -> str:
    return f"{shape[-1]} x {shape[-2]}"
