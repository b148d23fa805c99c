"""What an embedder is: the paper's f, from the bytes of a sample to a vector."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from veml_vcs.analysis.points import Progress
from veml_vcs.errors import FormatError


class UnreadableSampleError(FormatError):
    """A sample cannot be embedded because its bytes cannot be decoded.

    Attributes:
        index: Its position in the sequence given to `Embedder.embed`.
        reason: What is wrong with it.
    """

    kind = "unreadable-sample"

    def __init__(self, index: int, total: int, reason: str) -> None:
        super().__init__(f"sample {index} (of {total}, counted from 0): {reason}")
        self.index = index
        self.reason = reason


class Embedder(Protocol):
    """Turns samples into vectors; the same bytes always into the same vector, up to float noise."""

    @property
    def id(self) -> str:
        """Name and digest of all that decides the vectors: weights, preprocessing, code version.

        Vectors are comparable, and may be cached, under one id only.
        """

    @property
    def dimension(self) -> int:
        """Length of a vector."""

    @property
    def batch_size(self) -> int:
        """Samples that are computed at once; more at a time than this saves nothing."""

    def embed(
        self, payloads: Sequence[bytes], *, progress: Progress | None = None
    ) -> NDArray[np.float32]:
        """Return one vector a sample, float32 [len(payloads), dimension].

        Args:
            payloads: The bytes of the samples. They are asked for one by one and in order, so a
                lazy sequence need not hold them all.
            progress: Called with (samples done, all samples).

        Raises:
            UnreadableSampleError: A sample cannot be decoded; it says which.
            MissingDependencyError: A package is not installed.
        """
