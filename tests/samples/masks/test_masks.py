"""Class masks: the same pixels back, differences by class, merges by pixel."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from veml_vcs.errors import FormatError
from veml_vcs.samples.kinds import is_mask
from veml_vcs.samples.masks import (
    Mask,
    class_names,
    diff_masks,
    merge_masks,
    read_mask,
)

VALUES = arrays(np.uint8, st.tuples(st.integers(1, 7), st.integers(1, 7)))


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(values: Any, filters: list[int], color: int = 0, before: bytes = b"") -> bytes:
    """Write a PNG with these filters, straight from the definition (RFC 2083, 6)."""
    height, width = values.shape
    rows = []
    for y in range(height):
        kind = filters[y % len(filters)]
        row = bytearray([kind])
        for x in range(width):
            left = int(values[y, x - 1]) if x else 0
            up = int(values[y - 1, x]) if y else 0
            corner = int(values[y - 1, x - 1]) if x and y else 0
            p = left + up - corner
            paeth = min(
                (abs(p - left), 0, left), (abs(p - up), 1, up), (abs(p - corner), 2, corner)
            )
            guess = (0, left, up, (left + up) // 2, paeth[2])[kind]
            row.append((int(values[y, x]) - guess) % 256)
        rows.append(bytes(row))
    head = struct.pack(">IIBBBBB", width, height, 8, color, 0, 0, 0)
    packed = zlib.compress(b"".join(rows))
    cut = len(packed) // 2
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + before + chunk(b"IDAT", packed[:cut])
        + chunk(b"IDAT", packed[cut:]) + chunk(b"IEND", b"")
    )  # fmt: skip


@given(VALUES, st.lists(st.integers(0, 4), min_size=1, max_size=5))
def test_pixels_come_back_whatever_the_filters(values: Any, filters: list[int]) -> None:
    palette = chunk(b"PLTE", bytes(range(6)))
    found = read_mask(png(values, filters, 3, palette), "m.png")
    assert np.array_equal(found.values, values)
    assert found.before == palette
    again = read_mask(found.to_bytes(), "m.png")
    assert np.array_equal(again.values, values)
    assert (again.color, again.before, again.after) == (found.color, found.before, found.after)


GOOD = png(np.arange(12, dtype=np.uint8).reshape(3, 4), [1, 2, 4])


@pytest.mark.parametrize(
    "data",
    [b"", b"GIF89a", GOOD[:-4], GOOD[:40], GOOD.replace(b"IDAT", b"IDAT", 1)[:-13],
     GOOD[:50] + bytes([GOOD[50] ^ 1]) + GOOD[51:],
     GOOD.replace(struct.pack(">II", 4, 3), struct.pack(">II", 1 << 16, 1 << 16)),
     png(np.zeros((2, 2), np.uint8), [0], 2), png(np.zeros((2, 2), np.uint8), [0], 4)],
)  # fmt: skip
def test_what_is_no_mask_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError, match=r"m\.png"):
        read_mask(data, "m.png")


@given(st.binary(max_size=80))
def test_any_bytes_are_refused_or_read(data: bytes) -> None:
    for one in (data, GOOD[: len(GOOD) // 2] + data):
        with pytest.raises(FormatError):
            read_mask(one, "m.png")


def test_a_bomb_is_not_inflated() -> None:
    head = struct.pack(">IIBBBBB", 4, 4, 8, 0, 0, 0, 0)
    bomb = zlib.compress(bytes(50 << 20))
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", bomb) + chunk(b"IEND", b"")
    with pytest.raises(FormatError, match="found 21"):
        read_mask(data, "m.png")


def mask(values: Any) -> Mask:
    return Mask(np.asarray(values, np.uint8), 0, b"", b"")


def test_diff_by_class() -> None:
    found = diff_masks(mask([[0, 0, 1], [3, 3, 3]]), mask([[0, 1, 1], [4, 4, 3]]), {3: "road"})
    assert (found.pixels, found.changed) == (6, 3)
    assert found.moves == {"road -> 4": 2, "0 -> 1": 1}
    assert diff_masks(mask([[0]]), mask([[0, 0]]), {}).resized


SHAPES = st.tuples(st.integers(1, 5), st.integers(1, 5))
SIDES = SHAPES.flatmap(
    lambda shape: st.tuples(*[arrays(np.uint8, shape, elements=st.integers(0, 2))] * 3)
)


@given(SIDES)
def test_laws_of_merging(sides: tuple[Any, Any, Any]) -> None:
    base, ours, theirs = map(mask, sides)
    assert np.array_equal(merge_masks(base, ours, base).mask.values, ours.values)
    assert np.array_equal(merge_masks(base, base, theirs).mask.values, theirs.values)
    one, two = merge_masks(base, ours, theirs), merge_masks(base, theirs, ours)
    assert one.clashes == two.clashes
    clash = (ours.values != base.values) & (theirs.values != base.values)
    clash &= ours.values != theirs.values
    assert one.clashes == clash.sum()
    assert np.array_equal(one.mask.values[~clash], two.mask.values[~clash])
    assert np.array_equal(one.mask.values[clash], ours.values[clash])
    settled = merge_masks(base, ours, theirs, "theirs").mask.values
    assert np.array_equal(settled[clash], theirs.values[clash])


def test_sizes_and_palettes_must_agree() -> None:
    with pytest.raises(FormatError, match="sizes"):
        merge_masks(mask([[0]]), mask([[0]]), mask([[0, 0]]))


def test_names() -> None:
    assert class_names("0 Sky\n1 Building\n\n3 Road marking\n") == {
        0: "Sky", 1: "Building", 3: "Road marking",
    }  # fmt: skip
    assert class_names("² m\n3 Road") == {0: "² m", 3: "Road"}  # no digit to int()
    assert class_names("sky\nroad\n") == {0: "sky", 1: "road"}
    assert is_mask("masks/a.png")
    assert is_mask("x/SegmentationClass/a.PNG")
    assert not is_mask("images/a.png")
    assert not is_mask("masks/a.jpg")
