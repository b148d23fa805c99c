"""One contradiction that a merge of data sets found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


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
        choice: How it was settled (``ours``, ``theirs``, ``base``), or None.
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
