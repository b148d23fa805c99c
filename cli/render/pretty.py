"""``--format``: Git's placeholders (``%h %an %s``), see "PRETTY FORMATS" of git-log(1).

What a commit says is a stranger's: on a terminal each value is cleaned, the template, which the
user typed, is not. A placeholder that is not known stays as it is typed, as in Git; so do the few
of Git's that veml does not have (notes, signatures, trailers, ``%w``).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from veml_cli._sanitize import clean, clean_block
from veml_cli.render.colors import sgr
from veml_cli.render.dates import DEFAULT, DateMode, show_date
from veml_cli.render.line import cell_width
from veml_vcs.repository.git.mailmap import Mailmap

if TYPE_CHECKING:
    from veml_vcs.repository.log import LogEntry

_IDENTITY = re.compile(r"(.*?) ?<([^<>]*)>?", re.DOTALL)
_PERSON = re.compile(r"([ac])([nNeElLdDrtiIsh])")
_REFLOG = re.compile(r"g([dDsnNeE])")
_WIDTH = re.compile(r"(<|>|><)\(\s*(\d{1,4})\s*(?:,\s*(trunc|ltrunc|mtrunc)\s*)?\)")
_SHORT_REF = re.compile(r"^refs/(?:heads/|tags/|remotes/|)")
_HEX = re.compile(r"x([0-9a-fA-F]{2})")
_COLOR = re.compile(r"C(?:\(([^()]*)\)|(red|green|blue|reset))")
_TITLE = re.compile(r"[^A-Za-z0-9._]+")
_DATES = {
    "d": None, "D": DateMode("rfc"), "r": DateMode("relative"), "t": DateMode("unix"),
    "i": DateMode("iso"), "I": DateMode("iso-strict"), "s": DateMode("short"),
    "h": DateMode("human"),
}  # fmt: skip


@dataclass(frozen=True)
class Context:
    """What placeholders are filled with besides the commit.

    Attributes:
        shorten: Returns the short form of an id.
        date: How ``%ad`` and ``%cd`` are shown.
        colored: Whether ``%C...`` colours.
        guarded: Whether values are cleaned, for a terminal.
        now: The present, Unix time; None is the clock's.
        mailmap: Who is who, for ``%aN`` and its like.
        mapped: Whether the names in heads are those of ``mailmap``, too.
    """

    shorten: Callable[[str], str]
    date: DateMode = DEFAULT
    colored: bool = False
    guarded: bool = True
    now: int | None = None
    mailmap: Mailmap = field(default_factory=Mailmap)
    mapped: bool = False

    def person(self, person: str) -> str:
        """Return ``Name <email>`` as a head shows it."""
        return self.mailmap.person(person) if self.mapped else person


def identity(text: str) -> tuple[str, str]:
    """Split ``Name <email>``."""
    found = _IDENTITY.fullmatch(text)
    return (found[1], found[2]) if found else (text, "")


def expand(template: str, entry: LogEntry, context: Context) -> str:
    """Fill the placeholders of a template with what a commit says.

    Args:
        template: What the user typed.
        entry: The commit.
        context: What else is needed.

    Raises:
        InvalidInputError: A colour has no such name.
    """
    return _Expansion(template, entry, context).run()


class _Expansion:
    """One template filled with one commit."""

    def __init__(self, template: str, entry: LogEntry, context: Context) -> None:
        self._template = template
        self._entry = entry
        self._context = context
        self._out: list[str] = []
        self._pad: tuple[str, int, str] | None = None
        self._auto = False

    def run(self) -> str:
        at = 0
        text = self._template
        while at < len(text):
            place = text.find("%", at)
            if place < 0:
                break
            self._out.append(text[at:place])
            at = self._placeholder(place)
        self._out.append(text[at:])
        return "".join(self._out)

    def _placeholder(self, place: int) -> int:
        """Fill the placeholder that begins at ``place``; return where it ends."""
        text, at = self._template, place + 1
        magic = text[at : at + 1] if text[at : at + 1] in ("+", "-", " ") else ""
        start = at + len(magic)
        if found := _WIDTH.match(text, start):
            self._pad = (found[1], int(found[2]), found[3] or "")
            return found.end()
        if found := _COLOR.match(text, start):
            self._color(found[1] if found[1] is not None else found[2])
            return found.end()
        value, length = self._value(text, start)
        if value is None:
            self._out.append("%")  # the rest is read as text
            return at
        if self._pad is not None:
            value, self._pad = _padded(value, *self._pad), None
        if value and magic in ("+", " "):
            value = ("\n" if magic == "+" else " ") + value
        if not value and magic == "-":
            whole = "".join(self._out).rstrip("\n")
            self._out = [whole]
        self._out.append(value)
        return start + length

    def _color(self, spec: str) -> None:
        if spec == "auto":
            self._auto = True
            return
        self._auto = False
        always = spec.startswith("always,")
        words = spec.removeprefix("always,").removeprefix("auto,")
        if always or self._context.colored:
            self._out.append(sgr(words))

    def _value(self, text: str, at: int) -> tuple[str | None, int]:
        """Return what the placeholder at ``at`` stands for, and its length; None: it is none."""
        entry, one = self._entry, text[at : at + 1]
        if found := _HEX.match(text, at):
            number = int(found[1], 16)  # a byte that is no ASCII is written as it is
            return chr(number if number < 0x80 else 0xDC00 + number), 3
        if found := _PERSON.match(text, at):
            return self._person(found[1], found[2]), 2
        if found := _REFLOG.match(text, at):
            return self._reflog(found[1]), 2
        simple: dict[str, Callable[[], str]] = {
            "H": lambda: self._id(entry.id),
            "h": lambda: self._id(self._context.shorten(entry.id)),
            "T": lambda: entry.tree,
            "t": lambda: self._context.shorten(entry.tree),
            "P": lambda: " ".join(entry.parents),
            "p": lambda: " ".join(map(self._context.shorten, entry.parents)),
            "s": lambda: self._guard(entry.subject),
            "f": lambda: _file_name(split_message(entry.message)[0].partition("\n")[0]),
            "b": lambda: self._guard_block(split_message(entry.message)[1]),
            "B": lambda: self._guard_block(entry.message),
            "d": lambda: self._names(" (", ")"),
            "D": lambda: self._names("", ""),
            "m": lambda: {"left": "<", None: ">", "right": ">"}[entry.side],
            "n": lambda: "\n",
            "%": lambda: "%",
        }
        return (simple[one](), 1) if one in simple else (None, 0)

    def _id(self, text: str) -> str:
        if self._auto and self._context.colored:
            return f"{sgr('yellow')}{text}{sgr('reset')}"
        return text

    def _names(self, before: str, after: str) -> str:
        names = self._entry.refs
        if not names:
            return ""
        text = before + self._guard(", ".join(names)) + after
        if self._auto and self._context.colored:
            return f"{sgr('yellow')}{text}{sgr('reset')}"
        return text

    def _person(self, who: str, what: str) -> str:
        entry = self._entry
        author = who == "a"
        if what in _DATES:
            seconds = entry.time_seconds if author else entry.commit_time_seconds
            offset = entry.offset_seconds if author else entry.commit_offset_seconds
            mode = _DATES[what] or self._context.date
            return self._guard(show_date(seconds, offset, mode, self._context.now))
        return self._named(entry.author if author else entry.committer, what)

    def _named(self, person: str, what: str) -> str:
        name, email = identity(self._context.mailmap.person(person) if what.isupper() else person)
        part = {"n": name, "e": email, "l": email.partition("@")[0]}[what.lower()]
        return self._guard(part)

    def _reflog(self, what: str) -> str:
        moved = self._entry.moved
        if moved is None:
            return ""
        if what in "dD":
            name = selector(self._entry, self._context)
            return self._guard(_SHORT_REF.sub("", name) if what == "d" else name)
        return self._guard(moved.message) if what == "s" else self._named(moved.who, what)

    def _guard(self, text: str) -> str:
        return clean(text) if self._context.guarded else text

    def _guard_block(self, text: str) -> str:
        return clean_block(text) if self._context.guarded else text


def selector(entry: LogEntry, context: Context) -> str:
    """Return which move of a reflog an entry is: ``main@{2}``."""
    moved = entry.moved
    if moved is None:
        return ""
    at = str(moved.index)
    if moved.by_date:
        at = show_date(moved.time_seconds, moved.offset_seconds, context.date, context.now)
    return f"{moved.ref}@{{{at}}}"


def split_message(message: str) -> tuple[str, str]:
    """Return the first paragraph of a message, and the rest without the blank lines before it."""
    lines = message.split("\n")
    at = 0
    while at < len(lines) and not lines[at].strip():
        at += 1
    start = at
    while at < len(lines) and lines[at].strip():
        at += 1
    end = at
    while at < len(lines) and not lines[at].strip():
        at += 1
    return "\n".join(lines[start:end]), "\n".join(lines[at:])


def _file_name(subject: str) -> str:
    """Return a subject as a part of a file's name, as ``%f``."""
    return re.sub(r"\.{2,}", ".", _TITLE.sub("-", subject).lstrip("-")).rstrip(".-")


def _padded(text: str, side: str, width: int, cut: str) -> str:
    """Return a text in so many columns; longer ones are cut only where ``cut`` says so."""
    if cut and _columns(text) > width:
        text = _cut(text, width, cut)
    room = width - _columns(text)
    if room <= 0:
        return text
    if side == "<":
        return text + " " * room
    if side == ">":
        return " " * room + text
    return " " * (room // 2) + text + " " * (room - room // 2)


def _cut(text: str, width: int, cut: str) -> str:
    keep = max(0, width - 2)
    first = {"trunc": keep, "ltrunc": 0, "mtrunc": keep // 2}[cut]
    last = _columns(text) - (keep - first)
    head, tail, at = "", "", 0
    for char in text:
        end = at + _columns(char)
        if end <= first:
            head += char
        elif at >= last:
            tail += char
        at = end
    return f"{head}..{tail}"


def _columns(text: str) -> int:
    """Return the columns of a text; as in Git a control character takes none."""
    return sum(cell_width(char) for char in text if char >= " ")
