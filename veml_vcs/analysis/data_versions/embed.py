"""Embed samples once: what is cached is taken, what is new is computed and cached."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from veml_vcs.analysis.data_versions.target import Target
from veml_vcs.analysis.embedders import Embedder, UnreadableSampleError
from veml_vcs.errors import FormatError
from veml_vcs.ids import SampleId
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.repository import Repository
from veml_vcs.samples.fragments.vectors import read_vectors, write_vectors

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SAVE_EVERY = 1024
_NUMBERS = {"tables": "tables or series", "zarr": "arrays"}
_HINT = (
    "similar and drift look at images; veml diff REV REV compares tables by row and cell, series "
    "by sensor and arrays by element, and veml data stats DATASET tells how their values are "
    "distributed"
)


def embed_target(
    repo: Repository, target: Target, embedder: Embedder, progress: Progress = silent
) -> tuple[list[SampleId], NDArray[np.float32], dict[str, str]]:
    """Return the embeddings of a target's distinct samples.

    Work is saved every 1,024 samples, so that an interrupted run goes on where it was.

    Args:
        repo: The repository; new embeddings go into its store.
        target: The samples.
        embedder: Computes what is not cached.
        progress: Is told how far it is.

    Returns:
        n sample ids (sorted), float32 [n, d], and the samples that could not be decoded:
        key -> reason. Those are left out.

    Raises:
        FormatError: Not one sample could be decoded, or none is an image.
        MissingDependencyError: The embedder's packages are not installed.
    """
    if target.form in _NUMBERS:
        raise FormatError(
            f"{target.name}: a data set of {_NUMBERS[target.form]}; similar and drift look at "
            "images alone",
            hint=_HINT,
            kind="not-images",
        )
    ids = target.ids
    vectors, known = read_vectors(repo.catalog, embedder.id, ids, embedder.dimension)
    missing = np.flatnonzero(~known).tolist()
    unreadable: dict[str, str] = {}
    if missing:
        repo.create_store()
    for start in range(0, len(missing), _SAVE_EVERY):
        rows = missing[start : start + _SAVE_EVERY]
        wanted = [ids[row] for row in rows]

        def report(done: int, _total: int, start: int = start) -> None:
            progress(f"embedding {target.name}", start + done, len(missing))

        made, found = _embed(target, embedder, wanted, unreadable, report)
        write_vectors(repo.store, embedder.id, made, found)
        position = {sample: i for i, sample in enumerate(made)}
        for row in rows:
            if ids[row] in position:
                vectors[row] = found[position[ids[row]]]
                known[row] = True
    if missing:
        repo.catalog.refresh()
    if not known.any():
        key, reason = next(iter(unreadable.items()), ("", "no samples"))
        raise FormatError(
            f"{target.name}: none of {len(ids)} samples could be embedded ({key}: {reason})",
            hint=_HINT,
        )
    kept = np.flatnonzero(known)
    return [ids[row] for row in kept.tolist()], vectors[kept], unreadable


class _Payloads(Sequence[bytes]):
    """The bytes of samples, read when asked for."""

    def __init__(self, target: Target, ids: Sequence[SampleId]) -> None:
        self._target = target
        self._ids = ids

    def __len__(self) -> int:
        return len(self._ids)

    def __getitem__(self, index: int) -> bytes:  # type: ignore[override]
        return self._target.read(self._ids[index])


def _embed(
    target: Target,
    embedder: Embedder,
    ids: Sequence[SampleId],
    unreadable: dict[str, str],
    report: object,
) -> tuple[list[SampleId], NDArray[np.float32]]:
    """Embed samples, leaving out those that cannot be decoded."""
    wanted = list(ids)
    while wanted:
        try:
            return wanted, embedder.embed(_Payloads(target, wanted), progress=report)  # type: ignore[arg-type]
        except UnreadableSampleError as error:
            unreadable[target.keys[wanted[error.index]]] = error.reason
            del wanted[error.index]
    return [], np.zeros((0, embedder.dimension), np.float32)
