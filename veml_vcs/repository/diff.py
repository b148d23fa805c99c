"""``veml diff``: what differs between two states, by sample, by box and by class.

A state is a commit, the index, or the work tree. Trees are compared by digest, so the cost is that
of the difference; only annotations that differ are read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from veml_vcs.errors import DamagedError, NotFoundError
from veml_vcs.ids import AnnotationId, CommitId, digest
from veml_vcs.repository.absent import is_here, require_here
from veml_vcs.repository.contents.arrays import array_diffs
from veml_vcs.repository.contents.parquet import parquet_diffs
from veml_vcs.repository.contents.series import series_diff
from veml_vcs.repository.contents.tables import mask_diffs, table_diffs
from veml_vcs.repository.contents.zarr_store import store_diffs
from veml_vcs.repository.damage import Unreadable, unreadable
from veml_vcs.repository.datasets import owner_of, selector
from veml_vcs.repository.diff_result import ClassDiff, DataDiff, RepoDiff, SampleDiff
from veml_vcs.repository.file_diff import diff_files
from veml_vcs.repository.git.repo import TreeFile
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.records.place import record_diffs
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.revisions import parse_data_spec
from veml_vcs.repository.sparse.left_out import left_out
from veml_vcs.repository.worktree.changes import entries_of, folder_changes
from veml_vcs.samples.annotations import DiffCounts, diff_annotation
from veml_vcs.samples.facts import Annotation
from veml_vcs.samples.kinds import is_class_list
from veml_vcs.samples.tree import Change, Entry, EntryKind, Gap, diff_trees
from veml_vcs.versions.data import RECORD_SUFFIX, ClassCount, DataRecord

INDEX = ":index"
WORKTREE = ":worktree"


@dataclass(frozen=True)
class _Side:
    """One state: its files, its data sets, and annotations that are not in the store."""

    name: str
    files: dict[str, TreeFile]
    datasets: dict[str, DataRecord]
    entries: dict[str, dict[str, Entry]] = field(default_factory=dict)
    annotations: dict[AnnotationId, Annotation] = field(default_factory=dict)
    gaps: dict[str, list[Gap]] = field(default_factory=dict)

    def entries_of(self, repo: Repository, path: str) -> dict[str, Entry]:
        """Return a data set's entries, as far as they can be read; noting what cannot."""
        known = self.entries.get(path)
        if known is not None:
            return known
        return entries_of(repo, self.datasets.get(path), self.gaps.setdefault(path, []))

    def unreadable(self, path: str) -> tuple[Unreadable, ...]:
        """Return what was noted."""
        record = self.datasets.get(path)
        return () if record is None else unreadable(path, record.tree, self.gaps.get(path, ()))


def diff(
    repo: Repository,
    old: str | None = None,
    new: str | None = None,
    *,
    staged: bool = False,
    paths: Sequence[str] = (),
    layers: bool = False,
    progress: Progress = silent,
) -> RepoDiff:
    """Compare two states.

    Args:
        repo: The repository.
        old: A revision; None is the index, or HEAD with ``staged``.
        new: A revision; None is the work tree, or the index with ``staged``.
        staged: Compare with the index instead of the work tree.
        paths: Only what is at or below these paths, from the repository's root.
        layers: Compare the checkpoints of trainings layer by layer, too; reads what differs.
        progress: Is told how far it is.

    Raises:
        NotFoundError: There is no such revision.
    """
    if staged:
        unborn = old is None and repo.git.head().commit is None
        before = _Side("nothing", {}, {}) if unborn else _commit_side(repo, old or "HEAD")
        after = _index_side(repo)
    elif old is None:
        before = _index_side(repo)
        after = _worktree_side(repo, before, paths, progress)
    elif new is None:
        before = _commit_side(repo, old)
        after = _worktree_side(repo, _index_side(repo), paths, progress)
    else:
        before, after = _commit_side(repo, old), _commit_side(repo, new)
    return compare(repo, before, after, paths, layers=layers)


def diff_commits(
    repo: Repository,
    old: CommitId | None,
    new: CommitId,
    paths: Sequence[str] = (),
    *,
    layers: bool = False,
    absent: bool = False,
) -> RepoDiff:
    """Compare two commits; None is the empty tree.

    Args:
        repo: The repository.
        old: The commit before.
        new: The commit after.
        paths: Only what is at or below these paths.
        layers: Compare checkpoints of trainings layer by layer, too.
        absent: Of data that is not in this clone tell what the records say, and go on.

    Raises:
        NotFoundError: Data is not in this clone, and not ``absent``.
    """
    before = _Side(old or "nothing", repo.git.files(old), repo.datasets_at(old))
    after = _Side(new, repo.git.files(new), repo.datasets_at(new))
    return compare(repo, before, after, paths, layers=layers, absent=absent)


def diff_named(repo: Repository, old: str, new: str) -> RepoDiff:
    """Compare what two revisions have at a path each: ``main:images`` with ``night:images``.

    Two different data sets are compared key by key, under the name of the new one.

    Raises:
        NotFoundError: There is no such revision, or nothing at such a path.
    """
    left, right = parse_data_spec(old), parse_data_spec(new)
    if left.path == right.path:
        return diff(repo, left.revision, right.revision, paths=[right.path])
    before = _Side(old, {}, {right.path: repo.record_at(left.path, left.revision)})
    after = _Side(new, {}, {right.path: repo.record_at(right.path, right.revision)})
    return compare(repo, before, after)


def compare(
    repo: Repository,
    before: _Side,
    after: _Side,
    paths: Sequence[str] = (),
    *,
    layers: bool = False,
    absent: bool = False,
) -> RepoDiff:
    """Compare two sides; ``layers`` and ``absent`` as of ``diff_commits``."""
    datasets = []
    for path in sorted(before.datasets.keys() | after.datasets.keys()):
        old, new = before.datasets.get(path), after.datasets.get(path)
        if not _wanted(path, paths):
            continue
        if absent and old != new and not all(is_here(repo, one) for one in (old, new) if one):
            datasets.append(DataDiff(path, old, new, classes=_classes(old, new), absent=True))
            continue
        if old != new or path in after.entries or path in before.entries:
            one = _diff_data(repo, path, before, after, _keys_below(path, paths))
            if (
                one.samples or one.files or one.unreadable or one.old is None or one.new is None
                or old != new
            ):  # fmt: skip
                datasets.append(one)
    named = record_diffs(
        repo, before.files, after.files, lambda path: _wanted(path, paths), layers=layers
    )
    records = {path + RECORD_SUFFIX for path in {*before.datasets, *after.datasets}}
    records |= named.paths
    changed = {
        path: (before.files.get(path), after.files.get(path))
        for path in sorted(before.files.keys() | after.files.keys())
        if before.files.get(path) != after.files.get(path)
        and path not in records
        and _wanted(path, paths)
    }
    files = diff_files(repo, changed)
    return RepoDiff(
        before.name, after.name, tuple(datasets), files, named.models, named.trainings,
        named.inferences,
    )  # fmt: skip


def _wanted(path: str, paths: Sequence[str]) -> bool:
    return not paths or any(
        not one or path == one or path.startswith(one + "/") or one.startswith(path + "/")
        for one in paths
    )


def _keys_below(dataset: str, paths: Sequence[str]) -> tuple[str, ...]:
    """Return the keys in a data set that paths below it name; empty means all."""
    if any(not one or one == dataset or dataset.startswith(one + "/") for one in paths):
        return ()
    return tuple(one[len(dataset) + 1 :] for one in paths if one.startswith(dataset + "/"))


def _commit_side(repo: Repository, revision: str) -> _Side:
    commit_id = repo.resolve(revision)
    return _Side(revision, repo.git.files(commit_id), repo.datasets_at(commit_id))


def _index_side(repo: Repository) -> _Side:
    return _Side(INDEX, repo.git.staged_files(), repo.staged_datasets())


def _worktree_side(
    repo: Repository, staged: _Side, paths: Sequence[str], progress: Progress
) -> _Side:
    """Describe the work tree: only data sets whose folder differs are looked into."""
    from veml_vcs.repository.worktree.plain_files import unstaged_paths
    from veml_vcs.repository.worktree.snapshot import take_snapshot

    side = _Side(WORKTREE, dict(staged.files), dict(staged.datasets))
    for path, record in staged.datasets.items():
        if not _wanted(path, paths):
            continue
        gaps = staged.gaps.setdefault(path, [])
        changes = folder_changes(repo, path, record, gaps=gaps)
        if changes.missing:
            del side.datasets[path]
        elif changes:
            from veml_vcs.repository.worktree.store_snapshot import record_of

            if gaps and not left_out(repo, path):
                # Of its own, as if it were new: what it holds is what the folder says alone.
                snapshot = take_snapshot(
                    repo, path, None, external=record.annotations,
                    wanted_format=record.facts.format, progress=progress,
                )  # fmt: skip
            else:
                snapshot = take_snapshot(repo, path, record, progress=progress)
            side.datasets[path] = record_of(snapshot, record.tree, {})
            side.entries[path] = snapshot.entries
            side.annotations.update(snapshot.annotations)
    for path in unstaged_paths(repo):
        if owner_of(staged.datasets, path) is None:
            side.files.pop(path, None)
            found = repo.git.worktree_file(path)
            if found is not None:
                side.files[path] = found
    return side


def _diff_data(
    repo: Repository, path: str, before: _Side, after: _Side, keys: tuple[str, ...]
) -> DataDiff:
    old, new = before.datasets.get(path), after.datasets.get(path)
    changes = _changes(repo, path, before, after)
    if keys:
        inside = selector(keys)
        changes = [one for one in changes if inside(one.key)]
    by_place = any(one is not None and one.facts.format == "zarr" for one in (old, new))
    renamed: dict[str, str] = {}
    if not by_place:  # a chunk's name is its place: the same bytes elsewhere did not move there
        changes, renamed = _renames(changes)
    annotations, unsaid = _annotations(repo, path, changes, before, after)
    samples: list[SampleDiff] = []
    files: dict[str, str] = {}
    counts = DiffCounts()
    for change in changes:
        old_key = renamed.get(change.key)
        kind = _kind(change, old_key)
        if kind is None:
            files[change.key] = _file_kind(change)
            continue
        said = diff_annotation(
            annotations.get(change.old.annotation)
            if change.old and change.old.annotation
            else None,
            annotations.get(change.new.annotation)
            if change.new and change.new.annotation
            else None,
        )
        counts = counts + said.counts
        samples.append(
            SampleDiff(
                change.key,
                kind,
                old_key,
                change.old.size if change.old else 0,
                change.new.size if change.new else 0,
                said,
                kind in ("added", "removed") and change.old is not None and change.new is not None,
            )
        )

    def read(key: str, entry: Entry) -> bytes | None:
        try:
            return _bytes(repo, path, key, entry)
        except (DamagedError, NotFoundError) as error:
            record = new or old
            assert record is not None
            what = f"the bytes of {key}"
            unsaid.append(Unreadable(path, record.tree.hex(), what, error.message))
            return None

    tables, notes = parquet_diffs(changes, read)
    series, why = series_diff(
        changes,
        (old.facts if old else None, new.facts if new else None),
        lambda: before.entries_of(repo, path),
        lambda: after.entries_of(repo, path),
        read,
    )
    stores, unread = store_diffs(
        changes,
        (old.facts if old else None, new.facts if new else None),
        lambda: before.entries_of(repo, path),
        lambda: after.entries_of(repo, path),
        read,
    )
    return DataDiff(
        path,
        old,
        new,
        tuple(samples),
        files,
        _classes(old, new),
        counts,
        table_diffs(changes, read) | tables,
        mask_diffs(changes, read, lambda: _mask_classes(repo, new)),
        array_diffs(changes, read) | stores,
        series,
        notes + why + unread,
        before.unreadable(path) + after.unreadable(path) + tuple(unsaid),
    )


def _mask_classes(repo: Repository, record: DataRecord | None) -> Mapping[int, str]:
    """Return the classes of masks that a file of the data set lists, by their number."""
    from veml_vcs.samples.masks import class_names

    for key, entry in entries_of(repo, record, []).items():
        if is_class_list(key) and entry.content is not None and entry.size < 1 << 20:
            return class_names(repo.contents.read(entry.content).decode("utf-8", "replace"))
    return {}


def _bytes(repo: Repository, path: str, key: str, entry: Entry) -> bytes | None:
    """Return the bytes of an entry from the store, else from the work tree; None if neither."""
    assert entry.content is not None
    if repo.catalog.find(entry.content, "content") is not None:
        return repo.contents.read(entry.content)
    full = repo.key_path(path, key)
    data = bytes(repo.files.read(full)) if repo.files.exists(full) else b""
    return data if digest(data) == entry.content else None


def _changes(repo: Repository, path: str, before: _Side, after: _Side) -> list[Change]:
    old, new = before.datasets.get(path), after.datasets.get(path)
    for side, record in ((before, old), (after, new)):
        require_here(repo, path, record, side.name if side.name not in (INDEX, WORKTREE) else None)
    gaps, old_gaps = after.gaps.setdefault(path, []), before.gaps.setdefault(path, [])
    if path not in before.entries and path not in after.entries:
        trees = (old.tree if old else None, new.tree if new else None)
        return diff_trees(repo.store, *trees, gaps, old_gaps)
    left, right = before.entries_of(repo, path), after.entries_of(repo, path)
    return [
        Change(key, left.get(key), right.get(key))
        for key in sorted(left.keys() | right.keys())
        if left.get(key) != right.get(key) and not any(one.covers(key) for one in gaps + old_gaps)
    ]


def _renames(changes: list[Change]) -> tuple[list[Change], dict[str, str]]:
    """Join a removed and an added sample with the same bytes into one change of the new key."""
    gone = {
        change.old.content: change
        for change in changes
        if change.new is None and change.old is not None and change.old.kind is EntryKind.SAMPLE
    }
    if not gone:
        return changes, {}
    joined: list[Change] = []
    renamed: dict[str, str] = {}
    dropped: set[str] = set()
    for change in changes:
        if change.old is None and change.new and change.new.kind is EntryKind.SAMPLE:
            source = gone.pop(change.new.content, None)
            if source is not None:
                renamed[change.key] = source.key
                dropped.add(source.key)
                change = Change(change.key, source.old, change.new)
        joined.append(change)
    return [change for change in joined if change.key not in dropped], renamed


def _annotations(
    repo: Repository, path: str, changes: list[Change], before: _Side, after: _Side
) -> tuple[dict[AnnotationId, Annotation], list[Unreadable]]:
    """Return what is said of the samples that differ, and of which it cannot be read."""
    loose = before.annotations | after.annotations
    wanted = {
        entry.annotation
        for change in changes
        for entry in (change.old, change.new)
        if entry is not None and entry.annotation is not None
    }
    stored = wanted - loose.keys()
    if not stored:
        return loose, []
    try:
        return loose | repo.annotations.read_many(stored), []
    except (DamagedError, NotFoundError):
        return _readable_annotations(repo, path, changes, before, after, loose)


def _readable_annotations(
    repo: Repository,
    path: str,
    changes: list[Change],
    before: _Side,
    after: _Side,
    known: dict[AnnotationId, Annotation],
) -> tuple[dict[AnnotationId, Annotation], list[Unreadable]]:
    """Read annotation by annotation: the samples of those that are damaged are named."""
    found = dict(known)
    unsaid = []
    for change in changes:
        for side, entry in ((before, change.old), (after, change.new)):
            if entry is None or entry.annotation is None or entry.annotation in found:
                continue
            try:
                found[entry.annotation] = repo.annotations.read(entry.annotation)
            except (DamagedError, NotFoundError) as error:
                tree = side.datasets[path].tree.hex()
                what = f"the annotation of {change.key}"
                unsaid.append(Unreadable(path, tree, what, error.message))
    return found, unsaid


def _kind(change: Change, old_key: str | None) -> str | None:
    """Name how a sample differs; None for other files."""
    was, now = (one.kind if one is not None else None for one in (change.old, change.new))
    if {was, now} <= {None, EntryKind.FILE}:
        return None
    if old_key is not None:
        return "renamed"
    if (was is EntryKind.SAMPLE) != (now is EntryKind.SAMPLE):
        return "added" if now is EntryKind.SAMPLE else "removed"
    if was is now is EntryKind.SAMPLE and change.old and change.new:
        return "changed" if change.old.content != change.new.content else "annotated"
    # Neither side is a sample where a file speaks of one that is not in the folder.
    return "annotated"


def _file_kind(change: Change) -> str:
    if change.old is None:
        return "added"
    return "removed" if change.new is None else "changed"


def _classes(old: DataRecord | None, new: DataRecord | None) -> tuple[ClassDiff, ...]:
    names = dict.fromkeys(
        one.name for record in (old, new) if record for one in record.facts.classes
    )
    none = ClassCount()
    return tuple(
        ClassDiff(
            name,
            old.class_counts.get(name, none) if old else none,
            new.class_counts.get(name, none) if new else none,
        )
        for name in names
    )
