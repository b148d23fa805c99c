"""Views of the mirror in Neo4j: what was sent, how it stands, what it answers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from veml_cli.render.line import Line, line
from veml_cli.render.tables import Column, table
from veml_cli.render.values import value_text
from veml_cli.render.words import plural

if TYPE_CHECKING:
    from veml_vcs.lineage.neo4j.answers import Answer
    from veml_vcs.lineage.neo4j.connecting import Connected, MirrorStatus
    from veml_vcs.lineage.neo4j.mirror import Sent
    from veml_vcs.lineage.neo4j.place import Place

_LONGEST = 80
_DIGITS = 10


def connected_lines(done: Connected) -> Iterator[Line]:
    """Yield where a repository is mirrored, and what was sent."""
    yield line(
        "mirrored as ",
        (done.name, "name"),
        f" at {done.url}, database {done.database} ({done.server})",
    )
    yield from sent_lines(done.sent)


def disconnected_lines(place: Place, removed: int, deleted: bool) -> Iterator[Line]:
    """Yield what is mirrored no more."""
    yield line((place.name, "name"), f" is mirrored at {place.host} no more")
    if deleted:
        yield line(f"{plural(removed, 'node')} taken out")
    else:
        yield line(("what is there stays there, as it is", "dim"))


def sent_lines(sent: Sent | None) -> Iterator[Line]:
    """Yield what was written into a mirror."""
    if sent is None:
        return
    told = f"{plural(sent.nodes, 'node')} and {plural(sent.edges, 'edge')} sent to Neo4j"
    if sent.removed:
        told += f", {sent.removed:,} taken out"
    yield line(told)


def mirror_lines(found: MirrorStatus | None) -> Iterator[Line]:
    """Yield how a mirror stands; nothing where there is none."""
    if found is None:
        return
    yield line()
    yield line("mirrored as ", (found.name, "name"), f" at {found.url}, database {found.database}")
    if found.server is not None:
        has = f"{plural(found.nodes or 0, 'node')}, {plural(found.edges or 0, 'edge')}"
        yield line(f"  {found.server}: {has}, last written {found.taken_at or 'never'}")
    if found.problem is not None:
        yield line(("  " + found.problem, "warning"))
    if found.reached_at is not None and found.server is None:
        yield line(f"  last brought up to date {_clock(found.reached_at)}")
    if found.silence is not None:
        since, until = (_clock(one) for one in (found.silence.since, found.silence.until))
        told = f"silent since {since}: commands try it again after {until}"
        yield line(f"  {told}; veml lineage sync tries at once")
    if found.waiting is None:
        yield line(("  to be compared as a whole: veml lineage sync", "warning"))
    elif found.waiting:
        yield line((f"  lacks {plural(found.waiting, 'change')}: veml lineage sync", "warning"))
    else:
        yield line("  up to date")


def answer_lines(found: Answer, width: int | None) -> Iterator[Line]:
    """Yield the rows of an answer, under the names of its columns."""
    if not found.rows:
        yield line(("no rows", "dim"))
        return
    numbers = [
        all(isinstance(row[place], int | float | None) for row in found.rows)
        for place in range(len(found.columns))
    ]
    columns = [
        Column(name, right=right, shrinks=not right)
        for name, right in zip(found.columns, numbers, strict=True)
    ]
    rows = [[_cell(one) for one in row] for row in found.rows]
    yield from table(columns, rows, indent="", width=width)


def _clock(seconds: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict) and "labels" in value:
        props = value["properties"]
        kind = props.get("kind") or ":".join(value["labels"])
        return f"{kind} {props.get('name', '')} {str(props.get('id', ''))[:_DIGITS]}"
    if isinstance(value, dict) and "type" in value and "start" in value:
        return f"[{value['type']}]"
    if isinstance(value, dict) and "relationships" in value and "nodes" in value:
        return " - ".join(_cell(one) for one in value["nodes"])
    return value_text(value, _LONGEST)


__all__ = ["answer_lines", "connected_lines", "disconnected_lines", "mirror_lines", "sent_lines"]
