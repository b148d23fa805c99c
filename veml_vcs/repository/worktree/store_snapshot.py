"""Turn a snapshot into a stored data version: tree, annotations, record, stat cache."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from veml_vcs.ids import AnnotationId, TreeId
from veml_vcs.objects.protocol import ObjectWriter
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.worktree.edit import Edit
from veml_vcs.repository.worktree.snapshot import Snapshot
from veml_vcs.samples.facts import Annotation
from veml_vcs.samples.tree import Change, EntryKind, build_tree, update_tree
from veml_vcs.versions.data import DataRecord


def store_snapshot(
    repo: Repository,
    snapshot: Snapshot,
    base: DataRecord | None,
    changes: Iterable[Change],
    writer: ObjectWriter,
    derived: Mapping[str, Any] | None = None,
) -> DataRecord:
    """Write a snapshot's annotations and tree, and return the record of the version.

    The contents must have gone into the same batch, or be in the store.

    Args:
        repo: The repository.
        snapshot: What was found.
        base: The version whose tree is to be shared where nothing changed.
        changes: How the snapshot differs from the base.
        writer: The batch.
        derived: How the version was made, if not by ``add``.
    """
    _store_annotations(repo, snapshot.annotations, writer)
    if base is None:
        tree = build_tree(snapshot.entries.items(), writer)
    else:
        tree = _updated(repo, base, changes, writer)
    return record_of(snapshot, tree, derived or {})


def store_edit(repo: Repository, edit: Edit, base: DataRecord, writer: ObjectWriter) -> DataRecord:
    """Write an edit's annotations and tree, and return the record of the version.

    The contents must have gone into the same batch, or be in the store.
    """
    _store_annotations(repo, edit.annotations, writer)
    return replace(edit.record, tree=_updated(repo, base, edit.changes, writer))


def _store_annotations(
    repo: Repository, annotations: Mapping[AnnotationId, Annotation], writer: ObjectWriter
) -> None:
    from veml_vcs.samples.fragments.annotations import AnnotationWriter

    target = AnnotationWriter(repo.catalog, writer)
    target.add_many(list(annotations.items()))
    target.finish()


def _updated(
    repo: Repository, base: DataRecord, changes: Iterable[Change], writer: ObjectWriter
) -> TreeId:
    found = {key: new for key, _, new in changes}
    return update_tree(repo.store, base.tree, found, writer) if found else base.tree


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
