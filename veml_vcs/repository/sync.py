"""``veml data fetch``: copy what this clone's store lacks from another clone's.

Rows (contents, annotations) are copied one by one, each checked against its id, so a damaged or
hostile source can withhold data but not slip any in. Tree nodes come last: once a version's root is
here, all of the version is. What is copied is published in batches; a fetch that is killed loses
the last batch at most, and the same command goes on from there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import TypeVar

from veml_vcs.errors import DamagedError, NotFoundError
from veml_vcs.ids import AnnotationId, CommitId, ObjectId, SampleId, TreeId, VersionId, short
from veml_vcs.objects.protocol import ObjectKind, ObjectStore, ObjectWriter
from veml_vcs.repository.git.walk import walk
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.records.place import trees_of, used_trees
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.source import Source, open_source
from veml_vcs.samples.fragments.annotations import AnnotationWriter
from veml_vcs.samples.fragments.content import ContentWriter
from veml_vcs.samples.tree import walk_new
from veml_vcs.versions.data import RECORD_SUFFIX
from veml_vcs.versions.kinds import kind_at

BATCH_BYTES = 256 << 20  # 256 MiB: what a killed fetch may lose
_ANNOTATIONS_READ = 1 << 14

_Id = TypeVar("_Id", bound=bytes)
_Value = TypeVar("_Value")


@dataclass(frozen=True)
class MissingVersion:
    """A data or training version that could not be completed.

    Attributes:
        version: ``commit:path``, or ``index:path``.
        reason: What the source lacks.
    """

    version: str
    reason: str


@dataclass(frozen=True)
class FetchResult:
    """What a fetch of data did.

    Attributes:
        source: Where it came from.
        versions: Number of data and training versions that were wanted.
        files: Samples and other files copied.
        annotations: Annotations copied.
        nodes: Tree nodes copied.
        content_bytes: Bytes of the files copied.
        missing: Versions that are still not complete.
    """

    source: str
    versions: int
    files: int
    annotations: int
    nodes: int
    content_bytes: int
    missing: tuple[MissingVersion, ...] = ()


def fetch_data(
    repo: Repository,
    source: str | None = None,
    revisions: Sequence[str] = (),
    *,
    everything: bool = False,
    progress: Progress = silent,
) -> FetchResult:
    """Copy the data of commits from another clone.

    Args:
        repo: The repository.
        source: Path of the other clone; None is the remote, if it is on this machine.
        revisions: Commits; none is HEAD and the index, with all sides of what is in conflict there.
        everything: Every commit that a branch, remote branch or tag reaches.
        progress: Is told how far it is.

    Raises:
        NotFoundError: There is no such source or revision.
    """
    wanted = wanted_versions(repo, revisions, everything=everything)
    with open_source(repo, source) as opened:
        done, missing = copy_versions(repo, opened, wanted, progress)
        return FetchResult(
            opened.path, len(wanted), done.files, done.annotations, done.nodes,
            done.content_bytes, tuple(missing),
        )  # fmt: skip


def copy_versions(
    repo: Repository,
    source: Source,
    wanted: Mapping[str, Sequence[TreeId]],
    progress: Progress = silent,
) -> tuple[CopyCounts, list[MissingVersion]]:
    """Copy what is missing of some versions from another clone's store.

    Args:
        repo: The repository.
        source: The other clone's store.
        wanted: The trees of each version, by the version's name.
        progress: Is told how far it is.

    Returns:
        What was copied, and which versions the source could not complete.
    """
    missing = []
    with _Copy(repo, source, progress) as copy:
        for name, trees in wanted.items():
            try:
                for tree in trees:
                    copy.version(name, tree)
            except (NotFoundError, DamagedError) as error:
                missing.append(MissingVersion(name, error.message))
    return copy.counts, missing


def wanted_versions(
    repo: Repository, revisions: Sequence[str] = (), *, everything: bool = False
) -> dict[str, tuple[TreeId, ...]]:
    """Return the trees of data and training versions of commits, each once, by ``commit:path``.

    With the data versions that trainings and inference versions name, older ones too.

    Args:
        repo: The repository.
        revisions: Commits; none is HEAD and the index, with all sides of what is in conflict there.
        everything: Every commit that a branch, remote branch or tag reaches.

    Raises:
        NotFoundError: There is no such revision.
    """
    commits = [repo.resolve(one) for one in revisions]
    head = repo.git.head().commit
    if everything:
        heads = [*repo.git.all_commits(), *commits]
        commits = [CommitId(one.id.decode()) for one in walk(repo.git, heads)]
    elif not commits and head is not None:
        commits = [head]
    found: dict[str, tuple[TreeId, ...]] = {}
    used: dict[str, tuple[TreeId, ...]] = {}
    seen: set[VersionId] = set()

    def take(place: str, path: str, blob: VersionId) -> tuple[TreeId, ...]:
        data, name = repo.git.read_blob(blob), f"{place}:{path.removesuffix(RECORD_SUFFIX)}"
        for use, tree in used_trees(data, path).items():
            used[f"{name} (data {use})"] = (tree,)
        return trees_of(data, path)

    for commit in commits:
        for path, file in repo.git.files(commit).items():
            if path.endswith(RECORD_SUFFIX) and file.blob not in seen:
                seen.add(file.blob)
                trees = take(short(commit, 7), path, file.blob)
                if trees:
                    found[f"{short(commit, 7)}:{path.removesuffix(RECORD_SUFFIX)}"] = trees
    if everything or not revisions:
        known = set(found.values())
        staged: dict[str, tuple[TreeId, ...]] = {
            path: (one.tree,) for path, one in repo.staged_datasets().items()
        }
        for path, file in repo.git.staged_files().items():
            if kind_at(path) is not None:
                staged[path.removesuffix(RECORD_SUFFIX)] = take("index", path, file.blob)
        staged |= _in_conflict(repo)
        found |= {f"index:{path}": one for path, one in staged.items() if one and one not in known}
    here = {tree for trees in found.values() for tree in trees}
    for name, trees in used.items():
        if not here.issuperset(trees):
            here.update(trees)
            found[name] = trees
    return found


def _in_conflict(repo: Repository) -> dict[str, tuple[TreeId, ...]]:
    """Return the trees of all sides of a record in conflict: without them nothing can be merged."""
    found: dict[str, tuple[TreeId, ...]] = {}
    for path in repo.git.conflicted_paths():
        if not path.endswith(RECORD_SUFFIX):
            continue
        sides = [one for one in repo.git.conflict_stages(path) if one is not None]
        trees = (tree for one in sides for tree in trees_of(repo.git.read_blob(one.blob), path))
        found[path.removesuffix(RECORD_SUFFIX)] = tuple(dict.fromkeys(trees))
    return found


@dataclass
class CopyCounts:
    """What a copy moved: numbers of rows and nodes, and bytes of files."""

    files: int = 0
    annotations: int = 0
    nodes: int = 0
    content_bytes: int = 0


@dataclass
class _Batch:
    """What is being written: published as a whole."""

    stack: ExitStack
    writer: ObjectWriter
    contents: ContentWriter
    annotations: AnnotationWriter
    nodes: list[ObjectId] = field(default_factory=list)
    taken: set[bytes] = field(default_factory=set)


class _Copy:
    """One fetch: reads from both stores, writes to ours."""

    def __init__(self, repo: Repository, source: Source, progress: Progress) -> None:
        self._repo = repo
        self._source = source
        self._progress = progress
        self._nodes = _EitherStore(repo.store, source.store)
        self._complete: set[ObjectId] = set()
        self._batch: _Batch | None = None
        self.counts = CopyCounts()

    def __enter__(self) -> _Copy:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Publish what is still to be written, or drop it if the fetch failed."""
        if kind is None:
            self._publish()
        elif self._batch is not None:
            self._batch.stack.__exit__(kind, value, trace)

    def version(self, name: str, tree: TreeId) -> None:
        """Copy what is missing of one tree of a version.

        Raises:
            NotFoundError: The source lacks something; nothing of the version was copied.
            DamagedError: What the source has is not what its id says.
        """
        nodes: list[ObjectId] = []
        contents: dict[SampleId, str] = {}
        said: dict[AnnotationId, None] = {}
        for node, entries in walk_new(self._nodes, tree, self._complete):
            nodes.append(node)
            for key, entry in entries:
                if entry.content is not None:
                    contents.setdefault(entry.content, key)
                if entry.annotation is not None:
                    said[entry.annotation] = None
        self._contents(name, self._wanted("content", contents))
        self._annotations(list(self._wanted("annotations", said)))
        fresh = [node for node in nodes if node not in self._repo.store]
        if fresh:
            self._open().nodes += fresh
        self._complete.update(nodes)

    def _wanted(self, kind: str, rows: Mapping[_Id, _Value]) -> dict[_Id, _Value]:
        """Return the rows that are not here; the source must have them all."""
        taken = self._batch.taken if self._batch is not None else set()
        ids = [one for one in rows if one not in taken]
        places = self._repo.catalog.find_many(ids, kind)[:, 0].tolist()
        wanted = [one for one, place in zip(ids, places, strict=True) if place < 0]
        lacking = int((self._source.catalog.find_many(wanted, kind)[:, 0] < 0).sum())
        if lacking:
            what = "files" if kind == "content" else "annotations"
            raise NotFoundError(f"{lacking} of its {what} are not in {self._source.path}")
        return {one: rows[one] for one in wanted}

    def _contents(self, name: str, contents: Mapping[SampleId, str]) -> None:
        for done, (content, key) in enumerate(contents.items()):
            if done % 256 == 0:
                self._progress(f"fetching {name}", done, len(contents))
            data = self._source.contents.read(content)
            batch = self._open()
            batch.contents.add(content, data, key)
            batch.taken.add(content)
            self.counts.files += 1
            self.counts.content_bytes += len(data)
            if batch.contents.new_bytes >= BATCH_BYTES:
                self._publish()

    def _annotations(self, said: Sequence[AnnotationId]) -> None:
        for start in range(0, len(said), _ANNOTATIONS_READ):
            found = self._source.annotations.read_many(said[start : start + _ANNOTATIONS_READ])
            batch = self._open()
            batch.annotations.add_many(list(found.items()))
            batch.taken.update(found)
            self.counts.annotations += len(found)

    def _open(self) -> _Batch:
        if self._batch is None:
            with ExitStack() as stack:
                # A lock a batch, so that a long fetch does not keep everybody else waiting.
                stack.enter_context(self._repo.lock("veml data fetch"))
                writer = stack.enter_context(self._repo.store.write())
                catalog = self._repo.catalog
                contents = ContentWriter(catalog, writer)
                said = AnnotationWriter(catalog, writer)
                self._batch = _Batch(stack.pop_all(), writer, contents, said)
        return self._batch

    def _publish(self) -> None:
        batch, self._batch = self._batch, None
        if batch is None:
            return
        with batch.stack:
            batch.contents.finish()
            batch.annotations.finish()
            for node in batch.nodes:
                # Last, so that a root which is here says that all below it is.
                data = self._source.store.get(node)
                batch.writer.put(data, kind=ObjectKind.NODE, compress=True)
            self.counts.nodes += len(batch.nodes)
        self._repo.catalog.refresh()


class _EitherStore:
    """Reads objects from the first store that has them."""

    def __init__(self, first: ObjectStore, second: ObjectStore) -> None:
        self._stores = (first, second)

    def get(self, object_id: ObjectId) -> bytes:
        first, second = self._stores
        return first.get(object_id) if object_id in first else second.get(object_id)
