"""Embeddings by sample id and embedder: fragments of kind ``vectors``, one space an embedder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from veml_vcs.errors import DamagedError, InvalidInputError
from veml_vcs.ids import SampleId, short
from veml_vcs.objects.protocol import ObjectStore
from veml_vcs.samples.fragments.catalog import Catalog
from veml_vcs.samples.fragments.fragment import FragmentBuilder

if TYPE_CHECKING:
    from numpy.typing import NDArray

KIND = "vectors"


def write_vectors(
    store: ObjectStore, space: str, ids: Sequence[SampleId], vectors: NDArray[np.float32]
) -> None:
    """Store the embeddings of samples.

    Args:
        store: Takes the fragment, as a batch of its own.
        space: The embedder's id.
        ids: n sample ids.
        vectors: float32 [n, d].

    Raises:
        InvalidInputError: The shapes do not fit.
    """
    if vectors.ndim != 2 or len(vectors) != len(ids):
        raise InvalidInputError(f"{len(ids)} samples but vectors of shape {vectors.shape}")
    if not len(ids):
        return
    with store.write() as writer:
        builder = FragmentBuilder(
            writer, KIND, {"space": space, "dimension": int(vectors.shape[1])}
        )
        builder.add_array("vector", vectors.astype(np.float32, copy=False))
        builder.finish(list(ids))


def read_vectors(
    catalog: Catalog, space: str, ids: Sequence[SampleId], dimension: int
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return the embeddings that are known.

    Args:
        catalog: Knows where vectors lie.
        space: The embedder's id.
        ids: n sample ids.
        dimension: d, what the embedder gives.

    Returns:
        float32 [n, d] (zero rows where unknown) and bool [n], True where known.

    Raises:
        DamagedError: What is stored are not vectors of this dimension.
    """
    return catalog.retrying(lambda: _read_vectors(catalog, space, ids, dimension))


def _read_vectors(
    catalog: Catalog, space: str, ids: Sequence[SampleId], dimension: int
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    vectors = np.zeros((len(ids), dimension), np.float32)
    places = catalog.find_many(ids, KIND, space)
    known = places[:, 0] >= 0
    for number in np.unique(places[known, 0]).tolist():
        fragment = catalog.fragment(number)
        stored = fragment.array("vector", "float32")
        if stored.shape != (fragment.rows, dimension):
            raise DamagedError(
                f"fragment {short(fragment.id)}: vectors of shape {stored.shape}, "
                f"expected [{fragment.rows}, {dimension}]"
            )
        chosen = places[:, 0] == number
        vectors[chosen] = stored[places[chosen, 1]]
    return vectors, known
