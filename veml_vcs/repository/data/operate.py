"""What ``filter``, ``update``, ``add`` and ``merge`` share: from a draft to a staged version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from veml_vcs.objects.memory import MemoryObjectStore
from veml_vcs.repository.data.place import place_version
from veml_vcs.repository.data.rewrite import Draft, store_draft
from veml_vcs.repository.data.version import DataVersion
from veml_vcs.repository.progress import Progress
from veml_vcs.repository.repository import Repository
from veml_vcs.samples.facts import Annotation
from veml_vcs.samples.formats.keys import base_of, without_suffix
from veml_vcs.samples.tree import Entry, EntryKind
from veml_vcs.versions.data import DataRecord


@dataclass(frozen=True)
class Operated:
    """What a data operation made.

    Attributes:
        path: The data set the result is staged as.
        record: The new version; with ``dry_run``, what it would be.
        samples_before: Number of samples of the (first) source.
        objects_before: Number of its objects.
        rewritten: Annotation files that were written anew.
        written: Whether the folder on disk holds the result.
        dry_run: Nothing was stored or staged.
        warnings: Sentences for the user.
    """

    path: str
    record: DataRecord
    samples_before: int
    objects_before: int
    rewritten: tuple[str, ...] = ()
    written: bool = False
    dry_run: bool = False
    warnings: tuple[str, ...] = ()


def draft_of(
    source: DataVersion, said: Mapping[str, Annotation], dropped: set[str], *, moved: bool
) -> Draft:
    """Return a draft of a version with other annotations and without some samples.

    Args:
        source: The version.
        said: Key -> annotation, of all samples that stay.
        dropped: Samples that go, with the annotation files that speak of them alone, and files
            that are named like them (masks, depth maps, calibration).
        moved: The result is another data set: annotation files outside the folder come inside.
    """
    layout = source.layout
    gone = dropped | companions(source, dropped)
    gone.update(layout.own_source[key] for key in dropped if key in layout.own_source)
    entries = {
        key: entry._replace(annotation=None)
        for key, entry in source.entries.items()
        if key not in gone and entry.kind is not EntryKind.ANNOTATION_ONLY
    }
    draft = Draft(source.facts, entries, dict(said))
    for key in dropped & draft.said.keys():
        del draft.said[key]
    draft.rewrite.update(
        layout.own_source[key]
        for key, one in draft.said.items()
        if key in layout.own_source and one is not source.said.get(key)
    )
    if moved:
        _bring_inside(draft)
    return draft


def companions(source: DataVersion, dropped: set[str]) -> set[str]:
    """Return the files named like dropped samples and like no other: masks, depth maps."""
    kept = {without_suffix(base_of(key)) for key in source.samples if key not in dropped}
    stems = {without_suffix(base_of(key)) for key in dropped} - kept
    shared = set(source.layout.shared_sources)
    return {
        key
        for key, entry in source.entries.items()
        if entry.kind is EntryKind.FILE
        and key not in shared
        and without_suffix(base_of(key)) in stems
    }


def _bring_inside(draft: Draft) -> None:
    """Move annotation files from outside the folder to the same path inside it."""
    outside = {key: key[1:] for key in draft.entries if key.startswith("/")}
    if not outside:
        return
    draft.entries = {outside.get(key, key): entry for key, entry in draft.entries.items()}
    draft.rewrite = {outside.get(key, key) for key in draft.rewrite}
    facts = draft.facts
    draft.facts = type(facts)(
        facts.format,
        facts.task,
        facts.classes,
        renamed(facts.layout, outside),
        renamed(facts.extra, outside),
    )
    for key, one in draft.said.items():
        if (
            "sources" in one
            or "entries" in one
            or any("source" in o for o in one.get("objects", ()))
        ):
            draft.said[key] = renamed(one, outside)


def renamed(value: Any, names: Mapping[str, str]) -> Any:
    """Return JSON values with the names of files replaced, as keys and as values."""
    if isinstance(value, str):
        return names.get(value, value)
    if isinstance(value, Mapping):
        return {names.get(key, key): renamed(one, names) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [renamed(one, names) for one in value]
    return value


def finish(
    repo: Repository,
    source: DataVersion,
    target: str,
    draft: Draft,
    derived: Mapping[str, Any],
    *,
    checkout: bool,
    dry_run: bool,
    warnings: tuple[str, ...] = (),
    progress: Progress,
) -> Operated:
    """Store a draft, stage it and bring the folder to it; the caller holds the lock."""
    progress("writing annotations", 0, len(draft.said))
    before = (source.record.samples, source.record.objects)
    if dry_run:
        # The tree goes to memory, so it cannot be an update of one in the repository's store.
        with MemoryObjectStore().write() as memory:
            record, rewritten = store_draft(repo, target, draft, None, memory, derived)
        return Operated(target, record, *before, rewritten, dry_run=True, warnings=warnings)
    with repo.store.write() as writer:
        record, rewritten = store_draft(repo, target, draft, source.record, writer, derived)
    repo.catalog.refresh()
    written = place_version(
        repo,
        target,
        record,
        checkout=checkout,
        command=f"veml data {derived['operation']}",
        progress=progress,
    )
    return Operated(target, record, *before, rewritten, written, warnings=warnings)


__all__ = ["Draft", "Entry", "Operated", "draft_of", "finish"]
