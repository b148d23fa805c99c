"""After whatever happens to a history, the graph that followed it is the one built from nothing.

And the one that is built from streams of git's is the one built object by object.

Seen to fail with the call of ``remove_commits``, and each part of ``Writer.settle``, taken out.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from tests.lineage.kit import (
    History,
    check_reach,
    data_record,
    everything,
    generation,
    model_record,
    reading,
    training_record,
    wander,
)
from tests.repository.conftest import isolated
from veml_vcs.lineage.sqlite.database import Database
from veml_vcs.lineage.sync import database, sync
from veml_vcs.repository import Repository
from veml_vcs.repository.git.repo import blob_id

__all__ = ["isolated"]


@pytest.mark.parametrize(
    "seed", [pytest.param(n, marks=[pytest.mark.slow] * (n > 1)) for n in range(12)]
)
def test_following_is_building_anew(tmp_path: Path, isolated: Path, seed: int) -> None:
    history = History(tmp_path / "project")
    history.commit({"d0.veml": data_record(1), "models/m0.veml": model_record(50)})
    history.commit({"d1.veml": data_record(2)})
    chance = random.Random(seed)
    did = []
    for step in range(40):
        try:
            did.append(wander(history, chance))
        except AssertionError as error:  # git refused: a merge in conflict, nothing before HEAD
            did.append(f"refused {error}"[:60])
            history.git("reset", "-q", "--hard")
        if step % 3:
            continue
        with reading("streams" if seed % 2 else "objects"):
            repo, base = history.synced()
        followed = everything(base)
        check_reach(base)
        for how in ("streams", "objects"):
            with reading(how):
                sync(repo, base, full=True)
            assert followed == everything(base), (how, did)
            check_reach(base)
        # From here on it follows again.
        base.close()
        repo.close()


def names_of(base: Database) -> dict[str, str]:
    return {row[0]: row[2] for row in everything(base) if len(row) == 5}


def test_what_a_dropped_branch_alone_said_is_gone(tmp_path: Path, isolated: Path) -> None:
    """A revision between versions that stay, names that were shown, a damaged record."""
    history = History(tmp_path / "project")
    one, other, third = (
        data_record(number, (name,)) for number, name in ((1, "Bus"), (2, "bus"), (3, "car"))
    )
    bad = b'{\n "kind": "data",\n "veml": 1}\n'
    first = history.commit({"a.veml": other, "b.veml": third})
    history.git("checkout", "-q", "-b", "side")
    side = history.commit({"a.veml": third, "c.veml": one, "d.veml": bad})
    repo, base = history.synced()
    revision = (blob_id(third), "revision_of", blob_id(other), "{}")
    assert revision in everything(base)
    assert (side, "contains", blob_id(third), '{"paths":["a.veml"]}') in everything(base)
    assert names_of(base)[blob_id(third)] == "a.veml"
    assert names_of(base)["class:bus"] == "Bus"
    assert base.connection.execute("SELECT count(*) FROM skipped").fetchone() == (1,)
    base.close()
    repo.close()
    history.git("checkout", "-q", "main")
    history.git("branch", "-D", "side")
    repo, base = history.synced()
    assert revision not in everything(base)
    assert [row for row in everything(base) if row[1:3] == ("contains", blob_id(third))] == [
        (first, "contains", blob_id(third), '{"paths":["b.veml"]}')
    ]
    assert names_of(base)[blob_id(third)] == "b.veml"
    assert names_of(base)["class:bus"] == "bus"
    assert base.connection.execute("SELECT count(*) FROM skipped").fetchone() == (0,)
    followed = everything(base)
    sync(repo, base, full=True)
    assert followed == everything(base)
    base.close()
    repo.close()


def test_what_notes_say_of_a_dropped_version_stays(tmp_path: Path, isolated: Path) -> None:
    """It is unknown from then on, and is what the note says of it: data."""
    history = History(tmp_path / "project")
    stays, goes = data_record(1), data_record(2)
    history.commit({"d.veml": stays})
    history.git("checkout", "-q", "-b", "side")
    night = training_record(blob_id(goes), "34" * 20)
    history.commit({"side.veml": goes, "trainings/night.veml": night})
    for on, of in ((goes, stays), (stays, night)):
        said = json.dumps({"train": blob_id(of), "verdict": "drift", "report": {}})
        history.git("notes", "--ref=veml/drift", "add", "-m", said, blob_id(on))
    drifted = {
        (blob_id(goes), "drifted_from", blob_id(stays), '{"verdict":"drift"}'),
        (blob_id(stays), "drifted_from", blob_id(night), '{"verdict":"drift"}'),
    }
    repo, base = history.synced()
    assert drifted <= set(everything(base))
    base.close()
    repo.close()
    history.git("checkout", "-q", "main")
    history.git("branch", "-D", "side")
    repo, base = history.synced()
    assert drifted <= set(everything(base))
    assert (blob_id(night), "data", "", "{}", 0) in everything(base)
    followed = everything(base)
    sync(repo, base, full=True)
    assert followed == everything(base)
    base.close()
    repo.close()


def test_only_what_is_new_is_read(tmp_path: Path, isolated: Path) -> None:
    history = History(tmp_path / "project")
    for number in range(1, 6):
        history.commit({"d.veml": data_record(number)})
    with Repository(str(history.root)) as repo:
        base = database(repo)
        assert (sync(repo, base).commits, sync(repo, base).commits) == (5, 0)
        history.commit({"d.veml": data_record(9)})
    with Repository(str(history.root)) as repo:
        done = sync(repo, base)
        assert (done.commits, done.versions, done.removed) == (1, 1, 0)
        base.close()


def test_a_damaged_record_is_skipped_and_listed(tmp_path: Path, isolated: Path) -> None:
    history = History(tmp_path / "project")
    bad = b'{\n "kind": "data",\n "veml": 1}\n'
    history.commit({"d.veml": data_record(1), "bad.veml": bad})
    repo, base = history.synced()
    done = sync(repo, base)
    assert [(one.version, one.path) for one in done.skipped] == [(blob_id(bad), "bad.veml")]
    assert "veml fsck" not in done.skipped[0].reason
    assert blob_id(data_record(1)) in {row[0] for row in everything(base)}
    base.close()
    repo.close()


def test_a_damaged_file_is_made_anew(tmp_path: Path, isolated: Path) -> None:
    history = History(tmp_path / "project")
    history.commit({"d.veml": data_record(1)})
    repo, base = history.synced()
    whole = everything(base)
    path = Path(base.path)
    base.close()
    path.write_bytes(b"not a database" * 1000)
    base = database(repo)
    sync(repo, base)
    assert everything(base) == whole
    base.close()
    repo.close()


def test_a_graph_made_anew_says_so(tmp_path: Path, isolated: Path) -> None:
    """A mirror copies changes, and all of it where there is another generation.

    Seen to fail with the call in ``Database.clear`` taken out.
    """
    history = History(tmp_path / "project")
    history.commit({"d.veml": data_record(1)})
    repo, base = history.synced()
    seen = [generation(base)]
    history.commit({"d.veml": data_record(2)})
    sync(repo, base)
    assert generation(base) == seen[0]  # it followed
    sync(repo, base, full=True)
    seen.append(generation(base))
    base.close()
    Path(base.path).write_bytes(b"not a database" * 1000)
    base = database(repo)
    seen.append(generation(base))
    assert len({*seen, ""}) == 4
    base.close()
    repo.close()


def test_what_no_commit_has_is_named_and_not_known(tmp_path: Path, isolated: Path) -> None:
    history = History(tmp_path / "project")
    history.commit({"trainings/t.veml": training_record("12" * 20, "34" * 20, "56" * 20)})
    repo, base = history.synced()
    rows = {row[0]: row[1:] for row in everything(base)}
    assert rows["12" * 20] == ("data", "", "{}", 0)
    assert rows["34" * 20] == ("model", "", "{}", 0)
    assert rows["56" * 20] == ("training", "", "{}", 0)
    base.close()
    repo.close()
