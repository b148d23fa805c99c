"""Keys: every file name a POSIX system can give is one, and none that leads out of the data set."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veml_vcs.errors import InvalidInputError
from veml_vcs.samples.tree import check_key, decode_key, encode_key

NAMES = st.binary(min_size=1, max_size=12).filter(
    lambda raw: not set(raw) & set(b"\0/") and raw.strip(b".") and raw.lower() != b".git"
)


@given(st.lists(NAMES, min_size=1, max_size=3), st.booleans())
def test_every_posix_name_is_a_key_and_comes_back(parts: list[bytes], outside: bool) -> None:
    raw = (b"/" if outside else b"") + b"/".join(parts)
    key = os.fsdecode(raw)
    assert check_key(key) == key
    assert encode_key(key) == raw
    assert decode_key(raw) == key


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/",
        "//etc/passwd",
        "///a",
        "..",
        "../a",
        "a/../b",
        "a/..",
        "/../a",
        ".",
        "./a",
        "a/./b",
        "a//b",
        "a/",
        "a\0b",
        ".git",
        ".git/config",
        "a/.GIT/hooks/post-checkout",
        "/.git/hooks/post-checkout",
        ".g\u200cit/config",
        "\ufeff.git/config",
        "/.gi\u202et/hooks/pre-push",
        "\u200d",
        "\u200c..",
        "a" * 4097,
        "é" * 2049,
        "\ud800",
        "a\udfff",
        "\udcc3\udca9",
    ],
    ids=ascii,
)
def test_unusable_keys_are_refused(key: str) -> None:
    with pytest.raises(InvalidInputError, match="not a usable file name"):
        check_key(key)


@pytest.mark.parametrize(
    "key",
    ["a" * 4096, ".gitignore", ".github/a", "a.git", "...", "a/.b", "\u200ca", "\\", "a b", "C:a"],
    ids=ascii,
)
def test_odd_but_usable_keys(key: str) -> None:
    assert check_key(key) == key


def test_the_bytes_of_nonsense_are_no_encoding_error() -> None:
    with pytest.raises(InvalidInputError):
        encode_key("\ud83d")
