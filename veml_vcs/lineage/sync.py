"""Bring the graph to where Git's history and the notes are: only what is new is read."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from veml_vcs.errors import DamagedError, FormatError, InvalidInputError, NotFoundError
from veml_vcs.ids import CommitId, VersionId
from veml_vcs.lineage.graph import Edge, Node
from veml_vcs.lineage.records import Said, is_version, read_record
from veml_vcs.lineage.sqlite.database import FILE, Database
from veml_vcs.lineage.sqlite.write import Writer
from veml_vcs.repository.git.brought import Brought, Records
from veml_vcs.repository.git.notes import noted_versions, notes_stamp, read_note
from veml_vcs.repository.git.walk import all_parents
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.repository import Repository

_DRIFT_NOTES = "drift"
_LOT = 5000
"""Commits whose records are held in memory at a time."""
_TEXT = 200


@dataclass(frozen=True)
class Skipped:
    """A version whose record cannot be read.

    Attributes:
        version: Its id.
        path: Where a commit has it.
        reason: Why.
    """

    version: str
    path: str
    reason: str


@dataclass(frozen=True)
class Synced:
    """What a sync did.

    Attributes:
        commits: Commits that are new in the graph.
        versions: Versions that were read.
        removed: Commits that no ref reaches any more.
        skipped: All versions that could not be read, in order of path and id.
    """

    commits: int
    versions: int
    removed: int
    skipped: tuple[Skipped, ...] = ()


def database(repo: Repository) -> Database:
    """Open the graph's file of a repository."""
    return Database(os.path.join(repo.folder, FILE), repo.files)


def sync(
    repo: Repository, base: Database, *, full: bool = False, progress: Progress = silent
) -> Synced:
    """Bring the graph to where the history is.

    Commits that any branch, tag, remote-tracking branch, stash or HEAD reaches are in it.

    Args:
        repo: The repository.
        base: The graph.
        full: Read all of it again.
        progress: Is told how many commits were read.

    Raises:
        StorageError: Another process keeps it locked.
        DamagedError: A commit or a tree of Git's is damaged.
    """
    heads = sorted(set(repo.git.all_commits()))
    notes = notes_stamp(repo, _DRIFT_NOTES)
    shallow = _shallow(repo)
    before = tuple(_state(base, name) for name in ("heads", "notes", "shallow"))
    if not full and before == (" ".join(heads), notes, shallow):
        return Synced(0, 0, 0, _skipped(base))
    with base.changing() as connection:
        # Where a shallow clone was deepened, there are new commits below those that are known.
        if full or _state(base, "shallow") != shallow:
            base.clear()
        writer = Writer(connection)
        new = _new_commits(repo, base, heads)
        removed = 0
        if _rewritten(base, heads, new):
            below = {parent for one in new.values() for parent in one.parents}
            marks = ", ".join(f"'{one}'" for one in sorted({*heads, *below} - new.keys()))
            reached = (
                "WITH RECURSIVE old (key) AS (SELECT key FROM node WHERE id IN "
                f"({marks}) UNION SELECT e.target FROM edge e JOIN old "
                "ON e.source = old.key WHERE e.kind = 'parent') SELECT key FROM old"
            )
            removed = writer.keep_commits(reached)
        count = _add(repo, base, writer, new, progress)
        if _state(base, "notes") != notes:
            writer.replace_drift(_drift(repo))
        writer.settle()
        writer.state("heads", " ".join(heads))
        writer.state("notes", notes)
        writer.state("shallow", shallow)
    return Synced(len(new), count, removed, _skipped(base))


def _state(base: Database, name: str) -> str | None:
    row = base.connection.execute("SELECT value FROM state WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row[0])


def _skipped(base: Database) -> tuple[Skipped, ...]:
    rows = base.connection.execute(
        "SELECT s.version, min(b.path), s.reason FROM skipped s JOIN brought b USING (version) "
        "GROUP BY s.version ORDER BY 2, 1"
    )
    return tuple(Skipped(*row) for row in rows)


def _known(base: Database, ids: Sequence[str]) -> set[str]:
    rows = base.connection.execute(
        "SELECT id FROM node WHERE id IN (SELECT value FROM json_each(?)) AND known",
        (json.dumps(list(ids)),),
    )
    return {row[0] for row in rows}


@dataclass(frozen=True)
class _Read:
    """A commit that was read."""

    node: Node
    parents: tuple[str, ...]
    tree: bytes


def _new_commits(repo: Repository, base: Database, heads: Sequence[CommitId]) -> dict[str, _Read]:
    """Return the commits that are not in the graph, and read nothing that is older."""
    parents_of = all_parents(repo.git)
    found: dict[str, _Read] = {}
    known = _known(base, heads)
    layer: list[str] = [one for one in heads if one not in known]
    while layer:
        parents: dict[str, None] = {}
        for one in layer:
            commit = repo.git.commit(CommitId(one))
            above = tuple(parent.decode() for parent in parents_of(commit))
            node = _node(one, commit.message, commit.author, commit.commit_time)
            found[one] = _Read(node, above, commit.tree)
            parents |= dict.fromkeys(above)
        known = _known(base, list(parents))
        layer = [one for one in parents if one not in known and one not in found]
    return found


def _node(one: str, message: bytes, author: bytes, seconds: int) -> Node:
    subject = message.decode("utf-8", "replace").split("\n", 1)[0]
    name = author.decode("utf-8", "replace").split(" <")[0]
    return Node(one, "commit", subject[:_TEXT], {"time": seconds, "author": name[:_TEXT]})


def _rewritten(base: Database, heads: Sequence[str], new: Mapping[str, _Read]) -> bool:
    """Tell whether a commit that was a head is one no more, and nothing new stands on it."""
    before = (_state(base, "heads") or "").split()
    below = {parent for one in new.values() for parent in one.parents}
    return any(one not in heads and one not in below for one in before)


def _add(
    repo: Repository,
    base: Database,
    writer: Writer,
    new: Mapping[str, _Read],
    progress: Progress,
) -> int:
    records = Records(repo.git)
    versions = 0
    order = _oldest_first(new)
    for start in range(0, len(order), _LOT):
        lot = {one: _brought(repo, records, new, new[one]) for one in order[start : start + _LOT]}
        paths = {item.version: item.path for items in lot.values() for item in items}
        known = _known(base, list(paths))
        said, skipped = _read_versions(repo, {v: p for v, p in paths.items() if v not in known})
        # A file that is called like a record and is none brings nothing.
        records_of = known | {one.node.id for one in said} | {one.version for one in skipped}
        writer.add_versions(said)
        writer.add_commits(
            [
                (new[one].node, [item for item in items if item.version in records_of])
                for one, items in lot.items()
            ]
        )
        writer.skip((one.version, one.reason) for one in skipped)
        versions += len(said)
        progress("reading the history", min(start + _LOT, len(order)), len(order))
    writer.add_parents((one, new[one].parents) for one in order)
    return versions


def _oldest_first(new: Mapping[str, _Read]) -> list[str]:
    """Return commits, each after its parents: questions rely on the order of their rows."""
    order: dict[str, None] = {}
    entered: set[str] = set()
    for start in list(new)[::-1]:
        pending = [start]
        while pending:
            here = pending[-1]
            if here in entered:  # its parents are through; grafts can make a circle of commits
                order[pending.pop()] = None
            else:
                entered.add(here)
                pending += [one for one in new[here].parents if one in new and one not in entered]
    return list(order)


def _brought(
    repo: Repository, records: Records, new: Mapping[str, _Read], one: _Read
) -> list[Brought]:
    trees = [
        new[parent].tree if parent in new else repo.git.commit(CommitId(parent)).tree
        for parent in one.parents
    ]
    return list(records.brought(one.tree, trees))


def _read_versions(repo: Repository, wanted: Mapping[str, str]) -> tuple[list[Said], list[Skipped]]:
    said, skipped = [], []
    for version, path in sorted(wanted.items()):
        try:
            one = read_record(repo.git.read_blob(VersionId(version)), version, path)
        except (DamagedError, FormatError, InvalidInputError, NotFoundError) as error:
            skipped.append(Skipped(version, path, error.message))
            continue
        if one is not None:
            said.append(one)
    return said, skipped


def _shallow(repo: Repository) -> str:
    """Return the commits at which a shallow clone ends."""
    return (repo.git.read_state("shallow") or b"").decode("ascii", "replace")


def _drift(repo: Repository) -> Iterator[Edge]:
    for version in noted_versions(repo, _DRIFT_NOTES):
        for line in (read_note(repo, _DRIFT_NOTES, version) or b"").splitlines():
            try:
                said = json.loads(line)
            except ValueError:
                continue  # a note of a stranger's; fsck speaks of damage
            if not isinstance(said, dict) or not is_version(said.get("train")):
                continue
            report = said.get("report")
            numbers = {
                name: one
                for name, one in (report if isinstance(report, dict) else {}).items()
                if isinstance(one, int | float | str)
            }
            verdict = {
                name: said[name] for name in ("verdict", "embedder")
                if isinstance(said.get(name), str)
            }  # fmt: skip
            yield Edge(version, "drifted_from", said["train"], numbers | verdict)
