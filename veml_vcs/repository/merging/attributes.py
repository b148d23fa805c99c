"""The attribute ``merge`` of ``.gitattributes``, for ordinary files: how Git would merge a text.

``merge=union`` keeps the lines of both sides, ``-merge`` and ``merge=binary`` never mix two
versions. Other drivers are programs of the user's own settings, which only git runs. Read from the
tree that is merged into, not from the work tree, as the rules are (design note 012).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from io import BytesIO
from typing import Literal

from dulwich.attrs import AttributeValue, GitAttributes, Pattern, parse_git_attributes
from dulwich.wildmatch import MalformedPattern

from veml_vcs.repository.git.repo import TreeFile
from veml_vcs.repository.repository import Repository

ATTRIBUTES_FILE = ".gitattributes"
_MAX_BYTES = 1 << 20
_MOST_STARS = 8

_Patterns = list[tuple[Pattern, Mapping[bytes, AttributeValue]]]


class MergeAttributes:
    """What the attributes of a tree say of merging its files.

    Args:
        repo: The repository.
        files: The tree, path -> file.
    """

    def __init__(self, repo: Repository, files: Mapping[str, TreeFile]) -> None:
        self._repo = repo
        self._files = files
        self._found: GitAttributes | None = None

    def of(self, path: str) -> Literal["text", "union", "binary"]:
        """Return how a file is merged."""
        if self._found is None:
            self._found = GitAttributes(self._load(b""), directory_loader=self._load)
        found = self._found.match_path(os.fsencode(path))
        said = found.get(b"merge", False if found.get(b"binary") is True else None)
        if said == b"union":
            return "union"
        return "binary" if said is False or said == b"binary" else "text"

    def _load(self, folder: bytes) -> _Patterns:
        """Return the patterns of a folder's file; of what cannot be understood, none, as in Git."""
        name = os.path.join(os.fsdecode(folder), ATTRIBUTES_FILE)
        file = self._files.get(name)
        data = b"" if file is None else self._repo.git.read_blob(file.blob)
        found: _Patterns = []
        for pattern, values in parse_git_attributes(BytesIO(data[:_MAX_BYTES])):
            # A stranger's pattern of many stars would take for ever to match.
            if not values.keys() & {b"merge", b"binary"} or pattern.count(b"*") > _MOST_STARS:
                continue
            try:
                found.append((Pattern(pattern, folder), values))
            except MalformedPattern:
                continue
        return found
