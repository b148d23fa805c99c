"""Facts about versions, kept as Git notes: they travel with the history and never change an id."""

from __future__ import annotations

import time

from dulwich.notes import Notes
from dulwich.objects import Commit, ObjectID
from dulwich.refs import Ref

from veml_vcs.errors import InvalidInputError
from veml_vcs.ids import VersionId
from veml_vcs.repository.repository import Repository

NOTES_PREFIX = "refs/notes/veml/"
TRACKING_PREFIX = "refs/veml/remotes/"
"""Where the notes of a remote are fetched to, below its name: beside ours, never over them."""

_NOBODY = b"veml <veml@localhost>"


def read_note(repo: Repository, kind: str, version: VersionId) -> bytes | None:
    """Return the note of one kind on a version, or None; ours, or else what a remote says."""
    notes = Notes(repo.git.dulwich.object_store, repo.git.dulwich.refs)
    for ref in _refs(repo, kind):
        found = notes.get_note(version.encode(), ref)
        if found is not None:
            return found
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


def noted_versions(repo: Repository, kind: str) -> list[VersionId]:
    """List the versions that have a note of one kind, here or at a remote."""
    notes = Notes(repo.git.dulwich.object_store, repo.git.dulwich.refs)
    found: dict[VersionId, None] = {}
    for ref in _refs(repo, kind):
        for sha, _ in notes.list_notes(ref):
            found[VersionId(ObjectID(sha).decode())] = None
    return list(found)


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

    Of a version that both have a note on, lines of comparisons (``drift``) are joined; of any other
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
            elif kind == "drift":
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
    ours = _ref(kind)
    there = [ours] if ours in repo.git.dulwich.refs else []
    return there + tracking_refs(repo).get(kind, [])


def _ref(kind: str) -> Ref:
    if not kind.replace("-", "").replace("/", "").replace(".", "").isalnum():
        raise InvalidInputError(f"not a kind of note: {kind!r}")
    return Ref((NOTES_PREFIX + kind).encode())
