"""The manifest of a Zarr hierarchy: which key is which object.

Canonical JSON, so that equal hierarchies have equal ids: keys sorted by code point, no blanks,
UTF-8, nothing escaped that need not be::

    {"data/c/0":{"bytes":8388608,"object":"<64 hex digits>"},"data/zarr.json":{"inline":"<text>"}}

Metadata is inline, so that opening a fragment reads one object; chunks are objects of their own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeAlias

from veml_vcs.errors import DamagedError, InvalidInputError
from veml_vcs.ids import DIGEST_BYTES, Buffer, ObjectId, parse_hex

ManifestValue: TypeAlias = bytes | tuple[ObjectId, int]
"""Inline UTF-8 text, or an object and its length in bytes."""

Manifest: TypeAlias = dict[str, ManifestValue]
"""Zarr key -> value."""

_MAX_BYTES = 1 << 63


def encode_manifest(manifest: Mapping[str, ManifestValue]) -> bytes:
    """Return the canonical form of a manifest.

    Raises:
        InvalidInputError: A key is no Zarr key, an inline value is not UTF-8, an id has not 32
            bytes, or a length is negative.
    """
    content: dict[str, dict[str, str | int]] = {}
    for key, value in manifest.items():
        fault = key_fault(key)
        if fault:
            raise InvalidInputError(f"manifest: key {key!r} {fault}")
        if isinstance(value, bytes):
            try:
                content[key] = {"inline": value.decode()}
            except UnicodeDecodeError as error:
                raise InvalidInputError(f"manifest: {key!r} is not UTF-8: {error}") from error
        else:
            object_id, length_bytes = value
            if len(object_id) != DIGEST_BYTES or not 0 <= length_bytes < _MAX_BYTES:
                raise InvalidInputError(
                    f"manifest: {key!r}: expected 32 bytes and a length, found "
                    f"{len(object_id)} bytes and {length_bytes}"
                )
            content[key] = {"bytes": length_bytes, "object": object_id.hex()}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def decode_manifest(data: Buffer) -> Manifest:
    """Read a manifest.

    Raises:
        DamagedError: It is not of the form above; the message names the key.
    """
    try:
        content = json.loads(str(data, "utf-8"), object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError) as error:
        raise DamagedError(f"manifest: not JSON: {error}") from error
    if not isinstance(content, dict):
        raise DamagedError(f"manifest: expected an object, found {type(content).__name__}")
    manifest: Manifest = {}
    for key, value in content.items():
        fault = key_fault(key)
        if fault:
            raise DamagedError(f"manifest: key {key!r} {fault}")
        manifest[key] = _decode_value(key, value)
    return manifest


def key_fault(key: str) -> str | None:
    """Say what is wrong with a Zarr key, or None.

    A key is a relative POSIX path without empty, ``.`` and ``..`` parts, so that it stays inside
    whatever it is written to.
    """
    if not key:
        return "is empty"
    if "\0" in key:
        return "contains NUL"
    for part in key.split("/"):
        if part in ("", ".", ".."):
            return f"has a part {part!r}"
    try:
        key.encode()
    except UnicodeEncodeError:
        return "cannot be written as UTF-8"
    return None


def _decode_value(key: str, value: Any) -> ManifestValue:
    if isinstance(value, dict) and value.keys() == {"inline"}:
        text = value["inline"]
        if isinstance(text, str):
            try:
                return text.encode()
            except UnicodeEncodeError as error:
                raise DamagedError(f"manifest: {key!r} cannot be written as UTF-8") from error
    elif isinstance(value, dict) and value.keys() == {"bytes", "object"}:
        text, length_bytes = value["object"], value["bytes"]
        if isinstance(text, str) and type(length_bytes) is int and 0 <= length_bytes < _MAX_BYTES:
            try:
                return ObjectId(parse_hex(text)), length_bytes
            except InvalidInputError as error:
                raise DamagedError(f"manifest: {key!r}: {error}") from error
    raise DamagedError(
        f"manifest: {key!r}: expected an inline text, or an object and its bytes, found "
        f"{str(value)[:80]}"
    )


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a key occurs twice")
    return content
