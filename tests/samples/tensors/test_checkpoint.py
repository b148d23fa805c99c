"""Checkpoints in the store: what fine-tunes share is stored once; what differs is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from veml_vcs.errors import DamagedError, FormatError
from veml_vcs.ids import TreeId
from veml_vcs.objects.files import Files
from veml_vcs.objects.local import LocalObjectStore
from veml_vcs.samples.fragments.catalog import Catalog
from veml_vcs.samples.tensors import (
    Checkpoint,
    Tensor,
    TensorChange,
    compare_checkpoints,
    read_checkpoint,
    write_checkpoint,
)
from veml_vcs.samples.tree import build_tree

NAMES = ("backbone.conv.weight", "backbone.bn.bias", "head/fc.weight", ".git", "..", "%41", "a b:é")


def made(seed: int = 0, **changed: float) -> Checkpoint:
    rng = np.random.default_rng(seed)
    tensors = {}
    for i, name in enumerate(NAMES):
        values = rng.normal(size=(64, i + 1)).astype(np.float32)
        values += changed.get(f"n{i}", 0.0)
        tensors[name] = Tensor("F32", values.shape, values.tobytes())
    return Checkpoint(tensors, {"epoch": "12"})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LocalObjectStore]:
    (tmp_path / "store" / "packs").mkdir(parents=True)
    opened = LocalObjectStore(str(tmp_path / "store"))
    yield opened
    opened.close()


@pytest.fixture
def catalog(store: LocalObjectStore, tmp_path: Path) -> Catalog:
    return Catalog(store, str(tmp_path / "cache"), Files())


def plain(found: Checkpoint) -> dict[str, tuple[str, tuple[int, ...], bytes]]:
    return {name: (one.dtype, one.shape, bytes(one.data)) for name, one in found.tensors.items()}


def test_round_trip(store: LocalObjectStore, catalog: Catalog) -> None:
    done = write_checkpoint(store, catalog, made())
    assert (done.tensors, done.new_bytes) == (
        len(NAMES),
        done.content_bytes + len('{"epoch": "12"}'),
    )
    back = read_checkpoint(store, catalog, done.tree)
    assert plain(back) == plain(made())
    assert back.metadata == {"epoch": "12"}


def test_a_fine_tune_stores_what_it_changed(store: LocalObjectStore, catalog: Catalog) -> None:
    """Without ``catalog.find`` in ``ContentWriter.add`` all of it is stored again."""
    first = write_checkpoint(store, catalog, made())
    second = write_checkpoint(store, catalog, made(n2=0.5))
    assert second.new_bytes == 64 * 3 * 4
    assert write_checkpoint(store, catalog, made()).tree == first.tree
    (change,) = compare_checkpoints(store, catalog, first.tree, second.tree)
    assert (change.name, change.kind) == ("head/fc.weight", "changed")
    old = np.frombuffer(made().tensors["head/fc.weight"].data, np.float32).astype(np.float64)
    new = np.frombuffer(made(n2=0.5).tensors["head/fc.weight"].data, np.float32)
    assert change.change == pytest.approx(np.linalg.norm(new - old) / np.linalg.norm(old))


NORM = 14**0.5
"""Of 0, 1, 2, 3."""


def test_what_came_went_and_was_reshaped(store: LocalObjectStore, catalog: Catalog) -> None:
    def saved(tensors: dict[str, Tensor]) -> TreeId:
        return write_checkpoint(store, catalog, Checkpoint(tensors)).tree

    four = np.arange(4, dtype=np.float32).tobytes()
    half = (np.arange(4, dtype=np.float32).view(np.uint32) >> 16).astype(np.uint16).tobytes()
    old = saved({
        "gone": Tensor("F32", (4,), four), "shape": Tensor("F32", (4,), four),
        "type": Tensor("F32", (2,), four[:8]), "bf": Tensor("BF16", (4,), half),
        "f8": Tensor("F8_E4M3", (4,), b"abcd"), "zero": Tensor("F32", (1,), bytes(4)),
        "nan": Tensor("F32", (1,), bytes(4)), "same": Tensor("F32", (), four[:4]),
    })  # fmt: skip
    new = saved({
        "came": Tensor("F32", (4,), four), "shape": Tensor("F32", (2, 2), four),
        "type": Tensor("F64", (1,), four[:8]), "bf": Tensor("BF16", (4,), bytes(8)),
        "f8": Tensor("F8_E4M3", (4,), b"abce"), "zero": Tensor("F32", (1,), four[4:8]),
        "nan": Tensor("F32", (1,), np.float32("nan").tobytes()),
        "same": Tensor("F32", (), four[:4]),
    })  # fmt: skip
    assert compare_checkpoints(store, catalog, old, new) == (
        TensorChange("bf", "changed", NORM, NORM), TensorChange("came", "added"),
        TensorChange("f8", "changed"), TensorChange("gone", "removed"),
        TensorChange("nan", "changed"), TensorChange("shape", "reshaped"),
        TensorChange("type", "reshaped"), TensorChange("zero", "changed", 0.0, 1.0),
    )  # fmt: skip
    assert TensorChange("bf", "changed", NORM, NORM).change == 1.0
    assert TensorChange("zero", "changed", 0.0, 1.0).change is None


def test_names_that_cannot_be(store: LocalObjectStore, catalog: Catalog) -> None:
    for name in ("", "a" * 5000):
        with pytest.raises(FormatError, match="a tensor"):
            write_checkpoint(store, catalog, Checkpoint({name: Tensor("U8", (0,), b"")}))


def test_another_tree_is_no_checkpoint(store: LocalObjectStore, catalog: Catalog) -> None:
    from veml_vcs.ids import SampleId, digest
    from veml_vcs.samples.fragments.content import ContentWriter
    from veml_vcs.samples.tree import Entry, EntryKind

    with store.write() as writer:
        contents = ContentWriter(catalog, writer)
        contents.add(SampleId(digest(b"png")), b"png", "a.png")
        contents.finish()
        entry = Entry(EntryKind.SAMPLE, SampleId(digest(b"png")), None, 3)
        tree = build_tree([("a.png", entry)], writer)
    catalog.refresh()
    with pytest.raises(DamagedError, match="unknown data type"):
        read_checkpoint(store, catalog, tree)


@pytest.mark.parametrize(
    ("entries", "match"),
    [
        ({"%metadata": b"no json"}, "is no JSON"),
        ({"%metadata": b"[" * 100_000}, "is no JSON"),
        ({"%metadata": b'{"a": 1}'}, "not text by name"),
        ({"a": b"1234", "%61": b"1234"}, "two tensors have this name"),
    ],
)
def test_a_strangers_tree(
    store: LocalObjectStore, catalog: Catalog, entries: dict[str, bytes], match: str
) -> None:
    """Seen to be a traceback, and one of two tensors lost."""
    from veml_vcs.ids import SampleId, digest
    from veml_vcs.samples.annotations import annotation_id
    from veml_vcs.samples.fragments.annotations import AnnotationWriter
    from veml_vcs.samples.fragments.content import ContentWriter
    from veml_vcs.samples.tree import Entry, EntryKind

    about = {"dtype": "F32", "shape": [1]}
    made_entries = {}
    with store.write() as writer:
        contents, said = ContentWriter(catalog, writer), AnnotationWriter(catalog, writer)
        said.add_many([(annotation_id(about), about)])
        for key, data in entries.items():
            content = SampleId(digest(data))
            contents.add(content, data, "")
            kind = EntryKind.FILE if key == "%metadata" else EntryKind.SAMPLE
            note = None if key == "%metadata" else annotation_id(about)
            made_entries[key] = Entry(kind, content, note, len(data))
        contents.finish()
        said.finish()
        tree = build_tree(sorted(made_entries.items()), writer)
    catalog.refresh()
    with pytest.raises(DamagedError, match=match):
        read_checkpoint(store, catalog, tree)
