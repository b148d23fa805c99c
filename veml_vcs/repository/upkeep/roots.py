"""What garbage collection must not touch, as Git sees it: every record that anything leads to.

Git's side is read here with more patience than anywhere else: what is missing or damaged is named
and widens what is kept, it never narrows it. Nothing is written. A second look costs what is new.
"""

from __future__ import annotations

import contextlib
import hashlib
import heapq
import os
import re
import stat
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from dulwich.errors import ChecksumMismatch, FileFormatException, ObjectFormatException
from dulwich.index import ConflictedIndexEntry, Index, IndexEntry
from dulwich.objects import Blob, Commit, ObjectID, ShaFile, Tag, Tree

from veml_vcs.errors import DamagedError, FormatError, VemlError
from veml_vcs.ids import TreeId, VersionId, short
from veml_vcs.repository.git.notes import NOTES_PREFIX
from veml_vcs.repository.records.check import read_checked
from veml_vcs.repository.records.place import trees_of
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.upkeep.own_files import (
    files_below,
    names_in,
    read_file,
    unfinished_files,
    work_trees,
)
from veml_vcs.versions.data import RECORD_SUFFIX, DataRecord, is_data_record, parse_data_record
from veml_vcs.versions.kinds import StoredPart

_OBJECT = re.compile(rb"(?<![0-9a-f])[0-9a-f]{40}(?![0-9a-f])")
_WORD = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_STATE_FILE = re.compile(r"[A-Z][A-Z_]*")
_NO_STATE = re.compile(r"lock|gate|lineage\.sqlite(-\w+)?")
"""The graph of the lineage is made of what there was when it was last asked; it keeps nothing."""
_STATE_FOLDERS = ("rebase-merge", "rebase-apply", "sequencer")
_SUMMARIES = "refs/notes/veml/summary/"
_NULL = b"0" * 40
_DAMAGED = (
    zlib.error,
    ChecksumMismatch,
    FileFormatException,
    ObjectFormatException,
    DamagedError,
    AssertionError,
    ValueError,
    OSError,
)


@dataclass(frozen=True)
class FoundRecord:
    """A record that something leads to.

    Attributes:
        name: Where it was found first, as ``commit:path``, ``index:path`` or ``file:path``.
        words: Every digest of 32 bytes that its text names.
        record: What it says, if it is the record of a data version.
        parts: The heavy parts of a training or inference version.
    """

    name: str
    words: frozenset[bytes]
    record: DataRecord | None
    parts: Mapping[str, StoredPart] = field(default_factory=dict)


@dataclass
class Roots:
    """Everything that is reachable on Git's side, found so far.

    Attributes:
        records: Blob (or, for a file that is not staged, its text's blob id) -> record.
        words: Digests that files of a merge or of notes name.
        problems: What could not be read, and where.
        named: Records of models, trainings and inference versions that are not as veml writes them,
            and why; what they name is kept all the same.
        unreadable: Records that only a newer veml can read.
        paths: Every path that the record of a data version lies at -> where that was seen first.
    """

    records: dict[VersionId, FoundRecord] = field(default_factory=dict)
    words: set[bytes] = field(default_factory=set)
    problems: dict[str, str] = field(default_factory=dict)
    named: dict[str, str] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)


class RootFinder:
    """Looks for roots, as often as asked; each look adds what is new.

    Args:
        repo: The repository.
    """

    def __init__(self, repo: Repository) -> None:
        self.found = Roots()
        self._repo = repo
        self._store = repo.git.dulwich.object_store
        self._seen: set[bytes] = set()
        self._everything = False
        self._shallow: set[bytes] = set()

    def look(self) -> Roots:
        """Find all roots.

        Raises:
            StorageError: The system does not let us read Git's files.
        """
        self._store = self._repo.git.dulwich.object_store
        self._shallow = set(_OBJECT.findall(read_file(self._repo.git.common_folder, "shallow")))
        doubt = bool(self.found.problems)
        notes: dict[str, bytes] = {}
        for where, sha in self._starts(notes):
            doubt |= not self._reach(sha, where)
        for name, sha in notes.items():
            self._note(name, sha)
        for folder, root in work_trees(self._repo):
            doubt |= not self._index(folder, root)
        if os.path.isdir(os.path.join(self._repo.git.common_folder, "reftable")):
            self.found.unreadable["refs"] = "refs are kept as a reftable, which veml cannot read"
        if doubt and not self._everything:
            self._everything = True
            self._keep_everything()
        return self.found

    def unreachable(self) -> Iterator[tuple[str, VersionId, tuple[TreeId, ...]]]:
        """List the versions that Git has and nothing leads to: name, version id, trees.

        Those of commits come first, newest commits first; a name begins with the commit, or with
        ``staged:`` where no commit has it.
        """
        commits: list[Commit] = []
        loose: list[tuple[VersionId, tuple[TreeId, ...]]] = []
        for sha in self._store:
            if sha in self._seen:
                continue
            one = self._get(sha)
            if isinstance(one, Commit):
                commits.append(one)
            elif isinstance(one, Blob) and (trees := _trees(one.data)):
                loose.append((VersionId(sha.decode()), trees))
        listed = set(self.found.records)
        for commit in _newest_first(commits):
            for path, found in self._record_blobs(commit.tree, set()):
                version = VersionId(found.decode())
                blob = self._get(found) if version not in listed else None
                if isinstance(blob, Blob) and (trees := _trees(blob.data)):
                    listed.add(version)
                    name = f"{short(commit.id.decode(), 7)}:{path.removesuffix(RECORD_SUFFIX)}"
                    yield name, version, trees
        for version, trees in loose:
            if version not in listed:
                listed.add(version)
                yield f"staged:{short(version)}", version, trees

    # -- where to begin ------------------------------------------------------------------------

    def _starts(self, notes: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
        """List what Git's own files name; notes of veml go into ``notes`` instead."""
        common = self._repo.git.common_folder
        for line in read_file(common, "packed-refs").splitlines():
            sha, _, name = line.partition(b" ")
            if _OBJECT.fullmatch(sha):
                yield from _ref(os.fsdecode(name), sha, notes)
        for folder in dict.fromkeys((common, *(one for one, _ in work_trees(self._repo)))):
            for path in files_below(folder, "refs"):
                for sha in _OBJECT.findall(read_file(folder, path)):
                    yield from _ref(path.replace(os.sep, "/"), sha, notes)
            for path in files_below(folder, "logs"):
                if not path.replace(os.sep, "/").startswith("logs/" + NOTES_PREFIX):
                    for line in read_file(folder, path).splitlines():
                        for sha in line.split(b" ", 2)[:2]:
                            if sha != _NULL and _OBJECT.fullmatch(sha):
                                yield f"the reflog {path}", sha
            yield from self._state(folder)

    def _state(self, folder: str) -> Iterator[tuple[str, bytes]]:
        """List the objects that files of a merge, rebase and so on name."""
        paths = [name for name in names_in(folder) if _STATE_FILE.fullmatch(name)]
        for below in _STATE_FOLDERS:
            paths += files_below(folder, below)
        private = os.path.join(folder, "veml")
        mine = [
            os.path.join("veml", name)
            for name in names_in(private)
            if os.path.isfile(os.path.join(private, name)) and not _NO_STATE.fullmatch(name)
        ]
        for path in paths + mine + unfinished_files(folder):
            data = read_file(folder, path)
            self.found.words.update(bytes.fromhex(one.decode()) for one in _WORD.findall(data))
            for sha in set(_OBJECT.findall(data)):
                if ObjectID(sha) in self._store:
                    yield path, sha

    # -- what is below -------------------------------------------------------------------------

    def _reach(self, start: bytes, where: str) -> bool:
        """Take all records below an object; False if some of it is missing or damaged."""
        pending = [(start, where)]
        sound = True
        while pending:
            sha, named = pending.pop()
            if sha in self._seen:
                continue
            self._seen.add(sha)
            one = self._get(sha)
            if one is None:
                self._problem(f"object {sha.decode()}", f"missing or damaged; {named} needs it")
                sound = False
            elif isinstance(one, Commit):
                if sha not in self._shallow:
                    pending += [(parent, f"commit {short(sha.decode())}") for parent in one.parents]
                sound &= self._tree(one.tree, short(sha.decode(), 7))
            elif isinstance(one, Tag):
                pending.append((one.object[1], f"the tag {where}"))
            elif isinstance(one, Tree):
                sound &= self._tree(sha, short(sha.decode(), 7), again=True)
            elif isinstance(one, Blob):
                self._record(sha, one.data, f"{where}:{short(sha.decode())}")
        return sound

    def _tree(self, tree: bytes, commit: str, *, again: bool = False) -> bool:
        missing: set[bytes] = set()
        if again:
            self._seen.discard(tree)
        for path, sha in self._record_blobs(tree, missing, self._seen):
            if sha not in self._seen:
                self._seen.add(sha)
                one = self._get(sha)
                if isinstance(one, Blob):
                    self._record(sha, one.data, f"{commit}:{path}")
                else:
                    missing.add(sha)
            self._place(sha, path, f"{commit}:{path}")
        for lost in missing:
            self._problem(f"object {lost.decode()}", f"missing or damaged; {commit} needs it")
        return not missing

    def _record_blobs(
        self, tree: bytes, missing: set[bytes], seen: set[bytes] | None = None
    ) -> Iterator[tuple[str, bytes]]:
        """List the blobs below a tree that may be records, and their paths."""
        pending = [("", tree)]
        while pending:
            above, sha = pending.pop()
            if seen is not None:
                place = sha + os.fsencode(above)  # a record counts at each path it lies at
                if place in seen:
                    continue
                seen.add(place)
            one = self._get(sha)
            if not isinstance(one, Tree):
                missing.add(sha)
                continue
            for entry in one.items():
                assert entry.path is not None
                assert entry.mode is not None
                assert entry.sha is not None
                path = above + os.fsdecode(entry.path)
                if stat.S_ISDIR(entry.mode):
                    pending.append((path + "/", entry.sha))
                elif stat.S_ISREG(entry.mode) and path.endswith(RECORD_SUFFIX):
                    yield path, entry.sha

    def _index(self, folder: str, root: str | None) -> bool:
        """Take the records of an index, and the files of those records in its work tree."""
        paths: set[str] = set()
        sound = True
        shared = [name for name in names_in(folder) if name.startswith("sharedindex.")]
        for name in ("index", *shared):
            full = os.path.join(folder, name)
            if not os.path.exists(full):
                continue
            try:
                entries = dict(Index(full).items())
            except (*_DAMAGED, EOFError, KeyError) as error:
                self._problem(full, f"cannot be read: {error!r:.200}")
                sound = False
                continue
            for raw, entry in entries.items():
                path = os.fsdecode(raw)
                if path.endswith(RECORD_SUFFIX):
                    paths.add(path)
                    for sha in _stages(entry):
                        sound &= self._blob(sha, f"index:{path}", path)
        if root is not None:
            for path in sorted(paths):
                full = os.path.join(root, path)
                if os.path.isfile(full) and not os.path.islink(full):
                    data = read_file(root, path)
                    self._record(Blob.from_string(data).id, data, f"file:{path}")
        return sound

    def _blob(self, sha: bytes, name: str, path: str) -> bool:
        if sha in self._seen:
            self._place(sha, path, name)
            return True
        self._seen.add(sha)
        one = self._get(sha)
        if isinstance(one, Blob):
            self._record(sha, one.data, name)
            self._place(sha, path, name)
            return True
        self._problem(f"object {sha.decode()}", f"missing or damaged; {name} needs it")
        return False

    def _note(self, name: str, sha: bytes) -> None:
        """Take the versions that the notes of one ref are about, or speak of."""
        commit = self._get(sha)
        files = _note_files(self._get, commit.tree) if isinstance(commit, Commit) else {}
        for path, blob in files.items():  # from what the note is about to its text
            version = path.replace("/", "").encode()
            speaks_of = {version} if _OBJECT.fullmatch(version) else set()
            note = None if name.startswith(_SUMMARIES) else self._get(blob)
            if isinstance(note, Blob):
                speaks_of.update(_OBJECT.findall(note.data))
                words = _WORD.findall(note.data)
                self.found.words.update(bytes.fromhex(one.decode()) for one in words)
            for one in speaks_of:
                if one not in self._seen and ObjectID(one) in self._store:
                    self._reach(one, f"a note of {name.removeprefix(NOTES_PREFIX)}")

    def _keep_everything(self) -> None:
        """Count every record that Git has anywhere: what hangs below the damage is among them."""
        for sha in self._store:
            if sha not in self._seen:
                one = self._get(sha)
                if isinstance(one, Blob) and b'"veml"' in one.data:
                    self._seen.add(sha)
                    self._record(sha, one.data, f"kept:{short(sha.decode())}")

    def _record(self, sha: bytes, data: bytes, name: str) -> None:
        version = VersionId(sha.decode())
        if version in self.found.records:
            return
        words = frozenset(bytes.fromhex(one.decode()) for one in _WORD.findall(data))
        record = None
        if is_data_record(data):
            try:
                record = parse_data_record(data, name)
            except FormatError as error:
                if error.kind == "newer-format":
                    self.found.unreadable[name] = error.message
                else:
                    self.found.problems[name] = error.message
        named, problem = read_checked(data, name)
        if problem is not None:
            self.found.named[name] = problem
        if words or record is not None:
            self.found.records[version] = FoundRecord(
                name.removesuffix(RECORD_SUFFIX),
                words,
                record,
                {} if named is None else named.parts,
            )

    def _place(self, sha: bytes, path: str, name: str) -> None:
        """Remember that the record of a data version lies at a path."""
        found = self.found.records.get(VersionId(sha.decode()))
        if found is not None and found.record is not None:
            self.found.paths.setdefault(path, name)

    def _get(self, sha: bytes) -> ShaFile | None:
        """Return an object of Git whose bytes fit its id; None if there is none."""
        try:
            found = self._store[ObjectID(sha)]
            raw = found.as_raw_string()
            # Read what is asked of it here, where whatever is wrong with it is caught.
            if isinstance(found, Commit):
                _ = found.tree, found.parents, found.commit_time
            elif isinstance(found, Tree):
                found.items()
            elif isinstance(found, Tag):
                _ = found.object
        except (KeyError, *_DAMAGED):
            return None
        head = b"%s %d\0" % (found.type_name, len(raw))
        # dulwich takes the name of a file for the id of what is in it.
        return found if hashlib.sha1(head + raw).hexdigest().encode() == sha else None

    def _problem(self, what: str, why: str) -> None:
        self.found.problems.setdefault(what, why)


def _newest_first(commits: Iterable[Commit]) -> Iterator[Commit]:
    """Order commits by time, children before parents whatever their clocks said."""
    by_id = {one.id: one for one in commits}
    children = dict.fromkeys(by_id, 0)
    for one in by_id.values():
        for parent in one.parents:
            if parent in children:
                children[parent] += 1
    ready = [(-by_id[sha].commit_time, sha) for sha, count in children.items() if not count]
    heapq.heapify(ready)
    while ready:
        commit = by_id[heapq.heappop(ready)[1]]
        yield commit
        for parent in commit.parents:
            if parent in children:
                children[parent] -= 1
                if not children[parent]:
                    heapq.heappush(ready, (-by_id[parent].commit_time, parent))


def _trees(data: bytes) -> tuple[TreeId, ...]:
    """Return the trees of any kind of version; none of what is no sound record of one."""
    with contextlib.suppress(VemlError):
        return trees_of(data, "")
    return ()


def _stages(entry: IndexEntry | ConflictedIndexEntry) -> Iterable[bytes]:
    if isinstance(entry, ConflictedIndexEntry):
        return [one.sha for one in (entry.ancestor, entry.this, entry.other) if one is not None]
    return [entry.sha]


def _note_files(get: object, tree: bytes) -> dict[str, bytes]:
    """Return the files of a notes tree: path (the object's id, cut by slashes) -> blob."""
    found: dict[str, bytes] = {}
    pending = [("", tree)]
    while pending:
        above, sha = pending.pop()
        one = get(sha)  # type: ignore[operator]
        if isinstance(one, Tree):
            for entry in one.items():
                if entry.path is not None and entry.mode is not None and entry.sha is not None:
                    path = f"{above}{os.fsdecode(entry.path)}"
                    if stat.S_ISDIR(entry.mode):
                        pending.append((path + "/", entry.sha))
                    else:
                        found[path] = entry.sha
    return found


def _ref(name: str, sha: bytes, notes: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    if name.startswith(NOTES_PREFIX):
        notes[name] = sha  # a loose ref is read after the packed one, and is the newer
    else:
        yield name, sha
