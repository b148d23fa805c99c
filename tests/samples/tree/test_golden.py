"""The format as it is: a tiny data set whose digests stand in docs/format.md too.

If a test here fails, the identity of every data version has changed. That needs a new format
version, not new numbers here.
"""

from __future__ import annotations

import re
from pathlib import Path

from veml_vcs.ids import ObjectId, SampleId, digest
from veml_vcs.objects import MemoryObjectStore
from veml_vcs.samples.annotations.canonical import annotation_id, canonical_bytes
from veml_vcs.samples.tree import Entry, EntryKind, Tree, build, build_tree
from veml_vcs.samples.tree.node import decode_inner, decode_leaf

FORMAT_PAGE = Path(__file__).resolve().parents[3] / "docs" / "format.md"

ANNOTATION = {
    "width": 640.0,
    "objects": [{"xywh": [48.0, 1e-7, 3.5, 10], "class": "café"}],
    "height": 480,
}
CANONICAL = (
    '{"height":480,"objects":[{"class":"café","xywh":[48,1e-7,3.5,10]}],"width":640}'.encode()
)
ANNOTATION_ID = "35169d546832d6c834a6d049d2294962548b944f251cc86af828ad2e6ac5f40a"
LEAF = (
    "56544c3103000000020d070600050008000600000000000000010000000000000000000000000000"
    "00524541444d45612e706e67676f6e652e706e675891b5b522d5df086d0ff0b110fbd9d21bb4fc71"
    "63af34d08286a2e846f6be03ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785"
    "afee48bb35169d546832d6c834a6d049d2294962548b944f251cc86af828ad2e6ac5f40a35169d54"
    "6832d6c834a6d049d2294962548b944f251cc86af828ad2e6ac5f40a"
)
TINY_ROOT = "a0cf4440a647281624569e2a48d5d1043cad993ed2e08dec6bac988a55104279"
HUNDRED_ROOT = "e30b17c036c557649292cc1885c461e7bf71c13ab3801c34c1c2092dd72fb07c"
HUNDRED_LEAF_SIZES = [7, 23, 5, 65]


def tiny() -> list[tuple[str, Entry]]:
    said = annotation_id(ANNOTATION)
    return [
        ("README", Entry(EntryKind.FILE, SampleId(digest(b"hello\n")), None, 6, False)),
        ("a.png", Entry(EntryKind.SAMPLE, SampleId(digest(b"a")), said, 1, True)),
        ("gone.png", Entry(EntryKind.ANNOTATION_ONLY, None, said)),
    ]


def hundred() -> list[tuple[str, Entry]]:
    return [
        (f"{i:03}", Entry(EntryKind.SAMPLE, SampleId(digest(b"%d" % i)), None, len(str(i))))
        for i in range(100)
    ]


def test_annotation() -> None:
    assert canonical_bytes(ANNOTATION) == CANONICAL
    assert annotation_id(ANNOTATION).hex() == ANNOTATION_ID


def test_tree_of_one_leaf() -> None:
    store = MemoryObjectStore()
    with store.write() as writer:
        root = build_tree(tiny(), writer)
    assert store.get(ObjectId(root)).hex() == LEAF
    assert root.hex() == TINY_ROOT
    assert list(Tree(store, root).items()) == tiny()


def test_tree_of_two_levels() -> None:
    store = MemoryObjectStore()
    with store.write() as writer:
        root = build_tree(hundred(), writer)
    level, children = decode_inner(store.get(ObjectId(root)), ObjectId(root))
    assert level == 1
    assert [child.entries for child in children] == HUNDRED_LEAF_SIZES
    for child in children[:-1]:
        keys = [key for key, _ in decode_leaf(store.get(child.node), child.node)]
        assert [build.ends_node(key.encode(), 0) for key in keys] == [False] * (len(keys) - 1) + [
            True
        ]
    assert root.hex() == HUNDRED_ROOT


def test_the_page_says_the_same() -> None:
    text = re.sub(r"\s", "", FORMAT_PAGE.read_text(encoding="utf-8"))
    for digits in (ANNOTATION_ID, LEAF, TINY_ROOT, HUNDRED_ROOT):
        assert digits in text
    assert CANONICAL.decode() in text
    assert ",".join(map(str, HUNDRED_LEAF_SIZES)) in text
