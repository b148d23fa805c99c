"""Conflicts of a merge, as values that can be listed, stored and settled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum, StrEnum
from typing import Any, Final, Literal, TypeAlias

Choice: TypeAlias = Literal["ours", "theirs", "base"]
"""A side of a merge."""

Resolution: TypeAlias = Choice | Literal["both"]
"""What a conflict is settled to: one side, or both beside each other (see ``can_be_both``)."""

RESOLUTIONS: Final[tuple[Resolution, ...]] = ("ours", "theirs", "base", "both")


class ConflictKind(StrEnum):
    """What two sides did to one thing that does not go together."""

    MOVED_BOTH = "moved-both"
    """Both moved a box, to different places."""

    CLASS_BOTH = "class-both"
    """Both gave an object another class, not the same."""

    FIELD_BOTH = "field-both"
    """Both changed one field of an object, differently."""

    REMOVED_CHANGED = "removed-changed"
    """One removed an object that the other changed."""

    ADDED_BOTH = "added-both"
    """Both added nearly the same object: same class, almost the same box, something differs."""

    LABELS_BOTH = "labels-both"
    """Both gave a sample of one label another one, not the same."""

    SPLITS_BOTH = "splits-both"
    """Both put a sample of one split into another one, not the same."""

    IMAGE_FIELD_BOTH = "image-field-both"
    """Both changed one image-level field, differently."""

    ANNOTATION_REMOVED_CHANGED = "annotation-removed-changed"
    """One removed all that was said of a sample, the other changed it."""


class Missing(Enum):
    """The type of ``MISSING``: no value, where ``None`` is a value (JSON's null)."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING


@dataclass(frozen=True)
class Conflict:
    """One thing that both sides changed, each in its own way.

    Attributes:
        kind: What happened.
        path: Where in the annotation: ``objects[id=17].class`` for an object whose id says which it
            is, ``objects#3.class`` for the one at index 3 of base, ``objects+3`` for the one at
            index 3 of ours that is not in base, ``width`` for a field of the annotation.
        base: The value in the common ancestor, None if there is none.
        ours: The value on our side, None if there is none.
        theirs: The value on their side, None if there is none.
        classes: Classes of the object it is about, on any side; empty where it is about none.
        choice: What it was settled to; None while it is open.
    """

    kind: ConflictKind
    path: str
    base: Any
    ours: Any
    theirs: Any
    classes: tuple[str, ...] = field(default=(), compare=False)
    choice: Resolution | None = field(default=None, compare=False)

    @property
    def key(self) -> str:
        """Name the conflict: unique within a sample, the same whenever the merge is repeated."""
        return f"{self.kind}:{self.path}"


Chooser: TypeAlias = Callable[[Conflict], Resolution | None]
"""Tells what a conflict is settled to; None leaves it open."""

_BOTH_KINDS = frozenset(
    (
        ConflictKind.MOVED_BOTH,
        ConflictKind.CLASS_BOTH,
        ConflictKind.FIELD_BOTH,
        ConflictKind.ADDED_BOTH,
    )
)
_OF_OBJECT = ("objects[", "objects#", "objects+")


def can_be_both(kind: str, path: str) -> bool:
    """Tell whether a conflict can be settled with both: two versions of one object become two.

    Elsewhere it has no meaning: what one side removed cannot be there and not be there, and a
    sample has one width.

    Args:
        kind: Of the conflict.
        path: Where in the annotation it is.
    """
    return kind in _BOTH_KINDS and path.startswith(_OF_OBJECT)


class Ledger:
    """Takes down the conflicts of one merge, and says which value stands for each.

    Args:
        choice: What every conflict is settled to, or what tells it of each; None leaves them open.
            ``both`` leaves open what it has no meaning for.

    Attributes:
        conflicts: What was taken down.
        classes: Classes of the object that is being merged.
    """

    def __init__(self, choice: Resolution | Chooser | None = None) -> None:
        self._choice = choice
        self.conflicts: list[Conflict] = []
        self.classes: tuple[str, ...] = ()

    def pick(
        self,
        kind: ConflictKind,
        path: str,
        base: Any,
        ours: Any,
        theirs: Any,
        *,
        meanwhile: Literal["ours", "theirs"] = "ours",
    ) -> Any:
        """Take down a conflict and return the value of the chosen side.

        Args:
            kind: What happened.
            path: Where.
            base: The value in base, or ``MISSING``.
            ours: The value in ours, or ``MISSING``.
            theirs: The value in theirs, or ``MISSING``.
            meanwhile: The side whose value stands while nothing is chosen.
        """
        values = {"base": base, "ours": ours, "theirs": theirs}
        known = {side: None if value is MISSING else value for side, value in values.items()}
        conflict = Conflict(kind, path, **known, classes=self.classes)
        choice = self.choice_of(conflict)
        self.conflicts.append(replace(conflict, choice=choice))
        return values[meanwhile if choice is None or choice == "both" else choice]

    def choice_of(self, conflict: Conflict) -> Resolution | None:
        """Return what a conflict is settled to; with ``both``, ``pick`` returns ours."""
        choice = self._choice(conflict) if callable(self._choice) else self._choice
        if choice == "both" and not can_be_both(conflict.kind, conflict.path):
            return None
        return choice
