"""``.mailmap``: the proper names of people who committed under several, see gitmailmap(5).

dulwich's reader maps by name alone, minds upper and lower case, and fails on a line without an
address; Git does none of it.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field

from veml_vcs.errors import NotFoundError, StorageError
from veml_vcs.ids import VersionId
from veml_vcs.repository.git.repo import GitRepo

_FILE = ".mailmap"
_PERSON = re.compile(rb"(.*?) ?<([^<>]*)>?", re.DOTALL)
_PART = re.compile(rb"([^<]*)<([^>]*)>", re.DOTALL)


@dataclass
class _Proper:
    """What an address stands for, and what it stands for beside certain names."""

    name: bytes | None = None
    email: bytes | None = None
    by_name: dict[bytes, _Proper] = field(default_factory=dict)


class Mailmap:
    """A map from who somebody said to be to who it is.

    Args:
        text: What mailmap files say, one after the other; the last word counts.
    """

    def __init__(self, text: bytes = b"") -> None:
        self._by_email: dict[bytes, _Proper] = {}
        for line in text.split(b"\n"):
            if not line.startswith(b"#"):
                self._read(line)

    def _read(self, line: bytes) -> None:
        first = _PART.match(line)
        if first is None or not first[2]:
            return
        second = _PART.match(line, first.end())
        name, email = first[1].strip() or None, first[2]
        old_name, old_email = (second[1].strip(), second[2]) if second else (b"", email)
        entry = self._by_email.setdefault(old_email.lower(), _Proper())
        new_email = email if second else None
        if old_name:
            entry.by_name[old_name.lower()] = _Proper(name, new_email)
            return
        entry.name = name or entry.name
        entry.email = new_email or entry.email

    def person_bytes(self, person: bytes) -> bytes:
        """Return the proper ``Name <email>`` of another; itself if nothing is said of it."""
        found = _PERSON.fullmatch(person) if self._by_email else None
        entry = self._by_email.get(found[2].lower()) if found else None
        if found is None or entry is None:
            return person
        entry = entry.by_name.get(found[1].lower(), entry)
        return (entry.name or found[1]) + b" <" + (entry.email or found[2]) + b">"

    def person(self, person: str) -> str:
        """Return the same of text."""
        raw = person.encode("utf-8", "surrogateescape")
        found = self.person_bytes(raw)
        return person if found == raw else found.decode("utf-8", "replace")


def read_mailmap(git: GitRepo) -> Mailmap:
    """Read ``.mailmap`` of the work tree, then ``mailmap.blob`` and ``mailmap.file``.

    Raises:
        StorageError: A file is there and cannot be read.
    """
    texts = [_read(os.path.join(git.root, _FILE), follow=False)]
    blob, named = git.setting(("mailmap",), "blob"), git.setting(("mailmap",), "file")
    if blob:
        revision, _, path = blob.partition(":")
        from veml_vcs.repository.revisions import resolve_commit

        try:
            file = git.files(resolve_commit(git, revision)).get(path)
            texts.append(b"" if file is None else git.read_blob(VersionId(file.blob)))
        except NotFoundError:
            texts.append(b"")  # as Git: of a branch without commits
    if named:
        texts.append(_read(os.path.join(git.root, os.path.expanduser(named)), follow=True))
    return Mailmap(b"\n".join(texts))


def _read(path: str, *, follow: bool) -> bytes:
    if os.path.islink(path) and not follow:
        return b""  # as Git: one that came with a clone may lead anywhere
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise StorageError(f"{path}: cannot be read: {error.strerror}") from error
