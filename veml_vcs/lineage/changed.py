"""What changed between two commits: which versions came, went and took another's place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from veml_vcs.errors import FormatError, InvalidInputError
from veml_vcs.ids import CommitId
from veml_vcs.lineage.ask import RepositoryLineage, at_once
from veml_vcs.lineage.graph import LINEAGE, VERSIONS, Edge, Node
from veml_vcs.lineage.records import check_place
from veml_vcs.lineage.sqlite.rows import name_at, no_garbage
from veml_vcs.repository.ranges import split_dots
from veml_vcs.versions.data import RECORD_SUFFIX

What = Literal["new", "gone", "revised"]


@dataclass(frozen=True)
class Change:
    """What became of one path.

    Attributes:
        what: ``new``, ``gone`` or ``revised``.
        path: Of the record.
        before: What the older commit has there.
        after: What the newer has.
    """

    what: What
    path: str
    before: Node | None
    after: Node | None

    @property
    def node(self) -> Node:
        """What is there now, or was."""
        found = self.after or self.before
        assert found is not None
        return found

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "what": self.what, "kind": self.node.kind, "path": self.path,
            "before": None if self.before is None else self.before.as_dict(),
            "after": None if self.after is None else self.after.as_dict(),
        }  # fmt: skip


@dataclass(frozen=True)
class Changed:
    """What changed between two commits.

    Attributes:
        old: A commit.
        new: Another.
        changes: By kind and path.
        between: Versions that the new one's history brought, and that neither commit has.
        left: Versions that the old one's history alone brought: of another branch.
        edges: Those of versions that the new one's history brought and the old one's did not.
        ends: All nodes that these edges are between.
    """

    old: CommitId
    new: CommitId
    changes: tuple[Change, ...]
    between: tuple[Node, ...]
    left: tuple[Node, ...]
    edges: tuple[Edge, ...]
    ends: tuple[Node, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "old": self.old,
            "new": self.new,
            "changes": [one.as_dict() for one in self.changes],
            "between": [one.as_dict() for one in self.between],
            "left": [one.as_dict() for one in self.left],
            "edges": [one.as_dict() for one in self.edges],
        }


def ends(old: str, new: str | None) -> tuple[str, str]:
    """Return the revisions that ``REV``, ``REV REV`` or ``A..B`` name; what is left out is HEAD.

    Raises:
        InvalidInputError: ``A...B``, or dots and another revision.
    """
    dots = split_dots(old)
    if dots is None:
        return old, new or "HEAD"
    if dots[2] or new is not None:
        raise InvalidInputError(
            f"{old}{' ' + new if new else ''}: expected A..B, or two revisions",
            hint=f"veml lineage changed {dots[0]} {dots[1]}",
        )
    return dots[0], dots[1]


def changed(asked: RepositoryLineage, old: str, new: str) -> Changed:
    """Tell what changed from one commit to another.

    What each has is what stands in its tree; what came in between and is in neither, and which
    edges are new, is asked of the graph. Records that cannot be read are left out.

    Args:
        asked: The lineage.
        old: A revision.
        new: A revision; it need not come after the other.

    Raises:
        NotFoundError: There is no such revision.
    """
    with no_garbage():  # half of history is 50,000 versions and 200,000 edges
        return _changed(asked, old, new)


@at_once
def _changed(asked: RepositoryLineage, old: str, new: str) -> Changed:
    store = asked.store
    two = asked.repo.resolve(old), asked.repo.resolve(new)
    before, after = (_records(asked, one) for one in two)
    came, went = store.between(*two), store.between(*two[::-1])
    nodes = store.nodes({*before.values(), *after.values(), *came, *went})
    # A record that cannot be read may be named by others, and is no version for that.
    nodes = {one: node for one, node in nodes.items() if node.known}
    before, after = (_in_place(one, nodes) for one in (before, after))
    edges = store.edges_from(came, (*LINEAGE, "has")) if came else []
    told = {one.source for one in edges}.union(one.target for one in edges)
    around = {**nodes, **store.nodes(told - nodes.keys())}
    changes = [
        _change(path, before.get(path), after.get(path), nodes)
        for path in before.keys() | after.keys()
        if before.get(path) != after.get(path)
        and {before.get(path), after.get(path)} & nodes.keys()
    ]
    there = {*before.values(), *after.values()}
    return Changed(
        *two,
        tuple(sorted(changes, key=lambda one: (_place(one.node), one.path))),
        tuple(sorted((nodes[one] for one in came if one not in there), key=_order)),
        tuple(sorted((nodes[one] for one in went if one not in there), key=_order)),
        tuple(edges),
        tuple(around[one] for one in sorted(told & around.keys())),
    )


def _records(asked: RepositoryLineage, commit: CommitId) -> dict[str, str]:
    """Return path -> blob id of what is called like a record."""
    files = asked.repo.git.files(commit)
    return {path: str(one.blob) for path, one in files.items() if path.endswith(RECORD_SUFFIX)}


def _in_place(found: Mapping[str, str], nodes: Mapping[str, Node]) -> dict[str, str]:
    """Leave out what cannot stand where it does, as the graph has it."""
    left = {}
    for path, version in found.items():
        if version in nodes:
            try:
                check_place(nodes[version].kind, path)
            except FormatError:
                continue
        left[path] = version
    return left


def _change(path: str, before: str | None, after: str | None, nodes: Mapping[str, Node]) -> Change:
    old, now = (  # the graph knows one name, of maybe several
        None if node is None else node._replace(name=name_at(node.kind, path))
        for node in (nodes.get(before or ""), nodes.get(after or ""))
    )
    what: What = "new" if old is None else "gone" if now is None else "revised"
    return Change(what, path, old, now)


def _place(node: Node) -> int:
    return VERSIONS.index(node.kind) if node.kind in VERSIONS else len(VERSIONS)


def _order(node: Node) -> tuple[int, str, str]:
    return _place(node), node.name, node.id
