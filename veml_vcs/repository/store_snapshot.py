"""Turn a snapshot into a stored data version: tree, annotations, record, stat cache."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from veml_vcs.ids import TreeId
from veml_vcs.objects.protocol import ObjectWriter
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.snapshot import Snapshot
from veml_vcs.samples.tree import Entry, EntryKind, build_tree, update_tree
from veml_vcs.versions.data import DataRecord


def store_snapshot(
    repo: Repository,
    snapshot: Snapshot,
    base: DataRecord | None,
    base_entries: Mapping[str, Entry],
    writer: ObjectWriter,
    derived: Mapping[str, Any] | None = None,
) -> DataRecord:
    """Write a snapshot's annotations and tree, and return the record of the version.

    The contents must have gone into the same batch, or be in the store.

    Args:
        repo: The repository.
        snapshot: What was found.
        base: The version whose tree is to be shared where nothing changed.
        base_entries: The base's entries.
        writer: The batch.
        derived: How the version was made, if not by ``add``.
    """
    from veml_vcs.samples.fragments.annotations import AnnotationWriter

    annotations = AnnotationWriter(repo.catalog, writer)
    annotations.add_many(list(snapshot.annotations.items()))
    annotations.finish()
    entries = snapshot.entries
    if base is None:
        tree = build_tree(entries.items(), writer)
    else:
        changes: dict[str, Entry | None] = {
            key: entry for key, entry in entries.items() if base_entries.get(key) != entry
        }
        changes.update((key, None) for key in base_entries if key not in entries)
        tree = update_tree(repo.store, base.tree, changes, writer) if changes else base.tree
    return record_of(snapshot, tree, derived or {})


def record_of(snapshot: Snapshot, tree: TreeId, derived: Mapping[str, Any]) -> DataRecord:
    """Return the record of a snapshot whose tree is known."""
    entries = snapshot.entries.values()
    return DataRecord(
        tree=tree,
        facts=snapshot.facts,
        samples=sum(1 for entry in entries if entry.kind is EntryKind.SAMPLE),
        files=sum(1 for entry in entries if entry.kind is EntryKind.FILE),
        objects=snapshot.objects,
        content_bytes=sum(entry.size for entry in entries),
        class_counts=snapshot.class_counts,
        sources=snapshot.sources,
        annotations=snapshot.external,
        derived=derived,
    )
