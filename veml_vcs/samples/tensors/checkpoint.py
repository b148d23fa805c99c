"""A checkpoint in the store: a tree of tensors, so that fine-tunes share what they did not change.

Each tensor is a content like a sample's bytes, stored once whatever checkpoint it is in; its data
type and shape are what is said about it; names are keys. See design note 020.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

import numpy as np

from veml_vcs.errors import DamagedError, FormatError
from veml_vcs.ids import SampleId, TreeId, digest, short
from veml_vcs.objects.protocol import ObjectStore
from veml_vcs.samples.annotations import annotation_id
from veml_vcs.samples.fragments.annotations import AnnotationReader, AnnotationWriter
from veml_vcs.samples.fragments.catalog import Catalog
from veml_vcs.samples.fragments.content import ContentReader, ContentWriter
from veml_vcs.samples.tensors.safetensors import Checkpoint, Tensor, check_shape
from veml_vcs.samples.tensors.values import values_of
from veml_vcs.samples.tree import Entry, EntryKind, Tree, build_tree, diff_trees

METADATA = "%metadata"
"""Key of what a file says besides its tensors; no name of a tensor is quoted into it."""


@dataclass(frozen=True)
class Stored:
    """A checkpoint that was stored.

    Attributes:
        tree: Its root: the checkpoint's identity.
        tensors: Number of tensors.
        content_bytes: Sum of their sizes.
        new_bytes: Bytes of tensors that the store did not have.
    """

    tree: TreeId
    tensors: int
    content_bytes: int
    new_bytes: int


@dataclass(frozen=True)
class TensorChange:
    """How one tensor differs.

    Attributes:
        name: Its name.
        kind: ``added``, ``removed``, ``reshaped`` (another shape or data type) or ``changed``.
        norm: Of a changed one: the L2 norm of the old values; None where it cannot be said (8-bit
            floats, values that are not finite).
        moved: The L2 norm of the difference.
        whole: Whether it holds whole numbers or truth values: counters, not weights.
    """

    name: str
    kind: str
    norm: float | None = None
    moved: float | None = None
    whole: bool = False

    @property
    def change(self) -> float | None:
        """The norm of the difference divided by that of the old values; None where all were 0."""
        return self.moved / self.norm if self.norm and self.moved is not None else None


def write_checkpoint(store: ObjectStore, catalog: Catalog, checkpoint: Checkpoint) -> Stored:
    """Store a checkpoint, as one batch; tensors that are stored already are not stored again.

    Args:
        store: Takes what is new.
        catalog: Knows what is there.
        checkpoint: The tensors.

    Raises:
        FormatError: A name cannot be a key.
    """
    entries = {}
    with store.write() as writer:
        contents, said = ContentWriter(catalog, writer), AnnotationWriter(catalog, writer)
        for name, tensor in sorted(checkpoint.tensors.items()):
            about = {"dtype": tensor.dtype, "shape": list(tensor.shape)}
            content, about_id = SampleId(digest(tensor.data)), annotation_id(about)
            contents.add(content, bytes(tensor.data), "")
            said.add_many([(about_id, about)])
            size = len(tensor.data)
            entries[_key(name)] = Entry(EntryKind.SAMPLE, content, about_id, size)
        if checkpoint.metadata:
            text = json.dumps(dict(sorted(checkpoint.metadata.items())), ensure_ascii=False)
            data = text.encode()
            content = SampleId(digest(data))
            contents.add(content, data, "")
            entries[METADATA] = Entry(EntryKind.FILE, content, None, len(data))
        contents.finish()
        said.finish()
        tree = build_tree(sorted(entries.items()), writer)
    catalog.refresh()
    sizes = sum(len(one.data) for one in checkpoint.tensors.values())
    return Stored(tree, len(checkpoint.tensors), sizes, contents.new_bytes)


def read_checkpoint(store: ObjectStore, catalog: Catalog, tree: TreeId) -> Checkpoint:
    """Return a checkpoint from the store, each tensor checked against its id.

    Raises:
        DamagedError: What is stored is no checkpoint.
        NotFoundError: A part of it is not there.
    """
    entries = dict(Tree(store, tree).items())
    contents = ContentReader(catalog)
    ids = {one.annotation for one in entries.values() if one.annotation is not None}
    about = AnnotationReader(catalog).read_many(ids)
    metadata: dict[str, str] = {}
    tensors = {}
    for key, entry in entries.items():
        if entry.content is None:
            raise DamagedError(f"checkpoint {short(tree)}: {key!r:.80} has no bytes")
        try:
            data = contents.read(entry.content)
        except DamagedError as error:
            raise DamagedError(
                f"tensor {unquote(key)!r:.80}: {error}", hint=error.hint, kind=error.kind
            ) from error
        if key == METADATA:
            metadata = _metadata(data, f"checkpoint {short(tree)}")
        else:
            said = about[entry.annotation] if entry.annotation is not None else {}
            where = f"checkpoint {short(tree)}: {key!r:.80}"
            if unquote(key) in tensors:
                raise DamagedError(f"{where}: two tensors have this name")
            tensors[unquote(key)] = _tensor(said, data, where)
    return Checkpoint(tensors, metadata)


def compare_checkpoints(
    store: ObjectStore, catalog: Catalog, old: TreeId, new: TreeId
) -> tuple[TensorChange, ...]:
    """Return the tensors that differ, by name; only those are read.

    Raises:
        DamagedError: What is stored is no checkpoint.
    """
    contents, notes = ContentReader(catalog), AnnotationReader(catalog)

    def tensor(entry: Entry | None, key: str) -> Tensor | None:
        if entry is None or entry.content is None or entry.annotation is None:
            return None
        return _tensor(notes.read(entry.annotation), contents.read(entry.content), key)

    found = []
    for key, before, after in diff_trees(store, old, new):
        if key == METADATA:
            continue
        left, right = tensor(before, key), tensor(after, key)
        name = unquote(key)
        if left is None or right is None:
            found.append(TensorChange(name, "added" if left is None else "removed"))
        elif (left.dtype, left.shape) != (right.dtype, right.shape):
            found.append(TensorChange(name, "reshaped"))
        else:
            whole = left.dtype.startswith(("I", "U", "BOOL"))
            found.append(TensorChange(name, "changed", *_norms(left, right), whole))
    return tuple(found)


def _key(name: str) -> str:
    """Return the key of a tensor: its name, where that is a file name; odd bytes in hex."""
    key = quote(name, safe="~!@+=,()[]{}: ")
    if not name:
        raise FormatError("a tensor without a name")
    if not key.strip("."):
        key = key.replace(".", "%2E")
    if key.startswith("."):
        key = "%2E" + key[1:]  # ".git" is no key
    if len(key) > 4000:
        raise FormatError(f"a tensor's name of {len(name):,} characters is longer than any")
    return key


def _metadata(data: bytes, where: str) -> dict[str, str]:
    """Return what a checkpoint says besides its tensors; a stranger's may be anything."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise DamagedError(f"{where}: its metadata is no JSON: {error!s:.200}") from error
    if not isinstance(found, dict) or not all(isinstance(one, str) for one in found.values()):
        raise DamagedError(f"{where}: its metadata is not text by name")
    return found


def _tensor(about: Any, data: bytes, where: str) -> Tensor:
    dtype, shape = about.get("dtype"), about.get("shape")
    try:
        check_shape(dtype, shape, len(data), where)
    except FormatError as error:
        raise DamagedError(str(error)) from error
    return Tensor(dtype, tuple(shape), data)


def _norms(old: Tensor, new: Tensor) -> tuple[float | None, float | None]:
    """Return the L2 norms of the old values and of the difference."""
    left, right = values_of(old), values_of(new)
    if left is None or right is None or not (np.isfinite(left).all() and np.isfinite(right).all()):
        return None, None
    return float(np.linalg.norm(left)), float(np.linalg.norm(right - left))
