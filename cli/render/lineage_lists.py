"""Views of the lineage that are lists: versions that fit, changes, neighbours, two compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from veml_cli.render.line import Line, Piece, Style, line
from veml_cli.render.lineage import DIGITS, path_lines, version_pieces
from veml_cli.render.tables import Cell, Column, table
from veml_cli.render.words import plural
from veml_vcs.lineage.words import METRICS, edge_word

if TYPE_CHECKING:
    from veml_vcs.lineage.changed import Change, Changed
    from veml_vcs.lineage.compare import Compared
    from veml_vcs.lineage.conditions import Condition
    from veml_vcs.lineage.graph import Node
    from veml_vcs.lineage.related import Common, Neighbour

_MOST_EDGES = 30
_TOLD = ("name", "samples")
"""What stands beside a version anyway, as does one metric."""
_COLOURS: dict[str, Style] = {"new": "added", "gone": "removed", "revised": "changed"}


def found_lines(found: Sequence[Node], where: Sequence[Condition] = ()) -> Iterator[Line]:
    """Yield versions, with what the conditions asked about."""
    from veml_vcs.lineage.conditions import said

    for node in found:
        head = version_pieces(node)
        metric = next((one for one in METRICS if one in node.props.get("metrics", ())), "")
        told_anyway = (*_TOLD, metric)
        asked = {one.name: said(node, one.name) for one in where if one.name not in told_anyway}
        if node.kind == "model":
            asked["backbone"] = node.props.get("backbone") or node.props.get("architecture")
        told = [f"{name} {one:.6g}" if isinstance(one, float) else f"{name} {one}"
                for name, one in asked.items() if one is not None]  # fmt: skip
        yield line(*head, ("  " + ", ".join(told), "dim"))
    if not found:
        yield line("no version is like that")


def common_lines(found: Common) -> Iterator[Line]:
    """Yield the nearest common ancestors, and the way to each from either version."""
    if not found.ancestors:
        yield line("nothing that both come from")
    for place, (node, ways) in enumerate(zip(found.ancestors, found.ways, strict=True)):
        if place:
            yield line()
        yield line(*version_pieces(node))
        for way in ways:
            if not way.edges:
                yield line("  is ", *version_pieces(way.nodes[0]), " itself")
            else:
                yield from (line("  ") + one for one in list(path_lines(way))[:-1])


def neighbour_lines(start: Node, found: Sequence[Neighbour], width: int | None) -> Iterator[Line]:
    """Yield what data was compared with, nearest first."""
    yield line(*version_pieces(start))
    if not found:
        yield line()
        yield line("it was compared with nothing: veml similar and veml drift do that")
        return
    columns = (
        Column("energy", right=True), Column(), Column("", shrinks=True), Column(), Column(),
    )  # fmt: skip
    yield from table(columns, [_neighbour(one) for one in found], width=width)
    yield line(("energy: distance of the embeddings; - was not measured", "hint"))


def _neighbour(one: Neighbour) -> list[Cell]:
    numbers = one.edge.props
    told = [str(numbers[name]) for name in ("verdict",) if name in numbers]
    if isinstance(numbers.get("effect_word"), str):
        told.append(f"effect {numbers['effect_word']}")
    if isinstance(numbers.get("core_set_distance"), float):
        told.append(f"core sets {numbers['core_set_distance']:.2f}")
    return [
        "-" if one.distance is None else f"{one.distance:.2f}",
        (edge_word(one.edge, one.direction == "up"), "dim"),
        (f"{one.node.kind} {one.node.name or '?'}", "name"),
        (one.node.id[:DIGITS], "id"),
        (", ".join(told) if one.node.known else "in no commit here", "dim"),
    ]


def changed_lines(found: Changed) -> Iterator[Line]:
    """Yield what changed by kind and path, what came in between, and the new edges."""
    for change in found.changes:
        yield line((f"{change.what:<8}", _COLOURS[change.what]), *_change(change))
    if not found.changes:
        yield line("no version differs")
    for title, nodes in (
        ("came in between, and neither has it", found.between),
        ("only the older one's history has", found.left),
    ):
        if nodes:
            yield line()
            yield line((title, "title"))
            yield from (line("  ", *version_pieces(node)) for node in nodes)
    by_id = {one.id: one for one in found.ends}
    edges = [one for one in found.edges if one.kind != "has"]
    if edges:
        yield line()
        yield line((plural(len(edges), "new edge"), "title"))
    for edge in edges[:_MOST_EDGES]:
        source, target = by_id[edge.source], by_id[edge.target]
        yield line(
            f"  {source.kind} ", (source.name or "?", "name"), f" {source.id[:DIGITS]}  ",
            (edge_word(edge, True), "dim"),
            f"  {target.kind} ", (target.name or "?", "name"), f" {target.id[:DIGITS]}",
        )  # fmt: skip
    if len(edges) > _MOST_EDGES:
        yield line((f"  and {len(edges) - _MOST_EDGES:,} more (--json lists all)", "dim"))


def _change(change: Change) -> tuple[Piece, ...]:
    pieces = version_pieces(change.node)
    if change.what != "revised" or change.before is None:
        return pieces
    return (*pieces, ("  was ", "dim"), (change.before.id[:DIGITS], "id"))


def compared_lines(found: Compared, width: int | None) -> Iterator[Line]:
    """Yield two versions side by side: what both have in the middle."""
    yield line(*version_pieces(found.first))
    yield line(*version_pieces(found.second))
    yield line()
    rows: list[list[Cell]] = [
        [(one.name, "dim"), (", ".join(one.first), "removed"), ", ".join(one.shared),
         (", ".join(one.second), "added")]
        for one in found.rows
    ]  # fmt: skip
    columns = (
        Column(), Column("only the first", shrinks=True), Column("both", shrinks=True),
        Column("only the second", shrinks=True),
    )  # fmt: skip
    yield from table(columns, rows, width=width)


__all__ = [
    "changed_lines", "common_lines", "compared_lines", "found_lines", "neighbour_lines",
]  # fmt: skip
