"""``veml status`` tells how a training that was killed goes on.

What lies in a killed training's folder, and that it goes on, is tests/training/test_train.py.
"""

from __future__ import annotations

from tests.cli.conftest import Place
from veml_vcs.objects.lock import FileLock
from veml_vcs.repository import Repository
from veml_vcs.repository.runs import LOCK, PLAN, pending_trainings, run_folder


def test_an_interrupted_training_is_told_and_a_running_one(place: Place) -> None:
    """Seen to fail with ``is_locked`` that says no, and that says yes."""
    place.veml("init")
    with Repository(str(place.root)) as repo:
        assert pending_trainings(repo) == ()
        folder = place.root / run_folder(repo, "day/night")
    folder.mkdir(parents=True)
    (folder / LOCK).touch()  # a training that is done leaves it
    assert "training" not in place.veml("status").out
    (folder / PLAN).write_text("{}")
    told = place.veml("status").out
    assert (
        "The training day/night was interrupted.\n"
        '  (run "veml train --resume --name day/night" to go on)\n'
    ) in told
    found = place.veml("status", "--json").json()["pending_trainings"]
    assert found == [{"name": "day/night", "running": False}]
    with FileLock(folder / LOCK, timeout_seconds=0, purpose="a test"):
        assert "The training day/night is running.\n" in place.veml("status").out
        found = place.veml("status", "--json").json()["pending_trainings"]
        assert found == [{"name": "day/night", "running": True}]
    assert "was interrupted" in place.veml("status").out


def test_one_that_is_part_of_a_rebuild_goes_on_with_that(place: Place) -> None:
    place.veml("init")
    with Repository(str(place.root)) as repo:
        folder = place.root / run_folder(repo, "night")
    for path, text in (
        (folder / PLAN, "{}"),
        (folder.parents[1] / "rebuilds/night/state.json", "{}"),
    ):
        path.parent.mkdir(parents=True)
        path.write_text(text)
    told = place.veml("status").out
    assert "veml rebuild --continue --name night" in told
    assert "veml train --resume" not in told
