"""The canonical form of a manifest, and what is refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veml_vcs.errors import DamagedError, InvalidInputError
from veml_vcs.ids import ObjectId
from veml_vcs.objects import decode_manifest, encode_manifest
from veml_vcs.objects.manifest import key_fault

HEX = "ab" * 32
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
KEYS = TEXT.filter(lambda key: key_fault(key) is None)
VALUES = st.one_of(
    TEXT.map(str.encode),
    st.tuples(st.binary(min_size=32, max_size=32).map(ObjectId), st.integers(0, 2**63 - 1)),
)


@given(st.dictionaries(KEYS, VALUES))
def test_round_trip(manifest: dict[str, bytes | tuple[ObjectId, int]]) -> None:
    data = encode_manifest(manifest)
    assert decode_manifest(data) == manifest
    assert encode_manifest(dict(reversed(manifest.items()))) == data


def test_the_canonical_form() -> None:
    manifest = {
        "zarr.json": b'{"a": "\xc3\xa9\n"}',
        "data/c/0": (ObjectId(bytes.fromhex(HEX)), 5),
        "Z": b"",
    }
    expected = (
        '{"Z":{"inline":""},"data/c/0":{"bytes":5,"object":"' + HEX + '"},'
        '"zarr.json":{"inline":"{\\"a\\": \\"é\\n\\"}"}}'
    )
    assert encode_manifest(manifest) == expected.encode()


@pytest.mark.parametrize(
    "key", ["", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/./b", "a/..", "a\0", "\ud800"]
)
def test_keys_that_lead_elsewhere(key: str) -> None:
    with pytest.raises(InvalidInputError, match="key"):
        encode_manifest({key: b""})
    with pytest.raises(DamagedError, match="key"):
        decode_manifest(json.dumps({key: {"inline": ""}}).encode())


@pytest.mark.parametrize(
    "value",
    [b"\xff", (b"short", 1), (bytes(32), -1), (bytes(32), 1 << 63)],
    ids=["not UTF-8", "short id", "negative", "huge"],
)
def test_values_that_cannot_be_written(value: bytes | tuple[ObjectId, int]) -> None:
    with pytest.raises(InvalidInputError, match="'a/b'"):
        encode_manifest({"a/b": value})


@pytest.mark.parametrize(
    "value",
    [
        "null",
        "1",
        '"text"',
        "[]",
        "{}",
        '{"inline":1}',
        '{"inline":null}',
        '{"inline":"","more":1}',
        '{"inline":"\\ud800"}',
        '{"inline":"","object":"' + HEX + '","bytes":1}',
        '{"object":"' + HEX + '"}',
        '{"object":"' + HEX + '","bytes":"1"}',
        '{"object":"' + HEX + '","bytes":1.0}',
        '{"object":"' + HEX + '","bytes":true}',
        '{"object":"' + HEX + '","bytes":-1}',
        '{"object":"' + HEX + '","bytes":9223372036854775808}',
        '{"object":"' + HEX[1:] + '","bytes":1}',
        '{"object":"' + HEX.upper() + '","bytes":1}',
        '{"object":"' + "zz" * 32 + '","bytes":1}',
        '{"object":1,"bytes":1}',
    ],
)
def test_values_of_the_wrong_kind(value: str) -> None:
    with pytest.raises(DamagedError, match="'a/b'"):
        decode_manifest(b'{"a/b":' + value.encode() + b"}")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff",
        b'{"a":{"inline":""},"a":{"inline":""}}',
        b'{"a":{"inline":"","inline":""}}',
        b"[" * 100_000,
        b'{"a":{"bytes":' + b"9" * 5000 + b',"object":""}}',
    ],
    ids=["empty", "cut", "list", "null", "binary", "twice", "twice inside", "deep", "long number"],
)
def test_what_is_no_manifest(data: bytes) -> None:
    with pytest.raises(DamagedError, match="manifest"):
        decode_manifest(data)


@given(st.binary())
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        decode_manifest(data)
    except DamagedError:
        return


def test_any_buffer_is_read() -> None:
    data = encode_manifest({"a": b"b"})
    assert decode_manifest(memoryview(data)) == decode_manifest(bytearray(data)) == {"a": b"b"}
