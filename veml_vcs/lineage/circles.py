"""Circles in a graph: nodes that lead to each other (its strongly connected components)."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

T = TypeVar("T", bound=Hashable)


def first_circles(nodes: Iterable[T], after: Mapping[T, Sequence[T]]) -> list[list[T]]:
    """Return the circles that no other circle leads to; a node alone is one too.

    Args:
        nodes: Of the graph.
        after: Node -> where it leads; nodes that are not in the graph are left out.
    """
    circle_of = circles(nodes, after)
    led = {
        circle_of[there]
        for here in circle_of
        for there in after.get(here, ())
        if there in circle_of and circle_of[there] != circle_of[here]
    }
    found: dict[int, list[T]] = {}
    for node, circle in circle_of.items():
        if circle not in led:
            found.setdefault(circle, []).append(node)
    return list(found.values())


def circles(nodes: Iterable[T], after: Mapping[T, Sequence[T]]) -> dict[T, int]:
    """Return node -> number of its circle (Tarjan 1972, without recursion).

    Args:
        nodes: Of the graph.
        after: Node -> where it leads; nodes that are not in the graph are left out.
    """
    graph = {node: after.get(node, ()) for node in nodes}
    seen: dict[T, int] = {}
    low: dict[T, int] = {}
    found: dict[T, int] = {}
    waiting: list[T] = []
    for root in graph:
        if root in seen:
            continue
        walk = [(root, iter(graph[root]))]
        seen[root] = low[root] = len(seen)
        waiting.append(root)
        while walk:
            here, rest = walk[-1]
            for there in rest:
                if there not in graph:
                    continue
                if there not in seen:
                    seen[there] = low[there] = len(seen)
                    waiting.append(there)
                    walk.append((there, iter(graph[there])))
                    break
                if there not in found:
                    low[here] = min(low[here], seen[there])
            else:
                walk.pop()
                if walk:
                    low[walk[-1][0]] = min(low[walk[-1][0]], low[here])
                if low[here] == seen[here]:
                    while here not in found:
                        found[waiting.pop()] = seen[here]
    return found
