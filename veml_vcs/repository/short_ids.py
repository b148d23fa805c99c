"""Short ids that name one object, as ``git log --abbrev-commit`` writes them."""

from __future__ import annotations

import re
from collections.abc import Callable

from veml_vcs.repository.git.repo import GitRepo

LEAST = 7
"""Digits of a short id, at least, where ``core.abbrev`` says nothing."""

_FEWEST, _ALL = 4, 40


def shortener(git: GitRepo) -> Callable[[str], str]:
    """Return a function that shortens an id to what is unique.

    As in Git the length grows with the number of objects, so that it stays unique for a while.
    """
    known: dict[str, str] = {}
    store = git.dulwich.object_store
    digits = _digits(git)

    def shorten(full: str) -> str:
        if full not in known:
            length = digits
            while length < len(full) and _several(full[:length]):
                length += 1
            known[full] = full[:length]
        return known[full]

    def _several(prefix: str) -> bool:
        return len({bytes(one) for one in store.iter_prefix(prefix.encode())}) > 1

    return shorten


def _digits(git: GitRepo) -> int:
    try:
        said = bytes(git.config.get((b"core",), b"abbrev")).decode("utf-8", "replace").lower()
    except KeyError:
        said = "auto"
    if said in ("no", "off", "false"):
        return _ALL
    if re.fullmatch("[0-9]{1,9}", said):
        return min(max(int(said), _FEWEST), _ALL)
    packed = sum(len(pack) for pack in git.dulwich.object_store.packs)
    return max(LEAST, (packed.bit_length() + 1) // 2)
