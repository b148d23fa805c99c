"""The summary of a data version: core set, radius profile, uniform sample; kept as a Git note.

The note is text, so that Git packs the notes of neighbouring versions as small differences: one
JSON line of facts, then a line for each centre and each sampled row (sample id, float16 vector in
base64). A clone without the data still answers ``similar`` and ``drift`` from it. All comparisons
use the float16 values, so that the answers do not depend on whether the data is there.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from veml_vcs.analysis.coreset import assign, greedy_k_center
from veml_vcs.analysis.data_versions.embed import embed_target
from veml_vcs.analysis.data_versions.target import Target
from veml_vcs.analysis.embedders import Embedder
from veml_vcs.analysis.sampling import holdout_size, uniform_sample
from veml_vcs.analysis.similarity import Summary
from veml_vcs.errors import DamagedError
from veml_vcs.ids import SampleId, VersionId, parse_hex
from veml_vcs.repository.git.notes import noted_versions, read_note, write_note
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.repository import Repository

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_CENTRES = 100
SIMILARITY_ROWS = 300
NOTE_VERSION = 1
_MAX_ROWS = 1 << 16


@dataclass(frozen=True, eq=False)
class VersionSummary:
    """What is kept of a data version under one embedder.

    Attributes:
        embedder: The embedder's id.
        seed: Seed of the draw and of the first centre.
        samples: Number of distinct samples that were embedded.
        centre_ids: Sample ids of the k centres, in the order of choice.
        centres: float16 [k, d].
        radius_profile: float64 [k], covering radius of the first 1..k centres over the samples the
            core set was fitted to.
        masses: int64 [k], samples nearest to each of the k centres.
        sample_ids: Sample ids of the m uniformly drawn rows, in the order of the draw.
        sample: float16 [m, d]. The first ``holdout`` rows took no part in the core set.
        holdout: Number of rows that the drift test compares with.
    """

    embedder: str
    seed: int
    samples: int
    centre_ids: tuple[SampleId, ...]
    centres: NDArray[np.float16]
    radius_profile: NDArray[np.float64]
    masses: NDArray[np.int64]
    sample_ids: tuple[SampleId, ...]
    sample: NDArray[np.float16]
    holdout: int

    def for_similarity(self, k: int) -> Summary:
        """Return what similarity compares: the first k centres, and the sample."""
        return Summary(self.centres[:k], self.sample)

    def to_note(self) -> bytes:
        """Return the text of the note."""
        head = {
            "veml": NOTE_VERSION,
            "embedder": self.embedder,
            "seed": self.seed,
            "samples": self.samples,
            "dimension": self.centres.shape[1],
            "centres": len(self.centres),
            "drawn": len(self.sample),
            "holdout": self.holdout,
            "radius_profile": [float(r) for r in self.radius_profile],
            "masses": [int(mass) for mass in self.masses],
        }
        lines = [json.dumps(head, sort_keys=True)]
        lines += map(_line, self.centre_ids, self.centres)
        lines += map(_line, self.sample_ids, self.sample)
        return "\n".join(lines).encode() + b"\n"


def _line(sample: SampleId, vector: NDArray[np.float16]) -> str:
    return f"{sample.hex()} {base64.b64encode(vector.astype('<f2').tobytes()).decode()}"


def parse_note(data: bytes) -> VersionSummary | None:
    """Read a note; one that a newer veml wrote is None (it is computed anew).

    Raises:
        DamagedError: The text is not a summary.
    """
    try:
        lines = data.decode("ascii").splitlines()
        head = json.loads(lines[0])
        if head["veml"] != NOTE_VERSION:
            return None
        k, m, d = head["centres"], head["drawn"], head["dimension"]
        if not (0 < k <= MAX_CENTRES and 0 < m <= _MAX_ROWS and 0 < d <= _MAX_ROWS):
            raise ValueError(f"{k} centres, {m} rows, {d} dimensions")
        if len(lines) != 1 + k + m:
            raise ValueError(f"{len(lines)} lines, expected {1 + k + m}")
        ids, vectors = zip(*(_parse_line(line, d) for line in lines[1:]), strict=True)
        matrix = np.stack(vectors)
        profile = np.array(head["radius_profile"], np.float64)
        masses = np.array(head["masses"], np.int64)
        if len(profile) != k or len(masses) != k or not np.isfinite(matrix).all():
            raise ValueError("profile, masses or vectors do not fit")
        return VersionSummary(
            str(head["embedder"]),
            int(head["seed"]),
            int(head["samples"]),
            ids[:k],
            matrix[:k],
            profile,
            masses,
            ids[k:],
            matrix[k:],
            min(int(head["holdout"]), m),
        )
    except (
        ValueError, KeyError, IndexError, TypeError, RecursionError, OverflowError
    ) as error:  # fmt: skip
        raise DamagedError(f"a summary note cannot be read: {error!r:.200}") from error


def _parse_line(line: str, dimension: int) -> tuple[SampleId, NDArray[np.float16]]:
    digits, _, text = line.partition(" ")
    vector = np.frombuffer(base64.b64decode(text, validate=True), "<f2")
    if len(vector) != dimension:
        raise ValueError(f"a vector of {len(vector)} numbers, expected {dimension}")
    return SampleId(parse_hex(digits)), vector


def note_kind(embedder: str) -> str:
    """Return the kind of note that holds summaries under an embedder (by name, not id)."""
    return "summary/" + embedder.split("@")[0].split(":")[0]


def load_summary(
    repo: Repository, version: VersionId, embedder: Embedder, name: str, seed: int
) -> VersionSummary | None:
    """Return the noted summary of a version, if there is one for this embedder and seed."""
    data = read_note(repo, note_kind(name), version)
    if data is None:
        return None
    found = parse_note(data)
    if found is None or found.embedder != embedder.id or found.seed != seed:
        return None
    return found


def summarise(
    repo: Repository,
    target: Target,
    embedder: Embedder,
    name: str,
    *,
    seed: int = 0,
    progress: Progress = silent,
) -> tuple[VersionSummary, dict[str, str]]:
    """Return a target's summary: from its note, or computed (and noted, if it is a version).

    Args:
        repo: The repository.
        target: The samples.
        embedder: Computes what is not cached.
        name: The embedder's name, part of the note's ref.
        seed: Seed of the draw and of the first centre.
        progress: Is told how far it is.

    Returns:
        The summary, and the samples that could not be decoded: key -> reason.
    """
    if target.version is not None:
        noted = load_summary(repo, target.version, embedder, name, seed)
        if noted is not None:
            return noted, {}
    ids, vectors, unreadable = embed_target(repo, target, embedder, progress)
    summary = compute_summary(ids, vectors, embedder.id, seed)
    if target.version is not None and not unreadable:
        write_note(repo, note_kind(name), target.version, summary.to_note())
    return summary, unreadable


def compute_summary(
    ids: list[SampleId], vectors: NDArray[np.float32], embedder_id: str, seed: int
) -> VersionSummary:
    """Summarise embeddings.

    Args:
        ids: n sample ids, sorted.
        vectors: float32 [n, d].
        embedder_id: Under which id the vectors are comparable.
        seed: Seed of the draw and of the first centre.
    """
    holdout = holdout_size(len(ids))
    drawn = uniform_sample(ids, max(holdout, min(len(ids), SIMILARITY_ROWS)), seed=seed)
    rest = np.ones(len(ids), bool)
    rest[drawn[:holdout]] = False
    fitted = np.flatnonzero(rest)
    points = vectors[fitted]
    core = greedy_k_center(points, MAX_CENTRES, seed=seed)
    centres = fitted[core.indices]
    masses = core.masses if core.masses is not None else assign(points, points[core.indices]).masses
    return VersionSummary(
        embedder_id,
        seed,
        len(ids),
        tuple(ids[row] for row in centres.tolist()),
        vectors[centres].astype(np.float16),
        core.radius_profile,
        masses,
        tuple(ids[row] for row in drawn.tolist()),
        vectors[drawn].astype(np.float16),
        holdout,
    )


def known_summaries(repo: Repository, name: str) -> list[VersionId]:
    """List the versions that have a summary under an embedder's name."""
    return noted_versions(repo, note_kind(name))
