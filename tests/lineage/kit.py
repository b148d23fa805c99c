"""Histories of records alone, made with real git: no images, so that there can be many commits."""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from veml_vcs.lineage.graph import LINEAGE
from veml_vcs.lineage.history import History as NewCommits
from veml_vcs.lineage.history import one_by_one
from veml_vcs.lineage.sqlite.adjacency import GROUP_SHIFT, Adjacency
from veml_vcs.lineage.sqlite.chains import reached
from veml_vcs.lineage.sqlite.database import GENERATION, Database
from veml_vcs.lineage.sqlite.sound_chains import says_what_commits_reach
from veml_vcs.lineage.sqlite.values import sayings
from veml_vcs.lineage.store import Direction
from veml_vcs.lineage.sync import database, sync
from veml_vcs.repository import Repository
from veml_vcs.repository.git.repo import GitRepo, blob_id

ZERO = "00" * 32


def dump(record: dict[str, object]) -> bytes:
    return (json.dumps(record, indent=1, sort_keys=True) + "\n").encode()


def data_record(number: int, classes: tuple[str, ...] = ("car",), **more: object) -> bytes:
    return dump({
        "veml": 1, "kind": "data", "tree": f"{number:064x}", "format": "coco", "task": "detection",
        "samples": number, "files": 0, "objects": 0, "bytes": 0,
        "classes": [{"name": one, "objects": 1, "samples": 1} for one in classes], **more,
    })  # fmt: skip


def model_record(depth: int, rate: float = 0.1) -> bytes:
    from veml_vcs.versions.models.record import make_record

    return make_record(
        ("configs/net.py",),
        {
            "model": {
                "type": "FasterRCNN",
                "backbone": {"type": "ResNet", "depth": depth},
                "roi_head": {"type": "StandardRoIHead", "bbox_head": {"type": "BBoxHead"}},
            },
            "optim_wrapper": {"optimizer": {"type": "SGD", "lr": rate}},
        },
    ).to_bytes()


def training_record(
    data: str, model: str, start: str | None = None, seed: int = 0, **more: object
) -> bytes:
    initial: dict[str, object] = {"kind": "random"}
    if start is not None:
        initial = {"kind": "training", "name": "before", "version": start, "tree": ZERO}
    return dump({
        "veml": 1, "kind": "training", "task": "detection", "status": "complete", "seed": seed,
        "model": {"name": "net", "version": model}, "initial": initial,
        "data": [{"path": "d", "version": data, "tree": ZERO, "role": "train", "samples": 1}],
        "checkpoint": {"tree": ZERO, "tensors": 1, "bytes": 4}, "metrics": {"mAP": 0.5}, **more,
    })  # fmt: skip


class History:
    """A Git repository whose commits hold records."""

    def __init__(self, root: Path) -> None:
        from veml_vcs.repository.init import init

        root.mkdir(parents=True, exist_ok=True)
        init(str(root))
        self.root = root

    def git(self, *arguments: str, code: int = 0, given: str | None = None) -> str:
        done = subprocess.run(
            ["git", "-c", "core.hooksPath=/dev/null", *arguments],
            cwd=self.root, capture_output=True, text=True, check=False, input=given,
        )  # fmt: skip
        assert done.returncode == code, done.stderr
        return done.stdout.strip()

    def commit(self, files: dict[str, bytes | None], message: str = "more") -> str:
        for path, content in files.items():
            place = self.root / path
            if content is None:
                place.unlink()
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def synced(self) -> tuple[Repository, Database]:
        repo = Repository(str(self.root))
        base = database(repo)
        sync(repo, base)
        return repo, base


def everything(base: Database) -> list[tuple[object, ...]]:
    """Return all that is in the graph, without the numbers of its rows."""
    do = base.connection.execute
    return [
        *do("SELECT id, kind, name, props, known FROM node ORDER BY id"),
        *do("SELECT s.id, e.kind, t.id, e.props FROM edge e JOIN node s ON s.key = e.source "
            "JOIN node t ON t.key = e.target ORDER BY 1, 2, 3"),
        *do("SELECT n.id, path, version, replaced FROM brought JOIN node n ON n.key = commit_key "
            "ORDER BY 1, 2"),
        *do("SELECT * FROM skipped ORDER BY 1, 2"),
        *neighbours(base),
        *said(base),
        *do("SELECT 'tally', what, kind, count, '', '' FROM tally WHERE count <> 0 ORDER BY 2, 3"),
    ]  # fmt: skip


def check_reach(base: Database) -> None:
    """Compare what each commit reaches, as the chains say, with a walk along the edges.

    What ``veml fsck`` does for it has to agree.
    """
    assert reaches_what_a_walk_does(base)
    assert says_what_commits_reach(base.connection)


def reaches_what_a_walk_does(base: Database) -> bool:
    """Tell whether of each commit the chains say what a walk along the edges does."""
    do = base.connection.execute
    commits = [key for (key,) in do("SELECT key FROM node WHERE kind = 'commit'")]
    parents: dict[int, list[int]] = {one: [] for one in commits}
    for child, parent in do("SELECT source, target FROM edge WHERE kind = 'parent'"):
        parents[child].append(parent)
    places = dict(do("SELECT key, chain FROM place").fetchall())
    if places.keys() != parents.keys():
        return False
    for one in commits:
        walked, pending = {one}, [one]
        while pending:
            new = set(parents[pending.pop()]) - walked
            walked |= new
            pending += new
        ends = reached(base.connection, [one])
        if {key for key, chain in places.items() if key <= ends.get(chain, 0)} != walked:
            return False
    return True


def neighbours(base: Database) -> list[tuple[object, ...]]:
    """Return what the arrays of neighbours say, in ids; that they lead against the order of rows
    is left out, since that is of the rows.
    """
    ids = dict(base.connection.execute("SELECT key, id FROM node").fetchall())
    arrays = Adjacency(base.connection)
    found = []
    ways: tuple[Direction, ...] = ("up", "down")
    for way in ways:
        told = arrays.of(way, LINEAGE)
        pairs = [(key, far) for key in range(told.size) for far in told.of(key)]
        assert pairs == sorted(set(pairs))
        assert told.against == [(a, b) for a, b in pairs if a <= b and way == "up"]
        groups = {(a >> GROUP_SHIFT, b >> GROUP_SHIFT) for a, b in pairs}
        assert groups >= {(a, b) for a, some in arrays.groups([way], LINEAGE).items() for b in some}
        assert groups == {(a, a) for a, b in groups if a == b} | {
            (a, b) for a, some in arrays.groups([way], LINEAGE).items() for b in some
        }
        found += [("adjacency", way, ids[a], ids[b], "", "") for a, b in pairs]
    return sorted(found)


def said(base: Database) -> list[tuple[object, ...]]:
    """Return what the columns of what versions say have, in ids."""
    ids = dict(base.connection.execute("SELECT key, id FROM node").fetchall())
    found = [
        ("said", *column, number, ids[key]) for column, number, key in sayings(base.connection)
    ]
    assert len(found) == len(set(found))
    return sorted(found)


@contextmanager
def reading(how: str) -> Iterator[None]:
    """Read new commits as ``streams`` or as ``objects``, however few or many; never the other way.

    Where streams cannot be had, objects are read; here that is an error.
    """

    def few(
        git: GitRepo, heads: Iterable[str], known: Any, limit: int | None = None
    ) -> NewCommits | None:
        if how == "objects":
            return one_by_one(git, heads, known)
        assert limit is not None, "streams were given up"
        return None

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("veml_vcs.lineage.sync.one_by_one", few)
        yield


def both_ways(root: Path) -> list[tuple[object, ...]]:
    """Return all of a graph that is built anew, which is the same read as streams or as objects."""
    with Repository(str(root)) as repo:
        base = database(repo)
        found = []
        for how in ("streams", "objects"):
            with reading(how):
                sync(repo, base, full=True)
            found.append(everything(base))
        base.close()
    assert found[0] == found[1]
    return found[0]


def follow(history: History) -> dict[str, tuple[Any, ...]]:
    """Follow a history; compare that with a graph that is built anew. Return the nodes by id."""
    with Repository(str(history.root)) as repo, database(repo) as base:
        before = generation(base)
        sync(repo, base)
        assert generation(base) == before
        check_reach(base)
        followed = everything(base)
        with Database("", repo.files) as anew:
            sync(repo, anew)
            assert followed == everything(anew)
    return {str(row[0]): row[1:] for row in followed if len(row) == 5}


def generation(base: Database) -> str:
    """Return what tells a graph that was followed from one that was made anew."""
    (value,) = base.connection.execute(
        "SELECT value FROM state WHERE name = ?", (GENERATION,)
    ).fetchone()
    return str(value)


def wander(history: History, chance: random.Random) -> str:
    """Do one thing that a team does to a history; return what."""
    here = history.root
    records = {
        kind: sorted(blob_id(path.read_bytes()) for path in here.glob(pattern))
        for kind, pattern in {
            "data": "d*.veml", "model": "models/*.veml", "training": "trainings/*.veml",
        }.items()
    }  # fmt: skip
    branches = history.git("branch", "--format=%(refname:short)").split()
    what = chance.choice(
        ["data", "data", "derived", "model", "training", "training", "tuned", "branch", "switch",
         "merge", "amend", "drop", "reset", "damage", "rm", "tag", "note", "misplace", "copy"]
    )  # fmt: skip
    number = chance.randrange(1, 5)
    one = {kind: chance.choice(found or ["ab" * 20]) for kind, found in records.items()}
    if what == "data":
        names = tuple(chance.sample(["car", "bus", "Bus", "tram"], 2))
        history.commit({f"d{chance.randrange(3)}.veml": data_record(number, names)})
    elif what == "derived":
        derived = {"operation": "filter", "arguments": {}, "from": [
            {"data": "d0", "version": one["data"], "tree": ZERO}]}  # fmt: skip
        history.commit({f"d{number}.veml": data_record(number, derived=derived)})
    elif what == "model":
        history.commit({f"models/m{number % 2}.veml": model_record(chance.choice([18, 50]))})
    elif what in ("training", "tuned"):
        start = one["training"] if what == "tuned" else None
        record = training_record(one["data"], one["model"], start, seed=number)
        history.commit({f"trainings/t{number}.veml": record})
    elif what == "damage":
        history.commit({"d7.veml": b'{\n "kind": "data",\n "veml": "%d"' % number})
    elif what == "note":  # of any version, so that it may go while the note stays
        drift = number % 2 == 0
        said = json.dumps(
            {"train": one["data"], "verdict": "drift", "report": {"p": number}} if drift
            else {"other": one["data"], "energy": number}
        )  # fmt: skip
        on = chance.choice([one for found in records.values() for one in found] or ["none"])
        history.git("notes", f"--ref=veml/{'drift' if drift else 'similar'}", "add", "-f", "-m",
                    said, on)  # fmt: skip
    elif what == "misplace":  # no model can stand here; its bytes may stand elsewhere too
        history.commit({f"x/m{number % 2}.veml": model_record(chance.choice([18, 50]))})
    elif what == "copy":
        there = sorted(here.glob("*.veml"))
        if there:
            name = f"copy{number}/{chance.choice('ab')}.veml"
            history.commit({name: chance.choice(there).read_bytes()})
    elif what == "rm":
        there = sorted(here.glob("**/*.veml"))
        if there:
            history.commit({str(chance.choice(there).relative_to(here)): None})
    elif what == "amend":
        history.git("commit", "-q", "--amend", "--allow-empty", "-m", f"amended {number}")
    elif what == "reset":
        history.git("reset", "-q", "--hard", chance.choice(["HEAD~1", "HEAD"]), code=0)
    elif what == "branch":
        history.git("checkout", "-q", "-B", f"b{number}")
    elif what == "switch":
        history.git("checkout", "-q", chance.choice(branches))
    elif what == "tag":
        history.git("tag", "-f", f"v{number}")
    elif what == "drop":
        others = [name for name in branches if name != history.git("branch", "--show-current")]
        if others:
            history.git("branch", "-D", chance.choice(others))
    else:
        history.git("merge", "-q", "-X", "ours", "--no-edit", chance.choice(branches))
    return what
