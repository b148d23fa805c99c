"""A data version as Zarr: every fragment that holds a row of it, for any Zarr v3 reader.

The store's root is a group; below it each fragment is a group, named by the first 16 hex digits of
its id. What a fragment's arrays mean is written in docs/format.md. A fragment is shown whole, so it
may hold rows of other versions too; its array ``id`` tells them apart.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from veml_vcs.ids import TreeId
from veml_vcs.objects.manifest import Manifest
from veml_vcs.objects.zarr_store import ZarrStore
from veml_vcs.samples.fragments.annotations import KIND as ANNOTATIONS
from veml_vcs.samples.fragments.catalog import Catalog
from veml_vcs.samples.fragments.content import KIND as CONTENT
from veml_vcs.samples.fragments.fragment import Fragment
from veml_vcs.samples.fragments.vectors import KIND as VECTORS
from veml_vcs.samples.fragments.zarr_meta import group_metadata
from veml_vcs.samples.tree import Tree

_NAME_DIGITS = 16


def zarr_view(catalog: Catalog, tree: TreeId) -> ZarrStore:
    """Return the fragments that hold rows of a data version, as one read-only Zarr v3 store.

    Args:
        catalog: Knows where rows lie.
        tree: The version's tree.

    Returns:
        A store whose root group has the attribute ``veml``: ``tree``, ``fragments`` (name of the
        group -> id) and ``missing``, the number of contents and annotations that are not here.

    Raises:
        NotFoundError: A node of the tree is not in the store.
        DamagedError: The tree is damaged.
    """
    fragments, missing = catalog.retrying(lambda: _fragments(catalog, tree))
    names = [fragment.id.hex()[:_NAME_DIGITS] for fragment in fragments]
    if len(set(names)) < len(names):  # digits can be made to collide, ids cannot
        names = [fragment.id.hex() for fragment in fragments]
    manifest: Manifest = {}
    for name, fragment in zip(names, fragments, strict=True):
        manifest.update((f"{name}/{key}", value) for key, value in fragment.manifest().items())
    ids = {name: fragment.id.hex() for name, fragment in zip(names, fragments, strict=True)}
    facts = {"tree": tree.hex(), "fragments": ids, "missing": missing}
    manifest["zarr.json"] = group_metadata({"veml": facts}).encode()
    return ZarrStore(catalog.store, manifest, read_only=True)


def _fragments(catalog: Catalog, tree: TreeId) -> tuple[list[Fragment], int]:
    """Return the fragments in order of their ids, and how many rows are in none."""
    entries = [entry for _, entry in Tree(catalog.store, tree).items()]
    contents = list({entry.content for entry in entries if entry.content is not None})
    said = list({entry.annotation for entry in entries if entry.annotation is not None})
    numbers: set[int] = set()
    missing = 0
    wanted: tuple[tuple[str, Sequence[bytes]], ...] = ((CONTENT, contents), (ANNOTATIONS, said))
    for kind, ids in wanted:
        places = catalog.find_many(ids, kind)[:, 0]
        missing += int(np.count_nonzero(places < 0))
        numbers.update(places.tolist())
    for space in {fragment.space for fragment in catalog.opened(VECTORS)}:
        numbers.update(catalog.find_many(contents, VECTORS, space)[:, 0].tolist())
    numbers.discard(-1)
    return sorted(map(catalog.fragment, numbers), key=lambda fragment: fragment.id), missing
