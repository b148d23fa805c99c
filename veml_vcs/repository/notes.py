"""Facts about versions, kept as Git notes: they travel with the history and never change an id."""

from __future__ import annotations

from dulwich.notes import Notes
from dulwich.objects import ObjectID
from dulwich.refs import Ref

from veml_vcs.errors import InvalidInputError
from veml_vcs.ids import VersionId
from veml_vcs.repository.repository import Repository

NOTES_PREFIX = "refs/notes/veml/"
_NOBODY = b"veml <veml@localhost>"


def read_note(repo: Repository, kind: str, version: VersionId) -> bytes | None:
    """Return the note of one kind on a version, or None."""
    notes = Notes(repo.git.dulwich.object_store, repo.git.dulwich.refs)
    return notes.get_note(version.encode(), _ref(kind))


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
    """List the versions that have a note of one kind."""
    git = repo.git.dulwich
    ref = _ref(kind)
    if ref not in git.refs:
        return []
    notes = Notes(git.object_store, git.refs)
    return [VersionId(ObjectID(sha).decode()) for sha, _ in notes.list_notes(ref)]


def _ref(kind: str) -> Ref:
    if not kind.replace("-", "").replace("/", "").replace(".", "").isalnum():
        raise InvalidInputError(f"not a kind of note: {kind!r}")
    return Ref((NOTES_PREFIX + kind).encode())
