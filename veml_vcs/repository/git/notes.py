"""Facts about versions, kept as Git notes: they travel with the history and never change an id."""

from __future__ import annotations

import json
import stat
import time
from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from dulwich.notes import Notes
from dulwich.objects import Commit, ObjectID, Tree
from dulwich.refs import Ref

from veml_vcs.errors import DamagedError, InvalidInputError
from veml_vcs.ids import VersionId, short
from veml_vcs.repository.repository import Repository

NOTES_PREFIX = "refs/notes/veml/"
TRACKING_PREFIX = "refs/veml/remotes/"
"""Where the notes of a remote are fetched to, below its name: beside ours, never over them."""

COMPARISONS = ("drift", "similar")
"""Kinds whose notes are lines of JSON, one a comparison with another version."""

_LINES = (*COMPARISONS, "measured")
"""Kinds whose notes are lines, each a fact of its own: those of two clones are joined."""

_MOST_BACK = 100

_NOBODY = b"veml <veml@localhost>"


_Blobs = dict[VersionId, ObjectID]


class LostNotes(NamedTuple):
    """What cannot be read of the notes of one kind.

    Attributes:
        kind: It.
        version: What the note is on; None is all of them.
        blob: The note.
        error: Why.
    """

    kind: str
    version: VersionId | None
    blob: ObjectID | None
    error: DamagedError


def read_note(repo: Repository, kind: str, version: VersionId) -> bytes | None:
    """Return the note of one kind on a version, or None; ours, or else what a remote says.

    Raises:
        DamagedError: It is damaged, and no remote's is here; the hint is how to do without it.
    """
    return _read(repo, kind, version, _tables(repo, kind, version))


def read_notes(
    repo: Repository,
    kind: str,
    about: Container[str] | None = None,
    lost: list[LostNotes] | None = None,
) -> Iterator[tuple[VersionId, bytes]]:
    """Yield each version that has a note of one kind, with the note; see ``read_note``.

    Args:
        repo: The repository.
        kind: Of the notes.
        about: Of these versions alone; None is of all.
        lost: Takes what cannot be read, which is left out then; None raises.

    Raises:
        DamagedError: One is damaged, or what lists them, and no remote's is here.
    """
    tables = list(_tables(repo, kind))
    try:
        versions = _versions(tables)
    except DamagedError as error:
        if lost is None:
            raise
        lost.append(LostNotes(kind, None, None, error))
        return
    for version in versions:
        if about is None or version in about:
            try:
                note = _read(repo, kind, version, tables) or b""
            except DamagedError as error:
                if lost is None:
                    raise
                blobs = (one.get(version) for _, one in tables if isinstance(one, dict))
                lost.append(LostNotes(kind, version, next(filter(None, blobs), None), error))
            else:
                yield version, note


def _read(
    repo: Repository,
    kind: str,
    version: VersionId,
    tables: Iterable[tuple[Ref, _Blobs | DamagedError]],
) -> bytes | None:
    damage: DamagedError | None = None
    for ref, blobs in tables:
        if isinstance(blobs, DamagedError):
            damage = damage or blobs
            continue
        blob = blobs.get(version)
        if blob is None:
            continue
        try:
            found: bytes = repo.git.dulwich.object_store[blob].as_raw_string()
        except (DamagedError, KeyError) as error:
            damage = damage or DamagedError(
                f"the note {kind} of version {short(version)} cannot be read: {error}",
                hint=f"git notes --ref={ref.decode()} remove {version} does without it",
                kind="git-damaged",
            )
            continue
        return found
    if damage is not None:
        raise damage
    return None


def _tables(
    repo: Repository, kind: str, only: VersionId | None = None
) -> Iterator[tuple[Ref, _Blobs | DamagedError]]:
    """Yield the refs of notes of one kind, ours first, with the blobs of each, or its damage."""
    for ref in _refs(repo, kind):
        try:
            blobs = note_blobs(repo, ref, only)
        except DamagedError as error:
            yield ref, _all_damaged(repo, ref, error)
        else:
            yield ref, blobs


def _versions(tables: Iterable[tuple[Ref, _Blobs | DamagedError]]) -> list[VersionId]:
    found: dict[VersionId, None] = {}
    damage: DamagedError | None = None
    for _, blobs in tables:
        if isinstance(blobs, DamagedError):
            damage = damage or blobs
        else:
            found |= dict.fromkeys(blobs)
    if damage is not None and not found:
        raise damage
    return list(found)


def note_blobs(repo: Repository, ref: Ref, only: VersionId | None = None) -> _Blobs:
    """Return the notes of one ref, version -> blob; reads none of them.

    Args:
        repo: The repository.
        ref: The ref.
        only: Look for the note on this version; folders where it cannot be are not read.

    Raises:
        DamagedError: The notes' commit or a tree cannot be read.
    """
    store = repo.git.dulwich.object_store
    try:
        tip = store[repo.git.dulwich.refs[ref]]
        pending = [("", tip.tree)] if isinstance(tip, Commit) else []
        found: _Blobs = {}
        while pending:
            above, sha = pending.pop()
            tree = store[sha]
            for name, mode, one in tree.items() if isinstance(tree, Tree) else ():
                path = above + name.decode("ascii", "replace")
                if only is not None and not only.startswith(path):
                    continue
                if stat.S_ISDIR(mode):
                    pending.append((path, one))  # an id is cut into folders where there are many
                elif only is None or only == path:
                    found[VersionId(path)] = one
    except KeyError as error:
        raise DamagedError(
            f"Git does not have the object {error} of {ref.decode()}", kind="git-damaged"
        ) from error
    return found


def _all_damaged(repo: Repository, ref: Ref, error: DamagedError) -> DamagedError:
    """Return the error for notes none of which can be found, with how to go back, or on."""
    older = _older_notes(repo, ref)
    name = ref.decode()
    if older is not None:
        hint = f"git update-ref {name} {older.decode()} goes back to the notes before"
    else:
        hint = f"git update-ref -d {name} drops them, and a git fetch brings those of a remote"
    return DamagedError(
        f"the notes of {name} cannot be read: {error.message}", hint=hint, kind="git-damaged"
    )


def _older_notes(repo: Repository, ref: Ref) -> ObjectID | None:
    """Return the newest commit behind the tip of notes whose notes can be found."""
    store = repo.git.dulwich.object_store
    try:
        tip = store[repo.git.dulwich.refs[ref]]
        for _ in range(_MOST_BACK):
            if not isinstance(tip, Commit) or not tip.parents:
                return None
            one = tip.parents[0]
            tip = store[one]
            with suppress(DamagedError, KeyError):
                if isinstance(tip, Commit):
                    store[tip.tree]
                    return ObjectID(one)
    except (DamagedError, KeyError):
        return None
    return None


def write_note(repo: Repository, kind: str, version: VersionId, content: bytes) -> None:
    """Set the note of one kind on a version, replacing the one that is there.

    Args:
        repo: The repository.
        kind: Part of the ref below ``refs/notes/veml/``.
        version: The record's blob id.
        content: The note.
    """
    with repo.lock(f"writing the note {kind}"), repo.git.batch():
        notes = Notes(repo.git.dulwich.object_store, repo.git.dulwich.refs)
        notes.set_note(
            version.encode(),
            content,
            _ref(kind),
            author=_NOBODY,
            committer=_NOBODY,
            message=f"veml: {kind} of {version[:10]}".encode(),
        )


def add_comparisons(
    repo: Repository, kind: str, version: VersionId, said: Iterable[Mapping[str, Any]]
) -> None:
    """Add comparisons of a version with others to its note; those that are there stay alone.

    Args:
        repo: The repository.
        kind: One of ``COMPARISONS``.
        version: The record's blob id.
        said: JSON values of each comparison.
    """
    before = read_note(repo, kind, version) or b""
    lines = dict.fromkeys(before.splitlines())
    new = dict.fromkeys(json.dumps(one, sort_keys=True).encode() for one in said)
    if new.keys() - lines.keys():
        content = b"".join(line + b"\n" for line in lines | new)
        write_note(repo, kind, version, content)


def noted_versions(repo: Repository, kind: str) -> list[VersionId]:
    """List the versions that have a note of one kind, here or at a remote.

    Raises:
        DamagedError: None can be found, because what lists them is damaged.
    """
    return _versions(_tables(repo, kind))


def notes_stamp(repo: Repository, kind: str) -> str:
    """Return what tells the notes of one kind from those of another time."""
    refs = repo.git.dulwich.refs
    found = [(name.decode("utf-8", "replace"), refs[name].decode()) for name in _refs(repo, kind)]
    return "\n".join(f"{name} {commit}" for name, commit in found)


def tracking_refs(repo: Repository, remote: str | None = None) -> dict[str, list[Ref]]:
    """Return the refs of notes that were fetched, by kind.

    Args:
        repo: The repository.
        remote: Of one remote; None is of all.
    """
    found: dict[str, list[Ref]] = {}
    start = TRACKING_PREFIX.encode()
    for name in sorted(repo.git.dulwich.refs.allkeys()):
        if name.startswith(start):
            of, _, kind = name[len(start) :].partition(b"/")
            if remote is None or of == remote.encode():
                found.setdefault(kind.decode("utf-8", "replace"), []).append(Ref(name))
    return found


def local_kinds(repo: Repository) -> list[str]:
    """Return the kinds of notes that there are here, those of remotes left out."""
    start = NOTES_PREFIX.encode()
    return [
        name[len(start) :].decode("utf-8", "replace")
        for name in sorted(repo.git.dulwich.refs.allkeys())
        if name.startswith(start)
    ]


def join_notes(repo: Repository, remote: str, kind: str) -> None:
    """Add the notes of a remote to ours, so that ours can be pushed there.

    Of a version that both have a note on, those of ``_LINES`` are joined; of any other
    kind ours stays: a summary says the same of the same version.

    Args:
        repo: The repository.
        remote: The remote, whose notes were fetched.
        kind: Which notes.
    """
    git = repo.git.dulwich
    ours = _ref(kind)
    theirs = next(iter(tracking_refs(repo, remote).get(kind, ())), None)
    if theirs is None or ours not in git.refs:
        return
    with repo.lock(f"joining the notes {kind}"):
        notes = Notes(git.object_store, git.refs)
        left, right = git.refs[ours], git.refs[theirs]
        for sha, _ in notes.list_notes(theirs):
            new = notes.get_note(sha, theirs) or b""
            old = notes.get_note(sha, ours)
            lines = [] if old is None else old.splitlines()
            if old is None:
                joined = new
            elif kind in _LINES:
                extra = [line for line in new.splitlines() if line not in lines]
                joined = b"".join(line + b"\n" for line in [*lines, *extra])
            else:
                joined = old
            if joined != old:
                notes.set_note(
                    sha, joined, ours, author=_NOBODY, committer=_NOBODY,
                    message=f"veml: {kind} of {sha.decode()[:10]}".encode(),
                )  # fmt: skip
        tip = git.object_store[git.refs[ours]]
        assert isinstance(tip, Commit)
        joint = Commit()
        joint.tree, joint.parents = tip.tree, [left, right]
        joint.author = joint.committer = _NOBODY
        joint.author_time = joint.commit_time = int(time.time())
        joint.author_timezone = joint.commit_timezone = 0
        joint.message = f"veml: join the notes {kind} of {remote}".encode()
        git.object_store.add_object(joint)
        git.refs[ours] = joint.id


def _refs(repo: Repository, kind: str) -> list[Ref]:
    """Return the refs that hold notes of one kind, ours first."""
    every = [_ref(kind), *tracking_refs(repo).get(kind, [])]
    return [one for one in every if repo.git.dulwich.refs.follow(one)[1]]


def _ref(kind: str) -> Ref:
    if not kind.replace("-", "").replace("/", "").replace(".", "").isalnum():
        raise InvalidInputError(f"not a kind of note: {kind!r}")
    return Ref((NOTES_PREFIX + kind).encode())
