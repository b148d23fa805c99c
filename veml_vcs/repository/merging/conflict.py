"""One contradiction that a merge of data sets found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from veml_vcs.errors import InvalidInputError

NOT_MERGED = "not-merged"
"""The kind of conflict of a record that git left to be merged; its place is the reason."""


@dataclass(frozen=True)
class DataConflict:
    """One conflict in a data set.

    Attributes:
        dataset: The folder.
        key: The sample's or file's key.
        kind: What kind of contradiction it is.
        path: Where in the annotation, if it is in one (``objects[id=17]``).
        base: The value both sides started from, JSON.
        ours: Our value.
        theirs: Their value.
        choice: How it was settled (``ours``, ``theirs``, ``base``, ``both``), or None.
    """

    dataset: str
    key: str
    kind: str
    path: str = ""
    base: Any = None
    ours: Any = None
    theirs: Any = None
    choice: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return a JSON object."""
        return dict(self.__dict__)

    @property
    def name(self) -> tuple[str, str, str]:
        """Key, kind and path: the same whenever the merge is repeated."""
        return self.key, self.kind, self.path


def refuse_both(
    conflicts: Iterable[DataConflict],
    keys: Mapping[str, str],
    chosen: Mapping[tuple[str, str, str], str],
) -> None:
    """Refuse conflicts of a data set that were to be settled with both, but are still open.

    Args:
        conflicts: Of the merge that was repeated with the choices.
        keys: Key -> choice.
        chosen: Conflict -> choice.

    Raises:
        InvalidInputError: There is one.
    """
    for one in conflicts:
        asked = chosen.get(one.name) or keys.get(one.key)
        if asked == "both" and one.choice is None:
            where = f"{one.dataset}/{one.key}" if one.key else one.dataset
            what = f"{one.kind} {one.path}".rstrip()
            raise InvalidInputError(
                f"{where}: both sides cannot be kept of this conflict ({what}): only of an object "
                "that both sides have, and of a text; it is still open",
                hint=f"veml resolve {where}{':' + one.path if one.path else ''} --ours (or "
                "--theirs, --base)",
                kind="not-both",
            )
