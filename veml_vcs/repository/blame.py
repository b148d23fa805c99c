"""``veml blame``: which commit brought or last changed a sample, and each of its boxes.

As ``git blame`` does for lines: beginning at a commit, whatever a parent has just the same is
passed on to that parent; what no parent has is its own. Boxes are matched as in a merge, so
a box that another one was inserted before is still the same box. A sample that was renamed is
followed to its old key, also into a data set that had another name, and from one that it was moved
out of.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from dulwich.objects import Commit

from veml_vcs.errors import NotFoundError
from veml_vcs.ids import CommitId, SampleId
from veml_vcs.repository.datasets import owner_of
from veml_vcs.repository.git.mailmap import read_mailmap
from veml_vcs.repository.git.walk import walk
from veml_vcs.repository.log import LogEntry, entry_of
from veml_vcs.repository.merging.renames import renamed_datasets
from veml_vcs.repository.repository import Repository
from veml_vcs.samples.annotations import image_size, match_objects, objects_of
from veml_vcs.samples.annotations.match import content_of
from veml_vcs.samples.facts import Annotation
from veml_vcs.samples.tree import Entry, Tree, diff_trees
from veml_vcs.versions.data import DataRecord


@dataclass(frozen=True)
class BlamedObject:
    """One object of a sample, and who is to be asked about it.

    Attributes:
        index: Its place in the annotation.
        object: What is said of it.
        commit: The commit that brought it to what it is.
        how: ``added``, ``moved``, ``relabelled`` or ``changed`` (another field) there.
    """

    index: int
    object: Mapping[str, Any]
    commit: CommitId
    how: str


@dataclass(frozen=True)
class Blame:
    """Where a sample comes from.

    Attributes:
        dataset: The data set's folder.
        key: The sample's key.
        commit: The commit it was looked at in.
        brought: The commit that brought the sample (under whatever key).
        content: The commit that last changed its bytes; None for an annotation without a sample.
        renamed: Commits that gave it another key: commit -> the key before, with the data set
            before it if that was another one (``DATASET/KEY``).
        image: Fields of the annotation beside the objects: name -> the commit that set it last.
        objects: Its objects.
        commits: Every commit named above.
    """

    dataset: str
    key: str
    commit: CommitId
    brought: CommitId
    content: CommitId | None
    renamed: Mapping[CommitId, str]
    image: Mapping[str, CommitId]
    objects: tuple[BlamedObject, ...]
    commits: Mapping[CommitId, LogEntry]


def blame(repo: Repository, path: str, revision: str = "HEAD") -> Blame:
    """Tell which commit brought or last changed a sample and each of its objects.

    Args:
        repo: The repository.
        path: ``DATASET/KEY``, from the repository's root.
        revision: The commit to begin at.

    Raises:
        NotFoundError: There is no such revision, data set or sample.
    """
    start = repo.resolve(revision)
    datasets = repo.datasets_at(start)
    dataset = owner_of(datasets, path)
    if dataset is None or dataset == path:
        known = ", ".join(list(datasets)[:8]) or "none"
        raise NotFoundError(
            f"{path}: no sample of a data set in {revision}; data sets there: {known}",
            hint="veml blame DATASET/KEY; for ordinary files git blame FILE",
            kind="no-such-path",
        )
    return _Blamer(repo, dataset, path[len(dataset) + 1 :], start).run()


@dataclass
class _State:
    """A sample in one commit."""

    dataset: str
    key: str
    entry: Entry
    said: Annotation | None


class _Blamer:
    """Walks history from one commit, and hands what is not new on to the parents."""

    def __init__(self, repo: Repository, dataset: str, key: str, start: CommitId) -> None:
        self._repo = repo
        self._dataset = dataset
        self._start = start
        self._key = key
        self._records: dict[CommitId, dict[str, DataRecord]] = {}
        self._brought: CommitId | None = None
        self._mailmap = read_mailmap(repo.git)
        self._content: CommitId | None = None
        self._renamed: dict[CommitId, str] = {}
        self._image: dict[str, CommitId] = {}
        self._objects: dict[int, tuple[CommitId, str]] = {}

    def run(self) -> Blame:
        first = self._state(self._start, self._dataset, self._key)
        if first is None:
            raise NotFoundError(
                f"{self._dataset}: no sample {self._key!r} in {self._start[:10]}",
                hint=f"veml show {self._start[:10]}:{self._dataset}",
                kind="no-such-path",
            )
        wanted = list(range(len(objects_of(first.said or {}))))
        fields = [name for name in first.said or {} if name != "objects"]
        # Commit -> what it is asked about: state, object index there -> index at the start,
        # fields, whether its bytes, whether the sample itself.
        asked: dict[CommitId, _Asked] = {
            self._start: _Asked(first, {i: i for i in wanted}, set(fields), True, True)
        }
        for commit in walk(self._repo.git, [self._start]):
            commit_id = CommitId(commit.id.decode())
            mine = asked.pop(commit_id, None)
            if mine is not None:
                self._visit(commit, commit_id, mine, asked)
            if not asked:
                break
        objects = objects_of(first.said or {})
        assert self._brought is not None
        named = {
            self._brought,
            *self._renamed,
            *self._image.values(),
            *(commit for commit, _ in self._objects.values()),
            *([self._content] if self._content else []),
        }
        return Blame(
            self._dataset,
            self._key,
            self._start,
            self._brought,
            self._content if first.entry.content is not None else None,
            self._renamed,
            self._image,
            tuple(BlamedObject(i, objects[i], *self._objects[i]) for i in wanted),
            {one: self._told(one) for one in sorted(named)},
        )

    def _told(self, commit: CommitId) -> LogEntry:
        """Return a commit with the people that ``.mailmap`` knows, as ``git blame`` does."""
        entry, proper = entry_of(self._repo, commit), self._mailmap.person
        return replace(entry, author=proper(entry.author), committer=proper(entry.committer))

    def _visit(
        self, commit: Commit, commit_id: CommitId, mine: _Asked, asked: dict[CommitId, _Asked]
    ) -> None:
        parents = self._repo.git.parents(commit_id)
        left = mine.copy()
        how: dict[int, str] = {}
        for parent in parents:
            here = mine.state
            old = self._state(parent, here.dataset, here.key) or self._renamed_from(
                parent, commit_id, here
            )
            if old is None:
                continue
            if mine.whole and old.dataset != here.dataset:
                self._renamed[commit_id] = f"{old.dataset}/{old.key}"
            elif mine.whole and old.key != here.key:
                self._renamed[commit_id] = old.key
            passed = left.pass_on(old, how)
            if parent in asked:
                asked[parent].join(passed)
            elif passed:
                asked[parent] = passed
        if left.whole:
            self._brought = commit_id
        if left.content:
            self._content = commit_id
        for name in left.fields:
            self._image[name] = commit_id
        for index, start in left.objects.items():
            self._objects[start] = (commit_id, how.get(index, "added"))

    def _datasets(self, commit_id: CommitId) -> dict[str, DataRecord]:
        if commit_id not in self._records:
            self._records[commit_id] = self._repo.datasets_at(commit_id)
        return self._records[commit_id]

    def _state(self, commit_id: CommitId, dataset: str, key: str) -> _State | None:
        record = self._datasets(commit_id).get(dataset)
        entry = None if record is None else Tree(self._repo.store, record.tree).get(key)
        if entry is None:
            return None
        said = None
        if entry.annotation is not None:
            said = self._repo.annotations.read(entry.annotation)
        return _State(dataset, key, entry, said)

    def _renamed_from(self, parent: CommitId, commit_id: CommitId, state: _State) -> _State | None:
        """Return what the sample was before the commit gave it another key or data set."""
        before, after = self._datasets(parent), self._datasets(commit_id)
        old = state.dataset
        if old not in before:
            git = self._repo.git
            renamed = renamed_datasets(self._repo, git.files(parent), git.files(commit_id))
            old = renamed.get(state.dataset, old)
            found = self._state(parent, old, state.key)
            if found is not None:
                return found
        # Its own data set first; then those that lost a sample, as by `veml mv` to another one.
        for name in [old, *(one for one in before if one != old)]:
            target = state.dataset if name == old else name
            found = self._removed(parent, name, before.get(name), after.get(target), state)
            if found is not None:
                return found
        return None

    def _removed(
        self,
        parent: CommitId,
        dataset: str,
        before: DataRecord | None,
        after: DataRecord | None,
        state: _State,
    ) -> _State | None:
        """Return the sample with the same bytes that a data set lost, if there is one."""
        content: SampleId | None = state.entry.content
        if before is None or after is None or content is None or before.tree == after.tree:
            return None
        for change in diff_trees(self._repo.store, before.tree, after.tree):
            if change.new is None and change.old is not None and change.old.content == content:
                return self._state(parent, dataset, change.key)
        return None


@dataclass
class _Asked:
    """What a commit is asked about."""

    state: _State
    objects: dict[int, int]
    fields: set[str]
    content: bool
    whole: bool

    def __bool__(self) -> bool:
        return bool(self.objects or self.fields or self.content or self.whole)

    def copy(self) -> _Asked:
        return _Asked(self.state, dict(self.objects), set(self.fields), self.content, self.whole)

    def join(self, other: _Asked) -> None:
        self.objects |= other.objects
        self.fields |= other.fields
        self.content = self.content or other.content
        self.whole = self.whole or other.whole

    def pass_on(self, old: _State, how: dict[int, str]) -> _Asked:
        """Take out what a parent has just the same, and return it as the parent's.

        Args:
            old: The sample in the parent.
            how: Takes what happened to the objects that the parent has otherwise.
        """
        mine, theirs = self.state.said or {}, old.said or {}
        content = self.content and old.entry.content == self.state.entry.content
        same = {name for name in self.fields if name in theirs and theirs[name] == mine.get(name)}
        objects: dict[int, int] = {}
        before, after = objects_of(theirs), objects_of(mine)
        if self.objects:
            width, height = image_size(mine, theirs)
            matching = match_objects(before, after, width=width, height=height)
            for i, j in matching.pairs:
                if j not in self.objects:
                    continue
                if content_of(before[i]) == content_of(after[j]):
                    objects[i] = self.objects[j]
                else:
                    how.setdefault(j, _how(before[i], after[j]))
            for i, j in matching.pairs:
                if i in objects:
                    del self.objects[j]
        passed = _Asked(old, objects, same, content, self.whole)
        self.fields -= same
        self.content = self.content and not content
        self.whole = False
        return passed


def _how(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    from veml_vcs.samples.annotations.boxes import BOX_FIELDS

    if before.get("class") != after.get("class"):
        return "relabelled"
    moved = any(before.get(name) != after.get(name) for name in BOX_FIELDS)
    return "moved" if moved else "changed"
