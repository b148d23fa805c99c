"""``veml branch`` and ``veml tag``: names of commits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from dulwich.objects import ObjectID, Tag
from dulwich.refs import HEADREF, Ref, check_ref_format

from veml_vcs.errors import ConflictError, InvalidInputError, NotFoundError
from veml_vcs.ids import CommitId, short
from veml_vcs.repository.commit import Signature, local_time
from veml_vcs.repository.git.identity import identity_of
from veml_vcs.repository.git.walk import reachable
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.revisions import is_ancestor


@dataclass(frozen=True)
class NamedCommit:
    """A branch or tag.

    Attributes:
        name: Short name.
        commit: The commit it names.
        subject: First line of the commit's message.
        current: Whether HEAD is on this branch.
        message: An annotated tag's message.
    """

    name: str
    commit: CommitId
    subject: str
    current: bool = False
    message: str = ""


@dataclass(frozen=True)
class Selection:
    """Which branches or tags to list; what is not given does not matter.

    Attributes:
        patterns: Names like these (``v1.*``, ``feature/*``).
        contains: Those that reach this revision.
        merged: Those that this revision reaches.
        no_merged: Those that it does not.
    """

    patterns: tuple[str, ...] = ()
    contains: str | None = None
    merged: str | None = None
    no_merged: str | None = None

    def chosen(self, repo: Repository, found: Iterable[NamedCommit]) -> list[NamedCommit]:
        """Return those of ``found`` that fit.

        Raises:
            NotFoundError: A revision names nothing.
        """
        listed = [one for one in found if self._fits(one.name)]
        if self.contains is not None:
            inside = repo.resolve(self.contains)
            listed = [one for one in listed if is_ancestor(repo.git, inside, one.commit)]
        for revision, wanted in ((self.merged, True), (self.no_merged, False)):
            if revision is not None:
                known = reachable(repo.git, [repo.resolve(revision)])
                listed = [one for one in listed if (one.commit.encode() in known) is wanted]
        return listed

    def _fits(self, name: str) -> bool:
        short_name = name.removeprefix("remotes/")
        return not self.patterns or any(fnmatchcase(short_name, one) for one in self.patterns)


def list_branches(
    repo: Repository,
    *,
    local: bool = True,
    remote: bool = False,
    selection: Selection | None = None,
) -> list[NamedCommit]:
    """Return branches by name, remote-tracking ones after local ones.

    Args:
        repo: The repository.
        local: List local branches.
        remote: List remote-tracking branches, as ``remotes/origin/main``.
        selection: Which of them; None is all.
    """
    current = repo.git.head().branch
    found = []
    if local:
        found += [
            NamedCommit(name, commit, _subject(repo, commit), name == current)
            for name, commit in repo.git.branches().items()
        ]
    if remote:
        found += [
            NamedCommit(f"remotes/{name}", commit, _subject(repo, commit))
            for name, commit in repo.git.remote_branches().items()
        ]
    return (selection or Selection()).chosen(repo, found)


def create_branch(
    repo: Repository, name: str, start: str = "HEAD", *, force: bool = False
) -> NamedCommit:
    """Create a branch, or with ``force`` move one.

    Raises:
        InvalidInputError: The name is malformed, or taken.
        NotFoundError: ``start`` names nothing.
    """
    ref = _ref("heads", name)
    commit = repo.resolve(start)
    raw = ObjectID(commit.encode())
    with repo.lock("veml branch"):
        refuse_nested_name(name, repo.git.branches())
        refs = repo.git.dulwich.refs
        if force:
            if name == repo.git.head().branch:
                raise InvalidInputError(f"{name} is checked out here and cannot be moved by force")
            refs.set_if_equals(ref, None, raw, message=f"branch: Reset to {start}".encode())
        elif not refs.add_if_new(ref, raw, message=f"branch: Created from {start}".encode()):
            raise InvalidInputError(
                f"a branch named {name} exists already", hint="-f moves it", kind="branch-exists"
            )
    return NamedCommit(name, commit, _subject(repo, commit))


def delete_branch(repo: Repository, name: str, *, force: bool = False) -> NamedCommit:
    """Delete a branch; without ``force`` only if HEAD reaches its commits.

    Raises:
        NotFoundError: There is no such branch.
        ConflictError: HEAD is on it, or commits would be lost.
    """
    with repo.lock("veml branch"):
        head = repo.git.head()
        commit = repo.git.branches().get(name)
        if commit is None:
            raise NotFoundError(f"no branch named {name}", kind="unknown-revision")
        if head.branch == name:
            raise ConflictError(f"{name} is checked out here", hint="veml checkout another first")
        if not force and (head.commit is None or not is_ancestor(repo.git, commit, head.commit)):
            raise ConflictError(
                f"{name} has commits that HEAD does not have", hint=f"veml branch -D {name}"
            )
        repo.git.dulwich.refs.remove_if_equals(_ref("heads", name), ObjectID(commit.encode()))
    return NamedCommit(name, commit, _subject(repo, commit))


def rename_branch(repo: Repository, old: str, new: str, *, force: bool = False) -> NamedCommit:
    """Rename a branch; HEAD follows.

    Raises:
        NotFoundError: There is no such branch.
        InvalidInputError: The new name is malformed, or taken.
    """
    ref = _ref("heads", new)
    with repo.lock("veml branch"):
        head = repo.git.head()
        commit = repo.git.branches().get(old)
        refs = repo.git.dulwich.refs
        if commit is None:
            raise NotFoundError(f"no branch named {old}", kind="unknown-revision")
        if old == new:
            return NamedCommit(new, commit, _subject(repo, commit), head.branch == old)
        if force and head.branch == new:
            raise InvalidInputError(f"{new} is checked out here and cannot be moved by force")
        refuse_nested_name(new, repo.git.branches())
        raw = ObjectID(commit.encode())
        message = f"Branch: renamed {old} to {new}".encode()
        about = f"branch -m {old} {new} {commit}"
        goes_on = repo.unfinished.interrupted == about and repo.git.branches().get(new) == commit
        with repo.unfinished.about(about):
            if force:
                refs.set_if_equals(ref, None, raw, message=message)
            elif not goes_on and not refs.add_if_new(ref, raw, message=message):
                raise InvalidInputError(
                    f"a branch named {new} exists already", kind="branch-exists"
                )
            if head.branch == old:
                refs.set_symbolic_ref(HEADREF, ref, message=message)
            refs.remove_if_equals(_ref("heads", old), raw)
    return NamedCommit(new, commit, _subject(repo, commit), head.branch == old)


def list_tags(repo: Repository, selection: Selection | None = None) -> list[NamedCommit]:
    """Return the tags by name; ``selection`` says which, None is all."""
    found = []
    for name, sha in repo.git.tags().items():
        commit = repo.resolve(f"refs/tags/{name}")
        obj = repo.git.dulwich.object_store[ObjectID(sha.encode())]
        message = obj.message.decode("utf-8", "replace") if isinstance(obj, Tag) else ""
        found.append(NamedCommit(name, commit, _subject(repo, commit), message=message))
    return (selection or Selection()).chosen(repo, found)


def create_tag(
    repo: Repository,
    name: str,
    target: str = "HEAD",
    *,
    message: str | None = None,
    tagger: Signature | None = None,
    force: bool = False,
) -> NamedCommit:
    """Create a tag; annotated if there is a message.

    Raises:
        InvalidInputError: The name is malformed, or taken.
        NotFoundError: ``target`` names nothing.
    """
    ref = _ref("tags", name)
    commit = repo.resolve(target)
    raw = ObjectID(commit.encode())
    with repo.lock("veml tag"):
        git = repo.git.dulwich
        refuse_nested_name(name, repo.git.tags())
        if name in repo.git.tags() and not force:
            raise InvalidInputError(
                f"a tag named {name} exists already", hint="-f moves it", kind="tag-exists"
            )
        if message is not None:
            when = tagger or local_time()
            tag = Tag()
            tag.name = name.encode()
            tag.object = (type(git.object_store[raw]), raw)
            tag.message = message.strip().encode() + b"\n"
            who = when.identity or identity_of(repo.git.config, "COMMITTER")
            tag.tagger = who.encode("utf-8", "surrogateescape")
            tag.tag_time = when.seconds
            tag.tag_timezone = when.offset_seconds
            git.object_store.add_object(tag)
            raw = tag.id
        git.refs.set_if_equals(ref, None, raw)
    return NamedCommit(name, commit, _subject(repo, commit), message=message or "")


def delete_tag(repo: Repository, name: str) -> NamedCommit:
    """Delete a tag.

    Raises:
        NotFoundError: There is no such tag.
    """
    with repo.lock("veml tag"):
        sha = repo.git.tags().get(name)
        if sha is None:
            raise NotFoundError(f"no tag named {name}", kind="unknown-revision")
        commit = repo.resolve(f"refs/tags/{name}")
        repo.git.dulwich.refs.remove_if_equals(_ref("tags", name), ObjectID(sha.encode()))
    return NamedCommit(name, commit, _subject(repo, commit))


def refuse_nested_name(name: str, taken: Iterable[str]) -> None:
    """Refuse a name below another one: Git keeps ``a`` as a file and ``a/b`` in a folder.

    Raises:
        InvalidInputError: ``name`` is below one of ``taken``, or the other way round.
    """
    for other in taken:
        if other.startswith(name + "/") or name.startswith(other + "/"):
            raise InvalidInputError(f"{name!r} cannot be a name beside {other!r}")


def _ref(kind: str, name: str) -> Ref:
    ref = Ref(f"refs/{kind}/{name}".encode())
    if name.startswith("-") or name == "HEAD" or not check_ref_format(ref):
        raise InvalidInputError(f"{name!r} is not a valid name")
    return ref


def _subject(repo: Repository, commit: CommitId) -> str:
    lines = repo.git.commit(commit).message.decode("utf-8", "replace").splitlines()
    return lines[0] if lines else short(commit)
