"""What lies on the shortest ways between two keys: from both ends, then by a bound.

Near, both ends are walked by turns. Farther, most of history would be walked, since layers go
everywhere. So from then on a node is looked at only when no other can lie on a shorter way: that is
A* (Hart, Nilsson and Raphael 1968). Its bound is the walk between groups of keys, in which whoever
is in a group is everywhere in it: a way between nodes is never shorter.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence

from veml_vcs.lineage.sqlite.adjacency import GROUP_SHIFT, Neighbours
from veml_vcs.lineage.sqlite.walks import around

_NEAR = 2000
"""So many nodes are found from both ends before a bound is asked for."""

Groups = Mapping[int, Collection[int]]
"""Group -> others from which a step leads there."""


def between(
    start: int,
    end: int,
    ahead: Sequence[Neighbours],
    back: Sequence[Neighbours],
    groups: Callable[[], Groups],
) -> list[set[int]] | None:
    """Return all that lies on the shortest ways from one to another, by steps; None without any.

    Args:
        start: One.
        end: Another.
        ahead: Where each leads.
        back: From where: the same edges, seen from their ends.
        groups: Groups (``GROUP_SHIFT``) -> those that an edge leads from, to them.
    """
    ways = ahead, back
    sides = ([{start}], [{end}])
    seen = ({start}, {end})
    while not sides[0][-1] & sides[1][-1]:
        if len(seen[0]) + len(seen[1]) > _NEAR:
            steps, met = _by_bound(sides, seen, ahead, groups())
            break
        turn = len(sides[0][-1]) > len(sides[1][-1])
        new = around(sides[turn][-1], ways[turn]) - seen[turn]
        if not new:
            return None
        seen[turn].update(new)
        sides[turn].append(new)
    else:
        steps, met = sides[0], sides[0][-1] & sides[1][-1]
    if not met:
        return None
    way = [met]
    for layer in steps[-2::-1]:
        way.append(around(way[-1], back) & layer)
    way.reverse()
    for layer in sides[1][-2::-1]:
        way.append(around(way[-1], ahead) & layer)
    return way


def _by_bound(
    sides: tuple[list[set[int]], list[set[int]]],
    seen: tuple[set[int], set[int]],
    ahead: Sequence[Neighbours],
    groups: Groups,
) -> tuple[list[set[int]], set[int]]:
    """Go on from the last layer at the start to the last one at the end.

    Args:
        sides: Layers around the start, and around the end; they do not meet.
        seen: All of them, of each.
        ahead: Where each leads.
        groups: See ``between``.

    Returns:
        By steps from the start, nodes that are so far from it, with all that lie on a shortest
        way; and those of the last that are in the last layer at the end. None of these is no way.
    """
    edge, rest = sides[1][-1], len(sides[1]) - 1
    bound = _bounds(edge, rest, groups)
    done = seen[0] - sides[0][-1]
    steps = defaultdict(set, enumerate(sides[0][:-1]))
    # Steps there and back at least -> steps there -> nodes. What a node leads to needs no fewer.
    waiting: dict[int, dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
    _sort_in(sides[0][-1], len(sides[0]) - 1, bound, waiting)
    met: set[int] = set()
    while waiting:
        total = min(waiting)
        by_step = waiting[total]
        while by_step:
            step = min(by_step)
            layer = by_step.pop(step) - done
            done |= layer
            steps[step] |= layer
            met |= layer & edge
            new = around(layer - edge, ahead) - done
            there = new & edge
            if there:
                waiting[step + 1 + rest][step + 1] |= there
                new -= there
            _sort_in(new, step + 1, bound, waiting)
        del waiting[total]
        if met:
            return [steps[step] for step in range(total - rest)] + [met], met
    return [], met


def _sort_in(
    nodes: Collection[int],
    step: int,
    bound: Mapping[int, int],
    waiting: Mapping[int, Mapping[int, set[int]]],
) -> None:
    for key in nodes:
        left = bound.get(key >> GROUP_SHIFT)
        if left is not None:  # else nothing leads from there to the end
            waiting[step + left][step].add(key)


def _bounds(edge: Collection[int], rest: int, groups: Groups) -> dict[int, int]:
    """Return how many steps it is at least from a group to the end, from outside of its layers.

    Args:
        edge: The last layer.
        rest: How far that is from the end.
        groups: See ``between``.
    """
    layer = {key >> GROUP_SHIFT for key in edge}
    found = dict.fromkeys(layer, rest + 1)
    left = rest + 1
    while layer:
        layer = set().union(*(groups[one] for one in layer if one in groups)) - found.keys()
        found |= dict.fromkeys(layer, left)
        left += 1
    return found
