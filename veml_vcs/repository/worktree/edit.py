"""What an edit of a folder made of a version, understood from the files that it touched alone.

The stat cache tells which files those are, the tree what they were. Where that is not enough to
know what the whole folder says now (an annotation file came, a class was renamed, nothing is
remembered), the answer is None, and the folder is looked at as a whole (see ``snapshot``). Both
ways give the same version; ``tests/repository/test_edits.py`` holds them together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from veml_vcs.errors import InvalidInputError
from veml_vcs.ids import AnnotationId
from veml_vcs.repository.change_counts import ChangeCounts, count_changes
from veml_vcs.repository.progress import Progress
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.worktree.folder_files import FolderFiles, Touched
from veml_vcs.repository.worktree.hints import recall
from veml_vcs.repository.worktree.reading import ReadFile
from veml_vcs.repository.worktree.scan import Stamp
from veml_vcs.repository.worktree.snapshot import all_classes, counts_after, scan_files
from veml_vcs.repository.worktree.statcache import StatCache, load_statcache
from veml_vcs.samples.annotations.canonical import annotation_id
from veml_vcs.samples.facts import Annotation
from veml_vcs.samples.formats import Layout, get_format
from veml_vcs.samples.tree import Change, Entry, EntryKind, Tree
from veml_vcs.versions.data import DataRecord

_FEW = 4
"""Where more than a quarter of the files were touched, looking at all of them costs no more."""


@dataclass
class Edit:
    """A version, by how it differs from another one.

    Attributes:
        changes: Key, old and new entry of what differs.
        record: The version's record; its tree is the other version's still.
        annotations: Those that were parsed anew, by id; all others are in the store.
        hints: The layout's hints.
        warnings: Sentences for the user.
    """

    changes: list[Change]
    record: DataRecord
    annotations: dict[AnnotationId, Annotation] = field(default_factory=dict)
    hints: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def counts(self) -> ChangeCounts:
        """How many samples and files differ."""
        return count_changes(self.changes)


@dataclass
class Look:
    """A look at a folder that was known to hold a version when it was last looked at.

    Attributes:
        files: The folder's files; what had to be read was read.
        cache: What was remembered of them.
    """

    files: FolderFiles
    cache: StatCache


def look(
    repo: Repository,
    path: str,
    base: DataRecord,
    sink: Callable[[ReadFile], object] | None,
    progress: Progress,
) -> Look | None:
    """Read the files that were touched since a folder held a version; None if that is not known."""
    cache = load_statcache(repo.statcache_path(path), repo.files)
    if cache.tree != base.tree:
        return None
    disk: dict[str, Stamp] = scan_files(repo, path, base.annotations)
    files = FolderFiles(repo, path, disk, cache)
    files.read_all(sink, progress)
    return Look(files, cache)


def find_edit(repo: Repository, base: DataRecord, seen: Look) -> Edit | None:
    """Return what was made of a version, or None where that takes a look at all of the folder.

    Args:
        repo: The repository.
        base: The version.
        seen: The folder.
    """
    touched = seen.files.touched()
    if touched is None:
        return None
    keys = [*touched.added, *touched.changed, *touched.removed]
    if len(keys) * _FEW > len(seen.cache.stamps) + _FEW:
        return None
    hints = recall(seen.cache.hints, base)
    old = Tree(repo.store, base.tree).find(keys)
    edit = Edit([], base, hints=hints)
    source = _changed_files(base, touched, old, edit)
    if source is None:
        return None
    if touched.added or touched.removed:
        if source or not _regrouped(base, seen, touched, old, edit):
            return None
    elif source and not _reread(repo, base, seen, old, edit):
        return None
    edit.record = _record(base, edit)
    return edit


def _changed_files(
    base: DataRecord, touched: Touched, old: Mapping[str, Entry | None], edit: Edit
) -> str | None:
    """Note the files with other bytes.

    Returns:
        The annotation file that has to be read again, "" for none; None if more must be.
    """
    form = get_format(base.facts.format)
    source = ""
    for key, new in touched.changed.items():
        was = old[key]
        if was is None or was.kind is EntryKind.ANNOTATION_ONLY:
            return None
        if was.kind is EntryKind.SAMPLE:
            new = new._replace(kind=EntryKind.SAMPLE, annotation=was.annotation)
        elif was.content != new.content and not form.inert(key):
            if base.sources != (key,):
                return None
            source = key
        edit.changes.append(Change(key, was, new))
    return source


def _regrouped(
    base: DataRecord, seen: Look, touched: Touched, old: Mapping[str, Entry | None], edit: Edit
) -> bool:
    """Note the files that came and went; False if what they are cannot be told."""
    form = get_format(base.facts.format)
    done = form.regroup(edit.hints, seen.cache.stamps, touched.added, touched.removed)
    if done is None:
        return False
    for key, new in touched.added.items():
        was = old[key]
        if key in done.samples:
            new = new._replace(kind=EntryKind.SAMPLE, annotation=was and was.annotation)
        edit.changes.append(Change(key, was, new))
    for key in touched.removed:
        was = old[key]
        if was is None:
            return False
        named = key in done.named and was.annotation is not None
        left = Entry(EntryKind.ANNOTATION_ONLY, None, was.annotation) if named else None
        edit.changes.append(Change(key, was, left))
    edit.hints, edit.warnings = done.hints, done.warnings
    return True


def _reread(
    repo: Repository, base: DataRecord, seen: Look, old: Mapping[str, Entry | None], edit: Edit
) -> bool:
    """Read what changed in the one annotation file; False if that cannot be told from the rest."""
    source = base.sources[0]
    was = old[source]
    form = get_format(base.facts.format)
    samples = form.samples_in(edit.hints, seen.files.stamps)
    if samples is None or was is None or was.content is None:
        return False
    layout = Layout(base.facts.format, tuple(samples), {}, base.sources, base.facts.layout)
    read = seen.files.read
    if not form.narrow(layout, source, repo.contents.read(was.content), read(source)):
        return False
    parsed = form.read(layout, read)
    before = Tree(repo.store, base.tree).find(list(parsed.annotations))
    listed = {change.key: change for change in edit.changes}
    for key, annotation in parsed.annotations.items():
        entry = before[key]
        if entry is None or entry.annotation is None:
            return False
        try:
            found = annotation_id(annotation)
        except InvalidInputError:
            return False  # said better where all is read
        edit.annotations[found] = annotation
        change = listed.get(key, Change(key, entry, entry))
        if change.new is not None:
            listed[key] = change._replace(new=change.new._replace(annotation=found))
    edit.changes = [change for change in listed.values() if change.old != change.new]
    edit.warnings = parsed.warnings
    counts = counts_after(repo, base, edit.changes, edit.annotations)
    classes = counts.result()
    edit.record = replace(
        base,
        facts=all_classes(parsed.facts, base.facts, classes),
        objects=counts.objects,
        class_counts=classes,
    )
    return True


def _record(base: DataRecord, edit: Edit) -> DataRecord:
    """Return the record with the sums of samples, files and bytes put right."""
    samples, files, content_bytes = base.samples, base.files, base.content_bytes
    for _, old, new in edit.changes:
        for entry, sign in ((old, -1), (new, 1)):
            if entry is not None:
                samples += sign * (entry.kind is EntryKind.SAMPLE)
                files += sign * (entry.kind is EntryKind.FILE)
                content_bytes += sign * entry.size
    return replace(
        edit.record, samples=samples, files=files, content_bytes=content_bytes, derived={}
    )
