"""Seeded draws of samples that depend on sample ids alone.

Samples are ordered by SHA-256(seed || sample id) and taken from the front. That is a uniform draw
without replacement, the same on every machine and in every row order, and *consistent* (bottom-k
sampling, Cohen and Kaplan 2007): data versions that share most of their samples share most of the
draw, so what differs between two draws is what differs between the versions. A shorter draw is the
beginning of a longer one.
"""

from __future__ import annotations

import hashlib
import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from veml_vcs.analysis.points import IndexArray
from veml_vcs.errors import InvalidInputError

HOLDOUT_ROWS = 1000
"""Most samples a hold-out takes: the permutation test gains little from more."""

HOLDOUT_FRACTION = 0.2
"""Share of a large data version that is held out, up to `HOLDOUT_ROWS`."""

SMALL_HOLDOUT_ROWS = 100
"""A small version holds out this many, up to half: below, the test sees only large shifts."""

_SEED_BYTES = 8


@dataclass(frozen=True, eq=False)
class Split:
    """A data version cut in two for the drift test.

    Attributes:
        holdout: int64 rows that the test compares with, in the order of the draw.
        fit: int64 rows for the core set, ascending; none of them is in ``holdout``.
    """

    holdout: IndexArray
    fit: IndexArray


def seeded_hash(seed: int, content: bytes) -> bytes:
    """Return SHA-256 of the seed (8 bytes, big-endian) followed by ``content``.

    Raises:
        InvalidInputError: The seed is negative or needs more than 8 bytes.
    """
    return hashlib.sha256(_seed_bytes(seed) + content).digest()


def uniform_sample(sample_ids: Sequence[bytes], size: int, *, seed: int = 0) -> IndexArray:
    """Draw ``size`` samples uniformly, without replacement.

    Rows with the same sample id count each; among them the lower row comes first.

    Args:
        sample_ids: One id a row.
        size: How many; all of them when there are fewer.
        seed: Chooses the order.

    Returns:
        int64 [min(size, n)] rows, in the order of the draw.

    Raises:
        InvalidInputError: A negative size, or a seed out of range.
    """
    if size < 0:
        raise InvalidInputError(f"size: expected 0 or more samples, found {size}")
    prefix = hashlib.sha256(_seed_bytes(seed))

    def order(row: int) -> tuple[bytes, int]:
        state = prefix.copy()
        state.update(sample_ids[row])
        return state.digest(), row

    return np.array(heapq.nsmallest(size, range(len(sample_ids)), key=order), dtype=np.int64)


def holdout_size(samples: int) -> int:
    """Return how many of ``samples`` the drift test holds out; at least one is left over."""
    share = max(math.ceil(HOLDOUT_FRACTION * samples), min(SMALL_HOLDOUT_ROWS, samples // 2))
    return max(0, min(HOLDOUT_ROWS, share, samples - 1))


def split_holdout(sample_ids: Sequence[bytes], *, seed: int = 0) -> Split:
    """Hold out a uniform sample for the drift test; the core set is fitted on the rest.

    A core set fits the points it was chosen from better than new ones from the same source: with
    those as the reference, a test at 5 % raises a false alarm 28 % of the time (algorithms.md 3).

    Args:
        sample_ids: One id a row.
        seed: Chooses the order, as in `uniform_sample`.

    Raises:
        InvalidInputError: No samples, or a seed out of range.
    """
    if not len(sample_ids):
        raise InvalidInputError("sample_ids: expected at least 1 sample, found 0")
    holdout = uniform_sample(sample_ids, holdout_size(len(sample_ids)), seed=seed)
    rest = np.ones(len(sample_ids), dtype=bool)
    rest[holdout] = False
    return Split(holdout, np.flatnonzero(rest))


def _seed_bytes(seed: int) -> bytes:
    if not 0 <= seed < 1 << (8 * _SEED_BYTES):
        raise InvalidInputError(f"seed: expected 0 to 2**64 - 1, found {seed}")
    return seed.to_bytes(_SEED_BYTES)
