"""What the merge of a data set has come to so far, before any of it is stored."""

from __future__ import annotations

from collections.abc import Mapping

from veml_vcs.errors import NotFoundError
from veml_vcs.ids import AnnotationId, SampleId, digest
from veml_vcs.repository.repository import Repository
from veml_vcs.samples.facts import Annotation
from veml_vcs.samples.formats import ReadFile
from veml_vcs.samples.tree import Entry, EntryKind


class Draft:
    """Entries, annotations and files, begun as our version.

    Args:
        repo: The repository.
        path: The data set's folder.
        ours: Our version's entries.

    Attributes:
        repo: As given.
        path: As given.
        ours: As given; stays as it is.
        entries: Key -> entry of the merged version.
        annotations: Annotations that the merge made, by id.
        known: Annotations of the store that were read, by id.
        made: Files that the merge made: key -> bytes.
    """

    def __init__(self, repo: Repository, path: str, ours: Mapping[str, Entry]) -> None:
        self.repo = repo
        self.path = path
        self.ours = ours
        self.entries = dict(ours)
        self.annotations: dict[AnnotationId, Annotation] = {}
        self.known: dict[AnnotationId, Annotation] = {}
        self.made: dict[str, bytes] = {}

    def apply(self, changes: Mapping[str, Entry | None]) -> None:
        """Change entries; None removes one."""
        for key, entry in changes.items():
            if entry is None:
                self.entries.pop(key, None)
            else:
                self.entries[key] = entry

    def put(self, key: str, data: bytes) -> None:
        """Take a file that was made as one of the merged version's."""
        self.made[key] = data
        old = self.entries.get(key)
        self.entries[key] = Entry(
            EntryKind.FILE, SampleId(digest(data)), None, len(data), bool(old and old.executable)
        )

    def files(self) -> list[str]:
        """Return the keys that have bytes, sorted."""
        return files_of(self.entries)

    def said(self, entries: Mapping[str, Entry] | None = None) -> dict[str, Annotation]:
        """Return what the merged version says of every sample, or of some entries."""
        wanted = {
            key: entry.annotation
            for key, entry in (self.entries if entries is None else entries).items()
            if entry.annotation is not None
        }
        unread = {one for one in wanted.values() if one not in self.annotations}
        self.known.update(self.repo.annotations.read_many(unread - self.known.keys()))
        return {
            key: self.annotations[one] if one in self.annotations else self.known[one]
            for key, one in wanted.items()
        }

    def read(self, key: str) -> bytes:
        """Return the bytes of a file of the merged version.

        Raises:
            NotFoundError: It has none of that key.
        """
        return self.made[key] if key in self.made else self.stored(self.entries)(key)

    def stored(self, entries: Mapping[str, Entry]) -> ReadFile:
        """Return what reads files of some entries from the store."""

        def read(key: str) -> bytes:
            entry = entries.get(key)
            if entry is None or entry.content is None:
                raise NotFoundError(f"{self.path}: the merge has no file {key}")
            return self.repo.contents.read(entry.content)

        return read


def files_of(entries: Mapping[str, Entry]) -> list[str]:
    """Return the keys of entries that have bytes, sorted."""
    return sorted(key for key, entry in entries.items() if entry.content is not None)
