"""Streams of git's give the graph that reading object by object gives, whatever is in a history.

Seen to fail with each of these taken out of ``git/bulk.py``: ``-c``, ``--root``,
``--no-replace-objects``, the environment, the check of an object against its id.
"""

from __future__ import annotations

import os
import subprocess
import zlib
from pathlib import Path

import pytest

from tests.lineage.kit import (
    History,
    both_ways,
    data_record,
    everything,
    model_record,
    reading,
    training_record,
)
from tests.repository.conftest import isolated
from veml_vcs.lineage.check import fault_of
from veml_vcs.lineage.graph import EDGES
from veml_vcs.lineage.history import many
from veml_vcs.lineage.sync import database, sync
from veml_vcs.repository import Repository
from veml_vcs.repository.git.repo import blob_id

__all__ = ["isolated"]


@pytest.fixture
def history(tmp_path: Path, isolated: Path) -> History:
    found = History(tmp_path / "project")
    found.commit({"d0.veml": data_record(1), "models/m.veml": model_record(50)}, "first")
    return found


def brought(rows: list[tuple[object, ...]], commit: str) -> set[object]:
    """Return the paths of what a commit brought."""
    return {row[1] for row in rows if len(row) == 4 and row[0] == commit and row[1] not in EDGES}


def test_merges_of_many_and_odd_files(history: History) -> None:
    """An octopus, a merge that changes what it merges, a link, modes, names, things removed."""
    for number in range(3):
        history.git("checkout", "-q", "-b", f"side{number}", "main")
        history.commit({f"s{number}/d.veml": data_record(10 + number), "d1.veml": data_record(7)})
    history.git("checkout", "-q", "main")
    history.commit({"d2.veml": data_record(2)})
    history.git("merge", "-q", "--no-edit", "side0", "side1", "side2")
    both_ways(history.root)
    history.git("checkout", "-q", "-b", "other", "HEAD~1")
    history.commit({"d0.veml": data_record(20), "d9.veml": data_record(9)})
    history.git("merge", "-q", "--no-commit", "-s", "ours", "main")
    # What neither parent has at that path, and what one of them has.
    evil = {"d0.veml": data_record(21), "new.veml": data_record(7), "s0/d.veml": data_record(10)}
    merged = history.commit({**evil, "d9.veml": None}, "merged")
    assert brought(both_ways(history.root), merged) == {"d0.veml", "new.veml"}
    (history.root / "new.veml").chmod(0o755)
    mode = history.commit({})
    (history.root / "d2.veml").unlink()
    (history.root / "d2.veml").symlink_to("d0.veml")
    strange = {'a\tb\n"ü.veml': data_record(30), ".veml": data_record(31), "deep/x.veml/y": b"z"}
    name = history.commit({**strange, ":(glob)**.veml": data_record(32)})  # type: ignore[arg-type]
    rows = both_ways(history.root)
    assert brought(rows, mode) == set()
    assert brought(rows, name) == {'a\tb\n"ü.veml', ".veml", ":(glob)**.veml"}


def test_commits_of_other_programs(history: History) -> None:
    """Signed, in another encoding, with no message, no name, with a parent twice."""
    tree = history.git("rev-parse", "HEAD^{tree}")
    head = history.git("rev-parse", "HEAD")
    signed = (
        f"tree {tree}\nparent {head}\nauthor Z\u00fc <> R <z@x> 1700000000 +0100\n"
        "committer C <c@x> 1700000001 -0330\nencoding latin-1\ngpgsig -----BEGIN\n \n abc\n -----\n"
        "\nsub\u00e9ject\nmore\n"
    ).encode("latin-1")
    for number, commit in enumerate((
        signed,
        f"tree {tree}\nauthor  <> 1 +0000\ncommitter  <> 2 +0000\n\n".encode(),
        f"tree {tree}\nparent {head}\nparent {head}\nauthor A <a> 1 +0000\n"
        "committer A <a> 99999999999 +0000\n\n\n\nthird line".encode(),
    )):  # fmt: skip
        made = subprocess.run(
            ["git", "hash-object", "-t", "commit", "--literally", "-w", "--stdin"],
            cwd=history.root, input=commit, check=True, capture_output=True,
        ).stdout.decode().strip()  # fmt: skip
        history.git("update-ref", f"refs/heads/made{number}", made)
    rows = {row[0]: row for row in both_ways(history.root) if len(row) == 5}
    made = history.git("rev-parse", "made0")
    assert rows[made][2] == "sub\ufffdject"
    assert '"author":"Z\\ufffd"' in str(rows[made][3])


def test_shallow_clones_grafts_and_replacements(history: History, tmp_path: Path) -> None:
    for number in range(6):
        history.commit({"d0.veml": data_record(number + 2), f"e{number}.veml": data_record(50)})
    last = history.git("rev-parse", "HEAD")
    subprocess.run(
        ["git", "clone", "-q", "--depth", "2", f"file://{history.root}", "clone"],
        cwd=tmp_path, check=True,
    )  # fmt: skip
    assert sum(row[1] == "commit" for row in both_ways(tmp_path / "clone")) == 2
    clone = Repository(str(tmp_path / "clone"))
    base = database(clone)
    sync(clone, base)
    clone.close()
    subprocess.run(["git", "fetch", "-q", "--deepen", "2"], cwd=tmp_path / "clone", check=True)
    with Repository(str(tmp_path / "clone")) as clone:
        sync(clone, base)
    assert everything(base) == both_ways(tmp_path / "clone")
    base.close()
    # A replaced commit is not seen by either; a graft is by both, from the next question on.
    whole = both_ways(history.root)
    history.git("replace", "HEAD~1", "HEAD~4")
    assert both_ways(history.root) == whole
    with Repository(str(history.root)) as repo:
        base = database(repo)
        sync(repo, base)
    (history.root / ".git/info").mkdir(exist_ok=True)
    (history.root / ".git/info/grafts").write_text(f"{last} {history.git('rev-parse', 'HEAD~3')}\n")
    with Repository(str(history.root)) as repo:
        sync(repo, base)
    assert everything(base) == both_ways(history.root)
    assert everything(base) != whole
    base.close()


def test_a_head_in_a_circle(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    """Grafts can make circles; of commits in one the streams of git's have nothing."""
    first = history.git("rev-parse", "HEAD")
    last = history.commit({"d1.veml": data_record(2)})
    (history.root / ".git/info").mkdir(exist_ok=True)
    (history.root / ".git/info/grafts").write_text(f"{first} {last}\n")
    found = []
    for few in (200, 0):
        monkeypatch.setattr("veml_vcs.lineage.sync.FEW", few)
        with Repository(str(history.root)) as repo, database(repo) as base:
            assert sync(repo, base, full=True).commits == 2
            found.append(everything(base))
    assert found[0] == found[1]


def test_what_comes_later_is_read_as_streams_too(history: History) -> None:
    with Repository(str(history.root)) as repo:
        base = database(repo)
        sync(repo, base)
        for number in range(5):
            history.git("checkout", "-q", "-b", f"b{number}")
            history.commit({f"d{number}.veml": data_record(number)})
        history.git("update-ref", "-d", "refs/heads/main")
        head, before = history.git("rev-parse", "HEAD"), history.git("rev-parse", "b1")
        new = many(repo.git, [head], [before], lambda _: ())
        assert len(new.parents()) == 3
        assert len(many(repo.git, [head], [before], lambda _: [head]).parents()) == 2
    base.close()


def test_an_earlier_head_that_git_has_no_more(history: History) -> None:
    """Seen to fail: what was known before came again, and the graph was made anew for it."""
    gone = history.commit({"d0.veml": data_record(2)})
    with Repository(str(history.root)) as repo, database(repo) as base, reading("streams"):
        sync(repo, base)
        generation = base.connection.execute("SELECT * FROM state WHERE name = 'generation'")
        (before,) = generation.fetchall()
        history.git("reset", "-q", "--hard", "HEAD~1")
        for number in range(3, 6):
            history.commit({"d0.veml": data_record(number)})
        history.git("reflog", "expire", "--expire=now", "--all")
        history.git("gc", "-q", "--prune=now")
        history.git("cat-file", "-e", gone, code=1)
    with Repository(str(history.root)) as repo, database(repo) as base, reading("streams"):
        done = sync(repo, base)
        assert (done.commits, done.removed) == (3, 1)
        generation = base.connection.execute("SELECT * FROM state WHERE name = 'generation'")
        assert generation.fetchall() == [before]
        followed = everything(base)
    assert followed == both_ways(history.root)


def test_damage_is_found_by_both(history: History) -> None:
    """A blob whose bytes are others is skipped; so is one that is gone."""
    other, gone = data_record(5), data_record(6)
    history.commit({"other.veml": other, "gone.veml": gone})
    path = object_path(history, blob_id(other))
    path.chmod(0o644)
    path.write_bytes(zlib.compress(b"blob %d\0" % len(gone) + gone))
    object_path(history, blob_id(gone)).unlink()
    rows = both_ways(history.root)
    skipped = {(row[0], row[1]) for row in rows if len(row) == 3}
    assert skipped == {(blob_id(other), "other.veml"), (blob_id(gone), "gone.veml")}


@pytest.mark.parametrize("how", ["streams", "objects"])
def test_a_record_that_comes_later_is_read_then(history: History, how: str) -> None:
    """Git lacked its blob, or had it damaged; fetched or repaired it is as if it had been there."""
    whole = both_ways(history.root)
    one = object_path(history, blob_id(data_record(1)))
    other = object_path(history, blob_id(model_record(50)))
    kept = one.read_bytes(), other.read_bytes()
    one.unlink()
    other.unlink()
    other.write_bytes(b"")
    with Repository(str(history.root)) as repo, database(repo) as base, reading(how):
        sync(repo, base, full=True)
        assert len(sync(repo, base).skipped) == 2
    for count, path, data in ((1, one, kept[0]), (0, other, kept[1])):
        path.unlink(missing_ok=True)
        path.write_bytes(data)
        with Repository(str(history.root)) as repo, database(repo) as base, reading(how):
            assert len(sync(repo, base).skipped) == count
            assert sync(repo, base).versions == 0
        with Repository(str(history.root)) as repo:
            assert fault_of(repo) is None
    with Repository(str(history.root)) as repo, database(repo) as base:
        assert everything(base) == whole


def test_a_clone_that_fetches_blobs_when_it_needs_them(history: History, tmp_path: Path) -> None:
    history.git("config", "uploadpack.allowFilter", "true")
    place = tmp_path / "clone"
    clone = ["git", "clone", "-q", "--filter=blob:none", "--no-checkout"]
    subprocess.run([*clone, f"file://{history.root}", str(place)], check=True)
    with Repository(str(place)) as repo, database(repo) as base:
        assert len(sync(repo, base).skipped) == 2
    subprocess.run(["git", "-C", str(place), "checkout", "-q", "main"], check=True)
    with Repository(str(place)) as repo, database(repo) as base:
        assert not sync(repo, base).skipped
        assert everything(base) == both_ways(history.root)


def object_path(history: History, name: str) -> Path:
    return history.root / ".git/objects" / name[:2] / name[2:]


def test_git_is_used_where_it_reads_the_same_history(
    history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a hook's environment says of another repository does not count."""
    for name in ("GIT_DIR", "GIT_OBJECT_DIRECTORY", "GIT_LITERAL_PATHSPECS", "GIT_SHALLOW_FILE"):
        monkeypatch.setenv(name, "1" if "SPECS" in name else str(tmp_path))
    with Repository(str(history.root)) as repo:
        head = str(repo.git.head().commit)
        (one,) = many(repo.git, [head], [], lambda _: ()).arrived()
        assert {item.path for item in one.brought} == {"d0.veml", "models/m.veml"}


def test_without_git_the_graph_is_the_same(
    history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No program, and one that gives up in the middle: it counts its calls, the third fails."""
    history.commit({"trainings/t.veml": training_record(blob_id(data_record(1)), "12" * 20)})
    whole = both_ways(history.root)
    monkeypatch.setattr("veml_vcs.lineage.sync.FEW", 0)
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "git").write_text(
        f"""#!/bin/sh
        echo x >> {tools}/calls
        [ $(wc -l < {tools}/calls) -ge 3 ] && exec head -c 9
        PATH={os.environ["PATH"]}
        exec git "$@"
        """
    )
    (tools / "git").chmod(0o755)
    for path in (f"{tools}:{os.environ['PATH']}", str(tmp_path)):
        monkeypatch.setenv("PATH", path)
        with Repository(str(history.root)) as repo:
            base = database(repo)
            sync(repo, base, full=True)
            assert everything(base) == whole
            base.close()
    assert len((tools / "calls").read_text().split()) >= 3
