"""``veml log``, and the head of ``veml show``: commits as lines, plain or beside a graph."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from veml_cli.render.dates import show_date
from veml_cli.render.line import Line, Style, joined, line
from veml_cli.render.log_graph import Graph
from veml_cli.render.log_head import Look, head_lines, side_mark
from veml_cli.render.words import data_change, plural

if TYPE_CHECKING:
    from veml_vcs.repository.damage import Unreadable
    from veml_vcs.repository.log import LogEntry
    from veml_vcs.repository.repository import Repository
    from veml_vcs.repository.revisions import AnnotatedTag

_SAMPLES = 20
_LANE_STYLES: tuple[Style, ...] = ("removed", "added", "changed", "bar", "name", "warning")


@dataclass(frozen=True)
class Layout:
    """How a commit is shown.

    Attributes:
        stat: The repository, if it shall be told what each commit changed; else None.
        width: Columns of the terminal; None is unlimited.
        extra: How that is told: ``stat``, ``names`` or ``patch``.
        paths: Only what is at or below these.
        look: How its head is written.
        unread: Takes what could not be read of what is told.
        absent: Takes the data sets of which one side is not in this clone.
    """

    stat: Repository | None
    width: int | None
    extra: str = "stat"
    paths: tuple[str, ...] = ()
    look: Look = field(default_factory=Look)
    unread: list[Unreadable] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)


def commit_blocks(entries: Iterable[LogEntry], layout: Layout) -> Iterator[list[Line]]:
    """Yield the lines of each commit."""
    for i, entry in enumerate(entries):
        lines = list(_commit(entry, layout, 0))
        yield lines if i == 0 or layout.look.tight else [line(), *lines]


def drawn_blocks(
    entries: Sequence[LogEntry], parents: Mapping[str, Sequence[str]], layout: Layout
) -> Iterator[list[Line]]:
    """Yield the lines of each commit with the graph to their left.

    Args:
        entries: The commits.
        parents: The parents of each to draw, from ``drawn_parents``.
        layout: How a commit is shown.
    """
    graph = Graph()
    for i, entry in enumerate(entries):
        drawing = graph.draw(entry.id, parents[entry.id])
        texts = list(_commit(entry, layout, drawing.width))
        if not layout.look.tight and i + 1 < len(entries):
            texts.append(line())
        row = drawing.row
        if layout.look.sides and entry.side is not None:
            row = row.replace("*", side_mark(entry), 1)
        lanes = [*drawing.above, row, *drawing.below]
        lead = len(drawing.above)
        texts = [line()] * lead + texts
        lanes += [drawing.idle] * (len(texts) - len(lanes))
        texts += [line()] * (len(lanes) - len(texts))
        yield [
            _lane_line(lane.ljust(drawing.width)) + text
            for lane, text in zip(lanes, texts, strict=True)
        ]


def drawn_parents(
    entries: Iterable[LogEntry], kept: Container[str] | None, *, first_parent: bool = False
) -> dict[str, tuple[str, ...]]:
    """Return the parents to draw for each commit.

    Args:
        entries: All commits of the range, children before parents.
        kept: The commits that are shown, if not all are: a parent that is not stands for the
            nearest ones behind it that are.
        first_parent: Of a merge only the first is drawn.
    """
    ordered = list(entries)
    if first_parent:
        ordered = [replace(one, parents=one.parents[:1]) for one in ordered]
    listed = {one.id for one in ordered}
    if kept is None:
        return {one.id: tuple(p for p in one.parents if p in listed) for one in ordered}
    found: dict[str, tuple[str, ...]] = {}
    stands_for: dict[str, tuple[str, ...]] = {}
    for one in reversed(ordered):
        behind = [end for p in one.parents if p in listed for end in stands_for[p]]
        found[one.id] = tuple(dict.fromkeys(behind))
        stands_for[one.id] = (one.id,) if one.id in kept else found[one.id]
    return found


def tag_head(tag: AnnotatedTag, look: Look) -> Iterator[Line]:
    """Yield an annotated tag's name, tagger and message, as ``git show`` prints them."""
    yield line((f"tag {tag.name}", "id"))
    if tag.tagger and look.form != "oneline":
        yield line("Tagger: ", "    " if look.form == "fuller" else "", tag.tagger)
        when = show_date(tag.time_seconds, tag.offset_seconds, look.context.date, look.context.now)
        if look.form == "medium":
            yield line("Date:   ", when)
        elif look.form == "fuller":
            yield line("TaggerDate: ", when)
    yield line()
    for text in tag.message.rstrip("\n").split("\n"):
        yield line(text.expandtabs())


def _commit(entry: LogEntry, layout: Layout, left: int) -> Iterator[Line]:
    look = layout.look
    heads = list(head_lines(entry, look, in_graph=bool(left)))
    if look.tight and entry.data and layout.stat is None and look.data:
        room = None if layout.width is None else layout.width - left - heads[0].width
        heads[0] += _brief(entry, room)
    yield from heads
    if layout.stat is not None:
        lines = list(_changes(entry, layout.stat, layout))
        if lines and not look.tight:
            yield line()
        yield from lines
    elif entry.data and look.data and not look.tight:
        yield line()
        for change in entry.data:
            head = line("    ", _word(change.kind), (change.path, "name"), "  ")
            yield head + data_change(change)


def extra_lines(entry: LogEntry, layout: Layout) -> list[Line]:
    """Return what a commit changed, as asked for; nothing if it was not."""
    return [] if layout.stat is None else list(_changes(entry, layout.stat, layout))


def _changes(entry: LogEntry, repo: Repository, layout: Layout) -> Iterator[Line]:
    """Yield what a commit changed against its first parent; of a merge, as Git, nothing."""
    # Here, not above: most logs tell no changes, and these are a fifth of what they import.
    from veml_cli.render.diff import diff_lines
    from veml_cli.render.diff_stat import name_status_lines, stat_lines
    from veml_vcs.repository.diff import diff_commits

    if len(entry.parents) > 1 and layout.extra != "stat":
        return
    old = entry.parents[0] if entry.parents else None
    full = layout.extra == "patch"
    diff = diff_commits(repo, old, entry.id, layout.paths, layers=full, absent=True)
    layout.absent.extend(one.path for one in diff.datasets if one.absent)
    layout.unread.extend(diff.unreadable)
    if layout.extra == "patch":
        yield from diff_lines(diff, _SAMPLES, layout.width)
    elif layout.extra == "names":
        yield from name_status_lines(diff)
    else:
        yield from stat_lines(diff, layout.width)


def _brief(entry: LogEntry, room: int | None) -> Line:
    """Return what a commit did to data, for the end of a line with so much room."""
    parts = [
        line(_word(change.kind), (change.path, "name"), " ") + data_change(change)
        for change in entry.data
    ]
    few = [line(plural(len(parts), "data set"))]
    for said in (parts, few):
        brief = line(("  [", "dim")) + joined(said, "; ") + line(("]", "dim"))
        if room is None or brief.width <= room:
            return brief
    return line()


def _word(kind: str) -> str:
    return {"new": "new ", "deleted": "deleted "}.get(kind, "")


def _lane_line(lane: str) -> Line:
    """Return a row of the graph, each lane in its colour."""
    pieces = []
    for at, char in enumerate(lane):
        style = _LANE_STYLES[at // 2 % len(_LANE_STYLES)] if char not in " *" else ""
        pieces.append((char, style))
    return Line(tuple(pieces))
