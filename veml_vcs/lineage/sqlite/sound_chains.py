"""Whether the chains of commits say what the edges to parents say: nobody else sees damage to them.

What each commit reaches is worked out twice, along its parents, and along its chain and the links
of that: of each chain the highest commit that is reached, for as many chains at a time as fit into
little memory.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

_AT_A_TIME = 1 << 24
"""Numbers of 4 bytes, twice."""
_Pair = tuple[int, int]


def says_what_commits_reach(connection: sqlite3.Connection) -> bool:
    """Tell whether the tables ``place`` and ``link`` are as the edges between commits have it."""
    do = connection.execute
    places = dict(do("SELECT key, chain FROM place ORDER BY key").fetchall())
    commits = do("SELECT key FROM node WHERE kind = 'commit' AND known ORDER BY key")
    if [key for (key,) in commits] != list(places):
        return False
    if any(type(chain) is not int for chain in places.values()):
        return False
    number = {key: at for at, key in enumerate(places)}
    parents = [
        (number[child], number[parent])
        for child, parent in do("SELECT source, target FROM edge WHERE kind = 'parent'")
        if child in number and parent in number
    ]
    links = _links(connection, places)
    if links is None:
        return False
    chain = np.unique(np.array(list(places.values()), np.int64), return_inverse=True)[1]
    before = _before(chain)
    told = [(number[key], number[target]) for key, target in links]
    told += [(at, one) for at, one in enumerate(before) if one >= 0]
    parents.sort()
    told.sort()
    chains = int(chain.max(initial=-1)) + 1
    width = max(1, _AT_A_TIME // max(1, len(places)))
    for first in range(0, chains, width):
        part = range(first, min(first + width, chains))
        right = _reached(parents, chain, part)
        if not np.array_equal(right, _reached(told, chain, part)):
            return False
        if not _is_a_line(parents, chain, before, right, part):
            return False
    return True


def _links(connection: sqlite3.Connection, places: dict[int, int]) -> list[_Pair] | None:
    """Return the links, key and target; None where they are not in order, or lead to nothing."""
    found = []
    rows = connection.execute("SELECT chain, far, key, target FROM link ORDER BY 1, 2, 3")
    for (chain, far), some in groupby(rows, itemgetter(0, 1)):
        last = 0
        for _, _, key, target in some:
            if (places.get(key), places.get(target)) != (chain, far) or target < last:
                return None
            last = target
            found.append((key, target))
    return found


def _before(chain: NDArray[np.int64]) -> list[int]:
    """Return which commit is before each in its chain; -1 is none."""
    last: dict[int, int] = {}
    found = []
    for at, one in enumerate(chain.tolist()):
        found.append(last.get(one, -1))
        last[one] = at
    return found


def _reached(pairs: Sequence[_Pair], chain: NDArray[np.int64], part: range) -> NDArray[np.int32]:
    """Return how far each commit reaches into some chains, along pairs in order of their first.

    Returns:
        int32[commits, chains]: the number of the highest that is reached, from 1; 0 is none.
    """
    found = np.zeros((len(chain), len(part)), np.int32)
    own = np.flatnonzero((chain >= part.start) & (chain < part.stop))
    found[own, chain[own] - part.start] = own + 1
    circles = any(one <= other for one, other in pairs)
    while True:
        before = found.copy() if circles else found  # else what the other reaches was known
        for one, other in pairs:
            np.maximum(found[one], found[other], out=found[one])
        if np.array_equal(before, found):
            return found


def _is_a_line(
    parents: Sequence[_Pair], chain: NDArray[np.int64], before: Sequence[int],
    reached: NDArray[np.int32], part: range,
) -> bool:  # fmt: skip
    """Tell whether every commit of some chains comes from the one before it."""
    pairs = np.array(parents, np.int64).reshape(-1, 2)
    pairs = pairs[np.isin(chain[pairs[:, 0]], part)]
    far = np.zeros(len(chain), np.int32)
    np.maximum.at(far, pairs[:, 0], reached[pairs[:, 1], chain[pairs[:, 0]] - part.start])
    inside = np.isin(chain, part)
    return bool((far[inside] >= np.array(before, np.int64)[inside] + 1).all())
