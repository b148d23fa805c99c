"""The named records of a commit, of the index or of the work tree, and one version by its name."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

from veml_vcs.errors import DamagedError, FormatError, InvalidInputError, NotFoundError
from veml_vcs.ids import ObjectId, VersionId, short
from veml_vcs.repository.absent import fetch_command
from veml_vcs.repository.damage import MEND
from veml_vcs.repository.git.repo import TreeFile, blob_id
from veml_vcs.repository.repository import Repository
from veml_vcs.samples.facts import Annotation
from veml_vcs.versions.kinds import M, R, RecordKind


class VersionSpec(NamedTuple):
    """Which version is meant.

    Attributes:
        name: The model, training or inference version's name.
        revision: The commit; None is what is staged.
    """

    name: str
    revision: str | None

    def __str__(self) -> str:
        """Return ``NAME`` or ``NAME@REV``."""
        return self.name if self.revision is None else f"{self.name}@{self.revision}"


@dataclass(frozen=True)
class NamedVersion(Generic[R]):
    """One version; its heavy parts are read from the store when asked for.

    Attributes:
        repository: The repository.
        name: The name.
        revision: The commit, as the user named it; None is what is staged.
        record: What it is.
    """

    kind: ClassVar[RecordKind[Any]]

    repository: Repository
    name: str
    revision: str | None
    record: R

    @property
    def id(self) -> VersionId:
        """The version id: the Git blob id of the record."""
        return blob_id(self.record.to_bytes())

    @property
    def label(self) -> str:
        """The version as the user named it: ``NAME`` or ``NAME@REV``."""
        return str(VersionSpec(self.name, self.revision))

    @contextmanager
    def reading(self, part: str) -> Iterator[None]:
        """Name the version in errors of what is read from the store.

        Args:
            part: Which of the record's parts is read.

        Raises:
            NotFoundError: This clone's store does not have it.
            DamagedError: What is stored is not what the record says.
        """
        named = f"{self.kind.name} {self.label}"
        found = self.record.parts.get(part)
        if found is not None and found.tree not in self.repository.store:
            with suppress(NotFoundError):
                # A pack that cannot be read is named.
                self.repository.store.size(ObjectId(found.tree))
            raise NotFoundError(
                f"{named}: its {part} ({short(found.tree)}) is not in this clone",
                hint=fetch_command(self.repository, self.revision),
                kind="data-missing",
            )
        try:
            yield
        except (DamagedError, NotFoundError) as error:
            told = type(error)(f"{named}, {part}: {error.message}", hint=MEND, kind=error.kind)
            told.object_id = error.object_id
            raise told from error


class MeasuredVersion(NamedVersion[M]):
    """One version of a kind that was measured on data, and keeps what was said of it."""

    def predictions(self) -> dict[str, dict[str, Annotation]]:
        """Return what was said of samples: data set's folder -> key -> what.

        Raises:
            NotFoundError: This clone's store does not have them.
            DamagedError: What is stored is not what the record says.
        """
        from veml_vcs.repository.records.predictions import read_predictions

        facts = self.record.predictions
        if facts is None:
            return {}
        with self.reading("predictions"):
            return read_predictions(self.repository, facts.tree, self.record.data)


V = TypeVar("V", bound=NamedVersion[Any])


@dataclass(frozen=True)
class Records(Generic[R]):
    """The records of one kind in one state.

    Attributes:
        records: Name -> record.
        unreadable: Path of a file that says it is such a record and is none -> why not.
    """

    records: Mapping[str, R]
    unreadable: Mapping[str, FormatError]


def parse_spec(kind: RecordKind[Any], text: str) -> VersionSpec:
    """Split ``NAME`` or ``NAME@REV``; the record's path is as good as the name.

    Raises:
        InvalidInputError: It is neither.
    """
    name, sign, revision = text.partition("@")
    if sign and not revision:
        raise InvalidInputError(f"{text!r}: no revision after the @", hint=f"{name}@HEAD")
    return VersionSpec(kind.check(kind.bare_name(name)), revision or None)


def records_in(repo: Repository, kind: RecordKind[R], files: Mapping[str, TreeFile]) -> Records[R]:
    """Return the records of a kind in a Git tree, or in the index."""
    records: dict[str, R] = {}
    unreadable = {}
    for path in sorted(filter(kind.may_be, files)):
        data = repo.git.read_blob(files[path].blob)
        if kind.is_record(data):
            try:
                records[kind.name_of(path)] = kind.parse(data, path)
            except FormatError as error:
                unreadable[path] = error
    return Records(records, unreadable)


def files_at(repo: Repository, revision: str | None) -> Mapping[str, TreeFile]:
    """Return the files of a commit, or those that are staged (None).

    Raises:
        NotFoundError: There is no such revision.
    """
    if revision is None:
        return repo.git.staged_files()
    return repo.git.files(repo.resolve(revision))


def open_version(repo: Repository, version: type[V], spec: VersionSpec | str) -> V:
    """Return one version.

    Args:
        repo: The repository.
        version: Of which kind.
        spec: ``NAME`` (as staged) or ``NAME@REV``.

    Raises:
        NotFoundError: There is no such version there.
        FormatError: What lies there is no such record.
    """
    kind = version.kind
    wanted = parse_spec(kind, spec) if isinstance(spec, str) else spec
    found = records_in(repo, kind, files_at(repo, wanted.revision))
    path = kind.path(wanted.name)
    if path in found.unreadable:
        raise found.unreadable[path]
    if wanted.name not in found.records:
        where = wanted.revision or "the index"
        known = ", ".join(list(found.records)[:8]) or "none"
        hint = kind.make_hint(wanted.name)
        if wanted.revision is not None:
            hint = f"veml {kind.name} ls {wanted.revision}"
        raise NotFoundError(
            f"no {kind.name} {wanted.name!r} in {where}; {kind.plural} there: {known}",
            hint=hint,
            kind=f"unknown-{kind.name}",
        )
    return version(repo, wanted.name, wanted.revision, found.records[wanted.name])


def record_on_disk(repo: Repository, kind: RecordKind[R], path: str) -> R | None:
    """Return the record that lies in the work tree; None if none of this kind does.

    Raises:
        FormatError: It says it is one, and is none.
    """
    full = repo.absolute(path)
    if os.path.islink(full) or not os.path.isfile(full):
        return None
    data = bytes(repo.files.read(full))
    return kind.parse(data, path) if kind.is_record(data) else None


def record_of_file(
    repo: Repository, kind: RecordKind[R], path: str, file: TreeFile | None
) -> R | None:
    """Return the record that a file of Git's is; None if it is none of this kind, or unreadable."""
    data = b"" if file is None else repo.git.read_blob(file.blob)
    if not kind.is_record(data):
        return None
    try:
        kind.name_of(path)
        return kind.parse(data, path)
    except FormatError:
        return None
