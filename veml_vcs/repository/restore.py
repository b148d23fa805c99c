"""``veml restore``: bring files, samples or whole data sets back from a version."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from veml_vcs.errors import NotFoundError
from veml_vcs.repository.absent import require_here
from veml_vcs.repository.datasets import owner_of, selector, stage_record, unstage_record
from veml_vcs.repository.git.repo import TreeFile
from veml_vcs.repository.pathspec import expand
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.sparse.left_out import NOTHING, left_out
from veml_vcs.repository.sparse.rule import followers
from veml_vcs.repository.worktree.changes import entries_of, folder_changes
from veml_vcs.repository.worktree.held import load_held, note_held
from veml_vcs.repository.worktree.materialize import (
    note_gaps,
    remember,
    require_contents,
    write_changes,
)
from veml_vcs.repository.worktree.plain_files import unstaged_paths, write_plain
from veml_vcs.samples.tree import Change, Gap, encode_key
from veml_vcs.versions.data import RECORD_SUFFIX, DataRecord, parse_data_record


@dataclass(frozen=True)
class RestoreResult:
    """What was restored.

    Attributes:
        datasets: Data set -> number of files written or removed.
        files: Ordinary files.
    """

    datasets: dict[str, int]
    files: tuple[str, ...] = ()


def restore(
    repo: Repository,
    paths: Sequence[str],
    *,
    source: str | None = None,
    staged: bool = False,
    worktree: bool = True,
    progress: Progress = silent,
) -> RestoreResult:
    """Bring paths back, throwing away their uncommitted changes; untracked files are left alone.

    Args:
        repo: The repository.
        paths: Data sets, files in them, or ordinary files, on disk.
        source: A revision; None is the index, or HEAD with ``staged``.
        staged: Restore the index (data sets as a whole).
        worktree: Restore the work tree.
        progress: Is told how far it is.

    Raises:
        NotFoundError: A path is in no version.
    """
    with repo.lock("veml restore"):
        commit = repo.resolve(source or "HEAD") if source or staged else None
        old_staged = repo.staged_datasets()
        files = repo.git.files(commit) if commit else repo.git.staged_files()
        datasets = repo.datasets_in(files)
        wanted: dict[str, list[str]] = {}
        plain: list[str] = []
        for path in expand(repo, paths, commit=commit):
            relative = repo.relative(path)
            owner = owner_of({**datasets, **old_staged}, relative)
            outside = [name for name, one in datasets.items() if relative in one.annotations]
            inside = [name for name in datasets if not relative or name.startswith(relative + "/")]
            for name in [owner] if owner else [*outside, *inside]:
                wanted.setdefault(name, []).append(relative)
            if owner is None and not outside:
                found = _plain(relative, files, datasets)
                if not found and not inside:
                    raise NotFoundError(
                        f"{path}: not in {source or 'the index'}", kind="no-such-path"
                    )
                plain += found
        for name, parts in wanted.items():
            _refuse_unknown(repo, name, parts, datasets.get(name), old_staged.get(name), source)
        done: dict[str, int] = {}
        for name, parts in wanted.items():
            record = datasets.get(name)
            whole = _whole(name, parts)
            if worktree:
                require_here(repo, name, record, source)
                only = _selector(name, parts)
                done[name] = _restore_data(
                    repo,
                    name,
                    record,
                    old_staged.get(name),
                    only,
                    whole,
                    {part[len(name) + 1 :] for part in parts if part.startswith(name + "/")},
                    progress,
                )
                if whole and source is None and record is not None:
                    _restore_record(repo, name, record)
            if staged:
                # Last: which files are to be removed follows from what was staged before.
                _stage(repo, name, files.get(name + RECORD_SUFFIX), old_staged.get(name))
        restored = _restore_files(repo, {path: files[path] for path in plain}, staged, worktree)
    return RestoreResult({name: count for name, count in done.items() if count}, restored)


def _refuse_unknown(
    repo: Repository,
    name: str,
    parts: list[str],
    record: DataRecord | None,
    staged: DataRecord | None,
    source: str | None,
) -> None:
    """Refuse a path inside a data set that no version in question has."""
    inner = [part for part in parts if part.startswith(name + "/")]
    if not inner:
        return
    gaps: list[Gap] = []
    known = entries_of(repo, record, gaps).keys() | entries_of(repo, staged, gaps).keys()
    for part in inner:
        if not any(map(_selector(name, [part]), known)) and not _within(gaps, name, [part]):
            raise NotFoundError(f"{part}: not in {source or 'the index'}", kind="no-such-path")


def _plain(relative: str, files: dict[str, TreeFile], datasets: dict[str, DataRecord]) -> list[str]:
    records = {name + RECORD_SUFFIX for name in datasets}
    return [
        path
        for path in files
        if path not in records
        and (not relative or path == relative or path.startswith(relative + "/"))
    ]


def _whole(name: str, parts: list[str]) -> bool:
    """Tell whether the paths given name a data set as a whole."""
    return any(name == part or name.startswith(part + "/") or not part for part in parts)


def _restore_record(repo: Repository, name: str, record: DataRecord) -> None:
    """Write the record that belongs to the folder, should Git's work tree have another one."""
    file, data = repo.absolute(name + RECORD_SUFFIX), record.to_bytes()
    if not os.path.isfile(file) or bytes(repo.files.read(file)) != data:
        repo.files.write_atomic(file, data)
    note_held(repo, name, record)


def _within(gaps: list[Gap], name: str, parts: Sequence[str]) -> list[Gap]:
    """Return the gaps in which a path, or something below it, may be."""
    found = []
    for part in parts:
        raw = encode_key(part[len(name) + 1 :])
        found += [
            gap
            for gap in gaps
            if gap.after < raw + b"/\xff" and (gap.last_key is None or raw <= gap.last_key)
        ]
    return list(dict.fromkeys(found))


def _selector(name: str, parts: list[str]) -> Callable[[str], bool]:
    if _whole(name, parts):
        return lambda _key: True
    return selector(
        part[len(name) + 1 :] if part.startswith(name + "/") else "/" + part for part in parts
    )


def _restore_data(
    repo: Repository,
    name: str,
    record: DataRecord | None,
    staged: DataRecord | None,
    only: Callable[[str], bool],
    whole: bool,
    named: set[str],
    progress: Progress,
) -> int:
    """Write the source's files where the folder differs; remove tracked files it does not have."""
    gaps: list[Gap] = []
    target = entries_of(repo, record, gaps)
    note_gaps(repo, name, gaps if whole else _within(gaps, name, [f"{name}/{k}" for k in named]))
    like = record or staged
    if like is None:
        return 0
    loose = folder_changes(repo, name, like, gaps=[])
    differs = target if loose.missing else [*loose.changed, *loose.removed]
    tracked = entries_of(repo, staged, []) if record != staged and staged is not None else {}
    held = load_held(repo).get(name)
    if held is not None and held.tree != like.tree and held.tree in repo.store:
        # Git moved the record: what the folder was brought to, and nobody changed since, goes too.
        former = entries_of(repo, held.as_record(), [])
        loose_now = {key: loose.contents.get(key) for key in loose.added}
        tracked |= {key: one for key, one in former.items() if loose_now.get(key) == one.content}
    # Named one by one, what a sparse work tree leaves out comes too.
    out = left_out(repo, name) if named else NOTHING
    asked = {key for key in named if key in target and key in out}
    asked |= {key for key in followers(target, asked) if key in out}
    named = {*named, *asked}
    differs = [*differs, *(key for key in sorted(asked) if key not in differs)]
    gone = [
        key for key in tracked.keys() - target.keys() if not any(gap.covers(key) for gap in gaps)
    ]
    wanted = [key for key in [*differs, *gone] if only(key) or key in asked]
    changes = [Change(key, tracked.get(key), target.get(key)) for key in sorted(wanted)]
    require_contents(repo, name, changes)
    by_rule = [one for one in changes if one.key not in named]
    by_name = [one for one in changes if one.key in named]
    written = write_changes(repo, name, by_rule, progress=progress)
    also = write_changes(repo, name, by_name, everything=True, progress=progress)
    count = written.touched + also.touched
    written.update(also)
    if record is not None and staged is not None and record.tree == staged.tree:
        left = set(loose.added) - {change.key for change in changes}
        clean = whole and not left
        remember(repo, name, record, written, clean=clean)
    return count


def _stage(repo: Repository, name: str, file: TreeFile | None, staged: DataRecord | None) -> None:
    """Bring a data set's record to the source's, in the index and in the work tree."""
    path = name + RECORD_SUFFIX
    if file is None:
        if staged is not None:
            unstage_record(repo, name, staged)
        return
    data = repo.git.read_blob(file.blob)
    stage_record(repo, name, parse_data_record(data, path))


def _restore_files(
    repo: Repository, files: dict[str, TreeFile], staged: bool, worktree: bool
) -> tuple[str, ...]:
    """Write and stage the ordinary files that differ; return them."""
    here = repo.git.staged_files()
    loose = set(unstaged_paths(repo))
    restored = []
    for path, file in files.items():
        on_disk = worktree and (path in loose or here.get(path) != file)
        in_index = staged and here.get(path) != file
        if on_disk:
            write_plain(repo, path, file)
        if in_index or (on_disk and here.get(path) == file):
            repo.git.stage_file(path, file)
        if on_disk or in_index:
            restored.append(path)
    return tuple(restored)
