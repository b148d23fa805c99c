"""A veml repository: a Git repository, and the store beside it.

This class only opens things and answers where they are; each command is a module of its own.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from veml_vcs.errors import DamagedError, FormatError, InvalidInputError, NotFoundError
from veml_vcs.ids import CommitId, VersionId
from veml_vcs.objects.files import Files
from veml_vcs.objects.lock import FileLock
from veml_vcs.repository.git.repo import GitRepo, TreeFile
from veml_vcs.repository.merging.finished import forget_finished
from veml_vcs.repository.merging.operation import HEAD_FILES
from veml_vcs.repository.revisions import resolve_commit
from veml_vcs.repository.worktree.unfinished import Unfinished
from veml_vcs.versions.data import (
    RECORD_SUFFIX,
    DataRecord,
    dataset_path,
    is_data_record,
    parse_data_record,
)

if TYPE_CHECKING:
    from veml_vcs.objects.local import LocalObjectStore
    from veml_vcs.objects.zarr_store import ZarrStore
    from veml_vcs.repository.dataset import Dataset
    from veml_vcs.repository.inferences.versions import InferenceVersion
    from veml_vcs.repository.trainings.versions import TrainingVersion
    from veml_vcs.samples.fragments.annotations import AnnotationReader
    from veml_vcs.samples.fragments.catalog import Catalog
    from veml_vcs.samples.fragments.content import ContentReader

STORE_FORMAT = 1
LOCK_TIMEOUT_SECONDS = 60.0
_LISTED = 20


def check_store_format(folder: str, files: Files) -> bool:
    """Tell whether there is a store in a folder, and refuse one that this veml cannot read.

    Raises:
        FormatError: A newer veml wrote it, or it is none.
    """
    path = os.path.join(folder, "format")
    if not files.exists(path):
        return False
    try:
        found = json.loads(bytes(files.read(path)))["format"]
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise FormatError(f"{path}: expected {{'format': {STORE_FORMAT}}}") from error
    if found != STORE_FORMAT:
        raise FormatError(
            f"the store has format {found!r}, this veml reads {STORE_FORMAT}",
            hint="pip install --upgrade veml",
            kind="newer-format",
        )
    return True


class Repository:
    """One opened veml repository.

    Args:
        path: The root of its work tree, or any folder below.
        files: All file operations of the store go through it.

    Raises:
        NotFoundError: ``path`` is in no Git repository.
        FormatError: A newer veml wrote the store.

    Attributes:
        unwritten: Files that the command under way could not write, and why: the store is damaged.
    """

    def __init__(self, path: str = ".", files: Files | None = None) -> None:
        self.files = files or Files()
        self.unwritten: dict[str, str] = {}
        self.git = GitRepo(path, self.files)
        self.root = self.git.root
        self.folder = os.path.join(self.git.common_folder, "veml")
        self.private_folder = os.path.join(self.git.control_folder, "veml")
        check_store_format(self.folder, self.files)

    def close(self) -> None:
        """Release mapped files."""
        if "store" in self.__dict__:
            self.store.close()
        self.git.close()

    def __enter__(self) -> Repository:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- the store -----------------------------------------------------------------------------

    @cached_property
    def store(self) -> LocalObjectStore:
        """The object store."""
        from veml_vcs.objects.local import LocalObjectStore

        return LocalObjectStore(self.folder, self.files)

    @cached_property
    def catalog(self) -> Catalog:
        """Where every row of every fragment lies."""
        from veml_vcs.samples.fragments.catalog import Catalog

        return Catalog(self.store, os.path.join(self.folder, "cache"), self.files)

    @cached_property
    def contents(self) -> ContentReader:
        """Reads samples and other files by id."""
        from veml_vcs.samples.fragments.content import ContentReader

        return ContentReader(self.catalog)

    @cached_property
    def annotations(self) -> AnnotationReader:
        """Reads annotations by id."""
        from veml_vcs.samples.fragments.annotations import AnnotationReader

        return AnnotationReader(self.catalog)

    @property
    def has_data(self) -> bool:
        """Whether this clone has a store at all; a plain ``git clone`` brings none."""
        return self.files.exists(os.path.join(self.folder, "format"))

    def create_store(self) -> None:
        """Make the store's folders where they are missing."""
        for folder in (self.folder, os.path.join(self.folder, "packs"), self._cache_folder()):
            self.files.make_folder(folder)
        self.files.make_folder(os.path.join(self.private_folder, "status"))
        path = os.path.join(self.folder, "format")
        if not self.files.exists(path):
            self.files.write_atomic(path, json.dumps({"format": STORE_FORMAT}).encode() + b"\n")

    @contextmanager
    def lock(self, purpose: str, timeout_seconds: float = LOCK_TIMEOUT_SECONDS) -> Iterator[None]:
        """Hold the lock of every command that changes something; sweep up after dead ones.

        Args:
            purpose: The command, for whoever has to wait.
            timeout_seconds: How long to wait for another process.

        Raises:
            LockedError: Another process held it for all that time; the message names it.
            DamagedError: Everything was done, but for files whose bytes are damaged in the store.
        """
        self.create_store()
        path = os.path.join(self.folder, "lock")
        with FileLock(path, timeout_seconds=timeout_seconds, purpose=purpose):
            self.git.dulwich.locks.sweep()
            waiting = any(self.git.read_state(name) is not None for name in HEAD_FILES.values())
            self.unfinished.sweep(merging=waiting)
            forget_finished(self)
            self.unwritten.clear()
            yield
            self._report_unwritten()

    def _report_unwritten(self) -> None:
        """End a command with an error that names the files whose bytes are damaged in the store."""
        unwritten = self.unwritten
        if not unwritten:
            return
        listed = [f"{os.path.relpath(path, self.root)}: {why}" for path, why in unwritten.items()]
        rest = f"\n  and {len(listed) - _LISTED} more" if len(listed) > _LISTED else ""
        raise DamagedError(
            f"{len(listed)} files could not be written, everything else was:\n  "
            + "\n  ".join(listed[:_LISTED])
            + rest,
            hint="veml fsck names all versions that are hit; veml fsck --repair mends them from a "
            "remote on this machine; with another clone: veml fsck --repair --from PATH",
            kind="unwritten",
        )

    @cached_property
    def unfinished(self) -> Unfinished:
        """Where a command notes which folders of the work tree it is writing."""
        return Unfinished(os.path.join(self.private_folder, "writing"), self.files)

    def statcache_path(self, path: str) -> str:
        """Return where the stat cache of a data set lies."""
        import hashlib

        name = hashlib.sha256(path.encode("utf-8", "surrogateescape")).hexdigest()[:32]
        return os.path.join(self.private_folder, "status", name)

    def _cache_folder(self) -> str:
        return os.path.join(self.folder, "cache")

    # -- paths ---------------------------------------------------------------------------------

    def relative(self, path: str) -> str:
        """Return a path on disk as a path from the repository's root.

        Raises:
            InvalidInputError: It is outside the repository, or inside ``.git``.
        """
        full = os.path.abspath(path)
        parent = os.path.realpath(os.path.dirname(full))
        full = os.path.join(parent, os.path.basename(full)) if full != os.sep else full
        if full == self.root or os.path.realpath(full) == self.root:
            return ""
        relative = os.path.relpath(full, self.root).replace(os.sep, "/")
        if relative == ".." or relative.startswith("../"):
            raise InvalidInputError(f"{path}: outside the repository at {self.root}")
        if relative == ".git" or relative.startswith(".git/"):
            raise InvalidInputError(f"{path}: inside .git")
        return relative

    def absolute(self, relative: str) -> str:
        """Return where a path from the repository's root lies on disk."""
        return os.path.join(self.root, relative) if relative else self.root

    def key_path(self, dataset: str, key: str) -> str:
        """Return where a key of a data set lies on disk."""
        if key.startswith("/"):
            return self.absolute(key[1:])
        return os.path.join(self.root, dataset, key)

    def write_file(self, relative: str, data: bytes) -> None:
        """Write a file of veml's own into the work tree (a record, an ignore file), durably.

        Args:
            relative: Its path from the root.
            data: All of its content.

        Raises:
            StorageError: The system says no.
        """
        path = self.absolute(relative)
        with self.unfinished.writing([os.path.dirname(path)]):
            self.files.write_atomic(path, data)

    # -- data sets -----------------------------------------------------------------------------

    def resolve(self, revision: str) -> CommitId:
        """Return the commit that a revision names; see ``revisions.resolve_commit``."""
        return resolve_commit(self.git, revision)

    def staged_datasets(self) -> dict[str, DataRecord]:
        """Return the data sets of the index: path of the folder -> record.

        During a merge with conflicts, a data set's record is the one in the work tree: what the
        merge decided so far.
        """
        found = self._records({path: file.blob for path, file in self.git.staged_files().items()})
        for path in self.git.conflicted_paths():
            full = self.absolute(path)
            if path.endswith(RECORD_SUFFIX) and os.path.isfile(full):
                data = bytes(self.files.read(full))
                if is_data_record(data) and (record := self._merged(data, path)) is not None:
                    found[dataset_path(path)] = record
        return found

    def _merged(self, data: bytes, path: str) -> DataRecord | None:
        """Return the record of a path in conflict; ours where git merged it by line."""
        try:
            return parse_data_record(data, path)
        except FormatError:
            ours = self.git.conflict_stages(path)[1]
            return None if ours is None else parse_data_record(self.git.read_blob(ours.blob), path)

    def datasets_at(self, commit: CommitId | None) -> dict[str, DataRecord]:
        """Return the data sets of a commit: path of the folder -> record."""
        return self.datasets_in(self.git.files(commit))

    def datasets_in(self, files: Mapping[str, TreeFile]) -> dict[str, DataRecord]:
        """Return the data sets of a Git tree: path of the folder -> record."""
        return self._records({path: file.blob for path, file in files.items()})

    def _records(self, blobs: dict[str, VersionId]) -> dict[str, DataRecord]:
        found = {}
        for path, blob in sorted(blobs.items()):
            if path.endswith(RECORD_SUFFIX):
                data = self.git.read_blob(blob)
                if is_data_record(data):
                    found[dataset_path(path)] = parse_data_record(data, path)
        return found

    def record_at(self, path: str, revision: str | None) -> DataRecord:
        """Return the record of a data set at a revision, or as staged (None).

        Raises:
            NotFoundError: There is no such data set there.
        """
        if revision is None:
            found, where = self.staged_datasets(), "the index"
        else:
            found, where = self.datasets_at(self.resolve(revision)), revision
        record = found.get(path)
        if record is None:
            known = ", ".join(list(found)[:8]) or "none"
            raise NotFoundError(
                f"no data set {path!r} in {where}; data sets there: {known}",
                hint=f"veml add {path}" if revision is None else None,
                kind="unknown-dataset",
            )
        return record

    def dataset(self, path: str, revision: str | None = None) -> Dataset:
        """Open a data set at a revision (None: as it is staged), read straight from the store.

        Raises:
            NotFoundError: There is no such data set there.
        """
        from veml_vcs.repository.dataset import dataset

        return dataset(self, path, revision)

    def training(self, spec: str) -> TrainingVersion:
        """Open a training version: ``NAME`` (as it is staged) or ``NAME@REV``.

        Raises:
            NotFoundError: There is no such training there.
        """
        from veml_vcs.repository.trainings.versions import open_training

        return open_training(self, spec)

    def inference(self, spec: str) -> InferenceVersion:
        """Open an inference version: ``NAME`` (as it is staged) or ``NAME@REV``.

        Raises:
            NotFoundError: There is no such inference version there.
        """
        from veml_vcs.repository.inferences.versions import open_inference

        return open_inference(self, spec)

    def zarr_store(self, path: str, revision: str | None = None) -> ZarrStore:
        """Return a data version's fragments as a read-only Zarr v3 store.

        Each fragment is a group named by the first 16 digits of its id; ``zarr.open_group(store)``
        lists them.

        Raises:
            NotFoundError: There is no such data set there.
        """
        from veml_vcs.samples.fragments.zarr_view import zarr_view

        return zarr_view(self.catalog, self.record_at(path, revision).tree)
