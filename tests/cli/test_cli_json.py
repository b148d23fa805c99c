"""One JSON document a listing, with the fields of the library's results."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from enum import Enum, IntEnum
from typing import Any

import pytest

from veml_cli._json import plain, to_json
from veml_vcs.repository.add import AddResult
from veml_vcs.repository.checkout import CheckoutResult
from veml_vcs.repository.commit import CommitResult
from veml_vcs.repository.diff_result import RepoDiff
from veml_vcs.repository.export import ExportResult
from veml_vcs.repository.log import LogEntry, Shown
from veml_vcs.repository.merging.merge import MergeResult
from veml_vcs.repository.merging.resolve import ResolveResult
from veml_vcs.repository.refs import NamedCommit
from veml_vcs.repository.restore import RestoreResult
from veml_vcs.repository.rm import RmResult
from veml_vcs.repository.status import Status
from veml_vcs.repository.upkeep.fsck import FsckResult

Place = Any


class Colour(Enum):
    RED = 1


class Number(IntEnum):
    ONE = 1


@dataclass(frozen=True)
class Result:
    id: bytes
    colour: Colour
    ratio: float


def test_values() -> None:
    assert plain(Result(b"\x01\xff", Colour.RED, float("nan"))) == {
        "id": "01ff",
        "colour": "red",
        "ratio": None,
    }
    assert plain([(1, 2.5), {3, 1}, None, True, Number.ONE]) == [
        [1, 2.5],
        [1, 3],
        None,
        True,
        "one",
    ]
    assert plain({b"\x00": 1, "x": float("inf")}) == {"00": 1, "x": None}


def test_what_has_no_form_is_refused() -> None:
    with pytest.raises(TypeError, match="object"):
        plain(object())


def test_only_ascii_is_written() -> None:
    text = to_json({"ü\x1b": "\udcff"})
    assert text.isascii()
    assert "\x1b" not in text
    assert json.loads(text) == {"ü\x1b": "\udcff"}


def names(kind: type) -> set[str]:
    return {one.name for one in fields(kind)}


def test_fields_of_results(forked: Place) -> None:
    place = forked
    assert place.veml("status", "--json").json().keys() == names(Status)
    assert place.veml("diff", "main", "night", "--json").json().keys() == names(RepoDiff)
    assert place.veml("show", "--json").json().keys() == names(Shown)
    log = place.veml("log", "--all", "--json").json()
    assert len(log) == 3
    assert {frozenset(one) for one in log} == {frozenset(names(LogEntry))}
    (branch, other) = place.veml("branch", "--json").json()
    assert branch.keys() == names(NamedCommit)
    assert [branch["name"], other["name"]] == ["main", "night"]
    place.veml("tag", "v1")
    assert [one["name"] for one in place.veml("tag", "--json").json()] == ["v1"]
    assert place.veml("export", "images/train", "out", "--json").json().keys() == names(
        ExportResult
    )
    assert place.veml("fsck", "--json").json().keys() == names(FsckResult)
    assert place.veml("merge", "night", "--json").json().keys() == names(MergeResult)
    assert place.veml("add", "images/train", "--json").json().keys() == names(AddResult)
    gone = place.veml("rm", "images/train/JPEGImages/0001.png", "--json").json()
    assert gone.keys() == names(RmResult)
    back = place.veml("restore", "-SW", "images/train", "--json").json()
    assert back.keys() == names(RestoreResult)
    moved = place.veml("checkout", "-f", "night", "--json").json()
    assert moved.keys() == names(CheckoutResult)
    place.write("notes.txt", "json\n")
    assert place.veml("commit", "-am", "x", "--json").json().keys() == names(CommitResult)


def test_conflicts(conflicted: Place) -> None:
    listed = conflicted.veml("resolve", "--list", "--json").json()
    assert listed["files"] == ["notes.txt"]
    (only,) = listed["conflicts"]
    assert only["dataset"] == "images/train"
    assert only["ours"] == {"xyxy": [1, 1, 4, 5]}
    done = conflicted.veml("resolve", "--all", "--ours", "--json").json()
    assert done.keys() == names(ResolveResult)
    assert done["settled"] == 2


def test_record_and_sample(drives: Place) -> None:
    record = drives.veml("show", "HEAD:images/train", "--json").json()
    assert record["samples"] == 6
    assert record["class_counts"]["car"] == {"objects": 6, "samples": 6}
    assert len(record["tree"]) == 64
    sample = drives.veml("show", "HEAD:images/train/JPEGImages/0001.png", "--json").json()
    assert sample["entry"]["kind"] == "sample"
    assert [one["class"] for one in sample["annotation"]["objects"]] == ["car", "bike"]
