"""Trainings in merges: never merged by line, settled to a side or by averaging; stale ones told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.cli.conftest import Place
from tests.repository.kit import Project, png
from tests.repository.trainings import made, outcome, weights
from veml_vcs.repository import Repository
from veml_vcs.repository.trainings.versions import open_training
from veml_vcs.repository.trainings.write import write_training
from veml_vcs.samples.tensors import average
from veml_vcs.samples.tensors.values import values_of
from veml_vcs.versions.trainings import Initial

RECORD = "trainings/night.veml"


def train(place: Place, head: int, message: str, **changes: Any) -> None:
    """Fine-tune 'night' of the parent 'base', with a metric of its own; commit."""
    with Repository(str(place.root)) as repo:
        parent = open_training(repo, "base")
        initial = Initial("training", "base", parent.id, parent.record.checkpoint.tree)
        run = outcome(
            repo, checkpoint=weights(0, head=head), initial=initial, metrics={"mAP": head / 8}
        )
        write_training(repo, replace(run, **changes), "night")
    place.veml("commit", "-qm", message)


@pytest.fixture
def place(place: Place) -> Iterator[Place]:
    """'night' was trained on main and, differently, on the branch side."""
    project = made(Project(place.root))
    write_training(project.repo, outcome(project.repo), "base")
    project.close()
    place.veml("hook", "install")
    train(place, 1, "one")
    place.veml("branch", "side")
    train(place, 2, "two")
    place.veml("checkout", "-q", "side")
    train(place, 3, "three", seed=7)
    place.veml("checkout", "-q", "main")
    return place


def record(place: Place, name: str = RECORD) -> Any:
    return json.loads((place.root / name).read_text())


def test_a_record_is_never_merged_by_line(place: Place) -> None:
    """Without ``_merge_training`` the record has conflict marks, and theirs' seed beside ours."""
    told = place.veml("merge", "side", code=1)
    assert f"CONFLICT in training {RECORD}" in told.out
    assert f"veml resolve {RECORD} --ours   or --theirs, --base, --average" in told.out
    assert record(place)["metrics"] == {"mAP": 0.25}
    assert record(place)["seed"] == 0
    told = place.veml("status").out
    assert f"both modified:  {RECORD}" in told
    assert "ours   mAP 0.125 -> 0.25; checkpoint" in told
    assert "theirs mAP 0.125 -> 0.375; seed, checkpoint" in told
    place.veml("commit", "-m", "no", code=None)
    assert place.git("log", "--oneline").count("\n") == 3


@pytest.mark.parametrize(
    ("side", "mean"), [("--ours", 0.25), ("--theirs", 0.375), ("--base", 0.125)]
)
def test_a_side_settles_it(place: Place, side: str, mean: float) -> None:
    place.veml("merge", "side", code=1)
    place.veml("resolve", RECORD, side)
    place.veml("commit", "-qm", "merged")
    assert record(place)["metrics"] == {"mAP": mean}


def test_both_is_refused(place: Place) -> None:
    place.veml("merge", "side", code=1)
    done = place.veml("resolve", RECORD, "--both", code=None)
    assert "cannot both be one" in done.err
    assert "--average" in done.err


@pytest.mark.parametrize("name", [RECORD, "night"])
def test_the_mean_settles_it(place: Place, name: str) -> None:
    place.veml("merge", "side", code=1)
    told = place.veml("resolve", name, "--average").out
    assert "training night  the mean of both; nothing was measured" in told
    assert '(use "veml commit" to go on)' in told
    place.veml("commit", "-qm", "merged")
    found = record(place)
    assert "metrics" not in found
    assert "per_class" not in found
    assert "log" not in found
    assert "predictions" not in found
    assert found["initial"]["name"] == "base"
    assert found["derived"]["operation"] == "average"
    with Repository(str(place.root)) as repo:
        got = open_training(repo, "night").checkpoint().tensors
    wanted = average(weights(0, head=2), weights(0, head=3)).tensors
    for key, one in got.items():
        mean, expected = values_of(one), values_of(wanted[key])
        assert mean is not None
        assert expected is not None
        assert np.array_equal(mean, expected)
    assert len(place.git("log", "-1", "--format=%P").split()) == 2


def test_the_mean_of_strangers_is_refused(place: Place) -> None:
    place.veml("checkout", "-q", "side")
    train(place, 4, "from scratch", initial=Initial())
    place.veml("checkout", "-q", "main")
    place.veml("merge", "side", code=1)
    done = place.veml("resolve", RECORD, "--average", code=None)
    assert "did not begin with the same weights" in done.err
    assert RECORD in place.git("diff", "--name-only", "--diff-filter=U")


def test_average_of_what_is_no_conflict(place: Place) -> None:
    done = place.veml("resolve", "base", "--average", code=None)
    assert "base: not a training in conflict" in done.err
    done = place.veml("resolve", "--average", "--all", code=None)
    assert "--average alone" in done.err


def test_favour(place: Place) -> None:
    place.veml("merge", "-q", "-X", "theirs", "side")
    assert record(place)["metrics"] == {"mAP": 0.375}


def test_plain_git_leaves_a_conflict_too(place: Place) -> None:
    """Without the driver's look at trainings the record has conflict marks."""
    with pytest.raises(AssertionError, match="both sides changed this training"):
        place.git("merge", "side")
    assert record(place)["metrics"] == {"mAP": 0.25}
    told = place.veml("status").out
    assert "theirs mAP 0.125 -> 0.375" in told
    place.veml("resolve", RECORD, "--average")
    place.git("commit", "-qm", "merged")
    assert record(place)["derived"]["operation"] == "average"


def test_one_side_alone_is_taken(place: Place) -> None:
    place.veml("checkout", "-q", "-b", "late", "main~1")
    place.write("notes.txt", "x\n")
    place.veml("add", "-q", "notes.txt")
    place.veml("commit", "-qm", "notes")
    place.veml("merge", "-q", "side")
    assert record(place)["metrics"] == {"mAP": 0.375}


def test_a_metric_goes_stale_with_merged_data(place: Place) -> None:
    """The merge brings data that nobody trained on: it says so, and keeps every record."""
    place.veml("checkout", "-q", "-b", "more", "main")
    place.write("data/images/0900.png", png(900))
    place.veml("add", "-q", "data")
    place.veml("commit", "-qm", "more data")
    place.veml("checkout", "-q", "main")
    train(place, 5, "five")
    told = place.veml("merge", "more").out
    words = "the data data is another version now"
    assert f"training night  {words}; its metrics stay those of what it was trained on" in told
    assert record(place)["metrics"] == {"mAP": 0.625}
    assert f"night  {words}" in place.veml("status").out
    # Told once, by the merge that did it.
    place.veml("branch", "again", "HEAD~1")
    assert words not in place.veml("merge", "--no-ff", "again").out


def test_hand_edited_records_are_refused(place: Place) -> None:
    path = place.root / RECORD
    path.write_text(path.read_text().replace('"mAP": 0.25', '"mAP": 0.9,\n  "mAP2": "great"'))
    place.veml("add", RECORD)
    done = place.veml("commit", "-m", "better", code=None)
    assert "edited by hand" in done.err
    with pytest.raises(AssertionError, match="edited by hand"):
        place.git("commit", "-qm", "better")
    place.veml("restore", "--staged", RECORD)
    place.veml("restore", RECORD)
    place.git("mv", RECORD, "night.veml")
    done = place.veml("commit", "-m", "moved", code=None)
    assert "a training record cannot stand here" in done.err


def test_git_diff_shows_facts(place: Place) -> None:
    told = place.git("diff", "main~1", "main", "--", RECORD)
    assert "-metric mAP = 0.125\n+metric mAP = 0.25\n" in told
    assert "-checkpoint       4 tensors" in told


def test_a_cherry_pick_and_a_rebase_of_gits(place: Place) -> None:
    """Neither takes half a training along; averaging settles both."""
    place.veml("cherry-pick", "side", code=1)
    told = place.veml("resolve", "night", "--average").out
    assert '(use "veml cherry-pick --continue" to go on)' in told
    place.veml("cherry-pick", "--abort")
    place.git("checkout", "-q", "side")
    with pytest.raises(AssertionError):
        place.git("rebase", "main")
    assert record(place)["metrics"] == {"mAP": 0.25}  # in a rebase, ours is what is rebased onto
    told = place.veml("resolve", "night", "--average").out
    assert '(use "git rebase --continue" to go on)' in told
    place.git("-c", "core.editor=true", "rebase", "--continue")
    assert record(place)["derived"]["operation"] == "average"
