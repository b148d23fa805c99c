"""``veml stash``: put uncommitted work aside, data included.

The data of the work tree is added to the store first; a stash is complete before the work tree is
touched. A command that is killed has either changed nothing but the index, or the stash is there:
run again, it makes the same stash, or brings the work tree to HEAD, but only where every file of
it is in the stash or in HEAD.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import ExitStack

from dulwich.objects import Commit, ObjectID
from dulwich.refs import Ref

from veml_vcs.errors import ConflictError, InvalidInputError, NotFoundError, VemlError
from veml_vcs.ids import CommitId, short
from veml_vcs.repository.checkout import empty_version, move_work_tree
from veml_vcs.repository.commit import Signature, local_time
from veml_vcs.repository.git.identity import identity_of
from veml_vcs.repository.git.repo import Head, TreeFile
from veml_vcs.repository.merging.state import refuse_under_way
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.stashing.stash import StashEntry, list_stashes
from veml_vcs.repository.worktree.changes import folder_changes, may_differ
from veml_vcs.repository.worktree.plain_files import same_on_disk, unstaged_paths
from veml_vcs.samples.tree import Tree
from veml_vcs.versions.data import RECORD_SUFFIX, DataRecord

_REF = Ref(b"refs/stash")
_ABOUT = "stash"


def push(
    repo: Repository,
    message: str | None = None,
    *,
    untracked: bool = False,
    who: Signature | None = None,
    progress: Progress = silent,
) -> StashEntry | None:
    """Put uncommitted changes aside and return to HEAD.

    Args:
        repo: The repository.
        message: What they are; None is made up as Git does.
        untracked: Put untracked ordinary files aside too.
        who: Who does it; None asks Git's configuration.
        progress: Is told how far it is.

    Returns:
        The stash; None if there was nothing to put aside.

    Raises:
        ConflictError: A merge is under way.
        NotFoundError: There is no commit yet.
    """
    with ExitStack() as whole:
        with repo.lock("veml stash"):
            refuse_under_way(repo)
            head = repo.git.head()
            if head.commit is None:
                raise NotFoundError(
                    "HEAD has no commits yet", hint="veml commit first", kind="unborn"
                )
            if unmerged := repo.git.conflicted_paths():
                raise ConflictError(
                    f"{unmerged[0]} needs merge: what is in conflict cannot be put aside",
                    hint="veml status says how to settle it, or how to drop it",
                    kind="unresolved",
                )
            killed = _killed_at(repo, head.commit)
            made = _made_of(repo, killed) if killed is not None else None
            if made is not None:
                if _is_aside(repo, made):
                    _leave(repo, head.commit, made.commit, progress)
                    return made
                killed = None  # the user went on since: that is another stash
            if killed is None and not _differs(repo, head.commit, untracked):
                return None
            at = f"{head.branch or '(no branch)'}: {short(head.commit, 7)} {_subject(repo, head)}"
            # The index as it was, before the work tree's data is added to it.
            index = killed or _write(
                repo, repo.git.staged_files(), [head.commit], f"index on {at}", who
            )
            whole.enter_context(repo.unfinished.about(f"{_ABOUT} {index}"))
        _add_changed(repo, progress)
        with repo.lock("veml stash"):
            refuse_under_way(repo)
            loose = _loose(repo) if untracked else []
            files = repo.git.staged_files()
            if files == repo.git.files(index) == repo.git.files(head.commit) and not loose:
                return None
            text = f"On {head.branch or '(no branch)'}: {message}" if message else f"WIP on {at}"
            with repo.git.batch():
                parents = [head.commit, index]
                if loose:
                    blobs = {p: file for p in loose if (file := _stored(repo, p)) is not None}
                    parents.append(_write(repo, blobs, [], f"untracked files on {at}", who))
                commit = _write(repo, files, parents, text, who)
                entry = _put(repo, commit, text, who or local_time())
            _leave(repo, head.commit, commit, progress)
    return entry


def _put(repo: Repository, commit: CommitId, text: str, when: Signature) -> StashEntry:
    """Set ``refs/stash``, unless a run that was killed between its reflog and itself began to."""
    refs = repo.git.dulwich.refs
    listed = list_stashes(repo)
    raw = ObjectID(commit.encode())
    last = refs.as_dict(Ref(b"refs")).get(Ref(b"stash"))
    told = None if listed and listed[0].commit == commit else os.fsencode(text)
    refs.set_if_equals(
        _REF, last, raw, message=told, timestamp=when.seconds, timezone=when.offset_seconds
    )
    return StashEntry(0, commit, text, when.seconds)


def _leave(repo: Repository, head: CommitId, stash: CommitId, progress: Progress) -> None:
    """Bring the work tree to HEAD; untracked files that are in the stash go."""
    move_work_tree(repo, head, head, "stash", force=True, progress=progress)
    repo.git.write_state("SQUASH_MSG", None)  # as Git: it speaks of what is put aside
    parents = repo.git.parents(stash)
    for path, file in (repo.git.files(parents[2]) if len(parents) > 2 else {}).items():
        if same_on_disk(repo, path, file):
            repo.files.remove(repo.absolute(path))


# -- after a kill ------------------------------------------------------------------------------


def _killed_at(repo: Repository, head: CommitId) -> CommitId | None:
    """Return the commit of the index that a killed run had made, if HEAD is where it was."""
    word, _, index = (repo.unfinished.interrupted or "").partition(" ")
    if word != _ABOUT:
        return None
    try:
        return CommitId(index) if repo.git.parents(CommitId(index)) == [head] else None
    except (VemlError, KeyError):
        return None  # it did not reach the disk


def _made_of(repo: Repository, index: CommitId) -> StashEntry | None:
    """Return the stash that a killed run completed, if it did."""
    newest = list_stashes(repo)[:1]
    if not newest or repo.git.parents(newest[0].commit)[1:2] != [index]:
        return None
    refs = repo.git.dulwich.refs
    here = refs.as_dict(Ref(b"refs")).get(Ref(b"stash"))
    return newest[0] if here == newest[0].commit.encode() else None


def _is_aside(repo: Repository, made: StashEntry) -> bool:
    """Tell whether every file of the work tree is in a stash or in HEAD, so that it may go."""
    head, _, *rest = repo.git.parents(made.commit)
    here, old = repo.git.files(made.commit), repo.git.files(head)
    more = repo.git.files(rest[0]) if rest else {}
    for path in here.keys() | old.keys() | repo.git.staged_files().keys():
        if path.endswith(RECORD_SUFFIX):
            continue
        if not any(same_on_disk(repo, path, one.get(path)) for one in (here, old)):
            return False
    loose = [path for path in (_loose(repo) if rest else ()) if path not in here | old]
    if not all(same_on_disk(repo, path, more.get(path)) for path in loose):
        return False
    stashed, committed = repo.datasets_at(made.commit), repo.datasets_at(head)
    return all(
        _folder_is_aside(repo, path, stashed.get(path), committed.get(path))
        for path in stashed.keys() | committed.keys()
    )


def _folder_is_aside(
    repo: Repository, path: str, stashed: DataRecord | None, committed: DataRecord | None
) -> bool:
    found = folder_changes(repo, path, stashed or empty_version(committed))
    tree = Tree(repo.store, committed.tree) if committed is not None else None
    for key in (*found.added, *found.changed):
        entry = tree.get(key) if tree is not None else None
        if entry is None or entry.content != found.contents[key]:
            return False
    return True


# -- what is put aside -------------------------------------------------------------------------


def _differs(repo: Repository, head: CommitId, untracked: bool) -> bool:
    return (
        repo.git.staged_files() != repo.git.files(head)
        or bool(unstaged_paths(repo))
        or any(may_differ(repo, path, one) for path, one in repo.staged_datasets().items())
        or (untracked and bool(_loose(repo)))
    )


def _loose(repo: Repository) -> list[str]:
    from veml_vcs.repository.worktree.plain import untracked_files

    return list(untracked_files(repo, list(repo.staged_datasets())))


def _add_changed(repo: Repository, progress: Progress) -> None:
    from veml_vcs.repository.add import add
    from veml_vcs.repository.worktree.plain import add_plain

    datasets = repo.staged_datasets()
    missing = []
    changed = []
    for path, record in datasets.items():
        dirty = folder_changes(repo, path, record)
        if dirty.missing:
            missing.append(path)
        elif dirty:
            changed.append(repo.absolute(path))
    if missing:
        raise ConflictError(
            f"{missing[0]}: the folder of this data set is gone; that cannot be stashed",
            hint=f"veml restore {missing[0]}, or veml rm {missing[0]}",
        )
    if changed:
        add(repo, changed, progress=progress)
    loose = unstaged_paths(repo)
    if loose:
        add_plain(repo, loose, repo.staged_datasets())


def _stored(repo: Repository, path: str) -> TreeFile | None:
    file = repo.git.worktree_file(path)
    if file is not None:
        repo.git.write_blob(repo.git.read_blob(file.blob))
    return file


def _subject(repo: Repository, head: Head) -> str:
    assert head.commit is not None
    lines = repo.git.commit(head.commit).message.decode("utf-8", "replace").splitlines()
    return lines[0] if lines else ""


def _write(
    repo: Repository,
    files: Mapping[str, TreeFile],
    parents: list[CommitId],
    message: str,
    who: Signature | None,
) -> CommitId:
    """Write a commit that no branch names; Git's hooks are not for it."""
    when = who or local_time()
    identity = (when.identity or _anybody(repo)).encode("utf-8", "surrogateescape")
    commit = Commit()
    with repo.git.batch():
        commit.tree = repo.git.write_tree(dict(files))
        commit.parents = [ObjectID(one.encode()) for one in parents]
        commit.author = commit.committer = identity
        commit.author_time = commit.commit_time = when.seconds
        commit.author_timezone = commit.commit_timezone = when.offset_seconds
        commit.message = message.encode("utf-8", "surrogateescape") + b"\n"
        repo.git.dulwich.object_store.add_object(commit)
    return CommitId(commit.id.decode())


def _anybody(repo: Repository) -> str:
    """Return who makes a stash; where nobody is named, whom Git names then."""
    try:
        return identity_of(repo.git.config, "COMMITTER")
    except InvalidInputError:
        return "git <git@stash>"
