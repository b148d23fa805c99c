"""Turn a draft (samples and what shall be said of them) into a stored data version.

Annotation files are written anew where they would say something else, and only there; then the
whole is read back with the format's own reader and compared with the draft. If they still differ,
nothing is made: a bug in a writer, or something the format cannot hold, stops an operation and
loses nothing. The same rule as in a merge (``merging.data``), for a draft instead of two sides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from veml_vcs.errors import ConflictError, InvalidInputError, NotFoundError
from veml_vcs.ids import AnnotationId, SampleId, digest
from veml_vcs.objects.protocol import ObjectWriter
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.worktree.snapshot import Counts
from veml_vcs.samples.annotations import annotation_id
from veml_vcs.samples.facts import Annotation, Facts
from veml_vcs.samples.formats import Layout, Parsed, detect, get_format
from veml_vcs.samples.tree import Entry, EntryKind, build_tree, update_tree
from veml_vcs.versions.data import DataRecord

_ROUNDS = 4


@dataclass
class Draft:
    """What an operation wants a data version to be.

    Attributes:
        facts: Format, classes and layout; what ``Format.write`` takes.
        entries: Key -> entry of every sample and file that is to be in it. Annotations in them do
            not count; ``said`` does.
        said: Key -> annotation, of every sample of which something is said.
        made: Content that is not in the store yet, by key.
        rewrite: Annotation files that are to be written anew in any case.
        bare: No annotation file is there yet that the format could be recognised by.
    """

    facts: Facts
    entries: dict[str, Entry]
    said: dict[str, Annotation]
    made: dict[str, bytes] = field(default_factory=dict)
    rewrite: set[str] = field(default_factory=set)
    bare: bool = False

    def put(self, key: str, data: bytes, *, kind: EntryKind = EntryKind.FILE) -> None:
        """Give the draft a file with these bytes."""
        old = self.entries.get(key)
        self.made[key] = data
        executable = bool(old and old.executable)
        self.entries[key] = Entry(kind, SampleId(digest(data)), None, len(data), executable)


def store_draft(
    repo: Repository,
    name: str,
    draft: Draft,
    base: DataRecord | None,
    writer: ObjectWriter,
    derived: Mapping[str, Any],
) -> tuple[DataRecord, tuple[str, ...]]:
    """Write a draft's annotation files and tree.

    Args:
        repo: The repository.
        name: The data set, for messages.
        draft: What is wanted; it is changed to what came of it.
        base: A version whose tree is shared where nothing changed.
        writer: The batch.
        derived: How the version is made.

    Returns:
        The record, and the annotation files that were written anew.

    Raises:
        InvalidInputError: The format cannot hold what is to be said, or no sample is left.
        ConflictError: Reading back gives something else than was meant.
    """
    if not any(entry.kind is EntryKind.SAMPLE for entry in draft.entries.values()):
        raise InvalidInputError(
            f"{name}: no sample would be left; nothing was made", kind="empty-result"
        )
    layout, parsed = _settle(repo, name, draft)
    record = _store(repo, draft, layout, parsed, base, writer, derived)
    return record, tuple(sorted(draft.rewrite & draft.made.keys()))


def _settle(repo: Repository, name: str, draft: Draft) -> tuple[Layout, Parsed]:
    """Write annotation files until they say what the draft does."""
    form = get_format(draft.facts.format)
    todo = set(draft.rewrite)
    missing = draft.bare
    tried: set[str] = set()
    for _ in range(_ROUNDS):
        if todo or missing:
            _write(draft, todo, missing=missing)
        tried |= todo
        keys = sorted(key for key, one in draft.entries.items() if one.content is not None)
        layout = detect(keys, _reader(repo, draft), wanted=draft.facts.format)
        parsed = form.read(layout, _reader(repo, draft))
        wrong = _wrong(draft, layout, parsed)
        if not wrong:
            return layout, parsed
        todo, missing = _speaking(draft, layout, parsed, wrong, tried)
    first = sorted(wrong)[0]
    raise ConflictError(
        f"{name}: the annotation files would not say what was meant, for example of {first}: "
        f"{_difference(draft.said.get(first), parsed.annotations.get(first))}; nothing was made",
        hint=f"the format {draft.facts.format} may have no place for it; try another with --format"
        if draft.facts.format != "coco"
        else None,
        kind="not-faithful",
    )


def _speaking(
    draft: Draft, layout: Layout, parsed: Parsed, wrong: set[str], tried: set[str]
) -> tuple[set[str], bool]:
    """Return the annotation files to write anew, and whether some are not there yet.

    Few at first: a file that need not be touched stays byte for byte what it was. A list of classes
    is only written if nothing else helps.
    """
    todo: set[str] = set()
    missing = False
    shared = set(layout.shared_sources)
    for key in wrong:
        own = layout.own_source.get(key)
        named = {
            source
            for one in (draft.said.get(key), parsed.annotations.get(key))
            if one is not None
            for source in one.get("sources", ())
        }
        if own is not None and own not in tried:
            todo.add(own)
        elif named & shared - tried:
            todo |= named & shared - tried
        else:
            rest = shared - tried
            todo |= rest - {layout.options.get("classes")} or rest
            missing = True
    return todo, missing


def _write(draft: Draft, wanted: set[str], *, missing: bool) -> None:
    """Write the annotation files that are wanted and, with ``missing``, those not there yet."""
    form = get_format(draft.facts.format)
    written = form.write(draft.said, draft.facts, None if missing else wanted)
    for key in wanted | ({*written} - draft.entries.keys() if missing else set()):
        if key in written:
            old = draft.entries.get(key)
            if old is None or old.content != digest(written[key]):
                draft.put(key, written[key])
                draft.rewrite.add(key)
        else:
            draft.entries.pop(key, None)  # nothing is left to say in it
            draft.made.pop(key, None)


def _reader(repo: Repository, draft: Draft) -> Any:
    def read(key: str) -> bytes:
        if key in draft.made:
            return draft.made[key]
        entry = draft.entries.get(key)
        if entry is None or entry.content is None:
            raise NotFoundError(f"the draft has no file {key}")
        return repo.contents.read(entry.content)

    return read


def _wrong(draft: Draft, layout: Layout, parsed: Parsed) -> set[str]:
    """Return the keys of which the files say something else; take over ids the writer gave."""
    wrong = set()
    for key in draft.said.keys() | parsed.annotations.keys():
        meant, found = draft.said.get(key), parsed.annotations.get(key)
        if meant == found:
            continue
        if found is not None and meant is not None and _fits(meant, found):
            draft.said[key] = dict(found)
        else:
            wrong.add(key)
    samples = set(layout.samples)
    wrong.update(
        key
        for key, entry in draft.entries.items()
        if (entry.kind is EntryKind.SAMPLE) and key not in samples
    )
    return wrong


def _fits(meant: Annotation, found: Annotation) -> bool:
    """Tell whether two annotations say the same but for ids and names that the draft left open."""
    return _open_ids(meant, found) == _open_ids(found, meant)


def _open_ids(one: Annotation, other: Annotation) -> Annotation:
    """Return an annotation without the ids, and the name in the file, that the other lacks."""
    result = dict(one)
    for name in ("id", "file_name"):
        if name not in other:
            result.pop(name, None)
    if isinstance(one.get("entries"), dict) and isinstance(other.get("entries"), dict):
        result["entries"] = {
            source: _open_ids(entry, other["entries"].get(source, {}))
            for source, entry in one["entries"].items()
        }
    objects, others = one.get("objects"), other.get("objects")
    if objects is not None and others is not None and len(objects) == len(others):
        result["objects"] = [
            {name: value for name, value in a.items() if name != "id" or "id" in b}
            for a, b in zip(objects, others, strict=True)
        ]
    return result


def _difference(meant: Any, found: Any) -> str:
    """Name the first field that differs, shortly."""
    if not (isinstance(meant, dict) and isinstance(found, dict)):
        return f"meant {meant!r:.120}, found {found!r:.120}"
    for name in [*meant, *found]:
        if meant.get(name) != found.get(name):
            return f"{name}: meant {meant.get(name)!r:.120}, found {found.get(name)!r:.120}"
    return "only the order differs"


def _store(
    repo: Repository,
    draft: Draft,
    layout: Layout,
    parsed: Parsed,
    base: DataRecord | None,
    writer: ObjectWriter,
    derived: Mapping[str, Any],
) -> DataRecord:
    from veml_vcs.samples.fragments.annotations import AnnotationWriter
    from veml_vcs.samples.fragments.content import ContentWriter

    contents = ContentWriter(repo.catalog, writer)
    for key, data in sorted(draft.made.items()):
        contents.add(SampleId(digest(data)), data, key)
    contents.finish()
    counts = Counts()
    ids: dict[str, AnnotationId] = {}
    for key, said in parsed.annotations.items():
        ids[key] = annotation_id(said)
        counts.add(said, 1)
    saver = AnnotationWriter(repo.catalog, writer)
    saver.add_many([(ids[key], said) for key, said in parsed.annotations.items()])
    saver.finish()
    entries = dict(_entries(draft, layout, ids))
    base_entries = dict(_tree_items(repo, base))
    changes: dict[str, Entry | None] = {
        key: entry for key, entry in entries.items() if base_entries.get(key) != entry
    }
    changes.update((key, None) for key in base_entries if key not in entries)
    if base is not None and len(changes) < len(entries):
        tree = update_tree(repo.store, base.tree, changes, writer) if changes else base.tree
    else:
        tree = build_tree(entries.items(), writer)
    return DataRecord(
        tree=tree,
        facts=parsed.facts,
        samples=sum(1 for entry in entries.values() if entry.kind is EntryKind.SAMPLE),
        files=sum(1 for entry in entries.values() if entry.kind is EntryKind.FILE),
        objects=counts.objects,
        content_bytes=sum(entry.size for entry in entries.values()),
        class_counts=counts.result(),
        sources=layout.shared_sources,
        annotations=tuple(sorted(key[1:] for key in entries if key.startswith("/"))),
        derived=derived,
    )


def _tree_items(repo: Repository, base: DataRecord | None) -> Iterable[tuple[str, Entry]]:
    from veml_vcs.samples.tree import Tree

    return () if base is None else Tree(repo.store, base.tree).items()


def _entries(
    draft: Draft, layout: Layout, ids: Mapping[str, AnnotationId]
) -> Iterable[tuple[str, Entry]]:
    """Yield the entries as ``add`` would find them in a folder of these files."""
    samples = set(layout.samples)
    for key, entry in draft.entries.items():
        if entry.content is not None:
            is_sample = key in samples
            kind = EntryKind.SAMPLE if is_sample else EntryKind.FILE
            yield key, entry._replace(kind=kind, annotation=ids.get(key) if is_sample else None)
    for key, found in ids.items():
        if key not in samples and (key not in draft.entries or not draft.entries[key].content):
            yield key, Entry(EntryKind.ANNOTATION_ONLY, None, found)
