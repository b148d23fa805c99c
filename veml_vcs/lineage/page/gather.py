"""What a page shows: versions up to a bound, what each is, who brought it, what it is tied to."""

from __future__ import annotations

import heapq
import os
import shlex
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from veml_vcs.errors import NotFoundError
from veml_vcs.lineage.ask import RepositoryLineage, at_once
from veml_vcs.lineage.graph import LINEAGE, VERSIONS, Edge, EdgeKind, Node
from veml_vcs.lineage.store import LineageStore, Within
from veml_vcs.lineage.words import edge_word, version_facts

MOST = 2000
"""So many versions a page has at most: a browser answers at once, a file is some megabytes."""

_DRAWN: tuple[EdgeKind, ...] = (*LINEAGE, "drifted_from", "similar_to")
_MADE_OF = tuple(one for one in LINEAGE if one != "revision_of")
_COMMITS = 5
_BEYOND = 30
_DIGITS = 12
_RECORDS = {
    "data": "veml data ls", "model": "veml model show", "training": "veml training show",
    "inference": "veml inference show",
}  # fmt: skip


@dataclass(frozen=True)
class Page:
    """What a page shows.

    Attributes:
        title: What it is of.
        about: A sentence more.
        starts: Ids of the versions that were asked about.
        nodes: What is drawn, in order: JSON values.
        edges: Between these: JSON values.
        beyond: Neighbours that are not drawn: id -> kind and name.
        commits: Those that brought versions: id -> subject, author and day.
        left_out: How many more there are, by kind; empty where all is drawn.
        narrow: How to see less, or other parts: what -> what to type.
    """

    title: str
    about: str
    starts: tuple[str, ...]
    nodes: tuple[Mapping[str, Any], ...]
    edges: tuple[Mapping[str, Any], ...]
    beyond: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    commits: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    narrow: Mapping[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "title": self.title, "starts": self.starts, "nodes": self.nodes, "edges": self.edges,
            "beyond": self.beyond, "commits": self.commits, "left_out": self.left_out,
            "narrow": self.narrow,
        }  # fmt: skip


def page_of(
    lineage: RepositoryLineage, nodes: Iterable[Node], edges: Iterable[Edge], *, title: str,
    starts: Sequence[str] = (), most: int = MOST,
) -> Page:  # fmt: skip
    """Return the page of a part of the graph.

    Args:
        lineage: Is asked what else there is to say of each version.
        nodes: The part, most important first.
        edges: The part's.
        title: What it is of.
        starts: Ids of the versions that were asked about.
        most: So many versions at most.
    """
    nodes = list(nodes)
    return _page(
        lineage, nodes[:most], list(edges), title, starts,
        Counter(one.kind for one in nodes[most:]),
        # No other command has --depth.
        {"less, or from elsewhere": "veml lineage show VERSION --depth N --html FILE"},
    )  # fmt: skip


@at_once
def page_of_all(lineage: RepositoryLineage, at: str | None = None, *, most: int = MOST) -> Page:
    """Return the page of a whole repository: the newest versions of all branches and tags.

    Args:
        lineage: The repository's.
        at: As of a revision: what it and its ancestors brought.
        most: So many versions at most.
    """
    store = lineage.store
    within = None if at is None else store.as_of([lineage.repo.resolve(at)])
    tips = lineage.repo.git.all_commits() if at is None else [lineage.repo.resolve(at)]
    shown: dict[str, Node] = {}
    for node in _newest(store, tips):
        if len(shown) == most:
            break
        shown.setdefault(node.id, node)
    left_out = _left_out(store, within, shown.values())
    where = "all branches and tags" if at is None else f"{at} and the commits before it"
    return _page(
        lineage, list(shown.values()), None,
        f"Lineage of {os.path.basename(lineage.repo.root)}", (), left_out,
        {"older ones": "veml lineage page FILE --at REV",
         "what is around one": "veml lineage show VERSION --depth 3 --html FILE"},
        of=f"versions of {where}",
    )  # fmt: skip


def _left_out(store: LineageStore, within: Within | None, shown: Iterable[Node]) -> dict[str, int]:
    """Return how many versions of each kind there are beside those that are shown."""
    nodes = {one.id: one for one in shown}
    there = nodes.keys() if within is None else within.among(nodes)
    here = Counter(nodes[one].kind for one in there)
    found: dict[str, int] = {}
    counts = store.counts() if within is None else {}
    for kind in VERSIONS:
        if within is None:
            count = counts.get(kind, 0)
        else:
            count = len(within.among([one.id for one in store.listed(kind)]))
        if count > here[kind]:
            found[kind] = count - here[kind]
    return found


def _newest(store: LineageStore, tips: Iterable[str]) -> Iterator[Node]:
    """Yield versions, of the newest commits first, each before what it was made of.

    Commits come as in ``git log``, and no older one is read than is asked for. What a version was
    made of may be much older, or in no commit here.
    """
    pending: list[tuple[float, str]] = []
    met: set[str] = set()

    def meet(ids: Iterable[str]) -> None:
        for one in ids:
            commit = None if one in met else store.node(one)
            met.add(one)
            if commit is not None:
                heapq.heappush(pending, (-commit.props.get("time", 0), one))

    meet(tips)
    while pending:
        _, commit_id = heapq.heappop(pending)
        edges = store.edges_of(commit_id, ("contains", "parent"))
        for edge in edges:
            if edge.kind == "contains":
                made_of = [
                    one.target
                    for one in store.edges_of(edge.target, _MADE_OF)
                    if one.source == edge.target
                ]
                nodes = [store.node(one) for one in (edge.target, *made_of)]
                yield from (one for one in nodes if one is not None)
        meet(one.target for one in edges if one.kind == "parent" and one.source == commit_id)


def _page(
    lineage: RepositoryLineage, nodes: Sequence[Node], edges: Sequence[Edge] | None, title: str,
    starts: Sequence[str], left_out: Mapping[str, int], narrow: Mapping[str, str],
    *, of: str = "versions",
) -> Page:  # fmt: skip
    store = lineage.store
    here = {one.id for one in nodes}
    told: list[dict[str, Any]] = []
    between: dict[tuple[str, str, str], Edge] = {}
    beyond: dict[str, tuple[str, str]] = {}
    commits: dict[str, dict[str, str]] = {}
    for node in nodes:
        # A fact has an edge of each version that has it, of all of history.
        around = store.edges_of(node.id) if node.kind in VERSIONS else []
        ties = [one for one in around if one.kind in _DRAWN]
        between |= {
            (one.source, one.kind, one.target): one
            for one in ties
            if one.source in here and one.target in here
        }
        told.append(_said(store, node, around, ties, here, beyond, commits))
    if edges is None:
        edges = [between[key] for key in sorted(between)]
    drawn = [
        one.as_dict() | {"word": edge_word(one, True)}
        for one in edges
        if one.source in here and one.target in here
    ]
    count = f"{len(nodes):,} {of}"
    if left_out:
        count = f"{len(nodes):,} of {len(nodes) + sum(left_out.values()):,} {of}"
    return Page(
        title, f"{count}; {_as_of(lineage)}", tuple(one for one in starts if one in here),
        tuple(told), tuple(drawn), beyond, commits, dict(left_out), narrow,
    )  # fmt: skip


def _as_of(lineage: RepositoryLineage) -> str:
    """Say at which commit of the history the page was made."""
    head = None
    try:
        head = lineage.store.node(lineage.repo.resolve("HEAD"))
    except NotFoundError as error:
        # Of a new branch; others may have some.
        if error.kind != "unborn" or not lineage.repo.git.all_commits():
            raise
    if head is None:
        return "HEAD has no commit"
    return f"made at commit {head.id[:7]}, {_day(head)}"


def _said(
    store: LineageStore, node: Node, around: Sequence[Edge], ties: Sequence[Edge],
    here: Collection[str], beyond: dict[str, tuple[str, str]],
    commits: dict[str, dict[str, str]],
) -> dict[str, Any]:  # fmt: skip
    """Return all that the panel shows of a version; what is shared goes into the last two."""
    facts = [
        [one.target, str(one.props.get("name", one.target.partition(":")[2]))]
        + ([one.props["objects"]] if "objects" in one.props else [])
        for one in around
        if one.kind == "has"
    ]
    others: list[list[Any]] = []
    outside = 0
    for one in ties:
        out = one.source == node.id
        other = one.target if out else one.source
        if other not in here:
            outside += 1
            if outside > _BEYOND:
                continue
            if other not in beyond:
                found = store.node(other)
                beyond[other] = ("", "") if found is None else (found.kind, found.name)
        others.append([edge_word(one, out), "out" if out else "in", other, dict(one.props)])
    places = store.places(node.id)
    brought = sorted(
        (found for one in places if (found := store.node(one)) is not None),
        key=lambda one: (-one.props.get("time", 0), one.id),
    )
    for commit in brought[:_COMMITS]:
        commits[commit.id] = {
            "subject": commit.name, "author": str(commit.props.get("author", "")),
            "day": _day(commit),
        }  # fmt: skip
    return {
        "id": node.id, "kind": node.kind, "name": node.name, "known": node.known,
        "props": dict(node.props), "says": _says(node), "facts": facts, "edges": others,
        "more_edges": max(0, outside - _BEYOND),
        "commits": [[one.id, places[one.id]] for one in brought[:_COMMITS]],
        "more_commits": max(0, len(brought) - _COMMITS),
        "commands": list(_commands(node, brought)),
    }  # fmt: skip


def _says(node: Node) -> str:
    """Return what is worth saying; of a model what it is built on, since it has no numbers."""
    built_on = node.props.get("backbone") or node.props.get("architecture")
    return ", ".join([*([str(built_on)] if built_on else []), *version_facts(node)])


def _commands(node: Node, brought: Sequence[Node]) -> Iterator[str]:
    """Yield what to type to see a version; nothing that a terminal could take amiss."""
    if node.kind not in VERSIONS:
        if node.id.isprintable():
            yield f"veml lineage find --has {shlex.quote(node.id)}"
        return
    yield f"veml lineage show {node.id[:_DIGITS]}"
    plain = node.name.isprintable() and not node.name.startswith("-")
    if brought and plain and node.kind in _RECORDS:
        yield f"{_RECORDS[node.kind]} {shlex.quote(f'{node.name}@{brought[0].id[:7]}')}"


def _day(commit: Node) -> str:
    try:
        return datetime.fromtimestamp(commit.props.get("time", 0), UTC).strftime("%Y-%m-%d")
    except (OverflowError, OSError, ValueError):
        return ""  # a hostile commit is of any time
