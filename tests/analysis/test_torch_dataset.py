"""A data version as a PyTorch data set: same pixels as the files, safe with worker processes."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from pathlib import Path

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
