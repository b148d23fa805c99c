"""Summaries as notes: the same back, whatever arrives refused with one kind of error."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from veml_vcs.analysis.data_versions.summary import (
    VersionSummary,
    compute_summary,
    parse_note,
)
from veml_vcs.errors import DamagedError
from veml_vcs.ids import SampleId, digest


def made(count: int, dimension: int, seed: int = 0) -> VersionSummary:
    ids = sorted(SampleId(digest(str(i).encode())) for i in range(count))
    vectors = np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)
    return compute_summary(ids, vectors, "embedder@1", seed)


@given(st.integers(1, 60), st.integers(1, 5))
def test_note_round_trip(count: int, dimension: int) -> None:
    summary = made(count, dimension)
    back = parse_note(summary.to_note())
    assert back is not None
    assert back.centre_ids == summary.centre_ids
    assert back.sample_ids == summary.sample_ids
    assert back.centres.tobytes() == summary.centres.tobytes()
    assert back.sample.tobytes() == summary.sample.tobytes()
    assert back.radius_profile.tolist() == summary.radius_profile.tolist()
    assert back.masses.tolist() == summary.masses.tolist()
    assert (back.embedder, back.seed, back.samples, back.holdout) == (
        summary.embedder,
        summary.seed,
        summary.samples,
        summary.holdout,
    )


def test_the_hold_out_took_no_part_in_the_core_set() -> None:
    summary = made(200, 4)
    assert summary.holdout > 0
    held_out = set(summary.sample_ids[: summary.holdout])
    assert not held_out & set(summary.centre_ids)
    assert int(summary.masses.sum()) == 200 - summary.holdout


def test_versions_that_share_samples_share_the_draw_and_the_text() -> None:
    ids = sorted(SampleId(digest(str(i).encode())) for i in range(1000))
    vectors = np.random.default_rng(1).normal(size=(1000, 4)).astype(np.float32)
    one = compute_summary(ids, vectors, "e", 0).to_note().splitlines()
    two = compute_summary(ids[10:], vectors[10:], "e", 0).to_note().splitlines()
    assert len(set(one) & set(two)) > 0.8 * min(len(one), len(two))


def test_a_newer_note_is_not_an_error() -> None:
    assert parse_note(made(5, 2).to_note().replace(b'"veml": 1', b'"veml": 2')) is None


@given(st.integers(0, 2000), st.integers(0, 255))
def test_one_changed_byte_is_refused_or_harmless(position: int, value: int) -> None:
    data = bytearray(made(8, 3).to_note())
    data[position % len(data)] = value
    try:
        back = parse_note(bytes(data))
    except DamagedError:
        return
    assert back is None or len(back.centres) == len(back.centre_ids)


@pytest.mark.parametrize(
    "text",
    [b"", b"{}\n", b"[1]\n", b'{"veml": 1}\n', b"\xff\xfe", b"[" * 100_000],
)
def test_what_is_no_note_is_refused(text: bytes) -> None:
    with pytest.raises(DamagedError):
        parse_note(text)


def test_a_note_cannot_announce_more_than_it_holds() -> None:
    with pytest.raises(DamagedError):
        parse_note(made(8, 3).to_note().replace(b'"drawn": 8', b'"drawn": 60000'))
