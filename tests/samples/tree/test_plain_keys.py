"""The quick look at many keys never lets one pass that the careful look refuses."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from veml_vcs.errors import InvalidInputError
from veml_vcs.samples.tree.entry import MAX_KEY_BYTES, all_plain, check_key

KEYS = st.lists(st.text("ab./\0", max_size=6), min_size=1, max_size=4)


@given(KEYS)
@example(["a", ""])
@example(["a/", "b"])
@example(["a", "/b"])
@example(["a" * (MAX_KEY_BYTES + 1)])
@example(["a//b"])
@example(["a", "", "b"])
@example(["a", "..", "b"])
@example(["a/.git/b"])
def test_what_is_plain_is_usable(keys: list[str]) -> None:
    r"""Seen to fail with any odd piece taken off the list in ``all_plain``, but ``"\0/"``.

    That one only sends keys from the repository's root to the careful look.
    """
    if all_plain(keys):
        for key in keys:
            assert check_key(key) == key


def test_usual_keys_are_plain() -> None:
    assert all_plain(["images/train/000001.jpg", "labels/a.b-c_d.txt", "README"])


def refused(key: str) -> bool:
    try:
        check_key(key)
    except InvalidInputError:
        return True
    return False


def test_the_careful_look_refuses_what_the_quick_one_doubts() -> None:
    assert refused("a/../b")
    assert not refused("a/.b")
    assert not all_plain(["a/.b"])
