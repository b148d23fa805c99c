"""Views of the lineage: a tree around a version, a way between two, what is touched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from veml_cli.render.line import Line, Piece, line
from veml_cli.render.words import plural
from veml_vcs.lineage.graph import EDGES
from veml_vcs.lineage.words import edge_word, version_facts

if TYPE_CHECKING:
    from veml_vcs.lineage.ask import Impact, Lineage, Path
    from veml_vcs.lineage.graph import Edge, Node
    from veml_vcs.lineage.sync import Skipped, Synced

DIGITS = 10


def around_lines(found: Lineage, depth: int | None = None) -> Iterator[Line]:
    """Yield a tree: what a version came from, then what came from it, no deeper than asked."""
    yield line(*version_pieces(found.start))
    if depth == 0:  # nobody asked for more
        return
    above = found.direction in ("up", "both")
    below = found.direction in ("down", "both")
    up = list(_branches(found, "up", depth)) if above else []
    down = list(_branches(found, "down", depth)) if below else []
    if above:
        yield line()
        yield line(("came from", "title"))
        yield from up or [line("  nothing")]
    if below:
        yield line()
        yield line(("went into", "title"))
        yield from down or [line("  nothing")]


def path_lines(found: Path) -> Iterator[Line]:
    """Yield the versions on the way, with what each has to do with the next."""
    here = found.nodes[0]
    yield line(*version_pieces(here))
    for node, edge in zip(found.nodes[1:], found.edges, strict=True):
        forward = edge.source == here.id
        yield line("  ", (edge_word(edge, forward), "dim"))
        yield line(*version_pieces(node))
        here = node


def impact_lines(found: Impact) -> Iterator[Line]:
    """Yield what is touched, by kind."""
    what: tuple[Piece, ...] = ((found.key, "name"), " of ") if found.key else ()
    yield line(*what, *version_pieces(found.start))
    for node in found.data[1:]:
        yield line("  also in ", *version_pieces(node))
    touched = 0
    for kind in ("data", "training", "inference"):
        nodes = found.derived if kind == "data" else found.of_kind(kind)
        touched += len(nodes)
        if nodes:
            yield line()
            yield line((plural(len(nodes), _TOUCHED[kind]), "title"))
            for node in nodes:
                yield line("  ", *version_pieces(node))
    if not touched:
        yield line()
        yield line("nothing was derived from it, trained on it or deployed")


_TOUCHED = {"data": "data version", "training": "training", "inference": "inference version"}


def synced_lines(done: Synced) -> Iterator[Line]:
    """Yield what was new."""
    told = f"{plural(done.commits, 'new commit')}, {plural(done.versions, 'version')} read"
    if done.removed:
        told += f", {plural(done.removed, 'commit')} gone"
    yield line(told)
    yield from _skipped(done.skipped)


def status_lines(counts: Mapping[str, int], skipped: Sequence[Skipped]) -> Iterator[Line]:
    """Yield how much there is of each kind, and what could not be read."""
    width = max(map(len, counts), default=0)
    for title, edges in (("nodes", False), ("edges", True)):
        rows = {kind: count for kind, count in counts.items() if (kind in EDGES) is edges}
        yield line((f"{title:<{width}}  {sum(rows.values()):>11,}", "title"))
        for kind, count in rows.items():
            yield line(f"  {kind:<{width}}{count:>11,}")
    yield from _skipped(skipped)


def _skipped(skipped: Sequence[Skipped]) -> Iterator[Line]:
    for one in skipped:
        yield line(("left out: ", "warning"), (one.version[:DIGITS], "id"), f"  {one.reason}")


def _branches(found: Lineage, way: str, depth: int | None) -> Iterator[Line]:
    """Yield the tree on one side; a version that was shown is not followed again.

    Between versions that are near by another way there are edges that go deeper than was asked.
    """
    near, far = ("source", "target") if way == "up" else ("target", "source")
    after: dict[str, list[Edge]] = {}
    for edge in found.part.edges:
        after.setdefault(getattr(edge, near), []).append(edge)
    shown = {found.start.id}
    pending = [(edge, "", last) for edge, last in _marked(after.get(found.start.id, ()))][::-1]
    while pending:
        edge, indent, last = pending.pop()
        node = found.part.nodes[getattr(edge, far)]
        level = len(indent) // 3 + 1
        near_enough = depth is None or level == found.part.steps[node.id] < depth
        follow = node.id not in shown and near_enough
        more = " ..." if after.get(node.id) and not follow else ""
        word: Piece = (edge_word(edge, way == "up") + " ", "dim")
        yield line("  ", indent, "`- " if last else "|- ", word, *version_pieces(node), more)
        if not follow:
            continue
        shown.add(node.id)
        below = indent + ("   " if last else "|  ")
        pending += [(one, below, end) for one, end in _marked(after.get(node.id, ()))][::-1]


def _marked(edges: Sequence[Edge]) -> list[tuple[Edge, bool]]:
    return [(edge, place == len(edges) - 1) for place, edge in enumerate(edges)]


def version_pieces(node: Node) -> tuple[Piece, ...]:
    """Return a version on a line: kind, name, digits, and what is worth saying of it."""
    told: list[Piece] = [f"{node.kind} "]
    told += [(node.name or "?", "name"), "  ", (node.id[:DIGITS], "id")]
    if not node.known:
        return (*told, ("  in no commit here", "warning"))
    facts = ", ".join(version_facts(node))
    return (*told, (f"  {facts}", "dim")) if facts else tuple(told)


__all__ = [
    "DIGITS", "around_lines", "impact_lines", "path_lines", "status_lines", "synced_lines",
    "version_pieces",
]  # fmt: skip
