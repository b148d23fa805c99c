"""``veml add``: put data sets, and ordinary files, into what the next commit will hold."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from veml_vcs.errors import ConflictError, DamagedError, InvalidInputError, NotFoundError
from veml_vcs.ids import DIGEST_BYTES, short
from veml_vcs.repository.absent import is_here, require_here
from veml_vcs.repository.change_counts import ChangeCounts, count_changes, remember_counts
from veml_vcs.repository.datasets import (
    owner_of,
    refuse_foreign_record,
    selector,
    stage_record,
)
from veml_vcs.repository.merging.state import settle_by_hand
from veml_vcs.repository.models.place import any_refreshed
from veml_vcs.repository.pathspec import expand
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.sparse.left_out import LeftOut, left_out, take_off
from veml_vcs.repository.worktree.add_look import Found, look_at
from veml_vcs.repository.worktree.changes import folder_changes, may_differ
from veml_vcs.repository.worktree.data_folders import holds_data, left_alone
from veml_vcs.repository.worktree.follow import FolderBehind, folders_behind
from veml_vcs.repository.worktree.held import note_held
from veml_vcs.repository.worktree.hints import noted
from veml_vcs.repository.worktree.plain import add_plain
from veml_vcs.repository.worktree.plain_files import unstaged_paths
from veml_vcs.repository.worktree.reading import ReadFile
from veml_vcs.repository.worktree.statcache import save_statcache
from veml_vcs.samples.fragments.content import ContentWriter
from veml_vcs.versions.data import DataRecord

if TYPE_CHECKING:
    from veml_vcs.repository.models.refresh import RefreshedModel

_NO_TREE = bytes(DIGEST_BYTES)


@dataclass(frozen=True)
class AddedData:
    """What ``add`` did with one data set.

    Attributes:
        path: The folder, from the repository's root.
        record: The version that is staged now.
        new: Whether the data set was not tracked before.
        added: Number of new samples.
        changed: Number of samples whose bytes changed.
        annotated: Number of samples of which only the annotation changed.
        removed: Number of samples that are gone.
        files_changed: Number of other files that are new, changed or gone.
        new_bytes: Bytes of content that the store did not have.
        warnings: Sentences about what was odd.
    """

    path: str
    record: DataRecord
    new: bool
    added: int = 0
    changed: int = 0
    annotated: int = 0
    removed: int = 0
    files_changed: int = 0
    new_bytes: int = 0
    warnings: tuple[str, ...] = ()

    @property
    def counts(self) -> ChangeCounts:
        """The numbers of what differs from the version before."""
        return ChangeCounts(
            self.added, self.changed, self.annotated, self.removed, self.files_changed
        )


@dataclass(frozen=True)
class AddResult:
    """What ``add`` did.

    Attributes:
        datasets: The data sets that were looked at.
        plain: Ordinary files that were staged, from the repository's root.
        models: Models that are made of such files, whose records were brought up to them.
        left: Untracked folders that look like data sets, and were not asked for by their name:
            nothing of them was staged, since Git would keep every image for good.
        mended: Where something was found again that was damaged in the store, and how many rows.
    """

    datasets: tuple[AddedData, ...] = ()
    plain: tuple[str, ...] = ()
    models: tuple[RefreshedModel, ...] = ()
    left: tuple[str, ...] = ()
    mended: Mapping[str, int] = field(default_factory=dict)


@dataclass
class _Plan:
    """Which data sets and files the given paths mean."""

    whole: dict[str, None] = field(default_factory=dict)
    parts: dict[str, list[str]] = field(default_factory=dict)
    plain: list[str] = field(default_factory=list)


def add_tracked(
    repo: Repository, *, dry_run: bool = False, progress: Progress = silent
) -> AddResult:
    """Stage every tracked data set and ordinary file that changed, and nothing new.

    Args:
        repo: The repository.
        dry_run: Only tell what would be done.
        progress: Is told how far it is.
    """
    before = repo.staged_datasets()
    changed = [path for path, record in before.items() if may_differ(repo, path, record)]
    paths = [repo.absolute(path) for path in (*changed, *unstaged_paths(repo))]
    if not paths:
        return AddResult()
    done = add(repo, paths, dry_run=dry_run, progress=progress)
    # What is so young that its stamps prove nothing was read, and may have proved to be the same.
    told = (
        one
        for one in done.datasets
        if any(one.counts) or one.warnings or one.record != before.get(one.path)
    )
    return replace(done, datasets=tuple(told))


def add(
    repo: Repository,
    paths: Sequence[str],
    *,
    annotations: Sequence[str] = (),
    format: str | None = None,  # noqa: A002 - the word of the command line
    dry_run: bool = False,
    progress: Progress = silent,
) -> AddResult:
    """Stage data sets and ordinary files.

    A folder is a data set if it is tracked as one, if ``format`` or ``annotations`` is given, or if
    there are images in it, or nothing but tables of some size; every other path is staged as Git
    does.

    Where the staged version is damaged in the store, the store is mended first, as ``veml fsck
    --repair`` does, from the folder's files among others. A version that cannot be mended, since
    the folder is another one by now, is not compared with: the folder is read and stored anew.

    Args:
        repo: The repository.
        paths: Files and folders on disk.
        annotations: Annotation files outside the folder, for one data set.
        format: Name of the format, instead of recognising it.
        dry_run: Tell what would be done, and do nothing.
        progress: Is told how far it is.

    Raises:
        NotFoundError: A path is not there and was never tracked.
        InvalidInputError: A path cannot be added, or options do not go together.
        FormatError: Annotation files cannot be understood.
        DamagedError: What is needed besides the folder cannot be read, and not be mended.
    """
    asked = _Asked(tuple(paths), tuple(annotations), format, dry_run)
    try:
        return _add(repo, asked, progress)
    except (DamagedError, NotFoundError) as error:
        if dry_run or error.object_id is None or error.kind == "newer-format":
            raise
    from veml_vcs.repository.upkeep.repair import repair  # heavy, and rarely needed

    mended = repair(repo, progress=progress)
    done = _add(repo, asked, progress, anew=True)
    return replace(done, mended=mended.recovered)


@dataclass(frozen=True)
class _Asked:
    """The arguments of ``add``."""

    paths: tuple[str, ...]
    annotations: tuple[str, ...]
    format: str | None
    dry_run: bool


def _add(repo: Repository, asked: _Asked, progress: Progress, *, anew: bool = False) -> AddResult:
    """Do what ``add`` says.

    Args:
        repo: The repository.
        asked: What.
        progress: Is told how far it is.
        anew: Read a folder anew where the version before cannot be read.
    """
    paths, annotations, format, dry_run = (  # noqa: A001 - the word of the command line
        asked.paths, asked.annotations, asked.format, asked.dry_run,
    )  # fmt: skip
    outside = tuple(sorted(repo.relative(path) for path in annotations))
    with repo.lock("veml add"):
        tracked = repo.staged_datasets()
        plan = _plan(
            repo, expand(repo, paths, on_disk=True), tracked, as_data=bool(outside or format)
        )
        if (outside or format) and len(plan.whole) != 1:
            raise InvalidInputError(
                "--annotations and --format go with exactly one data set folder",
                hint="veml add FOLDER --annotations FILE",
            )
        done = []
        for path in plan.whole:
            external = outside or (tracked[path].annotations if path in tracked else ())
            base = tracked.get(path)
            try:
                one = _add_data(repo, path, base, external, format, None, dry_run, progress)
            except (DamagedError, NotFoundError) as error:
                if not (anew and base and error.object_id) or left_out(repo, path):
                    raise
                one = _add_anew(repo, path, base, external, format, progress)
            done.append(one)
        for path, parts in plan.parts.items():
            if path not in plan.whole:
                only = _selector(path, parts)
                base = tracked[path]
                done.append(
                    _add_data(repo, path, base, base.annotations, None, only, dry_run, progress)
                )
        left = left_alone(repo, plan.plain, tracked)
        plain = add_plain(repo, plan.plain, [*tracked, *left], dry_run=dry_run)
        inside = selector([*map(repo.relative, paths), *plain])
        models = any_refreshed(repo, inside, dry_run=dry_run)
    return AddResult(tuple(done), tuple(plain), models, tuple(left))


def _plan(
    repo: Repository, paths: Sequence[str], tracked: dict[str, DataRecord], as_data: bool
) -> _Plan:
    plan = _Plan()
    for path in paths:
        relative = repo.relative(path)
        owner = owner_of(tracked, relative)
        external = [name for name, record in tracked.items() if relative in record.annotations]
        if owner == relative and owner is not None:
            plan.whole[owner] = None
        elif owner is not None:
            plan.parts.setdefault(owner, []).append(relative)
        elif external:
            for name in external:
                plan.parts.setdefault(name, []).append(relative)
        elif os.path.isdir(path) and not os.path.islink(repo.absolute(relative)):
            _plan_folder(repo, path, relative, tracked, as_data, plan)
        elif os.path.lexists(path) or relative in repo.git.staged_files():
            plan.plain.append(relative)
        else:
            raise NotFoundError(f"{path}: no such file or folder", kind="no-such-path")
    return plan


def _plan_folder(
    repo: Repository,
    path: str,
    relative: str,
    tracked: dict[str, DataRecord],
    as_data: bool,
    plan: _Plan,
) -> None:
    inside = [name for name in tracked if not relative or name.startswith(relative + "/")]
    if as_data or (not inside and relative and holds_data(path)):
        if not relative:
            raise InvalidInputError(
                "the repository's root cannot be a data set (its record needs a place beside it)",
                hint="move the data into a folder, then veml add FOLDER",
            )
        if inside:
            raise InvalidInputError(
                f"{relative}: holds the data set {inside[0]}, and data sets cannot be nested",
                hint=f"veml rm --cached {inside[0]}",
            )
        plan.whole[relative] = None
        return
    plan.whole.update(dict.fromkeys(inside))
    plan.plain.append(relative)


def _selector(dataset: str, parts: list[str]) -> Callable[[str], bool]:
    """Return which keys of a data set some paths below it (or its annotation files) mean."""
    return selector(
        part[len(dataset) + 1 :] if part.startswith(dataset + "/") else "/" + part for part in parts
    )


def _add_data(
    repo: Repository,
    path: str,
    base: DataRecord | None,
    external: tuple[str, ...],
    wanted_format: str | None,
    only: Callable[[str], bool] | None,
    dry_run: bool,
    progress: Progress,
    *,
    unread: bool = False,
) -> AddedData:
    out = left_out(repo, path)
    if base is not None and _lost_folder(repo, path, base, out, only):
        raise NotFoundError(
            f"{path}: the folder of this data set is gone",
            hint=f"veml restore {path} brings it back; veml rm {path} stops tracking it",
        )
    behind = folders_behind(repo).get(path)
    if dry_run:
        _refuse_behind(behind, None)
    if unread or (base is not None and only is None and not out and not is_here(repo, base)):
        base = None  # the folder's owner has the data, and this clone's store gets it now
    elif base is None:
        refuse_foreign_record(repo, path)
    else:
        require_here(repo, path, base)
    if dry_run:
        found = look_at(repo, path, base, external, wanted_format, only, None, progress)
        return _summary(path, base or found.preview(), found, base is None, 0)
    with repo.store.write() as writer:
        contents = ContentWriter(repo.catalog, writer)

        def store(file: ReadFile) -> None:
            contents.add(file.content, file.data, file.key)

        found = look_at(repo, path, base, external, wanted_format, only, store, progress)
        contents.finish()
        record = found.store(repo, writer)
        if base is not None and base.derived and record.tree == base.tree:
            same = replace(record, derived=base.derived)
            if same.to_bytes() == base.to_bytes():
                record = same  # nothing changed, so the version still is what made it
        _refuse_behind(behind, record)
    repo.catalog.refresh()
    stage_record(repo, path, record)
    settle_by_hand(repo, path)
    whole = _NO_TREE if only is not None else record.tree
    told = found.hints if only is None else {}
    hints = noted(found.hints_before, record, told)
    save_statcache(
        repo.statcache_path(path), repo.files, whole, found.stamps, found.contents, hints
    )
    note_held(repo, path, record)
    take_off(repo, path, found.stamps)
    done = _summary(path, record, found, base is None, contents.new_bytes)
    if base is not None and record.tree != base.tree:
        remember_counts(repo, base.tree, record.tree, done.counts)
    return done


def _add_anew(
    repo: Repository,
    path: str,
    base: DataRecord,
    external: tuple[str, ...],
    wanted_format: str | None,
    progress: Progress,
) -> AddedData:
    """Store a folder without a look at the version before, which cannot be read."""
    cache = repo.statcache_path(path)
    if os.path.exists(cache):  # it would say of files that the store has them
        repo.files.remove(cache)
    wanted = wanted_format or base.facts.format
    done = _add_data(repo, path, base, external, wanted, None, False, progress, unread=True)
    warning = "the version before is damaged, so what changed is not known; all was stored anew"
    return replace(done, new=False, warnings=(*done.warnings, warning))


def _lost_folder(
    repo: Repository,
    path: str,
    base: DataRecord,
    out: LeftOut,
    only: Callable[[str], bool] | None,
) -> bool:
    """Tell whether a data set's folder is not there, although something should be in it.

    All may be left out in a sparse work tree, but for what is said to be removed.
    """
    if os.path.isdir(repo.absolute(path)):
        return False
    if not out:
        return True
    absent = folder_changes(repo, path, base).removed
    return not all(only is not None and only(key) for key in absent)


def _refuse_behind(behind: FolderBehind | None, found: DataRecord | None) -> None:
    """Refuse a folder that Git's record has moved on from: adding it would undo what Git did.

    A folder that holds just what the record says is not behind: an earlier add was killed after it
    had written the record.
    """
    if behind is None or behind.kind != "behind" or behind.held is None:
        return
    if found is not None and found.tree == behind.wanted:
        return
    raise ConflictError(
        f"{behind.path} holds the version {short(behind.held)}, but its record was moved by Git; "
        "adding it would undo that",
        hint=f"veml checkout brings the folder along; veml restore {behind.path} also drops its "
        "uncommitted changes",
        kind="folder-behind",
    )


def _summary(path: str, record: DataRecord, found: Found, new: bool, new_bytes: int) -> AddedData:
    counts = count_changes(found.changes)
    return AddedData(path, record, new, *counts, new_bytes, found.warnings)
