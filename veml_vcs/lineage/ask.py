"""What people ask of the lineage of a repository, in their own words: names, revisions, paths."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from veml_vcs.errors import InvalidInputError, NotFoundError
from veml_vcs.lineage.graph import IMPACT, LINEAGE, VERSIONS, Edge, EdgeKind, Node, VersionKind
from veml_vcs.lineage.samples import SampleIndex, Unread, ask_each, tree_of
from veml_vcs.lineage.sqlite.questions import SqliteLineage
from veml_vcs.lineage.store import Direction, LineageStore, Part
from veml_vcs.lineage.sync import Synced, database, sync
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.repository import Repository
from veml_vcs.samples.tree import Tree
from veml_vcs.versions.data import RECORD_SUFFIX
from veml_vcs.versions.kinds import KINDS

_SHOWN = 10
_Given = ParamSpec("_Given")
_Found = TypeVar("_Found")
_DIGITS = re.compile("[0-9a-f]{4,40}")


@dataclass(frozen=True)
class Lineage:
    """A part of the graph around one version.

    Attributes:
        start: The version that was asked about.
        direction: ``up``, ``down`` or ``both``.
        part: What was found, the version itself included.
    """

    start: Node
    direction: str
    part: Part

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "start": self.start.id,
            "direction": self.direction,
            "nodes": [
                one.as_dict() | {"steps": self.part.steps[one.id]}
                for one in self.part.nodes.values()
            ],
            "edges": [one.as_dict() for one in self.part.edges],
        }


@dataclass(frozen=True)
class Path:
    """The shortest way between two versions.

    Attributes:
        nodes: From the first to the second.
        edges: Between neighbours; each points from what is newer.
    """

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "nodes": [one.as_dict() for one in self.nodes],
            "edges": [one.as_dict() for one in self.edges],
        }


@dataclass(frozen=True)
class Impact:
    """What a data version, or a sample, has touched.

    Attributes:
        start: The data version.
        key: The sample; None is the whole version.
        data: The data versions that have it, the one that was asked about first.
        part: All that came from these.
        unread: Data versions that could not be asked whether they have the sample.
    """

    start: Node
    key: str | None
    data: tuple[Node, ...]
    part: Part
    unread: tuple[Unread, ...] = ()

    def of_kind(self, kind: str) -> list[Node]:
        """List what was touched of one kind."""
        return [one for one in self.part.nodes.values() if one.kind == kind]

    @property
    def derived(self) -> list[Node]:
        """List the data that was derived from it."""
        asked = {one.id for one in self.data}
        return [one for one in self.of_kind("data") if one.id not in asked]

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "start": self.start.id,
            "key": self.key,
            "data": [one.id for one in self.data],
            "derived": [one.as_dict() for one in self.derived],
            "trainings": [one.as_dict() for one in self.of_kind("training")],
            "inferences": [one.as_dict() for one in self.of_kind("inference")],
            "edges": [one.as_dict() for one in self.part.edges],
            "unread": [
                {"id": one.node.id, "name": one.node.name, "reason": one.reason}
                for one in self.unread
            ],
        }


def at_once(
    question: Callable[Concatenate[RepositoryLineage, _Given], _Found],
) -> Callable[Concatenate[RepositoryLineage, _Given], _Found]:
    """Let a question that asks several times be of one state of the graph.

    Another process may take out meanwhile what the first answer told of, or number rows anew.
    """

    @wraps(question)
    def asking(asked: RepositoryLineage, /, *given: _Given.args, **named: _Given.kwargs) -> _Found:
        with asked.store.at_once():
            return question(asked, *given, **named)

    return asking


class RepositoryLineage:
    """The lineage of a repository, brought to where its history is.

    Args:
        repo: The repository.
        store: Answers the questions.
        synced: What was new.
        progress: Is told how far a long question is.
        index: Knows which data has a sample; without it each data version is asked.
    """

    def __init__(
        self,
        repo: Repository,
        store: LineageStore,
        synced: Synced,
        progress: Progress = silent,
        index: SampleIndex | None = None,
    ) -> None:
        self.repo = repo
        self.store = store
        self.synced = synced
        self._progress = progress
        self._index = index

    def version(self, spec: str, meant: VersionKind | None = None, at: str | None = None) -> Node:
        """Find a version.

        Args:
            spec: ``NAME`` (as HEAD has it), ``NAME@REV``, ``KIND:NAME``, ``KIND:NAME@REV`` or the
                first digits of its id.
            meant: The kind that is meant where several have the name, as a rebuild gives its name
                to a training and to its data.
            at: The revision that has a ``NAME`` that names none itself; None is HEAD.

        Raises:
            NotFoundError: There is none.
            InvalidInputError: There are several.
        """
        name, revision, found = self._meant_by(spec, at or "HEAD")
        if len(found) > 1 and f"{meant}:{name}" in found:
            found = {f"{meant}:{name}": found[f"{meant}:{name}"]}
        if len(found) > 1:
            raise InvalidInputError(
                f"{spec} can be {' or '.join(sorted(found))}",
                hint="say which: " + "  ".join(sorted(found)),
            )
        if found:
            ((shown, version),) = found.items()
            node = self.store.node(version)
            if node is None:
                raise NotFoundError(
                    f"{shown}: its record cannot be read", hint="veml lineage status says why"
                )
            # It may have had other names: it is told by the one that was asked for.
            return node._replace(name=name) if shown == f"{node.kind}:{name}" else node
        if _DIGITS.fullmatch(spec):
            return self._by_digits(spec)
        raise NotFoundError(
            f"no version {spec} in {revision}",
            hint=self._elsewhere(spec, name)
            or "veml data ls, veml model ls, veml training ls list what there is; "
            "lineage knows what is committed",
        )

    @at_once
    def around(
        self, spec: str, direction: str = "both", depth: int | None = None, at: str | None = None
    ) -> Lineage:
        """Return what a version came from, and what came from it.

        Args:
            spec: See ``version``.
            direction: ``up``, ``down`` or ``both``.
            depth: So many edges away at most; None is any.
            at: As of a revision: what it and its ancestors brought. It has the names, too, as in
                ``git show REV:PATH``.

        Raises:
            NotFoundError: There is no such version; or there was none as of the revision.
        """
        start = self.version(spec, at=at)
        within = None if at is None else self.store.as_of([self.repo.resolve(at)])
        if within is not None and not within.among([start.id]):
            raise NotFoundError(
                f"{spec}: neither {at} nor a commit before it brought it",
                hint=f"veml lineage show {spec}",
            )
        ways: tuple[Direction, ...] = ("up", "down")
        parts = [
            self.store.reach(start.id, way, LINEAGE, depth=depth, within=within)
            for way in ways
            if direction in (way, "both")
        ]
        return Lineage(start, direction, told_of(joined(parts), start))

    @at_once
    def path(self, start: str, end: str) -> Path | None:
        """Return the shortest way between two versions, along edges in either direction, or None.

        Args:
            start: See ``version``.
            end: See ``version``.
        """
        one, other = self.version(start), self.version(end)
        edges = self.store.path(one.id, other.id)
        if edges is None:
            return None
        nodes, here = [one], one.id
        for edge in edges:
            here = edge.target if edge.source == here else edge.source
            node = other if here == other.id else self.store.node(here)
            nodes.append(node or Node(here, "data", known=False))
        return Path(tuple(nodes), tuple(edges))

    def impact(self, spec: str, key: str | None = None) -> Impact:
        """Return the trainings and inferences that a data version, or one sample, went into.

        Args:
            spec: A data version.
            key: A sample in it: all data versions that have the same bytes at that key count.

        Raises:
            NotFoundError: There is no such sample, or this clone lacks the version's data.
            InvalidInputError: It is no data version.
        """
        start = self.version(spec, "data")
        if start.kind != "data":
            raise InvalidInputError(
                f"{spec} is a {start.kind} version, expected a data version",
                hint=f"veml lineage show {spec} --down",
            )
        data, unread = ([start], []) if key is None else self._with_sample(start, key)
        kinds: Sequence[EdgeKind] = IMPACT
        if key is not None:  # each data version was asked itself
            kinds = tuple(one for one in IMPACT if one != "derived_from")
        parts = [self.store.reach(one.id, "down", kinds) for one in data]
        return Impact(start, key, tuple(data), told_of(joined(parts), start), tuple(unread))

    def _meant_by(self, spec: str, at: str) -> tuple[str, str, dict[str, str]]:
        """Return a name, a revision, and the versions of that name in it: ``KIND:NAME`` -> id.

        Where none is named it is ``at``. A folder may have an @ in its name, and a revision too:
        what is there is what is meant.
        """
        told: tuple[str, str, dict[str, str]] | NotFoundError | None = None
        for place in [*(one.start() for one in re.finditer("@", spec)), len(spec)]:
            # With a slash at its end, as a shell completes the folder of a data set.
            name, revision = spec[:place].rstrip("/"), spec[place + 1 :] or at
            kind, colon, rest = name.partition(":")
            if colon and kind in VERSIONS:
                name = rest
            else:
                kind = ""
            try:
                found = self._named(name, kind, revision)
            except NotFoundError as error:  # no such revision
                told = told or error
                continue
            if found:
                return name, revision, found
            told = told or (name, revision, found)
        if not isinstance(told, tuple):
            raise told or NotFoundError(f"no version {spec}")
        return told

    def _named(self, name: str, kind: str, revision: str) -> dict[str, str]:
        """Return the versions of a name in a commit: ``KIND:NAME`` -> id."""
        paths = {f"data:{name}": name + RECORD_SUFFIX}
        paths |= {f"{one.name}:{name}": f"{one.folder}{name}{RECORD_SUFFIX}" for one in KINDS}
        try:
            files = self.repo.git.files(self.repo.resolve(revision))
        except NotFoundError:
            if _DIGITS.fullmatch(name):
                return {}
            raise
        found = {
            shown: str(files[path].blob)
            for shown, path in paths.items()
            if path in files and (not kind or shown.startswith(f"{kind}:"))
        }
        plain = name.removesuffix(RECORD_SUFFIX) + RECORD_SUFFIX
        if not found and not kind and plain in files:  # the record's path
            found = {plain: str(files[plain].blob)}
        return found

    def _elsewhere(self, spec: str, name: str) -> str | None:
        """Return how to ask for a version of a name that other commits have."""
        kinds = [one for one in VERSIONS if spec.startswith(f"{one}:{name}")] or VERSIONS
        found = [one for kind in kinds for one in self.store.called(kind, name)]
        if not found:
            return None
        if len(found) == 1:
            return f"another commit has it: veml lineage show {found[0][:_SHOWN]}"
        how = shlex.quote(f"name={name}")
        return f"other commits have {len(found):,} of that name: veml lineage find --where {how}"

    def _by_digits(self, digits: str) -> Node:
        found = [one for one in self.store.find(digits) if one.kind in VERSIONS]
        if not found:
            raise NotFoundError(f"no version whose id begins with {digits}")
        if len(found) > 1:
            shown = ", ".join(f"{one.id[:12]} ({one.kind} {one.name})" for one in found[:5])
            raise InvalidInputError(f"{digits} is short for several versions: {shown}")
        return found[0]

    def _with_sample(self, start: Node, key: str) -> tuple[list[Node], list[Unread]]:
        tree = tree_of(start)
        if tree not in self.repo.store:
            raise NotFoundError(
                f"{start.name}: the data of this version is not in this clone",
                hint="veml data fetch --all gets the data of every commit", kind="data-missing",
            )  # fmt: skip
        entry = Tree(self.repo.store, tree).get(key)
        if entry is None or entry.content is None:
            raise NotFoundError(
                f"no sample {key} in {start.name}", hint=f"veml data ls lists those of {start.name}"
            )
        found = None
        if self._index is not None:
            found = self._index.holding(key, entry.content)
        if found is None:
            others = [one for one in self.store.listed("data") if one.id != start.id]
            found = ask_each(self.repo.store, others, key, entry.content, self._progress)
        return (
            [start, *(one for one in found.nodes if one.id != start.id)],
            [one for one in found.unread if one.node.id != start.id],
        )


@contextmanager
def lineage(repo: Repository, progress: Progress = silent) -> Iterator[RepositoryLineage]:
    """Open the lineage of a repository, with what is new in its history.

    Raises:
        StorageError: Another process keeps the file locked.
        DamagedError: Something of the file could not be read; it is made anew at the next question.
    """
    with database(repo) as base:
        done = sync(repo, base, progress=progress)
        index = SampleIndex(base, repo, progress)
        yield RepositoryLineage(repo, SqliteLineage(base.connection), done, progress, index)


def told_of(part: Part, start: Node) -> Part:
    """Return a part in which the version that was asked about has the name it was asked by."""
    return replace(part, nodes={**part.nodes, start.id: start})


def joined(parts: Sequence[Part]) -> Part:
    """Return parts as one; steps are the fewest of any."""
    nodes: dict[str, Node] = {}
    steps: dict[str, int] = {}
    edges: dict[tuple[str, str, str], Edge] = {}
    for part in parts:
        nodes |= part.nodes
        steps |= {one: min(count, steps.get(one, count)) for one, count in part.steps.items()}
        edges |= {(one.source, one.kind, one.target): one for one in part.edges}
    order = sorted(nodes, key=lambda one: (steps[one], one))
    return Part(
        {one: nodes[one] for one in order},
        tuple(edges[key] for key in sorted(edges)),
        {one: steps[one] for one in order},
    )
