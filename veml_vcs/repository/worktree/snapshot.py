"""What a data set's folder holds right now, as entries, annotations and facts.

This is the one reader of work trees: ``add`` stores what it finds, ``diff`` and ``status`` compare
it. Files whose stamps prove them unchanged are not read; annotation files that did not change are
not parsed for samples that did not change either.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from veml_vcs.errors import FormatError, InvalidInputError, NotFoundError
from veml_vcs.ids import AnnotationId, SampleId
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.sparse.left_out import NOTHING, LeftOut, left_out
from veml_vcs.repository.worktree.changes import entries_of
from veml_vcs.repository.worktree.folder_files import FolderFiles
from veml_vcs.repository.worktree.reading import ReadFile
from veml_vcs.repository.worktree.scan import Stamp, scan_folder, stamp_file
from veml_vcs.repository.worktree.statcache import StatCache, load_statcache
from veml_vcs.samples.annotations.canonical import annotation_id
from veml_vcs.samples.facts import Annotation, ClassInfo, Facts
from veml_vcs.samples.formats import Layout, Parsed, detect, get_format
from veml_vcs.samples.tree import Change, Entry, EntryKind
from veml_vcs.versions.data import ClassCount, DataRecord


@dataclass
class Snapshot:
    """A data set as it stands in the work tree.

    Attributes:
        path: The folder, from the repository's root.
        entries: Key -> entry.
        annotations: The annotations that were parsed anew, by id; all others are in the store.
        facts: Format, classes, layout.
        class_counts: How often each class occurs.
        objects: Number of objects in all annotations.
        sources: Keys of the annotation files that speak of many samples.
        external: Annotation files outside the folder, from the repository's root.
        stamps: What the stat cache shall remember: key -> stamp.
        contents: Key -> content id, of these (and maybe more).
        hints: The layout's hints; see ``Layout``.
        hints_before: Those of other versions, as the stat cache has them.
        warnings: Sentences for the user.
    """

    path: str
    entries: dict[str, Entry] = field(default_factory=dict)
    annotations: dict[AnnotationId, Annotation] = field(default_factory=dict)
    facts: Facts = field(default_factory=lambda: Facts("files"))
    class_counts: dict[str, ClassCount] = field(default_factory=dict)
    objects: int = 0
    sources: tuple[str, ...] = ()
    external: tuple[str, ...] = ()
    stamps: Mapping[str, Stamp] = field(default_factory=dict)
    contents: Mapping[str, SampleId] = field(default_factory=dict)
    hints: Mapping[str, Any] = field(default_factory=dict)
    hints_before: bytes = b""
    warnings: tuple[str, ...] = ()


def take_snapshot(
    repo: Repository,
    path: str,
    base: DataRecord | None,
    base_entries: Mapping[str, Entry] | None = None,
    *,
    external: tuple[str, ...] | None = None,
    wanted_format: str | None = None,
    only: Callable[[str], bool] | None = None,
    sink: Callable[[ReadFile], object] | None = None,
    verify: bool = False,
    files: FolderFiles | None = None,
    progress: Progress = silent,
) -> Snapshot:
    """Look at a data set's folder.

    Args:
        repo: The repository.
        path: The folder, from the repository's root.
        base: The version to compare with (normally the staged one), None for a new data set.
        base_entries: The base's entries, if the caller has read them.
        sources: Keys of the annotation files that speak of many samples.
        external: Annotation files outside the folder; None takes over the base's.
        wanted_format: The format; None takes over the base's, or recognises it.
        only: Keys for which it is False are taken from the base, whatever is on disk.
        sink: Is given every file that had to be read (``add`` stores them).
        verify: Read every file, whatever the stat cache says.
        files: The folder's files, if the caller has looked at them (and read what must be read).
        progress: Is told how far reading is.

    Raises:
        NotFoundError: The folder or an annotation file is not there.
        FormatError: The annotation files cannot be understood.
    """
    if base_entries is None:
        base_entries = entries_of(repo, base)
    outside = external if external is not None else (base.annotations if base else ())
    if files is None:
        out = left_out(repo, path) if base is not None else NOTHING
        disk = scan_files(repo, path, outside, out)
        cache = StatCache() if verify else load_statcache(repo.statcache_path(path), repo.files)
        if sink is not None:
            _forget_collected(repo, cache, base_entries)
        files = FolderFiles(repo, path, disk, cache, base_entries, only)
        files.take_left_out(base_entries, out)
        files.read_all(sink, progress)
    snapshot = Snapshot(path, external=outside, stamps=files.stamps, contents=files.contents)
    snapshot.hints_before = files.hints
    if base is not None and wanted_format in (None, base.facts.format):
        entries = _only_samples_changed(files, base_entries)
        if entries is not None and outside == base.annotations:
            snapshot.entries, snapshot.facts, snapshot.sources = entries, base.facts, base.sources
            snapshot.class_counts, snapshot.objects = dict(base.class_counts), base.objects
            return snapshot
        if outside == base.annotations and _only_boxes_changed(
            repo, snapshot, files, base, base_entries
        ):
            return snapshot
    try:
        layout = _layout(files, base, wanted_format)
        dirty = _dirty_samples(layout, files, base, base_entries)
        progress("reading annotations", 0, len(layout.samples) if dirty is None else len(dirty))
        if base is not None and dirty is not None and not dirty:
            parsed = Parsed({}, base.facts)
        else:
            parsed = get_format(layout.format).read(layout, files.read, dirty)
    except FormatError as error:
        # The readers know keys alone; a repository has many data sets with the same ones.
        hint = f"mend the file, or veml add --format files {path} to keep it unread"
        raise FormatError(
            f"{path}: {error.message}",
            hint=hint if error.hint is None and error.kind == FormatError.kind else error.hint,
            kind=error.kind,
        ) from error
    snapshot.facts, snapshot.warnings = parsed.facts, parsed.warnings
    snapshot.sources, snapshot.hints = layout.shared_sources, layout.hints
    _fill_entries(snapshot, layout, files, parsed, base_entries, dirty)
    if base is None or dirty is None:
        _count_all(snapshot, parsed)
    else:
        _count_changes(repo, snapshot, base, base_entries)
    return snapshot


def _forget_collected(repo: Repository, cache: StatCache, base: Mapping[str, Entry]) -> None:
    """Drop files from the stat cache whose bytes the store lost since: they must be read again.

    Garbage collection takes what was added once and never committed; the cache knows nothing of it.
    """
    ids = []
    for key, content in cache.contents.items():
        old = base.get(key)
        if old is None or old.content != content:
            ids.append((key, content))
    places = repo.catalog.find_many([content for _, content in ids], "content")
    for (key, _), place in zip(ids, places[:, 0].tolist(), strict=True):
        if place < 0:
            del cache.stamps[key], cache.contents[key]


def _layout(files: FolderFiles, base: DataRecord | None, wanted: str | None) -> Layout:
    """Recognise the format: the one asked for, else the base's if it still fits, else any."""
    keys = sorted(files.entries)
    if wanted is not None:
        return detect(keys, files.read, wanted=wanted)
    if base is not None and base.facts.format != "files":
        try:
            return detect(keys, files.read, wanted=base.facts.format)
        except FormatError as error:
            if error.kind != "format-refused":
                raise
    return detect(keys, files.read)


def scan_files(
    repo: Repository, path: str, external: tuple[str, ...], out: LeftOut = NOTHING
) -> dict[str, Stamp]:
    """List a data set's files.

    Args:
        repo: The repository.
        path: The folder, from the repository's root.
        external: Annotation files outside the folder.
        out: What a sparse work tree leaves out.

    Raises:
        InvalidInputError: The folder is empty.
        NotFoundError: The folder or an annotation file is not there.
    """
    folder = repo.absolute(path)
    found = scan_folder(folder) if not out or os.path.isdir(folder) else {}
    if not found and not out:
        raise InvalidInputError(f"{path}: there is no file in this folder")
    for outside in external:
        stamp = stamp_file(repo.absolute(outside))
        if stamp is None:
            if "/" + outside in out:
                continue
            raise NotFoundError(
                f"{outside}: the annotation file of {path} is not there",
                hint=f"veml restore {path} brings it back; veml add {path} --annotations FILE "
                "names another",
            )
        found["/" + outside] = stamp
    return found


def _only_samples_changed(
    files: FolderFiles, base_entries: Mapping[str, Entry]
) -> dict[str, Entry] | None:
    """Return the entries if nothing but bytes of samples changed: then nothing need be parsed."""
    entries: dict[str, Entry] = {}
    for key, old in base_entries.items():
        new = files.entries.get(key)
        if old.kind is EntryKind.ANNOTATION_ONLY and new is None:
            entries[key] = old
        elif new is None or old.kind is EntryKind.ANNOTATION_ONLY:
            return None
        elif new.content == old.content and new.executable == old.executable:
            entries[key] = old
        elif old.kind is not EntryKind.SAMPLE:
            return None
        else:
            entries[key] = new._replace(kind=EntryKind.SAMPLE, annotation=old.annotation)
    return entries if all(key in base_entries for key in files.entries) else None


def _only_boxes_changed(
    repo: Repository,
    snapshot: Snapshot,
    files: FolderFiles,
    base: DataRecord,
    base_entries: Mapping[str, Entry],
) -> bool:
    """Complete the snapshot if only the one shared annotation file and samples' bytes changed.

    Then the layout is the base's, and a format may know which samples are concerned without reading
    all of the file again. False if it does not: nothing is done then.
    """
    if len(base.sources) != 1:
        return False
    source = base.sources[0]
    left = len(files.entries)
    for key, old in base_entries.items():
        if old.content is None:
            continue
        new = files.entries.get(key)
        if new is None:
            return False
        left -= 1
        same = new.content == old.content and new.executable == old.executable
        if not same and old.kind is EntryKind.FILE and key != source:
            return False
    was = base_entries.get(source)
    if left or was is None or was.content is None:
        return False
    samples = tuple(key for key, old in base_entries.items() if old.kind is EntryKind.SAMPLE)
    layout = Layout(base.facts.format, samples, {}, base.sources, base.facts.layout)
    form = get_format(layout.format)
    if not form.narrow(layout, source, repo.contents.read(was.content), files.read(source)):
        return False
    parsed = form.read(layout, files.read)
    snapshot.facts, snapshot.warnings = parsed.facts, parsed.warnings
    snapshot.sources = base.sources
    _fill_entries(snapshot, layout, files, parsed, base_entries, parsed.annotations.keys())
    _count_changes(repo, snapshot, base, base_entries)
    return True


def _dirty_samples(
    layout: Layout,
    files: FolderFiles,
    base: DataRecord | None,
    base_entries: Mapping[str, Entry],
) -> set[str] | None:
    """Return the samples whose annotation may differ from the base's; None means all."""
    if base is None or base.facts.format != layout.format or base.facts.layout != layout.options:
        return None

    def changed(key: str) -> bool:
        old, new = base_entries.get(key), files.entries.get(key)
        return (old and old.content) != (new and new.content)

    if set(base.sources) != set(layout.shared_sources) or any(map(changed, base.sources)):
        return None
    dirty = set()
    samples = set(layout.samples)
    before = {key for key, old in base_entries.items() if old.kind is EntryKind.SAMPLE}
    if layout.shared_sources and not layout.own_source and samples != before:
        return None  # names may mean other images now (usual edits do not come here: see ``edit``)
    for key, entry in base_entries.items():
        if entry.annotation is not None and key not in samples:
            unnamed = layout.own_source and key not in layout.own_source
            if entry.kind is EntryKind.SAMPLE or unnamed:
                dirty.add(key)  # its image, or all that named it, has gone
    for key, named in layout.own_source.items():
        if key not in samples and (key not in base_entries or changed(named)):
            dirty.add(key)
    for sample in layout.samples:
        old = base_entries.get(sample)
        source = layout.own_source.get(sample)
        if old is None or old.kind is not EntryKind.SAMPLE:
            dirty.add(sample)
        elif source is not None:
            if changed(source):
                dirty.add(sample)
        elif layout.own_source and old.annotation is not None:
            dirty.add(sample)  # its annotation file may have gone
    return None if len(dirty) * 2 > len(layout.samples) else dirty


def _fill_entries(
    snapshot: Snapshot,
    layout: Layout,
    files: FolderFiles,
    parsed: Parsed,
    base_entries: Mapping[str, Entry],
    dirty: Collection[str] | None,
) -> None:
    entries = snapshot.entries
    entries.update(files.entries)
    samples = set(layout.samples)
    for key in layout.samples:
        entry = files.entries[key]
        if dirty is None or key in dirty:
            annotation = parsed.annotations.get(key)
            found = None if annotation is None else _remember(snapshot, key, annotation)
        else:
            found = base_entries[key].annotation
        entries[key] = entry._replace(kind=EntryKind.SAMPLE, annotation=found)
    for key, annotation in parsed.annotations.items():
        if key not in samples and key not in files.entries:
            entries[key] = Entry(
                EntryKind.ANNOTATION_ONLY, None, _remember(snapshot, key, annotation)
            )
    if dirty is not None:
        for key, old in base_entries.items():
            kept = old.kind is EntryKind.ANNOTATION_ONLY and key not in dirty
            if kept and key not in entries:
                entries[key] = old


def _remember(snapshot: Snapshot, key: str, annotation: Annotation) -> AnnotationId:
    try:
        found = annotation_id(annotation)
    except InvalidInputError as error:
        raise FormatError(f"{snapshot.path}/{key}: its annotation: {error}") from error
    snapshot.annotations[found] = annotation
    return found


def _count_all(snapshot: Snapshot, parsed: Parsed) -> None:
    counts = Counts()
    for annotation in parsed.annotations.values():
        counts.add(annotation, 1)
    snapshot.class_counts, snapshot.objects = counts.result(), counts.objects


def _count_changes(
    repo: Repository, snapshot: Snapshot, base: DataRecord, base_entries: Mapping[str, Entry]
) -> None:
    """Correct the base's counts by what changed, so that the cost is that of the change."""
    entries = snapshot.entries
    changes = (
        Change(key, base_entries.get(key), entries.get(key))
        for key in base_entries.keys() | entries.keys()
    )
    counts = counts_after(repo, base, changes, snapshot.annotations)
    snapshot.class_counts, snapshot.objects = counts.result(), counts.objects
    snapshot.facts = all_classes(snapshot.facts, base.facts, snapshot.class_counts)


def counts_after(
    repo: Repository,
    base: DataRecord,
    changes: Iterable[Change],
    fresh: Mapping[AnnotationId, Annotation],
) -> Counts:
    """Return the counts of a version, from another one's and what changed.

    Args:
        repo: The repository.
        base: The other version.
        changes: What changed; more may be listed.
        fresh: Annotations that are not in the store yet.
    """
    counts = Counts(base.class_counts, base.objects)
    old, new = [], []
    for _, before, after in changes:
        was, now = before and before.annotation, after and after.annotation
        if was != now:
            old += [was] if was else []
            new += [now] if now else []
    stored = [one for one in {*old, *new} if one not in fresh]
    found = {**repo.annotations.read_many(stored), **fresh} if old or new else fresh
    for one in old:
        counts.add(found[one], -1)
    for one in new:
        counts.add(found[one], 1)
    return counts


def all_classes(facts: Facts, base: Facts, counts: Mapping[str, ClassCount]) -> Facts:
    """Complete a class list that was read from some samples only, as reading all would give it."""
    listed = {one.name: one for one in facts.classes}
    missing = [one for one in base.classes if one.name not in listed and one.name in counts]
    if not missing:
        return facts
    classes: list[ClassInfo] = sorted([*facts.classes, *missing], key=class_order)
    return Facts(facts.format, facts.task, tuple(classes), facts.layout, facts.extra)


def class_order(one: ClassInfo) -> tuple[int, str]:
    """Sort classes that were only seen, not listed, as the readers do: by number, else by name."""
    return (-1 if one.id is None else one.id, one.name)


class Counts:
    """Counts classes over annotations.

    Args:
        start: Counts to begin with.
        objects: Number of objects to begin with.
    """

    def __init__(self, start: Mapping[str, ClassCount] | None = None, objects: int = 0) -> None:
        self._objects = {name: one.objects for name, one in (start or {}).items()}
        self._samples = {name: one.samples for name, one in (start or {}).items()}
        self.objects = objects

    def add(self, annotation: Annotation, sign: int) -> None:
        """Count an annotation (``sign`` 1) or take it back (-1)."""
        seen = set(annotation.get("labels", ()))
        for obj in annotation.get("objects", ()):
            self.objects += sign
            name = obj.get("class")
            if isinstance(name, str):
                self._objects[name] = self._objects.get(name, 0) + sign
                seen.add(name)
        for name in seen:
            self._samples[name] = self._samples.get(name, 0) + sign

    def result(self) -> dict[str, ClassCount]:
        """Return the counts of classes that occur."""
        names = self._objects.keys() | self._samples.keys()
        found = {
            name: ClassCount(self._objects.get(name, 0), self._samples.get(name, 0))
            for name in sorted(names)
        }
        return {name: one for name, one in found.items() if one.objects or one.samples}
