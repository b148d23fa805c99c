"""Hints are kept for the versions seen last, each its own."""

from __future__ import annotations

from dataclasses import replace

from veml_vcs.ids import TreeId
from veml_vcs.repository.worktree.hints import noted, recall
from veml_vcs.samples.facts import Facts
from veml_vcs.versions.data import DataRecord


def version(number: int, format_name: str = "coco") -> DataRecord:
    return DataRecord(TreeId(number.to_bytes(32, "big")), Facts(format_name), samples=1)


def test_each_version_has_its_own() -> None:
    stored = noted(noted(b"", version(1), {"absent": ["a"]}), version(2), {"absent": []})
    assert recall(stored, version(1)) == {"absent": ["a"]}
    assert recall(stored, version(2)) == {"absent": []}
    assert recall(stored, version(3)) == {}
    assert recall(stored, replace(version(1), facts=Facts("folders"))) == {}
    assert recall(b"", version(1)) == {}


def test_the_same_version_again_replaces_its_hints() -> None:
    stored = noted(noted(b"", version(1), {"absent": ["a"]}), version(1), {"absent": ["b"]})
    assert recall(stored, version(1)) == {"absent": ["b"]}


def test_nothing_is_noted_of_a_version_without_hints() -> None:
    stored = noted(b"", version(1), {"absent": []})
    assert noted(stored, version(2), {}) == stored


def test_the_oldest_go_first() -> None:
    stored = b""
    for number in range(100):
        stored = noted(stored, version(number), {"absent": [str(number)]})
    assert recall(stored, version(99)) == {"absent": ["99"]}
    assert recall(stored, version(80)) == {"absent": ["80"]}
    assert recall(stored, version(10)) == {}


def test_the_newest_are_kept_whatever_their_size_and_large_old_ones_go() -> None:
    large = {"absent": ["x" * 2_000_000]}
    stored = noted(noted(b"", version(1), large), version(2), large)
    assert recall(stored, version(2)) == large
    assert recall(stored, version(1)) == {}
