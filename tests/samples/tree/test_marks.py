"""What two trees have and do not share: as plain Python says, and as ``Holders`` sees any bytes."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.samples.tree.test_tree_build import (
    CHANGES,
    SHAPES,
    TABLES,
    CountingStore,
    applied,
    sample,
    shape,
    update,
    write,
)
from veml_vcs.errors import DamagedError, InvalidInputError, NotFoundError
from veml_vcs.ids import SampleId, TreeId, digest
from veml_vcs.objects import MemoryObjectStore
from veml_vcs.samples.tree import Entry, encode_key, marks
from veml_vcs.samples.tree.holders import Holders
from veml_vcs.samples.tree.marks import MOST, Differences, mark_of, marks_of
from veml_vcs.samples.tree.node import ChildRef, encode_inner, encode_leaf, ref_to_leaf


def pairs(table: dict[str, Entry]) -> set[bytes]:
    return {one.content + encode_key(key) for key, one in table.items() if one.content is not None}


@given(TABLES, TABLES, CHANGES, SHAPES, st.sampled_from([0, 5, 64]))
def test_as_plain_python_says(
    table: dict[str, Entry],
    other: dict[str, Entry],
    changes: dict[str, Entry | None],
    cuts: tuple[int, int],
    small: int,
) -> None:
    """Trees that are read whole and trees of which what is shared is left out."""
    store = MemoryObjectStore()
    changed = applied(table, changes)
    with shape(*cuts), pytest.MonkeyPatch.context() as patch:
        patch.setattr(marks, "_SMALL", small)
        one, two, three = (write(store, known) for known in (table, changed, other))
        trees = Differences(store)
        for old, new, right in (
            (one, two, pairs(table) ^ pairs(changed)),
            (two, three, pairs(changed) ^ pairs(other)),
            (three, one, pairs(other) ^ pairs(table)),
            (None, two, pairs(changed)),
            (one, one, set()),
        ):
            assert trees.differ(old, new) == right
            if right:
                found = trees.differ(old, new, len(right) - 1)
                assert found is None
    for key, entry in changed.items():
        if entry.content is not None:
            assert [mark_of(key, entry.content)] == marks_of([entry.content + encode_key(key)])
            assert -(2**31) <= mark_of(key, entry.content) < 2**31


def test_what_is_shared_is_not_read() -> None:
    store = CountingStore()
    table = {f"{number:05}.png": sample(number) for number in range(5000)}
    root = write(store, table)
    changed = update(store, root, {"02500.png": sample(1)})
    store.reads = 0
    found = Differences(store).differ(root, changed)
    assert found == pairs({"02500.png": sample(2500)}) ^ pairs({"02500.png": sample(1)})
    assert store.reads < 20
    store.reads = 0
    assert Differences(store).differ(None, root) is None
    assert store.reads <= 3  # the root tells how many there are


def test_too_much_is_not_told() -> None:
    store = CountingStore()
    table = {f"{number:06}.png": sample(number) for number in range(20_000)}
    every = {key: sample(number + 7) for number, key in enumerate(table)}
    one, two = write(store, table), write(store, every)
    some = update(store, one, {key: every[key] for key in list(table)[: MOST // 2 + 1]})
    less = update(store, one, {key: every[key] for key in list(table)[: MOST // 2]})
    store.reads = 0
    assert Differences(store).differ(one, two) is None
    assert store.reads < 400
    assert Differences(store).differ(one, some) is None
    found = Differences(store).differ(one, less)
    assert found is not None
    assert len(found) == MOST


def test_what_cannot_be_read() -> None:
    store = MemoryObjectStore()
    good = write(store, {"a": sample(1)})
    nowhere = TreeId(digest(b"nowhere"))
    with store.write() as writer:
        other = TreeId(writer.put(b"no node"))
    for tree, error in ((nowhere, NotFoundError), (other, DamagedError)):
        for old, new in ((good, tree), (tree, good), (None, tree)):
            with pytest.raises(error):
                Differences(store).differ(old, new)
    with pytest.raises(InvalidInputError):
        mark_of("\ud800", SampleId(digest(b"x")))


KEYS = [f"{letter}.png" for letter in "abcdefgh"]


def hostile(store: MemoryObjectStore, chance: random.Random, known: list[ChildRef]) -> TreeId:
    """Write a tree of two levels, of leaves that others have too; of which places some are lies."""
    with store.write() as writer:
        while len(known) < 6 or chance.random() < 0.3:
            keys = sorted(chance.sample(KEYS, chance.randrange(1, 4)))
            items = [(key.encode(), sample(chance.randrange(3))) for key in keys]
            leaf = writer.put(encode_leaf(items))
            known.append(ref_to_leaf(items[-1][0], [one for _, one in items], leaf))
        refs: dict[bytes, ChildRef] = {}
        for ref in chance.choices(known, k=chance.randrange(1, 5)):
            last = chance.choice([ref.last_key] * 4 + [key.encode() for key in KEYS])
            refs[last] = ref._replace(last_key=last)
        return TreeId(writer.put(encode_inner([refs[key] for key in sorted(refs)], 1)))


@settings(max_examples=5 * settings().max_examples)
@given(st.integers(0, 2**32))
def test_whoever_has_no_mark_looks_the_same_to_whoever_asks(seed: int) -> None:
    """Of trees of strangers: in which leaves stand where no key leads, twice, or lie.

    Seen to fail with what is shared told by the node alone (``Place`` not compared), and without
    the count of entries in ``_descend``.
    """
    chance = random.Random(seed)
    store = MemoryObjectStore()
    known: list[ChildRef] = []
    trees = [hostile(store, chance, known) for _ in range(12)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(marks, "_SMALL", chance.choice([0, 64]))
        compared = Differences(store)
        for old in [None, *trees]:
            for new in trees:
                try:
                    found = compared.differ(old, new)
                except (DamagedError, NotFoundError):
                    continue
                assert found is not None
                for key in KEYS:
                    for number in range(3):
                        content = sample(number).content
                        assert content is not None
                        if content + key.encode() in found:
                            continue
                        holders = Holders(store, key, content)
                        had = old is not None and holders.has(old)
                        assert had == holders.has(new)
