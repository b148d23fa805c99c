"""Revisions as Git writes them (``HEAD~2``, ``main:images/train``), and what they name.

Follows gitrevisions(7): names, short ids, what ``git describe`` prints, reflogs by number and by
date, upstreams, ``~n``, ``^n``, ``^{type}``, ``^{}``, ``^{/text}`` and ``:/text``. Ranges
are in ``ranges``.
"""

from __future__ import annotations

import os
import re
import time
import warnings
from collections.abc import Iterable
from datetime import datetime
from heapq import heapify, heappop, heappush
from typing import NamedTuple

from dulwich.approxidate import parse_approxidate
from dulwich.objects import Commit, ObjectID, ShaFile, Tag
from dulwich.refs import HEADREF, Ref

from veml_vcs.errors import InvalidInputError, NotFoundError, shown
from veml_vcs.ids import CommitId, short
from veml_vcs.repository.git.reflog import read_reflog
from veml_vcs.repository.git.repo import GitRepo

_LOOKED_IN = ("", "refs/", "refs/tags/", "refs/heads/", "refs/remotes/")
_HEX = re.compile(r"[0-9a-f]{4,40}")
_DESCRIBED = re.compile(r".+-\d+-g([0-9a-f]{4,40})")
_BASE = re.compile(r"(?:[^~^@]|@(?!\{))*")
_SUFFIX = re.compile(r"~([0-9]{0,9})|\^([0-9]{1,9})|\^\{([^}]*)\}|\^(?![{0-9])")
_AT = re.compile(r"@\{([^}]*)\}")
_MOVED = re.compile(rb"checkout: moving from (\S+) to \S+")
_UPSTREAM = ("u", "upstream", "push")


class DataSpec(NamedTuple):
    """A data set named on a command line: a path, and a revision or None (the work tree)."""

    path: str
    revision: str | None


def resolve_commit(git: GitRepo, revision: str) -> CommitId:
    """Return the commit that a revision names.

    Args:
        git: The repository.
        revision: A branch, tag, (short) id, ``HEAD``, ``@``, ``main@{1}``, ``@{-1}``, ``:/text``,
            with any number of ``~n``, ``^n`` and ``^{...}`` after it.

    Raises:
        NotFoundError: Nothing has that name.
        InvalidInputError: The name is malformed, or a short id fits several commits.
    """
    if not revision or revision.startswith("-"):
        raise InvalidInputError(f"not a revision: {shown(revision)!r}")
    found = _peel(git, _Parser(git, revision).parse(), "commit", revision)
    return CommitId(found.id.decode())


class _Parser:
    """Reads one revision from left to right."""

    def __init__(self, git: GitRepo, text: str) -> None:
        self._git = git
        self._text = text

    def parse(self) -> ShaFile:
        """Return the object that the whole text names."""
        if self._text.startswith(":/"):
            return self._message(self._every_tip(), self._text[2:])
        found = _BASE.match(self._text)
        assert found is not None  # it also matches nothing
        base, at = found.group(), found.end()
        if base == "@":
            base = "HEAD"
        if reflog := _AT.match(self._text, at):
            obj = self._at(base, reflog.group(1))
            at = reflog.end()
        else:
            obj = self._named(base)
        while at < len(self._text):
            suffix = _SUFFIX.match(self._text, at)
            if suffix is None:
                raise self._unknown()
            obj = self._step(obj, suffix)
            at = suffix.end()
        return obj

    # -- names ---------------------------------------------------------------------------------

    def _named(self, name: str) -> ShaFile:
        if _is_state(name) and (state := self._git.read_state(name)):
            return self._object(state.split()[0])
        ref = full_ref(self._git, name)
        if ref is not None:
            return self._object(self._git.dulwich.refs[Ref(ref)])
        described = _DESCRIBED.fullmatch(name)
        digits = described.group(1) if described else name.lower()
        if _HEX.fullmatch(digits):
            return self._by_id(digits)
        head = self._git.head()
        if head.commit is None and name in ("HEAD", head.branch):
            raise NotFoundError(
                f"{shown(self._text)}: the branch {head.branch} has no commits yet",
                hint="veml commit -m MESSAGE",
                kind="unborn",
            )
        raise self._unknown()

    def _by_id(self, digits: str) -> ShaFile:
        store = self._git.dulwich.object_store
        if len(digits) == 40:
            return self._object(digits.encode())
        found = [self._object(one) for one in store.iter_prefix(digits.encode())]
        commits = [one for one in found if isinstance(one, Commit | Tag)]
        if len(commits or found) > 1:
            names = ", ".join(sorted(short(one.id.decode()) for one in commits or found)[:8])
            raise InvalidInputError(
                f"the short id {digits} is ambiguous: {names}", kind="ambiguous-revision"
            )
        if not found:
            raise self._unknown()
        return (commits or found)[0]

    def _object(self, sha: bytes) -> ShaFile:
        try:
            return self._git.dulwich.object_store[ObjectID(sha)]
        except KeyError as error:
            raise self._unknown() from error

    # -- what follows a name -------------------------------------------------------------------

    def _step(self, obj: ShaFile, suffix: re.Match[str]) -> ShaFile:
        generations, parent, kind = suffix.groups()
        if kind is not None:
            if kind.startswith("/"):
                commit = _peel(self._git, obj, "commit", self._text)
                return self._message([CommitId(commit.id.decode())], kind[1:])
            return _peel(self._git, obj, kind, self._text)
        commit = _peel(self._git, obj, "commit", self._text)
        if generations is not None:
            for _ in range(int(generations or 1)):
                commit = self._parent(commit, 1)
            return commit
        number = int(parent) if parent is not None else 1
        return commit if number == 0 else self._parent(commit, number)

    def _parent(self, commit: ShaFile, number: int) -> ShaFile:
        parents = self._git.parents(CommitId(commit.id.decode()))
        if number > len(parents):
            few = {0: "no parent", 1: "one parent"}.get(len(parents), f"{len(parents)} parents")
            raise NotFoundError(
                f"{shown(self._text)}: the commit {short(commit.id.decode())} has {few}",
                kind="unknown-revision",
            )
        return self._object(parents[number - 1].encode())

    def _message(self, tips: Iterable[CommitId], text: str) -> ShaFile:
        """Return the youngest commit whose message matches, as ``:/text`` asks for.

        Of those of one second the first that Git comes to: tips in their order, then parents.
        """
        pattern = regular_expression(text)
        seen = dict.fromkeys(tips)
        waiting = [self._dated(one, number) for number, one in enumerate(seen)]
        heapify(waiting)
        while waiting:
            _, _, commit = heappop(waiting)
            if pattern.search(commit.message):
                return commit
            for parent in self._git.parents(CommitId(commit.id.decode())):
                if parent not in seen:
                    heappush(waiting, self._dated(parent, len(seen)))
                    seen[parent] = None
        raise NotFoundError(
            f"{shown(self._text)}: no commit's message has {shown(text)!r}", kind="unknown-revision"
        )

    def _dated(self, commit: CommitId, number: int) -> tuple[int, int, Commit]:
        found = self._git.commit(commit)
        return -found.commit_time, number, found

    def _every_tip(self) -> list[CommitId]:
        """Return the commits that HEAD and any ref name, HEAD's first, then from the last ref on.

        That is the order in which Git looks at them.
        """
        refs = self._git.dulwich.refs
        found = []
        for name in sorted(refs.allkeys(), key=lambda one: (one == HEADREF, one), reverse=True):
            try:
                peeled = self._git.dulwich.object_store[self._git.dulwich.get_peeled(name)]
            except KeyError:
                continue  # a branch without commits, or a ref to what a shallow clone lacks
            if isinstance(peeled, Commit):
                found.append(CommitId(peeled.id.decode()))
        if not found:
            raise self._unknown()
        return found

    # -- reflogs -------------------------------------------------------------------------------

    def _at(self, base: str, spec: str) -> ShaFile:
        """Return what ``BASE@{SPEC}`` names: a reflog entry, an upstream, or a previous branch."""
        if re.fullmatch("-[0-9]{1,9}", spec):
            if base:
                raise self._unknown()
            return self._named(previous_branch(self._git, int(spec[1:])))
        branch = base or self._git.head().branch
        if spec.lower() in _UPSTREAM:
            return self._upstream(branch)
        ref = full_ref(self._git, base) if base else self._current_ref()
        if ref is None:
            raise self._unknown()
        entries = read_reflog(self._git, ref)
        name = base or branch or "HEAD"
        if not entries:
            raise NotFoundError(
                f"{shown(self._text)}: {name} has no reflog", kind="unknown-revision"
            )
        if re.fullmatch("[0-9]{1,9}", spec):
            number = int(spec)
            if number < len(entries):
                return self._object(entries[-1 - number].new.encode())
            if number == len(entries) and entries[0].old:
                return self._object(entries[0].old.encode())
            raise NotFoundError(
                f"{shown(self._text)}: the reflog of {name} has only {len(entries)} entries",
                hint=f"git reflog {name}",
                kind="unknown-revision",
            )
        moment = parse_date(spec)
        older = [one for one in entries if one.time_seconds <= moment]
        if older:
            return self._object(older[-1].new.encode())
        # As in Git, a date before the first entry means the oldest state that is known.
        first = entries[0]
        return self._object((first.old or first.new).encode())

    def _current_ref(self) -> bytes:
        branch = self._git.head().branch
        return HEADREF if branch is None else b"refs/heads/" + os.fsencode(branch)

    def _upstream(self, branch: str | None) -> ShaFile:
        config = self._git.config
        section = (b"branch", os.fsencode(branch or ""))
        try:
            remote, merge = config.get(section, b"remote"), config.get(section, b"merge")
        except KeyError as error:
            raise NotFoundError(
                f"{shown(self._text)}: {branch or 'HEAD'} has no upstream branch",
                hint=f"git branch --set-upstream-to=REMOTE/BRANCH {branch or ''}".rstrip(),
                kind="unknown-revision",
            ) from error
        name = bytes(merge).removeprefix(b"refs/heads/")
        return self._named(f"refs/remotes/{os.fsdecode(bytes(remote))}/{os.fsdecode(name)}")

    def _unknown(self) -> NotFoundError:
        names = sorted({*self._git.branches(), *self._git.tags()})
        near = [name for name in names if name.startswith(self._text[:3])] or names
        return NotFoundError(
            f"unknown revision {shown(self._text)!r}",
            hint=f"known branches and tags: {', '.join(near[:8])}" if near else "veml log",
            kind="unknown-revision",
        )


def full_ref(git: GitRepo, name: str) -> bytes | None:
    """Return the full name of the ref that a short one means, in Git's order of looking."""
    refs = git.dulwich.refs
    raw = os.fsencode(name)
    if not raw or raw.startswith(b"/") or b".." in raw or b"//" in raw:
        return None
    tried = [prefix.encode() + raw for prefix in _LOOKED_IN]
    tried.append(b"refs/remotes/" + raw + b"/HEAD")
    for full in tried:
        if not full.startswith(b"refs/") and full != b"HEAD":
            continue
        try:
            refs[Ref(full)]
        except (KeyError, ValueError, OSError):
            continue
        return full
    return None


def previous_branch(git: GitRepo, number: int = 1) -> str:
    """Return the branch (or commit) that HEAD was on before, which Git calls ``-`` or ``@{-1}``.

    Args:
        git: The repository.
        number: How many switches ago.

    Raises:
        NotFoundError: HEAD did not move so often.
    """
    log = git.read_state("logs/HEAD") or b""
    moves = [found.group(1) for one in log.splitlines() if (found := _MOVED.search(one))]
    if number < 1 or number > len(moves):
        raise NotFoundError(
            "no previous branch: HEAD has not moved yet" if not moves else
            f"HEAD has moved only {len(moves)} times, {number} were asked for",
            kind="unknown-revision",
        )  # fmt: skip
    return os.fsdecode(moves[-number])


def _is_state(name: str) -> bool:
    """Tell whether a name is that of a file like ``MERGE_HEAD``, which Git keeps commits in."""
    return name.endswith("_HEAD") and name.replace("_", "").isalpha() and name.isupper()


def _peel(git: GitRepo, obj: ShaFile, kind: str, text: str) -> ShaFile:
    """Follow tags to what is wanted; an empty kind is whatever is not a tag."""
    if kind == "tag" and isinstance(obj, Tag):
        return obj
    while isinstance(obj, Tag) and kind != "object":
        obj = git.dulwich.object_store[obj.object[1]]
    if kind == "tree" and isinstance(obj, Commit):
        obj = git.dulwich.object_store[obj.tree]
    found = obj.type_name.decode()
    if kind in ("", "object", found):
        return obj
    if kind not in ("commit", "tree", "blob", "tag"):
        raise InvalidInputError(
            f"{shown(text)!r}: unknown kind of object {shown(kind)!r}",
            hint="commit, tree, blob, tag, object or nothing between the braces",
        )
    raise InvalidInputError(f"{shown(text)!r} names a {found}, not a {kind}")


class AnnotatedTag(NamedTuple):
    """A tag with a message.

    Attributes:
        name: Its name.
        tagger: ``Name <email>``; empty if it says none.
        time_seconds: When it was made, Unix time.
        offset_seconds: The tagger's time zone, east of UTC.
        message: The whole message.
    """

    name: str
    tagger: str
    time_seconds: int
    offset_seconds: int
    message: str


def named_object(git: GitRepo, revision: str) -> tuple[list[AnnotatedTag], ShaFile]:
    """Return what a revision names: tags, the outermost first, and what the last of them names.

    Raises:
        NotFoundError: Nothing has that name, or Git does not have what a tag names.
        InvalidInputError: The name is malformed, or a short id fits several commits.
    """
    found = _Parser(git, revision).parse()
    tags = []
    while isinstance(found, Tag):
        tags.append(_annotated(found))
        try:
            found = git.dulwich.object_store[found.object[1]]
        except KeyError as error:
            raise NotFoundError(
                f"{shown(revision)}: Git does not have what the tag names", kind="unknown-revision"
            ) from error
    return tags, found


def _annotated(found: Tag) -> AnnotatedTag:
    return AnnotatedTag(
        os.fsdecode(found.name),
        (found.tagger or b"").decode("utf-8", "replace"),
        found.tag_time or 0,
        found.tag_timezone or 0,
        (found.message or b"").decode("utf-8", "replace"),
    )


def regular_expression(text: str, flags: int = 0) -> re.Pattern[bytes]:
    """Return a regular expression that a user typed.

    Raises:
        InvalidInputError: It is none.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what future Pythons may read otherwise
            return re.compile(os.fsencode(text), flags)
    except (re.error, RecursionError, OverflowError) as error:
        raise InvalidInputError(f"{text!r:.80} is not a regular expression: {error}") from error


def parse_date(text: str) -> int:
    """Return the Unix time that a date as Git takes it names (``2 weeks ago``, ``2026-01-31``).

    Raises:
        InvalidInputError: It is none.
    """
    try:
        when = datetime.fromisoformat(text.strip())
    except ValueError:
        when = None
    try:
        if when is not None:
            return int(when.timestamp())  # without a zone: local, as in Git
        return int(parse_approxidate(text.encode("utf-8", "surrogateescape")))
    except (ValueError, OverflowError, OSError) as error:
        raise InvalidInputError(
            f"not a date: {shown(text)!r}",
            hint=f"for example '2 weeks ago' or {time.strftime('%Y-%m-%d')}",
        ) from error


def parse_data_spec(text: str) -> DataSpec:
    """Split ``REV:PATH``, ``PATH@REV`` or ``PATH``.

    Raises:
        InvalidInputError: One part is empty.
    """
    revision: str | None = None
    path = text
    if ":" in text:
        revision, path = text.split(":", 1)
    else:
        # An @ before { belongs to a revision: images@main@{1}
        places = [one.start() for one in re.finditer(r"@(?!\{)", text)]
        if places and places[-1]:
            path, revision = text[: places[-1]], text[places[-1] + 1 :]
    if not path or revision == "":
        raise InvalidInputError(
            f"{shown(text)!r}: expected PATH, REV:PATH or PATH@REV",
            hint="example: main:images/train",
        )
    return DataSpec(path.rstrip("/"), revision)


def merge_bases(git: GitRepo, ours: CommitId, theirs: CommitId) -> list[CommitId]:
    """Return the best common ancestors of two commits; several after criss-cross merges."""
    from dulwich.graph import find_merge_base

    found = find_merge_base(git.dulwich, [ObjectID(ours.encode()), ObjectID(theirs.encode())])
    return [CommitId(base.decode()) for base in found]


def is_ancestor(git: GitRepo, ancestor: CommitId, descendant: CommitId) -> bool:
    """Tell whether ``ancestor`` is reachable from ``descendant``."""
    return ancestor == descendant or merge_bases(git, ancestor, descendant) == [ancestor]
