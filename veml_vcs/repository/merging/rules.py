"""How conflicts of a merge are settled without asking: what was chosen, rules, a default side.

Rules stand in ``.vemlmerge`` at the repository's root, a line each, in the manner of
``.gitattributes`` (design note 012)::

    # PATTERN             SIDE     CLASSES (none: all that conflicts)
    images/train/**       theirs
    *                     ours     pedestrian "traffic light"
    *                     both     cone

The last line that fits wins; ``both`` (or ``union``, as Git's attribute has it) fits only what both
sides can be kept of: two versions of an object, two texts. They are read from our commit, so that
repeating a merge gives the same; a rule can only choose between the sides of something that is in
conflict.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from dulwich.ignore import Pattern
from dulwich.wildmatch import MalformedPattern

from veml_vcs.errors import FormatError
from veml_vcs.ids import CommitId
from veml_vcs.repository.repository import Repository
from veml_vcs.samples.annotations import Choice, Resolution, can_be_both

RULES_FILE = ".vemlmerge"
_MAX_BYTES = 1 << 20

_SIDES: Mapping[str, Resolution] = {
    "ours": "ours",
    "theirs": "theirs",
    "base": "base",
    "both": "both",
    "union": "both",
}

ConflictName = tuple[str, str, str]
"""Key, kind and path: names a conflict of a data set, the same whenever the merge is repeated."""


@dataclass(frozen=True)
class Rule:
    """One line of the rules.

    Attributes:
        pattern: Of paths from the root, as in ``.gitignore``.
        side: What settles.
        classes: Only conflicts about objects of these classes; empty is any conflict.
    """

    pattern: str
    side: Resolution
    classes: tuple[str, ...] = ()

    def fits(self, path: str, classes: tuple[str, ...]) -> bool:
        """Tell whether a conflict at a path, about an object of these classes, is meant."""
        if self.classes and not set(self.classes) & set(classes):
            return False
        raw = os.fsencode(path)
        tried = [raw] + [raw[:i] + b"/" for i, char in enumerate(path) if char == "/"]
        return any(map(_compiled(self.pattern).match, tried))


@dataclass(frozen=True)
class Settlement:
    """What settles the conflicts of one merge; the first that says something wins.

    Attributes:
        chosen: Data set -> conflict -> side or both, one by one.
        keys: Data set -> key -> side or both, all conflicts of a sample.
        rules: From ``.vemlmerge``.
        default: For all others (``-X``); None leaves them open.
    """

    chosen: Mapping[str, Mapping[ConflictName, Resolution]] = field(default_factory=dict)
    keys: Mapping[str, Mapping[str, Resolution]] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    default: Choice | None = None

    def side(
        self, dataset: str, name: ConflictName, classes: tuple[str, ...] = ()
    ) -> Choice | None:
        """Return the side that a conflict in a data set is settled to; None leaves it open."""
        return _one_side(self._find(dataset, name, classes, both=False))

    def of_object(
        self, dataset: str, name: ConflictName, classes: tuple[str, ...] = ()
    ) -> Resolution | None:
        """Return what a conflict in an annotation is settled to; None leaves it open."""
        return self._find(dataset, name, classes, both=can_be_both(name[1], name[2]))

    def of_text(self, dataset: str, name: ConflictName) -> Resolution | None:
        """Return what a text in a data set is settled to; None leaves it open."""
        return self._find(dataset, name, (), both=True)

    def whole(self, dataset: str, key: str) -> Choice | None:
        """Return the side for all conflicts of a file that is settled as one (a table, a mask)."""
        sides = {side for name, side in self.chosen.get(dataset, {}).items() if name[0] == key}
        return _one_side(sides.pop()) if len(sides) == 1 else self.side(dataset, (key, "", ""))

    def of_path(self, path: str) -> Choice | None:
        """Return the side that the rules, else the default, choose for a file."""
        return _one_side(self._of_rules(path, (), both=False))

    def has_rule(self, path: str) -> bool:
        """Tell whether a rule, whichever, is meant for a file."""
        return any(rule.fits(path, ()) for rule in self.rules)

    def keeps_both(self, path: str) -> bool:
        """Tell whether the rules keep both sides' lines of a file, if it is a text."""
        return self._of_rules(path, (), both=True) == "both"

    def _find(
        self, dataset: str, name: ConflictName, classes: tuple[str, ...], *, both: bool
    ) -> Resolution | None:
        key = name[0]
        chosen = self.chosen.get(dataset, {}).get(name) or self.keys.get(dataset, {}).get(key)
        if chosen is not None:
            return chosen if both or chosen != "both" else None
        path = key[1:] if key.startswith("/") else f"{dataset}/{key}" if key else dataset
        return self._of_rules(path, classes, both=both)

    def _of_rules(self, path: str, classes: tuple[str, ...], *, both: bool) -> Resolution | None:
        for rule in reversed(self.rules):
            if (both or rule.side != "both") and rule.fits(path, classes):
                return rule.side
        return self.default


def _one_side(found: Resolution | None) -> Choice | None:
    return None if found == "both" else found


@cache
def _compiled(pattern: str) -> Pattern:
    return Pattern(os.fsencode(pattern))


def parse_rules(data: bytes, where: str = RULES_FILE) -> tuple[Rule, ...]:
    """Read merge rules.

    Args:
        data: The file.
        where: Its name, for messages.

    Raises:
        FormatError: A line is not a rule.
    """
    if len(data) > _MAX_BYTES:
        raise FormatError(f"{where}: {len(data):,} bytes; rules are at most {_MAX_BYTES:,}")
    rules = []
    for number, line in enumerate(data.decode("utf-8", "surrogateescape").splitlines(), 1):
        try:
            words = shlex.split(line, comments=True)
        except ValueError as error:
            raise FormatError(f"{where}:{number}: {error}: {line.strip()!r}") from error
        if not words:
            continue
        pattern, side = words[0], words[1] if len(words) > 1 else ""
        if side not in _SIDES:
            raise FormatError(
                f"{where}:{number}: expected PATTERN and ours, theirs, base or both, found "
                f"{line.strip()!r}",
                hint=f"for example: {pattern} ours",
            )
        try:
            _compiled(pattern)
        except MalformedPattern as error:
            raise FormatError(f"{where}:{number}: {pattern!r:.80} is not a pattern") from error
        rules.append(Rule(pattern, _SIDES[side], tuple(words[2:])))
    return tuple(rules)


def rules_at(repo: Repository, commit_id: CommitId | None) -> tuple[Rule, ...]:
    """Return the merge rules of a commit; none where there is no commit.

    Raises:
        FormatError: A line of them is not a rule.
    """
    file = repo.git.files(commit_id).get(RULES_FILE)
    return () if file is None else parse_rules(repo.git.read_blob(file.blob))
