"""What a hostile clone may hold in its store and its notes: read, or refused with a VemlError.

Ids cannot be forged, so a stranger's object is exactly what its id says; but it can say anything.
Inputs that once broke something are kept as ``@example``.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.hostile.mutations import HOSTILE_VALUES, as_text, deep, fuzz, mutated_bytes, mutated_json
from tests.repository.kit import Project, coco, small_model
from veml_vcs.analysis.data_versions.summary import parse_note
from veml_vcs.errors import VemlError
from veml_vcs.ids import AnnotationId, ObjectId, SampleId, TreeId, digest
from veml_vcs.objects import Files, LocalObjectStore, MemoryObjectStore, ObjectKind
from veml_vcs.objects.index import Index
from veml_vcs.objects.manifest import decode_manifest
from veml_vcs.repository.merging.state import load_merge_state
from veml_vcs.repository.worktree.statcache import load_statcache
from veml_vcs.samples.fragments.annotations import AnnotationReader, AnnotationWriter
from veml_vcs.samples.fragments.catalog import Catalog
from veml_vcs.samples.fragments.collect import readable
from veml_vcs.samples.fragments.content import ContentReader, ContentWriter, salvage
from veml_vcs.samples.fragments.zarr_meta import parse_array, parse_group
from veml_vcs.samples.tree import Entry, EntryKind, Tree, build_tree
from veml_vcs.samples.tree.mark import Marks
from veml_vcs.samples.tree.node import decode_inner, decode_leaf, leaf_rows
from veml_vcs.versions.data import parse_data_record

EXAMPLES = fuzz(25)
NODE = ObjectId(bytes(32))


def harmless(call: Callable[[], object]) -> None:
    """Call something that may refuse, in veml's words, in one message that is not endless."""
    message = ""
    try:
        call()
    except VemlError as error:
        message = error.message
    assert len(message) < 3000


# -- packs -----------------------------------------------------------------------------------------


def a_pack(folder: Path) -> tuple[str, bytes, list[ObjectId]]:
    with LocalObjectStore(folder).write() as writer:
        ids = [writer.put(b"raw %d" % i * 9) for i in range(3)]
        base = os.urandom(500)
        ids.append(writer.put(base, kind=ObjectKind.NODE, compress=True))
    with LocalObjectStore(folder).write() as writer:
        ids.append(writer.put(base + b"x", kind=ObjectKind.NODE, compress=True, base=ids[3]))
        ids.append(writer.put(b"deflated" * 99, compress=True))
    path = max((folder / "packs").iterdir(), key=lambda one: one.stat().st_size)
    return path.name, path.read_bytes(), ids


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, bytes, list[ObjectId]]:
    folder = tmp_path_factory.mktemp("pack")
    return folder, *a_pack(folder)


def use(folder: Path, ids: list[ObjectId]) -> None:
    """Do with a store what commands do."""
    store = LocalObjectStore(folder)
    for one in ids:
        harmless(lambda one=one: store.get(one))  # type: ignore[misc]
        harmless(lambda one=one: bytes(store.view(one)))  # type: ignore[misc]
        harmless(lambda one=one: store.size(one))  # type: ignore[misc]
    harmless(lambda: list(store.ids()))
    harmless(lambda: list(store.verify()))
    for found in store.packs():
        harmless(lambda found=found: list(store.salvage(found.name)))  # type: ignore[misc]
        for row in found.rows:
            harmless(lambda row=row, found=found: store.base_of(found.name, row))  # type: ignore[misc]
    store.close()


def place(folder: Path, name: str, data: bytes) -> None:
    for old in (folder / "packs").iterdir():
        old.unlink()
    (folder / "packs" / name).write_bytes(data)


@EXAMPLES
@given(data=st.data())
def test_a_pack_with_other_bytes(
    pack: tuple[Path, str, bytes, list[ObjectId]], data: st.DataObject
) -> None:
    folder, name, sound, ids = pack
    place(folder, name, data.draw(mutated_bytes((sound,))))
    use(folder, ids)


NUMBERS = (0, 1, 7, 16, 1 << 31, (1 << 63) - 1, 1 << 63, (1 << 64) - 1)


@EXAMPLES
@given(
    st.integers(0, 20), st.integers(0, 255), st.integers(0, 255), st.sampled_from(NUMBERS),
    st.sampled_from(NUMBERS), st.sampled_from(NUMBERS), st.integers(0, 7),
)  # fmt: skip
def test_a_pack_whose_table_lies_and_is_signed(
    pack: tuple[Path, str, bytes, list[ObjectId]],
    at: int, kind: int, encoding: int, offset: int, stored: int, decoded: int, which: int,
) -> None:  # fmt: skip
    """A table with huge offsets and lengths, unknown kinds and encodings, whose checksum fits."""
    folder, _, sound, ids = pack
    start, count = struct.unpack_from("<QQ", sound, len(sound) - 56)
    rows = [bytearray(sound[start + 64 * i : start + 64 * i + 64]) for i in range(count)]
    row = rows[at % count]
    if which & 1:
        row[32:34] = bytes((kind, encoding))
    if which & 2:
        row[40:48] = struct.pack("<Q", offset)
    if which & 4:
        row[48:64] = struct.pack("<QQ", stored, decoded)
    table = b"".join(rows)
    checksum = hashlib.sha256(sound[:16] + table).digest()
    data = sound[:start] + table + sound[-56:-40] + checksum + sound[-8:]
    place(folder, f"{checksum.hex()}.pack", data)
    use(folder, ids)


@EXAMPLES
@given(mutated_bytes((Index().encode(), Index(("ab" * 32 + ".pack",), bytes(64)).encode())))
def test_an_index_cache(data: bytes) -> None:
    found = Index.decode(memoryview(data))
    if found is not None:
        list(found.ids())
        found.find_all(bytes(32))


# -- fragments -------------------------------------------------------------------------------------


def a_store() -> MemoryObjectStore:
    store = MemoryObjectStore()
    catalog = Catalog(store, None, Files())
    with store.write() as writer:
        contents = ContentWriter(catalog, writer)
        for i in range(3):
            contents.add(SampleId(digest(b"a%d" % i)), b"a%d" % i, "a.jpg")
            contents.add(SampleId(digest(b"text %d" % i * 30)), b"text %d" % i * 30, "a.txt")
        contents.finish()
        said = AnnotationWriter(catalog, writer)
        from veml_vcs.samples.annotations.canonical import annotation_id

        items: list[dict[str, Any]] = [
            {"width": 4, "objects": [{"class": "a", "xywh": [1.5, 2, 3, 4], "x": [i]}]}
            for i in range(3)
        ]
        said.add_many([(annotation_id(one), one) for one in [*items, {"odd": [{}, None]}]])
        said.finish()
    return store


STORE = a_store()
FRAGMENTS = [STORE.get(one) for one in sorted(STORE.ids(ObjectKind.FRAGMENT))]
MANIFESTS = tuple(json.loads(one) for one in FRAGMENTS)
METADATA = tuple(
    json.loads(value["inline"]) for one in MANIFESTS for value in one.values() if "inline" in value
)


def use_fragment(manifest: bytes) -> None:
    store = a_store()
    with store.write() as writer:
        writer.put(manifest, kind=ObjectKind.FRAGMENT)
    catalog = Catalog(store, None, Files())
    contents, said = ContentReader(catalog), AnnotationReader(catalog)
    blocked: dict[str, str] = {}
    for fragment in readable(catalog, blocked):
        harmless(lambda fragment=fragment: list(salvage(fragment)))  # type: ignore[misc]
        for row in range(min(fragment.rows, 5)):
            one = fragment.ids[row].tobytes()
            harmless(lambda one=one: contents.read(SampleId(one)))  # type: ignore[misc]
            harmless(lambda one=one: said.read(AnnotationId(one)))  # type: ignore[misc]


@EXAMPLES
@given(mutated_json(MANIFESTS))
def test_a_manifest(value: object) -> None:
    harmless(lambda: decode_manifest(as_text(value)))
    with suppress(UnicodeEncodeError):
        use_fragment(json.dumps(value, sort_keys=True, separators=(",", ":")).encode())


@EXAMPLES
@given(st.sampled_from(range(len(MANIFESTS))), st.integers(0, 30), mutated_json(METADATA))
@example(0, 3, {"attributes": {"veml": {"version": "a" * 5000}}, "node_type": "group",
                "zarr_format": 3})  # fmt: skip
def test_metadata_inside_a_manifest(which: int, at: int, meta: object) -> None:
    """The manifest is sound; what one of its Zarr documents says is not."""
    manifest = json.loads(json.dumps(MANIFESTS[which]))
    inline = sorted(key for key, value in manifest.items() if "inline" in value)
    manifest[inline[at % len(inline)]] = {"inline": json.dumps(meta)}
    use_fragment(json.dumps(manifest, sort_keys=True, separators=(",", ":")).encode())


@EXAMPLES
@given(st.sampled_from(range(len(MANIFESTS))), st.integers(0, 30), st.integers(0, 30))
def test_chunks_that_are_those_of_another_array(which: int, one: int, other: int) -> None:
    manifest = json.loads(json.dumps(MANIFESTS[which]))
    chunks = sorted(key for key, value in manifest.items() if "object" in value)
    every = [value for doc in MANIFESTS for value in doc.values() if "object" in value]
    manifest[chunks[one % len(chunks)]] = every[other % len(every)]
    use_fragment(json.dumps(manifest, sort_keys=True, separators=(",", ":")).encode())


@EXAMPLES
@given(mutated_json(METADATA))
def test_zarr_metadata(value: object) -> None:
    text = as_text(value).decode()
    harmless(lambda: parse_array(text))
    harmless(lambda: parse_group(text))


@pytest.mark.parametrize("text", [deep("[", "]"), deep('{"a":', "}")], ids=["lists", "objects"])
def test_documents_nested_100_000_deep(text: bytes) -> None:
    for call in (
        lambda: decode_manifest(text),
        lambda: parse_array(text.decode()),
        lambda: parse_group(text.decode()),
        lambda: parse_data_record(text, "x"),
        lambda: parse_note(text),
    ):
        with pytest.raises(VemlError):
            call()


# -- trees -----------------------------------------------------------------------------------------


def a_tree() -> tuple[MemoryObjectStore, TreeId, tuple[bytes, ...]]:
    store = MemoryObjectStore()
    entries = {
        f"{i:03}": Entry(EntryKind.SAMPLE, SampleId(digest(b"%d" % i)), None, 1) for i in range(80)
    }
    entries["z"] = Entry(EntryKind.ANNOTATION_ONLY, None, AnnotationId(bytes(32)))
    with store.write() as writer:
        root = build_tree(entries.items(), writer)
    return store, root, tuple(store.get(one) for one in sorted(store.ids(ObjectKind.NODE)))


TREE_STORE, ROOT, NODES = a_tree()


@EXAMPLES
@given(mutated_bytes(NODES))
@example(b"VTL1" + b"\xff" * 4)
@example(b"VTN1" + b"\xff" * 8)
def test_a_node(data: bytes) -> None:
    harmless(lambda: decode_leaf(data, NODE))
    harmless(lambda: decode_inner(data, NODE))
    harmless(lambda: leaf_rows(data, NODE))
    store, _, _ = a_tree()
    with store.write() as writer:
        root = writer.put(data, kind=ObjectKind.NODE)
    harmless(lambda: list(Tree(store, TreeId(root)).items()))
    harmless(lambda: Tree(store, TreeId(root)).get("005"))
    Marks().tree(store, [root])  # never refuses: it names what it cannot read


# -- records, notes, state -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def place_of_project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    with pytest.MonkeyPatch.context() as patch:
        for who in ("AUTHOR", "COMMITTER"):
            patch.setenv(f"GIT_{who}_NAME", "Ada")
            patch.setenv(f"GIT_{who}_EMAIL", "ada@example.org")
        project = Project(tmp_path_factory.mktemp("records") / "r")
        project.write(coco(small_model(2)), "d")
        project.save("d")
    return project


@EXAMPLES
@given(data=st.data())
def test_a_record(place_of_project: Project, data: st.DataObject) -> None:
    record = json.loads(place_of_project.path("d.veml").read_text())
    record["derived"] = {"by": "filter"}
    value = data.draw(mutated_json((record,)))
    harmless(lambda: parse_data_record(as_text(value), "d.veml"))


FIELDS = (
    "veml",
    "kind",
    "tree",
    "samples",
    "classes",
    "sources",
    "annotations",
    "format",
    "layout",
)


@EXAMPLES
@example(field="sources", value=[None])
@example(field="kind", value="a" * 5000)
@example(field="task", value="a" * 5000)
@given(field=st.sampled_from(FIELDS), value=st.sampled_from(HOSTILE_VALUES))
def test_each_field_of_a_record(place_of_project: Project, field: str, value: object) -> None:
    record = json.loads(place_of_project.path("d.veml").read_text())
    record[field] = value
    harmless(lambda: parse_data_record(as_text(record), "d.veml"))


LINE = f"{'ab' * 32} {base64.b64encode(np.ones(2, '<f2').tobytes()).decode()}"
HEAD = {"veml": 1, "embedder": "e", "seed": 0, "samples": 3, "dimension": 2, "centres": 1,
        "drawn": 2, "holdout": 1, "radius_profile": [0.5], "masses": [3]}  # fmt: skip


@EXAMPLES
@given(mutated_json((HEAD,)), mutated_bytes((f"{LINE}\n{LINE}\n{LINE}\n".encode(),)))
@example({**HEAD, "centres": 1.0}, f"{LINE}\n{LINE}\n{LINE}\n".encode())
@example({**HEAD, "seed": 1e308, "samples": "x"}, f"{LINE}\n{LINE}\n{LINE}\n".encode())
@example({**HEAD, "seed": float("inf")}, f"{LINE}\n{LINE}\n{LINE}\n".encode())
@example({**HEAD, "masses": [10**40]}, f"{LINE}\n{LINE}\n{LINE}\n".encode())
def test_a_summary_note(head: object, lines: bytes) -> None:
    harmless(lambda: parse_note(as_text(head) + b"\n" + lines))


STATE = {
    "theirs_name": "side", "ours": "a" * 40, "theirs": "b" * 40,
    "conflicts": [{"dataset": "d", "key": "k", "kind": "x", "path": "", "base": None,
                   "ours": 1, "theirs": 2, "choice": None}],
}  # fmt: skip


@EXAMPLES
@given(value=mutated_json((STATE,)))
@example(value={**STATE, "conflicts": {"a": 1}})
@example(value={**STATE, "conflicts": [[]]})
def test_the_state_of_a_merge(place_of_project: Project, value: object) -> None:
    project = place_of_project
    (project.root / ".git/MERGE_HEAD").write_text("a" * 40 + "\n")
    (project.root / ".git/veml/merge.json").write_bytes(as_text(value))
    harmless(lambda: load_merge_state(project.repo))


def test_a_merge_head_that_is_none(place_of_project: Project) -> None:
    project = place_of_project
    for data in (b"", b"\n", b"\xff\xfe\x00", b"not hex"):
        (project.root / ".git/MERGE_HEAD").write_bytes(data)
        (project.root / ".git/veml/merge.json").unlink(missing_ok=True)
        harmless(lambda: load_merge_state(project.repo))


@EXAMPLES
@given(data=st.data(), signed=st.booleans())
def test_a_stat_cache(place_of_project: Project, data: st.DataObject, signed: bool) -> None:
    project = place_of_project
    path = Path(project.repo.statcache_path("d"))
    sound = project.__dict__.setdefault("sound", path.read_bytes())
    changed = data.draw(mutated_bytes((sound,)))
    if signed and len(changed) > 49:
        changed = sound[:17] + hashlib.sha256(changed[49:]).digest() + changed[49:]
    path.write_bytes(changed)
    harmless(lambda: load_statcache(str(path), project.repo.files))
