"""Which file a name in an annotation file means.

A COCO ``file_name``, a line of ``ImageSets/Main/train.txt`` and a line of YOLO's ``train.txt`` are
names by which other people, on other machines, called the images: bare, relative to some
folder, absolute, with backslashes. One rule reads them all: a name is ``strip + rest`` where the
key is ``root + rest``; ``strip`` and ``root`` are found once a file, by vote.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from veml_vcs.samples.formats.keys import IMAGE_FOLDERS, base_of

_MOST_BALLOTS = 1_000_000


@dataclass(frozen=True)
class Naming:
    """How the names in one file relate to keys.

    Attributes:
        strip: What names begin with and keys do not.
        root: What keys begin with and names do not (a folder with its slash, or nothing).
        others: Names that follow no rule and were found by their unique last component.
    """

    strip: str = ""
    root: str = ""
    others: Mapping[str, str] = field(default_factory=dict)

    def to_key(self, name: str, known: Mapping[str, str]) -> str | None:
        """Return the key of a known file, or None.

        Args:
            name: As the file says.
            known: What keys are known by -> key. (Usually the key itself; for lists of bare
                names the key without its extension.)
        """
        found = known.get(name)
        if found is not None:
            return found
        plain = _plain(name)
        found = known.get(plain)
        if found is not None:
            return found
        if plain.startswith(self.strip):
            found = known.get(self.root + plain[len(self.strip) :])
            if found is not None:
                return found
        return self.others.get(name)

    def absent_key(self, name: str) -> str | None:
        """Return the key an absent file would have; None for a name without any component.

        The key always stays inside the data set's folder, whatever the name says.
        """
        plain = _plain(name)
        rest = plain.removeprefix(self.strip)
        parts = [part for part in rest.split("/") if part not in ("", ".", "..")]
        return self.root + "/".join(parts) if parts else None

    def to_name(self, key: str) -> str | None:
        """Return the name that the rule gives a key; None where the key lies outside ``root``."""
        if not key.startswith(self.root):
            return None
        return self.strip + key[len(self.root) :]

    def to_json(self) -> dict[str, Any]:
        """Return the fields that say something, for ``Layout.options``."""
        facts = {"strip": self.strip, "root": self.root, "others": dict(self.others)}
        return {name: value for name, value in facts.items() if value}

    @staticmethod
    def from_json(facts: Mapping[str, Any]) -> Naming:
        """Undo ``to_json``."""
        return Naming(facts.get("strip", ""), facts.get("root", ""), facts.get("others", {}))


def fit(names: Sequence[str], known: Mapping[str, str], hint: str = "") -> Naming:
    """Find the rule by which names mean keys.

    Args:
        names: As an annotation file has them.
        known: What keys are known by -> key.
        hint: The annotation file's own key; of folders that fit equally well, the one that
            shares more words with it wins (``instances_val.json`` speaks of ``val/``).

    Time is linear in names and keys: where many keys share their last component (a thousand folders
    that all hold ``0001.jpg``), a sample of the names votes.
    """
    by_base: defaultdict[str, list[str]] = defaultdict(list)
    for known_as in known:
        by_base[base_of(known_as)].append(known_as)

    votes: Counter[tuple[str, str]] = Counter()
    unsettled = [name for name in names if name not in known]
    ballots = len(names) + sum(len(by_base.get(base_of(_plain(name)), ())) for name in unsettled)
    if len(unsettled) < len(names):
        votes["", ""] = len(names) - len(unsettled)
    for name in unsettled[:: 1 + ballots // _MOST_BALLOTS]:
        plain = _plain(name)
        for candidate in by_base.get(base_of(plain), ()):
            votes[_difference(plain, candidate)] += 1
    if not votes:
        return Naming()
    most = max(votes.values())
    strip, root = min(
        (pair for pair, count in votes.items() if count == most),
        key=lambda pair: (-_affinity(pair[1], hint), _unusual(pair[1]), pair),
    )
    rule = Naming(strip, root)
    others = {}
    for name in unsettled:
        candidates = by_base.get(base_of(_plain(name)), ())
        if len(candidates) == 1 and rule.to_key(name, known) is None:
            others[name] = known[candidates[0]]
    return Naming(strip, root, others)


def _plain(name: str) -> str:
    """Return the name with forward slashes and without ``./``."""
    if "\\" in name:
        name = name.replace("\\", "/")
    if "./" in name:
        name = "/".join(part for part in name.split("/") if part != ".")
    return name


def _difference(name: str, known_as: str) -> tuple[str, str]:
    """Return what is left of both in front of their longest common run of last components."""
    if known_as.endswith("/" + name):
        return "", known_as[: -len(name)]
    left, right = name.split("/"), known_as.split("/")
    while left and right and left[-1] == right[-1]:
        left.pop()
        right.pop()
    return "".join(part + "/" for part in left), "".join(part + "/" for part in right)


def _affinity(root: str, hint: str) -> int:
    """Count the folders of ``root`` whose name (without digits) occurs in ``hint``."""
    low = hint.lower()
    words = (part.strip("0123456789_-").lower() for part in root.split("/"))
    return sum(1 for word in words if word and word in low)


def _unusual(root: str) -> int:
    """Rank a root by how usual the names of its folders are for images; the top folder first."""
    if not root:
        return 0
    ranks = [IMAGE_FOLDERS.index(part) for part in root.split("/") if part in IMAGE_FOLDERS]
    return 1 + min(ranks, default=len(IMAGE_FOLDERS))
