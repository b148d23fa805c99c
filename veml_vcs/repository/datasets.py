"""Write a data set's record into the work tree and the index; tell which path belongs where."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from veml_vcs.errors import ConflictError
from veml_vcs.repository.git.ignore import ignore_line, with_line, without_line
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.worktree.held import note_held
from veml_vcs.versions.data import RECORD_SUFFIX, DataRecord, is_data_record


def stage_record(repo: Repository, path: str, record: DataRecord) -> None:
    """Write and stage ``<path>.veml`` and the ``.gitignore`` lines that belong to it.

    Files of the data set that Git tracked so far leave its index: veml has them now.
    """
    staged = {path + RECORD_SUFFIX: record.to_bytes()}
    for ignored in (path + "/", *record.annotations):
        file, line = ignore_line(ignored)
        old = staged.get(file, _read(repo, file))
        new = with_line(old, line)
        if new != old or not _stages_line(repo, file, line):
            staged[file] = new
    for file, data in staged.items():
        if _read(repo, file) != data:
            repo.files.make_folder(os.path.dirname(repo.absolute(file)))
            repo.write_file(file, data)
    repo.git.stage_blobs(staged)
    # What the folder has beyond that is an uncommitted change from now on.
    note_held(repo, path, record)
    outside = set(record.annotations)
    known = [one for one in repo.git.staged_files() if owner_of([path], one) or one in outside]
    if known:
        repo.git.unstage(known)


def _stages_line(repo: Repository, file: str, line: str) -> bool:
    """Tell whether the index's version of an ignore file has a line (a kill may come between)."""
    data = _staged(repo, file)
    return data is not None and with_line(data, line) == data


def _staged(repo: Repository, file: str) -> bytes | None:
    staged = repo.git.staged_files().get(file)
    return None if staged is None else repo.git.read_blob(staged.blob)


def refuse_foreign_record(repo: Repository, path: str) -> None:
    """Refuse to write a record over a file of the user's.

    Raises:
        ConflictError: ``<path>.veml`` is there and is no record of a data version.
    """
    record = repo.absolute(path + RECORD_SUFFIX)
    if os.path.lexists(record) and not (
        os.path.isfile(record) and is_data_record(bytes(repo.files.read(record)))
    ):
        raise ConflictError(
            f"{path}{RECORD_SUFFIX}: the record of the data set belongs here, but another file is",
            hint="rename it",
            kind="would-lose-changes",
        )


def unstage_record(repo: Repository, path: str, record: DataRecord) -> None:
    """Remove ``<path>.veml`` and its ``.gitignore`` lines from the work tree and the index."""
    changed: dict[str, bytes] = {}
    for ignored in (path + "/", *record.annotations):
        file, line = ignore_line(ignored)
        old = changed.get(file, _read(repo, file))
        new = without_line(old, line)
        # On disk it may be done already, by a run of this that was killed.
        if new != old or (not old and _staged(repo, file) == os.fsencode(line) + b"\n"):
            changed[file] = new
    gone = [path + RECORD_SUFFIX, *(file for file, data in changed.items() if not data)]
    for file, data in changed.items():
        if data:
            repo.write_file(file, data)
    for file in gone:
        if os.path.lexists(repo.absolute(file)):
            repo.files.remove(repo.absolute(file))
            remove_empty_folders(repo, os.path.dirname(file))
    repo.git.unstage(gone)
    note_held(repo, path, None)
    repo.git.stage_blobs({file: data for file, data in changed.items() if data})


def remove_empty_folders(repo: Repository, folder: str) -> None:
    """Remove a folder that nothing is left in, and those above it, as Git does."""
    while folder and repo.files.remove_folder(repo.absolute(folder)):
        folder = os.path.dirname(folder)


def owner_of(datasets: Iterable[str], path: str) -> str | None:
    """Return the data set whose folder is ``path`` or holds it, or None."""
    for dataset in datasets:
        if path == dataset or path.startswith(dataset + "/"):
            return dataset
    return None


def selector(paths: Iterable[str]) -> Callable[[str], bool]:
    """Return a test whether a path is one of ``paths`` or below one; ``""`` is above all."""
    wanted = set(paths)
    if "" in wanted:
        return lambda _path: True
    return lambda path: (
        path in wanted
        or any(path[:i] in wanted for i, char in enumerate(path) if char == "/" and i)
    )


def _read(repo: Repository, file: str) -> bytes:
    path = repo.absolute(file)
    return bytes(repo.files.read(path)) if os.path.exists(path) else b""
