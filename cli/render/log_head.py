"""The head of a commit in ``veml log`` and ``show``: id, who, when and why, in Git's forms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from veml_cli.render.dates import show_date, zone
from veml_cli.render.line import Line, joined, line
from veml_cli.render.pretty import Context, expand, selector
from veml_vcs.ids import short

if TYPE_CHECKING:
    from veml_vcs.repository.log import LogEntry

Form = Literal["medium", "oneline", "short", "full", "fuller", "raw", "reference", "user"]
FORMS: tuple[Form, ...] = ("oneline", "short", "medium", "full", "fuller", "reference", "raw")

_SHORT_ID = 7


def _shorten(commit: str) -> str:
    return short(commit, _SHORT_ID)


@dataclass(frozen=True)
class Look:
    """How a commit's head is written.

    Attributes:
        form: One of Git's forms; ``user`` is ``template``.
        template: Text with placeholders.
        separated: The end of a line stands between commits, not after each (``format:``).
        data: What a commit did to data sets is told below it, which Git cannot.
        abbreviated: Ids are short.
        decorated: Branches and tags are named.
        full_names: By their full names (``refs/heads/main``).
        sides: The sides of ``A...B`` are marked.
        context: What placeholders are filled with.
    """

    form: Form = "medium"
    template: str = ""
    separated: bool = False
    data: bool = True
    abbreviated: bool = False
    decorated: bool = True
    full_names: bool = False
    sides: bool = False
    context: Context = field(default_factory=lambda: Context(_shorten))

    @property
    def tight(self) -> bool:
        """Whether no blank line stands between commits."""
        return self.form in ("oneline", "reference", "user")


def head_lines(
    entry: LogEntry, look: Look | None = None, *, in_graph: bool = False
) -> Iterator[Line]:
    """Yield the head of a commit.

    Args:
        entry: The commit.
        look: How; None is as Git does by default.
        in_graph: A graph stands to the left, and shows the sides.
    """
    chosen = look or Look()
    if chosen.form in ("user", "reference"):
        template = "%h (%s, %ad)" if chosen.form == "reference" else chosen.template
        for text in expand(template, entry, chosen.context).split("\n"):
            yield Line(((text, ""),))  # cleaned value by value; the template is the user's
        return
    mark = f"{side_mark(entry)} " if chosen.sides and entry.side and not in_graph else ""
    name = chosen.context.shorten(entry.id) if chosen.abbreviated else entry.id
    if chosen.form == "oneline":
        head = line(mark, (name, "id")) + _decoration(entry, chosen)
        said = entry.subject
        if entry.moved is not None:
            said = f"{selector(entry, chosen.context)}: {entry.moved.message}"
        yield head + line(" ", said.expandtabs())
        return
    yield line(("commit ", "id"), mark, (name, "id")) + _decoration(entry, chosen)
    if entry.moved is not None:
        yield line(f"Reflog: {selector(entry, chosen.context)} ({entry.moved.who})")
        yield line("Reflog message: ", entry.moved.message)
    yield from _facts(entry, chosen)
    yield from _message(entry.message, chosen.form)


def side_mark(entry: LogEntry) -> str:
    """Return ``<`` or ``>``: the side of ``A...B`` that a commit is on."""
    return "<" if entry.side == "left" else ">"


def _facts(entry: LogEntry, look: Look) -> Iterator[Line]:
    """Yield the lines between a commit's id and its message."""
    if look.form == "raw":
        yield line("tree ", entry.tree)
        for parent in entry.parents:
            yield line("parent ", parent)
        yield line("author ", entry.author, f" {entry.time_seconds} {zone(entry.offset_seconds)}")
        when = f" {entry.commit_time_seconds} {zone(entry.commit_offset_seconds)}"
        yield line("committer ", entry.committer, when)
        return
    if len(entry.parents) > 1:
        yield line("Merge: ", " ".join(map(look.context.shorten, entry.parents)))
    when = _date(entry.time_seconds, entry.offset_seconds, look.context)
    author, committer = map(look.context.person, (entry.author, entry.committer))
    if look.form == "fuller":
        yield line("Author:     ", author)
        yield line("AuthorDate: ", when)
        yield line("Commit:     ", committer)
        again = _date(entry.commit_time_seconds, entry.commit_offset_seconds, look.context)
        yield line("CommitDate: ", again)
        return
    yield line("Author: ", author)
    if look.form == "full":
        yield line("Commit: ", committer)
    elif look.form == "medium":
        yield line("Date:   ", when)


def _date(seconds: int, offset_seconds: int, context: Context) -> str:
    return show_date(seconds, offset_seconds, context.date, context.now)


def _message(message: str, form: Form) -> Iterator[Line]:
    """Yield a message, indented, with a blank line above; of ``short`` its first paragraph."""
    begun = False
    for text in message.rstrip().split("\n"):
        if not text.strip():
            if form == "short" and begun:
                return
            if begun:
                yield line()
            continue
        if not begun:
            yield line()
        begun = True
        yield line("    ", text.rstrip().expandtabs())


def _decoration(entry: LogEntry, look: Look) -> Line:
    if not (entry.refs and look.decorated):
        return line()
    names = []
    for name in entry.refs:
        head, arrow, branch = name.partition(" -> ")
        if arrow:
            names.append(line((head, "name"), arrow, (branch, "ref")))
        else:
            names.append(line((name, "id" if name.startswith("tag: ") else "ref")))
    return line((" (", "id")) + joined(names) + line((")", "id"))
