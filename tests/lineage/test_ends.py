"""Ends that no record of veml's names: commits, facts, what is two kinds; names that are no text.

A stranger's record, or a note, can say any of it. Then too the graph that followed is the one that
is built from nothing, and it followed: it was not given up and made anew.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.lineage.kit import (
    ZERO,
    History,
    both_ways,
    data_record,
    dump,
    follow,
    model_record,
    training_record,
)
from tests.repository.conftest import isolated
from veml_vcs.lineage.ask import lineage
from veml_vcs.lineage.related import neighbours
from veml_vcs.repository import Repository
from veml_vcs.repository.git.repo import blob_id

__all__ = ["isolated"]

DATA, OTHER, MODEL = "ab" * 20, "cd" * 20, "ef" * 20


@pytest.fixture
def history(tmp_path: Path, isolated: Path) -> History:
    found = History(tmp_path / "project")
    found.commit({"first.veml": data_record(1)})
    _, base = found.synced()
    base.close()
    return found


def note(history: History, notes: Mapping[str, bytes]) -> None:
    """Set the notes on similar data, by hand: git sets none on what is not there."""
    lines = ""
    for on, text in sorted(notes.items()):
        lines += f"100644 blob {_git(history, 'hash-object', '-w', '--stdin', said=text)}\t{on}\n"
    tree = _git(history, "mktree", "--missing", said=lines.encode())
    history.git("update-ref", "refs/notes/veml/similar", history.git("commit-tree", "-m", "", tree))


def _git(history: History, *arguments: str, said: bytes) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=history.root, input=said, capture_output=True, check=True
    )
    return done.stdout.decode().strip()


def similar(other: str) -> bytes:
    return json.dumps({"other": other, "energy": 0.5}).encode() + b"\n"


def test_a_name_with_a_nul(history: History) -> None:
    """SQLite's JSON ends a text there. Seen to fail: the graph was made anew at each commit that
    had the second, and of the first another name was shown after a revision had gone."""
    history.commit({"d.veml": data_record(2, ("tram\0car", "\0"))})
    nodes = follow(history)
    assert nodes["class:tramcar"] == ("class", "tram\ufffdcar", "{}", 1)
    assert nodes["class:\ufffd"] == ("class", "\ufffd", "{}", 1)
    history.commit({"d.veml": data_record(3, ("tram\0car", "\0"))})
    follow(history)
    history.git("reset", "-q", "--hard", "HEAD~1")
    assert follow(history) == nodes


def test_a_path_that_is_no_utf_8(history: History) -> None:
    """Seen to fail: one such file of plain Git's, and nothing could be asked of its repository."""
    data, folder, bad = (os.fsdecode(one) for one in (b"\xff.veml", b"\xe9/d.veml", b"\xfe.veml"))
    damage = b'{\n "kind": "data",\n "veml": 1}\n'
    history.commit({data: data_record(2), folder: data_record(3), bad: damage})
    nodes = follow(history)
    assert nodes[blob_id(data_record(2))][1] == "\\xff.veml"
    assert nodes[blob_id(data_record(3))][1] == "\\xe9/d.veml"
    model = os.fsdecode(b"models/\xff.veml")
    history.commit({data: data_record(4), model: model_record(50), bad: None})
    assert blob_id(model_record(50)) not in follow(history)  # as everywhere in veml
    with Repository(str(history.root)) as repo, lineage(repo) as asked:
        assert [(one.path, one.version) for one in asked.synced.skipped] == [
            ("\\xfe.veml", blob_id(damage)), ("models/\\xff.veml", blob_id(model_record(50))),
        ]  # fmt: skip
        assert asked.version(os.fsdecode(b"data:\xff")).id == blob_id(data_record(4))
    both_ways(history.root)
    history.git("reset", "-q", "--hard", "HEAD~1")
    assert follow(history) == nodes


def test_a_note_that_is_nested_very_deep(history: History) -> None:
    """Seen to fail: nothing could be asked of such a repository."""
    note(history, {DATA: b"[" * 100_000 + b"\n" + similar(OTHER)})
    assert OTHER in follow(history)


def test_a_note_with_numbers_that_are_none(history: History) -> None:
    """Seen to fail: the first ended ``neighbours`` as a bug in veml."""
    text = similar(OTHER).replace(b"0.5", b"9" * 400 + b', "a": 1e999, "b": NaN, "c": -1')
    note(history, {blob_id(data_record(1)): text})
    follow(history)
    with Repository(str(history.root)) as repo, lineage(repo) as asked:
        (found,) = neighbours(asked, "first")[1]
        assert (found.distance, found.edge.props) == (None, {"c": -1})


def test_a_note_on_what_is_called_like_a_fact(history: History) -> None:
    """It is on no version. Seen to fail: the class was data, and not known."""
    note(history, {"class:tram": similar(OTHER), "none": similar(OTHER)})
    assert not {"class:tram", "none", OTHER} & follow(history).keys()
    history.commit({"d.veml": data_record(2, ("tram",))})
    assert follow(history)["class:tram"][0] == "class"


def test_a_note_on_what_a_record_calls_a_model(history: History) -> None:
    """Seen to fail: it was a model when the notes had changed, and data before."""
    history.commit({"trainings/t.veml": training_record(DATA, MODEL)})
    assert follow(history)[MODEL][0] == "model"
    for notes in ({MODEL: similar(OTHER)}, {MODEL: similar(OTHER), DATA: similar(OTHER)}):
        note(history, notes)
        assert follow(history)[MODEL][0] == "data"
    note(history, {DATA: similar(OTHER)})
    assert follow(history)[MODEL][0] == "model"


def test_what_one_record_says_is_two_kinds(history: History) -> None:
    """Seen to fail: a training, until another record that names it had gone, and then data."""
    use = {"path": "d", "version": OTHER, "tree": ZERO, "role": "val", "samples": 1}
    record = {
        "veml": 1, "kind": "inference", "task": "detection", "format": "onnx", "device": "cpu",
        "training": {"name": "t", "version": OTHER, "tree": ZERO}, "quantisation": "none",
        "file": {"tree": ZERO, "sha256": ZERO, "bytes": 1}, "data": [use],
    }  # fmt: skip
    history.commit({"inferences/i.veml": dump(record)})
    nodes = follow(history)
    assert nodes[OTHER][0] == "data"
    history.commit({"d.veml": data_record(2, derived={"from": [{"version": OTHER}]})})
    follow(history)
    history.git("reset", "-q", "--hard", "HEAD~1")
    assert follow(history) == nodes


@pytest.mark.parametrize("how", ["record", "note on", "note of"])
def test_a_commit_that_is_named_and_goes(history: History, how: str) -> None:
    """It is a version then that no commit has. Seen to fail: what named it said so no more."""
    gone = history.commit({}, "gone")
    if how == "record":
        record = data_record(2, derived={"operation": "filter", "from": [{"version": gone}]})
        history.commit({"d.veml": record})
    else:
        note(history, {gone: similar(OTHER)} if how == "note on" else {OTHER: similar(gone)})
    assert follow(history)[gone][0] == "commit"
    history.git("checkout", "-q", "--orphan", "other")
    history.commit({"first.veml": data_record(1)}, "again")
    history.git("branch", "-D", "main")
    assert follow(history)[gone] == ("data", "", "{}", 0)
    history.git("branch", "main", gone)  # it is back
    assert follow(history)[gone][0] == "commit"
    if how == "record":
        history.git("checkout", "-q", "main")
        history.git("branch", "-D", "other")
        history.commit({"first.veml": data_record(3)})
        assert blob_id(record) not in follow(history)
