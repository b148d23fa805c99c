"""A data version as a PyTorch data set: same pixels as the files, safe with worker processes."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs PyTorch (extra [ml])")

import numpy as np
from PIL import Image
from torch.utils.data import DataLoader

from veml_vcs.analysis.torch_dataset import TorchDataset
from veml_vcs.errors import FormatError
from veml_vcs.repository import Repository, init
from veml_vcs.repository.add import add

pytestmark = pytest.mark.ml

DEMO = Path(__file__).parents[2] / "demo" / "data"


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repository]:
    root = tmp_path_factory.mktemp("torch")
    shutil.copytree(DEMO / "bccd", root / "cells")
    init(str(root))
    with Repository(str(root)) as opened:
        add(opened, [str(root / "cells")])
        shutil.rmtree(root / "cells")  # nothing is checked out any more
        yield opened


def test_items_are_the_files_pixels_and_boxes(repo: Repository) -> None:
    data = TorchDataset(repo.dataset("cells"))
    assert len(data) == 20
    for index in (0, 7, 19):
        image, target = data[index]
        file = DEMO / "bccd" / target["key"]
        with Image.open(file) as expected:
            pixels = np.array(expected.convert("RGB"))
        assert image.dtype == torch.uint8
        assert np.array_equal(image.permute(1, 2, 0).numpy(), pixels)
        assert target["boxes"].shape == (len(target["labels"]), 4)
        assert target["boxes"].dtype == torch.float32
        said = data.dataset[index].annotation
        assert said is not None
        names = [data.classes[label] for label in target["labels"].tolist()]
        assert names == [one["class"] for one in said["objects"]]
        assert target["boxes"].tolist() == [one["xyxy"] for one in said["objects"]]


@pytest.mark.slow
@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_workers_read_every_sample_once(repo: Repository, context: str) -> None:
    data = TorchDataset(repo.dataset("cells"))
    loader = DataLoader(
        data,
        batch_size=3,
        num_workers=2,
        collate_fn=TorchDataset.collate,
        multiprocessing_context=context,
    )
    keys = [target["key"] for _, targets in loader for target in targets]
    assert sorted(keys) == data.dataset.keys


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repository]:
    """Two images with polygons, a crowd's RLE and keypoints, and one with nothing, as COCO."""
    root = tmp_path_factory.mktemp("shapes")
    (root / "a").mkdir()
    for name in ("1.png", "2.png", "3.png"):
        Image.new("RGB", (8, 6)).save(root / "a" / name)
    square = [1.0, 1.0, 4.0, 1.0, 4.0, 3.0, 1.0, 3.0]
    objects = [
        {"image_id": 1, "category_id": 2, "bbox": [1, 1, 3, 2], "segmentation": [square],
         "keypoints": [1, 1, 2, 0, 0, 0], "num_keypoints": 1, "iscrowd": 0, "area": 6},
        {"image_id": 1, "category_id": 1, "bbox": [0, 0, 8, 6], "iscrowd": 1, "area": 24,
         "segmentation": {"size": [6, 8], "counts": [24, 24]}},
        {"image_id": 2, "category_id": 1, "bbox": [0, 0, 2, 2], "iscrowd": 0, "area": 4},
    ]  # fmt: skip
    document = {
        "images": [{"id": i, "file_name": f"{i}.png", "width": 8, "height": 6} for i in (1, 2, 3)],
        "annotations": [{"id": i, **one} for i, one in enumerate(objects, 1)],
        "categories": [{"id": 1, "name": "cat"},
                       {"id": 2, "name": "person", "keypoints": ["nose", "tail"]}],
    }  # fmt: skip
    (root / "a" / "annotations.json").write_text(json.dumps(document))
    init(str(root))
    with Repository(str(root)) as opened:
        add(opened, [str(root / "a")])
        shutil.rmtree(root / "a")
        yield opened


def check_shapes(items: list[Any]) -> None:
    (image, one), (_, two), (_, three) = items
    assert image.shape == (3, 6, 8)
    assert one["boxes"].tolist() == [[1, 1, 4, 3], [0, 0, 8, 6]]
    assert one["labels"].tolist() == [2, 1]
    assert (one["labels"].dtype, one["boxes"].dtype) == (torch.int64, torch.float32)
    assert (one["iscrowd"].tolist(), one["area"].tolist()) == ([0, 1], [6, 24])
    assert (one["masks"].dtype, tuple(one["masks"].shape)) == (torch.uint8, (2, 6, 8))
    assert one["masks"].sum((1, 2)).tolist() == [6, 24]
    assert one["masks"][0, 1:3, 1:4].all()
    assert one["masks"][1, :, 4:].all()  # runs go down the columns
    assert one["keypoints"].dtype == torch.float32
    assert one["keypoints"].tolist() == [[[1, 1, 2], [0, 0, 0]], [[0, 0, 0], [0, 0, 0]]]
    assert (tuple(two["masks"].shape), int(two["masks"].sum())) == ((1, 6, 8), 0)
    assert tuple(three["masks"].shape) == (0, 6, 8)
    assert tuple(three["keypoints"].shape) == (0, 2, 3)
    assert tuple(three["boxes"].shape) == (0, 4)


def test_masks_and_keypoints_are_as_torchvision_takes_them(shapes: Repository) -> None:
    data = TorchDataset(shapes.dataset("a"), masks=True, keypoints=True, first_label=1)
    check_shapes([data[i] for i in range(3)])
    without = TorchDataset(shapes.dataset("a"), crowd=False)[0][1]
    assert without["labels"].tolist() == [1]
    assert "masks" not in without
    assert "keypoints" not in without


@pytest.mark.slow
@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_masks_and_keypoints_from_workers(shapes: Repository, context: str) -> None:
    loader = DataLoader(
        TorchDataset(shapes.dataset("a"), masks=True, keypoints=True, first_label=1),
        batch_size=1,
        num_workers=2,
        collate_fn=TorchDataset.collate,
        multiprocessing_context=context,
    )
    check_shapes([(images[0], targets[0]) for images, targets in loader])


def test_transforms_get_the_image_and_the_target(repo: Repository) -> None:
    data = TorchDataset(
        repo.dataset("cells"),
        transform=lambda image: image.size,
        target_transform=lambda target: target["key"],
    )
    assert data[0] == ((640, 480), data.dataset.keys[0])


def test_what_is_no_image_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4)).save(buffer, "PNG")
    (tmp_path / "a" / "cut.png").write_bytes(buffer.getvalue()[:40])
    init(str(tmp_path))
    with Repository(str(tmp_path)) as repo:
        add(repo, [str(tmp_path / "a")])
        with pytest.raises(FormatError, match=r"cut\.png"):
            TorchDataset(repo.dataset("a"))[0]
