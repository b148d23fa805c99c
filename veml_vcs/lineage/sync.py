"""Bring the graph to where Git's history and the notes are: only what is new is read."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice

from veml_vcs.errors import (
    DamagedError,
    FormatError,
    InvalidInputError,
    NotFoundError,
    StorageError,
)
from veml_vcs.ids import VersionId
from veml_vcs.lineage.graph import VERSIONS, Edge
from veml_vcs.lineage.history import BulkError, History, many, one_by_one
from veml_vcs.lineage.records import check_place, compared, read_record
from veml_vcs.lineage.sqlite.database import FILE, Database
from veml_vcs.lineage.sqlite.rows import no_garbage
from veml_vcs.lineage.sqlite.write import Writer
from veml_vcs.lineage.told import Told, told
from veml_vcs.repository.git.notes import (
    COMPARISONS,
    NOTES_PREFIX,
    LostNotes,
    notes_stamp,
    read_notes,
)
from veml_vcs.repository.git.notes_changed import changed_notes
from veml_vcs.repository.git.repo import GitRepo
from veml_vcs.repository.git.walk import parents_stamp
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.repository import Repository

FEW = 200
"""So many new commits are read one by one; more are worth three processes."""
_LOT = 2000
"""Commits whose records are held in memory at a time."""
_ABSENT = "absent"
"""Name of a value in ``state``: versions whose bytes Git could not read."""
_TRIED = 200
_BETWEEN = "\n\n"
"""Stamps of notes of one kind and another."""
_REFUSED = (DamagedError, FormatError, InvalidInputError, NotFoundError)
"""What a record that cannot be taken is refused with."""
_NOTES = frozenset(NOTES_PREFIX + kind for kind in COMPARISONS)


@dataclass(frozen=True)
class Skipped:
    """A version whose record cannot be read, or a note on one.

    Attributes:
        version: Its id; empty where no note of a kind can be read.
        path: Where a commit has it; the ref of a note.
        reason: Why.
    """

    version: str
    path: str
    reason: str

    @property
    def is_note(self) -> bool:
        """Whether it is notes that cannot be read."""
        return self.path in _NOTES


@dataclass(frozen=True)
class Synced:
    """What a sync did.

    Attributes:
        commits: Commits that are new in the graph.
        versions: Versions that were read.
        removed: Commits that no ref reaches any more.
        skipped: All versions that could not be read, in order of path and id.
        unkept: Why the graph cannot be kept, so that all of history is read for each question;
            None if it is.
    """

    commits: int
    versions: int
    removed: int
    skipped: tuple[Skipped, ...] = ()
    unkept: str | None = None


def database(repo: Repository) -> Database:
    """Open the graph's file of a repository."""
    with suppress(StorageError):  # read-only; a plain git clone has no folder of ours yet
        repo.files.make_folder(repo.folder)
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
    try:
        done = _brought_up(repo, base, full, progress)
    except sqlite3.DatabaseError as error:
        base.recover(error)
        done = _brought_up(repo, base, full, progress)
    return replace(done, unkept=base.unkept)


def _brought_up(repo: Repository, base: Database, full: bool, progress: Progress) -> Synced:
    done = None
    while done is None:
        before = _states(base)
        heads = sorted(set(repo.git.all_commits()))
        notes = _BETWEEN.join(notes_stamp(repo, kind) for kind in COMPARISONS)
        ends = parents_stamp(repo.git)
        full = full or _came(repo.git, _absent(base))
        if not full and before == (" ".join(heads), notes, ends):
            return Synced(0, 0, 0, _skipped(base))
        try:
            stamps = (notes, ends)
            done = _as_streams(partial(_sync, repo, base, full, before, heads, stamps, progress))
        except (DamagedError, NotFoundError):
            # Git may have dropped meanwhile what a branch has left: git commit --amend, git gc.
            if heads == sorted(set(repo.git.all_commits())):
                raise
    return done


def _as_streams(change: Callable[..., Synced | None]) -> Synced | None:
    """Change the graph, with history as streams of git's where it can be had so."""
    try:
        with no_garbage():
            return change(streams=True)
    except BulkError:
        return change(streams=False)


def _sync(
    repo: Repository,
    base: Database,
    full: bool,
    seen: tuple[str | None, ...],
    heads: Sequence[str],
    stamps: tuple[str, str],
    progress: Progress,
    *,
    streams: bool,
) -> Synced | None:
    """Change the graph; None where another process was faster: what was read may be of before."""
    notes, ends = stamps
    with base.changing() as connection:
        if _states(base) != seen:
            return None
        # Where a shallow clone was deepened, there are new commits below those that are known.
        if full or _state(base, "ends") != ends:
            base.clear()
        writer = Writer(connection)
        before = (_state(base, "heads") or "").split()
        few = one_by_one(repo.git, heads, writer.kinds, FEW if streams else None)
        new = few or many(repo.git, heads, before, writer.kinds)
        commits = len(new.parents())
        if few:
            writer.stand(heads)
        versions, absent = _add(writer, new, progress)
        # Git leaves out commits that come from each other in a circle, as grafts can make it.
        if writer.owes or (not few and len(writer.kinds(heads)) < len(heads)):
            raise BulkError
        removed = writer.remove_commits(set(before) - set(heads), heads)
        if _state(base, "notes") != notes:
            about = _changed_notes(repo, _state(base, "notes"))
            lost: list[LostNotes] = []
            writer.replace_noted(_noted(repo, about, lost), about)
            writer.skip(_left_out(one) for one in lost)
            absent.update(one.blob.decode() for one in lost if one.blob)
            if any(one.version is None for one in lost):
                notes = ""  # they are looked for again, each time
        writer.settle()
        writer.state("heads", " ".join(heads))
        writer.state("notes", notes)
        writer.state("ends", ends)
        if absent:
            writer.state(_ABSENT, " ".join(sorted(absent.union(_absent(base)))))
    return Synced(commits, versions, removed, _skipped(base))


def _absent(base: Database) -> list[str]:
    return (_state(base, _ABSENT) or "").split()


def _came(git: GitRepo, absent: Iterable[str]) -> bool:
    """Tell whether Git can read now what it could not: fetched, or repaired.

    A partial clone can lack more than is worth trying at each question; what comes comes in lots.
    """
    for one in islice(absent, _TRIED):
        with suppress(DamagedError, NotFoundError):
            git.read_blob(VersionId(one))
            return True
    return False


def _states(base: Database) -> tuple[str | None, ...]:
    return tuple(_state(base, name) for name in ("heads", "notes", "ends"))


def _state(base: Database, name: str) -> str | None:
    row = base.connection.execute("SELECT value FROM state WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row[0])


def _skipped(base: Database) -> tuple[Skipped, ...]:
    rows = base.connection.execute(
        "SELECT version, min(path), reason FROM skipped GROUP BY version ORDER BY 2, 1"
    )
    return tuple(Skipped(*row) for row in rows)


def _add(writer: Writer, new: History, progress: Progress) -> tuple[int, set[str]]:
    """Add what is new; return how many versions that is, and those that Git cannot read."""
    versions = done = 0
    absent: set[str] = set()
    total = len(new.parents())
    arrived = new.arrived()
    while lot := list(islice(arrived, _LOT)):
        places: dict[str, dict[str, None]] = {}
        came: dict[str, int] = {}
        for number, commit in enumerate(lot):
            for item in commit.brought:
                places.setdefault(item.version, {})[item.path] = None
                came.setdefault(item.version, number)
        read = _read_versions(new, writer.kinds(places), places)
        # Rows in order of history: then edges lead from newer rows to older, and walks are short.
        read.said.sort(key=_order(came))
        writer.add_versions(read.said)
        writer.skip((one.version, _spelt(one.path), one.reason) for one in read.skipped)
        writer.add_commits([
            (one.node, one.parents, [
                item if item.path.isascii() else replace(item, path=_spelt(item.path))
                for item in one.brought if item.version in read.records
            ])
            for one in lot
        ])  # fmt: skip
        versions += len(read.said)
        absent |= read.absent
        done += len(lot)
        progress("reading the history", done, total)
    return versions, absent


def _spelt(path: str) -> str:
    """Return a path as text that SQLite takes; what is no UTF-8 there is told as bytes."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _order(came: Mapping[str, int]) -> Callable[[Told], tuple[int, int, str]]:
    return lambda one: (came[one.version], VERSIONS.index(one.kind), one.version)


@dataclass
class _Versions:
    """Versions that were read.

    Attributes:
        said: Of those that are new and sound.
        skipped: What cannot be taken, at each place where it stands.
        records: All that are records; a file that is called like one and is none brings nothing.
        absent: Those whose bytes Git does not have, or has damaged: they may come.
    """

    said: list[Told] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    records: set[str] = field(default_factory=set)
    absent: set[str] = field(default_factory=set)


def _read_versions(
    new: History, known: Mapping[str, str], places: Mapping[str, Iterable[str]]
) -> _Versions:
    found = _Versions(records=set(known))
    for version, kind in known.items():
        found.skipped += _misplaced(version, kind, places[version])
    for version, data in new.records(sorted(places.keys() - known.keys())):
        faults: list[Skipped] = []
        for path in places[version]:
            try:
                said = read_record(data(), version, _spelt(path))
            except _REFUSED as error:
                faults.append(Skipped(version, path, error.message))
                if isinstance(error, NotFoundError) or error.kind == "git-damaged":
                    found.absent.add(version)
                continue
            if said is not None:
                _take(found, told(said), places[version])
                faults = []
            break
        if faults:
            found.records.add(version)
            found.skipped += faults
    return found


def _take(found: _Versions, one: Told, paths: Iterable[str]) -> None:
    """Take a version that is sound, if it can stand where it does."""
    faults = _misplaced(one.version, one.kind, paths)
    if len(faults) < len(list(paths)):
        found.said.append(one)
    found.records.add(one.version)
    found.skipped += faults


def _misplaced(version: str, kind: str, paths: Iterable[str]) -> list[Skipped]:
    found = []
    for path in paths:
        try:
            check_place(kind, path)
        except FormatError as error:
            found.append(Skipped(version, path, error.message))
    return found


def _changed_notes(repo: Repository, stamps: str | None) -> set[VersionId] | None:
    """Return the versions on which the notes may be others; None is all, as ``changed_notes``."""
    before = (stamps or "").split(_BETWEEN)
    if stamps is None or len(before) != len(COMPARISONS):
        return None
    found: set[VersionId] = set()
    for kind, stamp in zip(COMPARISONS, before, strict=True):
        some = changed_notes(repo, kind, stamp)
        if some is None:
            return None
        found |= some
    return found


def _left_out(one: LostNotes) -> tuple[str, str, str]:
    """Return version, path and reason, as of a record."""
    return one.version or "", NOTES_PREFIX + one.kind, one.error.message


def _noted(repo: Repository, about: Container[str] | None, lost: list[LostNotes]) -> Iterator[Edge]:
    """List the edges that notes say, on some versions or on all.

    What is no comparison there is a stranger's, and left out; so is what cannot be read.
    """
    for kind in COMPARISONS:
        for version, note in read_notes(repo, kind, about, lost):
            for line in note.splitlines():
                try:
                    said = json.loads(line)
                except (ValueError, RecursionError):
                    continue  # fsck speaks of damage
                edge = compared(version, kind, said)
                if edge is not None:
                    yield edge
