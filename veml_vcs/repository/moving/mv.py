"""``veml mv``: give data sets, samples in them, and ordinary files another name.

As ``git mv``: the index has the new names at once, uncommitted changes move along. What is to be
done is noted before anything is touched (``Unfinished.about``), so that a move that is killed goes
on when the same command runs again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field

from veml_vcs.ids import DIGEST_BYTES, SampleId
from veml_vcs.repository.absent import require_here
from veml_vcs.repository.data.version import DataVersion
from veml_vcs.repository.datasets import owner_of
from veml_vcs.repository.git.ignore import ignore_line, with_line, without_line
from veml_vcs.repository.moving.across import Leaving, names_across, store_across
from veml_vcs.repository.moving.keys import all_names, renamed_version
from veml_vcs.repository.moving.plan import Plan, Planner, outside_of
from veml_vcs.repository.pathspec import expand
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.sparse.left_out import copy_rule, drop_rule, left_out, save_left_out
from veml_vcs.repository.worktree.changes import touched_changes
from veml_vcs.repository.worktree.held import held_as, load_held, save_held
from veml_vcs.repository.worktree.materialize import (
    file_changes,
    refuse_lost_changes,
    require_contents,
    write_changes,
)
from veml_vcs.repository.worktree.scan import Stamp
from veml_vcs.repository.worktree.statcache import StatCache, load_statcache, save_statcache
from veml_vcs.samples.tree import Change
from veml_vcs.versions.data import RECORD_SUFFIX, DataRecord

_INTENT = "mv "
_NO_TREE = bytes(DIGEST_BYTES)


@dataclass(frozen=True)
class MvResult:
    """What was moved; all from the repository's root but for keys.

    Attributes:
        datasets: Data sets: folder -> folder.
        keys: Data set -> key -> key, of samples and the files that follow them.
        across: Path -> path of what went from one data set to another.
        files: Ordinary files: path -> path.
        outside: Annotation files outside of data sets.
        rewritten: Data set -> annotation files that were written anew, because they name a sample.
        skipped: What was left out (``skip_errors``), and why.
    """

    datasets: dict[str, str] = field(default_factory=dict)
    keys: dict[str, dict[str, str]] = field(default_factory=dict)
    across: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    outside: dict[str, str] = field(default_factory=dict)
    rewritten: dict[str, tuple[str, ...]] = field(default_factory=dict)
    skipped: tuple[str, ...] = ()


@dataclass
class _Rekeyed:
    """A data set whose version changes with a move.

    ``names`` are the keys that change within it, ``brought`` what comes from another data set:
    (data set, key) -> key.
    """

    path: str
    target: str
    old: DataRecord
    new: DataRecord
    names: dict[str, str]
    brought: dict[tuple[str, str], str] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    stamps: dict[str, tuple[Stamp, SampleId]] = field(default_factory=dict)


def mv(
    repo: Repository,
    sources: Sequence[str],
    destination: str,
    *,
    force: bool = False,
    skip_errors: bool = False,
    dry_run: bool = False,
    progress: Progress = silent,
) -> MvResult:
    """Move or rename data sets, samples within or between data sets, and ordinary files.

    Args:
        repo: The repository.
        sources: What is moved, on disk; patterns as in pathspecs.
        destination: The new name, or the folder that they go into.
        force: A file may take the place of another file.
        skip_errors: Leave out what cannot be moved.
        dry_run: Tell what would be done, and do nothing.
        progress: Is told how far it is.

    Raises:
        NotFoundError: A source is not tracked.
        ConflictError: Something is in the way, or uncommitted changes would be lost.
        InvalidInputError: A data set would be in another one, a sample in none, or in one of
            another format.
    """
    asked = [*map(repo.relative, sources), repo.relative(destination), force]
    with nullcontext() if dry_run else repo.lock("veml mv"):
        plan, skipped = _interrupted(repo, asked), []
        if plan is None:
            planner = Planner(repo, force)
            planner.add_all(expand(repo, sources), destination, skip_errors=skip_errors)
            plan, skipped = planner.plan, planner.skipped
            _complete(repo, plan)
        intent = _INTENT + json.dumps({"asked": asked, "plan": plan.as_dict()}, sort_keys=True)
        if dry_run:
            return _result(plan, [], skipped)
        rekeyed = _new_versions(repo, plan, progress)
        with repo.unfinished.about(intent):
            _move(repo, plan, rekeyed, progress)
        return _result(plan, rekeyed, skipped)


def _interrupted(repo: Repository, asked: list[object]) -> Plan | None:
    """Return the plan of the same command, if it is the one that was killed."""
    about = repo.unfinished.interrupted or ""
    if not about.startswith(_INTENT):
        return None
    stored = json.loads(about.removeprefix(_INTENT))
    return Plan.from_dict(stored["plan"]) if stored["asked"] == asked else None


def _complete(repo: Repository, plan: Plan) -> None:
    """Add to a plan the files that follow a sample."""
    tracked = repo.staged_datasets()
    for path, names in plan.keys.items():
        require_here(repo, path, tracked[path])
        everything = all_names(DataVersion(repo, path, None, tracked[path]), names)
        for old, new in everything.items():
            if old not in names:
                plan.disk.append((f"{path}/{old}", f"{path}/{new}"))
        plan.keys[path] = everything
    for path, names in plan.across.items():
        source = DataVersion(repo, path, None, tracked[path])
        target = DataVersion(repo, plan.into, None, tracked[plan.into])
        for one in (source, target):
            require_here(repo, one.path, one.record)
        everything = names_across(source, target, names)
        plan.disk += [(f"{path}/{old}", f"{plan.into}/{new}") for old, new in everything.items()]
        plan.across[path] = everything


def _new_versions(repo: Repository, plan: Plan, progress: Progress) -> list[_Rekeyed]:
    """Store the versions that a plan makes, and check that what they write overwrites nothing."""
    tracked = repo.staged_datasets()
    found = _new_versions_across(repo, plan, tracked, progress)
    for path, record in tracked.items():
        names = {**plan.keys.get(path, {}), **outside_of(record, plan)}
        if not names:
            continue
        require_here(repo, path, record)
        version = DataVersion(repo, path, None, record)
        names = {old: new for old, new in names.items() if old in version.entries}
        if not names:
            continue  # the run that was killed had staged it
        progress(f"moving in {path}", 0, len(names))
        with repo.store.write() as writer:
            record_after = renamed_version(repo, version, names, writer)
        repo.catalog.refresh()
        one = _Rekeyed(path, plan.datasets.get(path, path), record, record_after, names)
        one.changes, overwritten = _rewritten(repo, one)
        dirty = touched_changes(repo, path, overwritten)
        if dirty is not None:
            refuse_lost_changes(path, overwritten, dirty, "mv")
        require_contents(repo, path, one.changes)
        found.append(one)
    return found


def _new_versions_across(
    repo: Repository, plan: Plan, tracked: Mapping[str, DataRecord], progress: Progress
) -> list[_Rekeyed]:
    """Store the versions of data sets between which samples go."""
    leaving: list[Leaving] = []
    brought: dict[tuple[str, str], str] = {}
    for path, names in plan.across.items():
        source = DataVersion(repo, path, None, tracked[path])
        if any(old in source.entries for old in names):  # else a killed run had staged it
            leaving.append((source, names))
            brought.update(((path, old), new) for old, new in names.items())
    if not leaving:
        return []
    progress(f"moving to {plan.into}", 0, len(brought))
    target = DataVersion(repo, plan.into, None, tracked[plan.into])
    with repo.store.write() as writer:
        records, record = store_across(repo, leaving, target, writer)
    repo.catalog.refresh()
    found = [_Rekeyed(one.path, one.path, one.record, records[one.path], {}) for one, _ in leaving]
    found.append(_Rekeyed(plan.into, plan.into, target.record, record, {}, brought))
    changes = {one.path: {c.key: c for c in file_changes(repo, one.old, one.new)} for one in found}
    overwritten = {path: dict(of) for path, of in changes.items()}
    for (path, old), new in brought.items():
        before, after = changes[path].pop(old, None), changes[plan.into].get(new)
        if before is None or before.old is None:
            continue
        if after is None or after.new is None:  # a label file that the other format does without
            changes[path][old] = before
            continue
        if before.old.content == after.new.content:
            del changes[plan.into][new], overwritten[path][old], overwritten[plan.into][new]
        else:  # it is renamed first, and then written anew at its new place
            changes[plan.into][new] = Change(new, before.old, after.new)
    for one in found:
        one.changes = list(changes[one.path].values())
        lost = list(overwritten[one.path].values())
        dirty = touched_changes(repo, one.path, lost)
        if dirty is not None:
            refuse_lost_changes(one.path, lost, dirty, "mv")
        require_contents(repo, one.path, one.changes)
    return found


def _rewritten(repo: Repository, one: _Rekeyed) -> tuple[list[Change], list[Change]]:
    """Return what a new version writes on disk beyond the renames, and what that overwrites."""
    changes = {change.key: change for change in file_changes(repo, one.old, one.new)}
    overwritten = dict(changes)
    for old, new in one.names.items():
        before, after = changes.get(old), changes.get(new)
        if before is None or after is None or before.old is None or after.new is None:
            continue
        if before.new is not None:
            continue
        # What the new name replaces (--force) may be lost; what the old one had may not.
        del overwritten[new], changes[old]
        if before.old.content == after.new.content:
            del changes[new], overwritten[old]
        else:  # it is renamed first, and then written anew at its new place
            changes[new] = Change(new, before.old, after.new)
    return list(changes.values()), list(overwritten.values())


# -- doing it --------------------------------------------------------------------------------------


def _move(repo: Repository, plan: Plan, rekeyed: list[_Rekeyed], progress: Progress) -> None:
    ignored = _ignore_files(repo, plan)
    for file, data in ignored.items():
        if data:
            repo.write_file(file, data)  # first, so that Git never sees the samples
    for one in rekeyed:
        _note_left_out(repo, one)
    for old, new in plan.datasets.items():
        copy_rule(repo, old, new)
    for old, new in plan.disk:
        _rename(repo, old, new)
    for one in rekeyed:
        one.stamps = write_changes(repo, one.target, one.changes, progress=progress)
    blobs = {file: data for file, data in ignored.items() if data}
    gone = [file for file, data in ignored.items() if not data]
    for one in rekeyed:
        blobs[one.target + RECORD_SUFFIX] = one.new.to_bytes()
        repo.write_file(one.target + RECORD_SUFFIX, one.new.to_bytes())
    for file in gone:
        repo.files.remove(repo.absolute(file))
    repo.git.move_staged(plan.plain, blobs, gone)
    _remember(repo, plan, rekeyed)


def _note_left_out(repo: Repository, one: _Rekeyed) -> None:
    """Put the new names of left-out keys on the list, before the new record is there."""
    out = left_out(repo, one.path)
    new = {one.names.get(key, key) for key in out.keys}
    for (path, old), key in one.brought.items():
        if old in left_out(repo, path) and not os.path.lexists(repo.key_path(path, old)):
            new.add(key)
    if new - out.keys and not out.everything:
        save_left_out(repo, one.path, out.keys | new)


def _rename(repo: Repository, old: str, new: str) -> None:
    source, target = repo.absolute(old), repo.absolute(new)
    if not os.path.lexists(source):
        return  # never checked out, or renamed by the run that was killed
    owner = owner_of(repo.staged_datasets(), old)
    if owner is not None and owner != old:
        repo.files.make_folder(os.path.dirname(target), durable=False)
    repo.files.rename(source, target)
    folder = os.path.dirname(source)
    while owner is not None and len(folder) > len(repo.absolute(owner)):
        if not repo.files.remove_folder(folder):
            break
        folder = os.path.dirname(folder)


def _ignore_files(repo: Repository, plan: Plan) -> dict[str, bytes]:
    """Return the ``.gitignore`` files that change, as they shall be; empty ones go."""
    moved = {old + "/": new + "/" for old, new in plan.datasets.items()} | plan.outside
    found: dict[str, bytes] = {}

    def text_of(file: str) -> bytes:
        if file not in found:
            full = repo.absolute(file)
            found[file] = bytes(repo.files.read(full)) if os.path.isfile(full) else b""
        return found[file]

    for old, new in moved.items():
        if (ignore_line(old)[0], ignore_line(new)[0]) in plan.plain.items():
            continue  # the .gitignore is in the folder that moves
        file, line = ignore_line(new)
        text = text_of(file)
        found[file] = with_line(text, line)
    for old, new in moved.items():
        file, line = ignore_line(old)
        if (file, ignore_line(new)[0]) not in plan.plain.items():
            found[file] = without_line(text_of(file), line)
    return found


def _remember(repo: Repository, plan: Plan, rekeyed: list[_Rekeyed]) -> None:
    """Bring what is known of folders, and of files in them, to the new names."""
    held = load_held(repo)
    for old, new in plan.datasets.items():
        drop_rule(repo, old)
        if old in held:
            held[new] = held.pop(old)
        cache = repo.statcache_path(old)
        if os.path.exists(cache):
            repo.files.rename(cache, repo.statcache_path(new))
    caches = {name: load_statcache(repo.statcache_path(name), repo.files) for name in plan.across}
    for one in rekeyed:
        _remember_keys(repo, one, caches, plan.across.get(one.path, {}))
        held[one.target] = held_as(repo, one.target, one.new)
    save_held(repo, held)


def _remember_keys(
    repo: Repository, one: _Rekeyed, caches: Mapping[str, StatCache], gone: Collection[str]
) -> None:
    path = repo.statcache_path(one.target)
    cache = load_statcache(path, repo.files)
    stamps = {key: stamp for key, (stamp, _) in one.stamps.items()}
    contents = {key: content for key, (_, content) in one.stamps.items()}
    complete = cache.tree == one.old.tree
    written = {change.key for change in one.changes}
    names = [(cache, key, one.names.get(key, key)) for key in cache.stamps if key not in gone]
    names += [(caches[path], old, new) for (path, old), new in one.brought.items()]
    for known_by, key, name in names:
        stamp = known_by.stamps.get(key)
        if name in stamps or name in written or stamp is None:
            complete = complete and stamp is not None
            continue
        known = known_by.known(key, stamp)
        if known is None:
            complete = False
        else:
            stamps[name], contents[name] = stamp, known
    tree = one.new.tree if complete and not repo.unwritten else _NO_TREE
    save_statcache(path, repo.files, tree, stamps, contents, cache.hints)


def _result(plan: Plan, rekeyed: list[_Rekeyed], skipped: list[str]) -> MvResult:
    records = {name + RECORD_SUFFIX for name in plan.datasets}
    return MvResult(
        dict(plan.datasets),
        {path: dict(names) for path, names in plan.keys.items()},
        {
            f"{path}/{old}": f"{plan.into}/{new}"
            for path, names in plan.across.items()
            for old, new in names.items()
        },
        {old: new for old, new in plan.plain.items() if old not in records},
        dict(plan.outside),
        {
            one.target: tuple(sorted(c.key for c in one.changes if c.new is not None))
            for one in rekeyed
            if one.changes
        },
        tuple(skipped),
    )


__all__ = ["MvResult", "mv"]
