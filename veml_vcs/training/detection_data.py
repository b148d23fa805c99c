"""What MMDetection is given of a data version: a data set, and how its images are decoded.

Importing this registers the classes; ``engine.prepare_engine`` comes first.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from mmcv.transforms import LoadImageFromFile
from mmdet.datasets.base_det_dataset import BaseDetDataset
from mmdet.registry import DATASETS, TRANSFORMS

from veml_vcs.training.adapt import DATASET, LOADER
from veml_vcs.training.decode import decode_image
from veml_vcs.training.detection_samples import DetectionSamples


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
        image = decode_image(results.pop("img_bytes"), results["img_path"])
        results["img"] = image.astype(np.float32) if self.to_float32 else image
        results["img_shape"] = results["ori_shape"] = image.shape[:2]
        return results
