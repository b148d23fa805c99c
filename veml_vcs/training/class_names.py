"""Which class of new data is which class that a network knows already: by name, and by the user.

Names of data sets differ in case, in spaces and underscores, and in number: ``Traffic light``,
``traffic_lights``. Meaning is not guessed (``pedestrian`` is not matched with ``person``): for that
the user says ``OLD=NEW``. Pure.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from veml_vcs.errors import InvalidInputError, shown

_SHORTEST_STEM = 3
"""Letters that are left when a plural's ending is taken: ``bus`` is no plural of ``bu``."""


@dataclass(frozen=True)
class ClassMatch:
    """The classes of new data, each with the known one that it is.

    Attributes:
        old: The known classes, in the order of the network.
        new: The classes of the new data, in its order.
        rows: For each new class the position of the known one; None where there is none.
    """

    old: tuple[str, ...]
    new: tuple[str, ...]
    rows: tuple[int | None, ...]

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Known and new name of each class that is in both, in the order of the new ones."""
        both = zip(self.new, self.rows, strict=True)
        return tuple((self.old[row], name) for name, row in both if row is not None)

    @property
    def fresh(self) -> tuple[str, ...]:
        """New classes that nothing is known of."""
        return tuple(name for name, row in zip(self.new, self.rows, strict=True) if row is None)

    @property
    def gone(self) -> tuple[str, ...]:
        """Known classes that the new data has no more."""
        return tuple(name for i, name in enumerate(self.old) if i not in set(self.rows))

    @property
    def same(self) -> bool:
        """Whether they are the same classes in the same order, so that no row has to move."""
        return self.rows == tuple(range(len(self.old)))


def match_classes(old: Sequence[str], new: Sequence[str], said: Iterable[str] = ()) -> ClassMatch:
    """Find the known class of every new one.

    What the user says comes first, then equal names, then names that differ in case and separators,
    then those that differ in number. A name that could be several is none.

    Args:
        old: The known classes.
        new: The classes of the new data.
        said: ``OLD=NEW`` each; ``=NEW`` is a new class of which nothing is taken. One known class
            may be begun with for several new ones.

    Raises:
        InvalidInputError: A pair is none, or names a class that is not there, or one twice.
    """
    settled = dict(_said(one, old, new) for one in said_once(said))
    places: dict[str, int | None] = {
        name: None if known is None else old.index(known) for name, known in settled.items()
    }
    for forms in (_exactly, _spelling, _number):
        taken = {row for row in places.values() if row is not None}
        left = [i for i in range(len(old)) if i not in taken]
        open_names = [name for name in new if name not in places]
        for name in open_names:
            fits = [i for i in left if forms(old[i]) & forms(name)]
            rivals = [one for one in open_names if fits and forms(one) & forms(old[fits[0]])]
            if len(fits) == 1 and rivals == [name]:
                places[name] = fits[0]
    return ClassMatch(tuple(old), tuple(new), tuple(places.get(name) for name in new))


def said_once(said: Iterable[str]) -> list[str]:
    """Return the user's pairs; refuse two for one new class.

    Raises:
        InvalidInputError: A new class is named twice, or a text is no pair.
    """
    every = list(said)
    seen: dict[str, str] = {}
    for one in every:
        old, sign, new = one.rpartition("=")
        if not sign or not new:
            raise InvalidInputError(
                f"--map {shown(one)!r}: expected OLD=NEW: a class of the source, one of the data",
                hint="--map vehicle=car",
            )
        if new in seen and seen[new] != old:
            raise InvalidInputError(
                f"--map: {new!r} is to begin as {seen[new]!r} and as {old!r}; it can as one"
            )
        seen[new] = old
    return every


def _said(text: str, old: Sequence[str], new: Sequence[str]) -> tuple[str, str | None]:
    known, _, name = text.rpartition("=")
    if name not in new:
        raise InvalidInputError(
            f"--map {shown(text)}: the data has no class {name!r:.80}; it has {_listed(new)}"
        )
    if known and known not in old:
        raise InvalidInputError(
            f"--map {shown(text)}: the source has no class {known!r:.80}; it has {_listed(old)}"
        )
    return name, known or None


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:12]) + (", ..." if len(names) > 12 else "") if names else "none"


Forms = Callable[[str], frozenset[str]]


def _exactly(name: str) -> frozenset[str]:
    return frozenset((name,))


def _spelling(name: str) -> frozenset[str]:
    """Return the letters and digits of a name, whatever their case and what is between them."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return frozenset(("".join(one for one in folded if one.isalnum()) or folded,))


def _number(name: str) -> frozenset[str]:
    """Return what a name may be the plural of, and the name."""
    (plain,) = _spelling(name)
    found = {plain}
    if plain.endswith("ies"):
        found.add(plain[:-3] + "y")
    found |= {plain[: -len(end)] for end in ("s", "es") if plain.endswith(end)}
    return frozenset(one for one in found if one == plain or len(one) >= _SHORTEST_STEM)
