"""One data version as a value: its files, what is said of its samples, and how to read them.

Operations turn one of these into a ``Draft`` (``rewrite``); nothing here looks at the disk.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from veml_vcs.errors import FormatError, NotFoundError
from veml_vcs.ids import VersionId
from veml_vcs.repository.git.repo import blob_id
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.revisions import parse_data_spec
from veml_vcs.samples.facts import Annotation, Facts
from veml_vcs.samples.formats import Layout, detect
from veml_vcs.samples.images import image_shape
from veml_vcs.samples.query import Conditions, SampleScope, Selector
from veml_vcs.samples.tree import Entry, EntryKind, Tree
from veml_vcs.versions.data import DataRecord


@dataclass(frozen=True)
class DataVersion:
    """One data version, read from the store when asked.

    Attributes:
        repo: The repository.
        path: The data set's folder, from the repository's root.
        revision: As the user named it; None is what is staged.
        record: Its record.
    """

    repo: Repository
    path: str
    revision: str | None
    record: DataRecord

    @property
    def id(self) -> VersionId:
        """The version id: the Git blob id of the record."""
        return blob_id(self.record.to_bytes())

    @property
    def facts(self) -> Facts:
        """Format, classes, layout."""
        return self.record.facts

    @property
    def name(self) -> str:
        """How messages call it."""
        return self.path if self.revision is None else f"{self.revision}:{self.path}"

    @cached_property
    def entries(self) -> dict[str, Entry]:
        """Key -> entry of everything in it, in key order."""
        return dict(Tree(self.repo.store, self.record.tree).items())

    @cached_property
    def samples(self) -> dict[str, Entry]:
        """Key -> entry of its samples."""
        return {key: one for key, one in self.entries.items() if one.kind is EntryKind.SAMPLE}

    @cached_property
    def said(self) -> dict[str, Annotation]:
        """Key -> annotation, also of samples that are only named in an annotation file."""
        wanted = {key: one.annotation for key, one in self.entries.items() if one.annotation}
        found = self.repo.annotations.read_many(set(wanted.values()))
        return {key: found[one] for key, one in wanted.items()}

    @cached_property
    def layout(self) -> Layout:
        """How its files play together."""
        keys = [key for key, one in self.entries.items() if one.content is not None]
        return detect(keys, self.read, wanted=self.facts.format)

    def read(self, key: str) -> bytes:
        """Return the bytes of a sample or file.

        Raises:
            NotFoundError: There is no such file.
        """
        entry = self.entries.get(key)
        if entry is None or entry.content is None:
            raise NotFoundError(f"{self.name}: no sample or file {key!r}", kind="no-such-path")
        return self.repo.contents.read(entry.content)

    def size_of(self, key: str) -> tuple[int, int] | None:
        """Return an image's width and height from its bytes; None where it is no image."""
        entry = self.entries.get(key)
        if entry is None or entry.content is None:
            return None
        try:
            return image_shape(self.repo.contents.read(entry.content))
        except FormatError:
            return None

    def scopes(self) -> Iterator[SampleScope]:
        """Yield every sample as expressions see it, in key order."""
        for key, entry in self.samples.items():
            yield SampleScope(key, entry.size, self.said.get(key), self.size_of)

    def chosen(self, selector: Selector) -> dict[str, SampleScope]:
        """Return the samples that meet conditions.

        Raises:
            InvalidInputError: A condition names what is nowhere in the data set.
        """
        if not selector.conditions:
            return {one.key: one for one in self.scopes()}
        classes = [one.name for one in self.facts.classes]
        selector.check_names(self.said.values(), classes)
        return {one.key: one for one in self.scopes() if selector.chooses(one)}

    def origin(self) -> dict[str, Any]:
        """Return what ``derived`` says of a source."""
        return {"data": self.path, "version": self.id, "tree": self.record.tree.hex()}


def open_version(repo: Repository, spec: str, revision: str | None = None) -> DataVersion:
    """Open a data version.

    Args:
        repo: The repository.
        spec: ``PATH`` (as staged), ``REV:PATH`` or ``PATH@REV``.
        revision: A revision, instead of one in ``spec``.

    Raises:
        NotFoundError: There is no such data version.
        InvalidInputError: Two revisions are given.
    """
    from veml_vcs.errors import InvalidInputError

    if revision is not None:
        if ":" in spec:
            raise InvalidInputError(f"{spec!r} names a revision, and so does --rev {revision}")
        path = spec.rstrip("/")
        return DataVersion(repo, path, revision, repo.record_at(path, revision))
    path, revision = parse_data_spec(spec)
    return DataVersion(repo, path, revision, repo.record_at(path, revision))


def derivation(
    operation: str, sources: list[DataVersion], arguments: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the field ``derived`` of a version that an operation made; see design note 016."""
    return {
        "operation": operation,
        "arguments": dict(arguments),
        "from": [one.origin() for one in sources],
    }


__all__ = ["Conditions", "DataVersion", "derivation", "open_version"]
