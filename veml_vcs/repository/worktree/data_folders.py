"""Which untracked folders are data sets to be: what ``add`` makes one, and what it leaves alone."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from veml_vcs.repository.repository import Repository
from veml_vcs.repository.worktree.plain import untracked_paths
from veml_vcs.samples.formats.tables import holds_numbers, is_beside
from veml_vcs.samples.formats.zarr import NODE_FILES, Zarr
from veml_vcs.samples.images import is_image

LEAST_TABLE_BYTES = 100_000
"""A folder of tables alone is a data set from this size on, all of them together."""

_LEAST_IMAGES = 20
_LOOKED_AT = 2000


def left_alone(repo: Repository, paths: Sequence[str], tracked: Iterable[str]) -> list[str]:
    """Return the untracked folders below others (``veml add .``) that look like data sets."""
    below = [path for path in paths if os.path.isdir(repo.absolute(path))]
    if not below:
        return []
    found = untracked_paths(repo, list(tracked), repo.git.staged_files())
    return [
        path.rstrip("/")
        for path, _ in found
        if path.endswith("/")
        and any(not one or path.startswith(one + "/") for one in below)
        and _looks_like_data(repo.absolute(path.rstrip("/")))
    ]


def _looks_like_data(path: str) -> bool:
    """Tell whether a folder is more than a few pictures beside texts: images, tables, arrays."""
    images = files = 0
    for _, _, names in os.walk(path):
        images += sum(map(is_image, names))
        files += len(names)
        if files > _LOOKED_AT:
            break
    if images:
        return images >= _LEAST_IMAGES and images * 3 >= files
    return holds_data(path)


def holds_data(path: str) -> bool:
    """Tell whether a folder is a data set to be: images, nothing but tables, or a Zarr store.

    A few small tables are left to Git, which shows their lines; ``--format tables`` tracks them.
    """
    numbers = 0
    only_numbers = True
    store = False
    for folder, _, names in os.walk(path):
        for name in names:
            if is_image(name):
                return True
            store = store or name in NODE_FILES
            if holds_numbers(name):
                numbers += os.path.getsize(os.path.join(folder, name))
            else:
                only_numbers = only_numbers and is_beside(name)
    return (only_numbers and numbers >= LEAST_TABLE_BYTES) or (store and _is_zarr(path))


def _is_zarr(path: str) -> bool:
    """Tell whether a folder holds nothing but Zarr arrays and what lies beside them."""
    keys = [
        os.path.relpath(os.path.join(folder, name), path)
        for folder, _, names in os.walk(path)
        for name in names
    ]
    return Zarr().detect(sorted(keys), lambda _: b"") is not None
