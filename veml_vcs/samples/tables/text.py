"""A table in a text file, taken apart so that putting it together again gives the same bytes.

Rows and cells keep their text as it stands in the file, quotes and line ends included; the value of
a cell is its text without the quotes. Nothing is turned into numbers or dates: 1.50 is not 1.5 to
somebody, and what is compared must be what is stored.

The encoding is found by trying: a byte order mark, then UTF-8, then the multi-byte encodings in
which wrong bytes are rare (cp949, gb18030, shift_jis), by which script they give; Latin-1 fits
anything and comes last.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from veml_vcs.errors import FormatError

TABLE_SUFFIXES = (".csv", ".tsv", ".tab", ".csv.txt")
MAX_TABLE_BYTES = 1 << 30
_DELIMITERS = ",\t;|"
_PROBE_CHARS = 64 << 10
_SAMPLE_ROWS = 50
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16-le"),
         (codecs.BOM_UTF16_BE, "utf-16-be"))  # fmt: skip
_NUMBER = re.compile(r"[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?%?", re.ASCII)
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?)?.*")
_MISSING = frozenset(("", "na", "nan", "null", "none", "n/a", "-"))
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r|\Z)")


def is_table(key: str) -> bool:
    """Tell whether a key names a text table, by its extension."""
    return key.lower().endswith(TABLE_SUFFIXES)


@dataclass(frozen=True)
class Row:
    r"""One row as it stands in the file.

    Attributes:
        cells: The text of each cell, with its quotes.
        end: The line end: ``\n``, ``\r\n``, ``\r``, or nothing at the end of the file.
    """

    cells: tuple[str, ...]
    end: str = "\n"


@dataclass(frozen=True)
class Table:
    """One text table.

    Attributes:
        encoding: Python's name of it.
        mark: Whether a byte order mark stands in front (UTF-16; of UTF-8 the encoding says it).
        delimiter: What separates cells.
        header: The first row, if it names the columns.
        rows: The others.
    """

    encoding: str
    mark: bytes
    delimiter: str
    header: Row | None
    rows: tuple[Row, ...]

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, each once; ``#3`` where the third has none of its own."""
        if self.header is None:
            width = max((len(row.cells) for row in self.rows[:_SAMPLE_ROWS]), default=0)
            return tuple(f"#{place}" for place in range(1, width + 1))
        names: list[str] = []
        for place, text in enumerate(self.header.cells, 1):
            name = value_of(text).strip()
            names.append(name if name and name not in names else f"#{place}")
        return tuple(names)

    @cached_property
    def ragged(self) -> bool:
        """Whether a row has more or fewer cells than there are columns."""
        width = len(self.columns)
        return any(len(row.cells) != width for row in self.rows)

    def values(self, row: Row) -> tuple[str, ...]:
        """Return the values of a row's cells."""
        return tuple(map(value_of, row.cells))

    def column(self, name: str) -> list[str]:
        """Return the values of a column; a row that is too short has an empty one.

        Raises:
            KeyError: There is no such column.
        """
        try:
            place = self.columns.index(name)
        except ValueError:
            raise KeyError(name) from None
        try:
            cells = [row.cells[place] for row in self.rows]
        except IndexError:
            cells = [row.cells[place] if place < len(row.cells) else "" for row in self.rows]
        return [value_of(cell) if cell[:1] == '"' else cell for cell in cells]

    def kind(self, name: str) -> str:
        """Return what a column's values look like: ``int``, ``float``, ``time`` or ``text``."""
        return kind_of(self.column(name))

    def to_bytes(self) -> bytes:
        """Return the file: of a table just read, the bytes it was read from.

        Raises:
            FormatError: The encoding has no place for a character.
        """
        rows = self.rows if self.header is None else (self.header, *self.rows)
        text = "".join(self.delimiter.join(row.cells) + row.end for row in rows)
        try:
            return self.mark + text.encode(self.encoding)
        except UnicodeEncodeError as error:
            bad = error.object[error.start]
            raise FormatError(f"the encoding {self.encoding} has no place for {bad!r}") from error


def read_table(data: bytes, key: str, *, encoding: str | None = None) -> Table:
    """Take a text table apart.

    Args:
        data: The bytes of the file.
        key: Its key, for messages.
        encoding: Its encoding; None to find out.

    Raises:
        FormatError: It is no text, or too large.
    """
    if len(data) > MAX_TABLE_BYTES:
        raise FormatError(f"{key}: a table of {len(data)} bytes is too large to compare by rows")
    text, name, mark = _decoded(data, key, encoding)
    if "\0" in text[:_PROBE_CHARS]:
        raise FormatError(f"{key}: no text table: there are NUL characters in it")
    lines = _records(text)
    delimiter = _delimiter(lines[:_SAMPLE_ROWS], key)
    split = _splitter(delimiter)
    rows = [Row(split(line), end) for line, end in lines]
    header = rows[0] if rows and _is_header(rows) else None
    table = Table(name, mark, delimiter, header, tuple(rows[1:] if header else rows))
    if table.to_bytes() != data:
        raise FormatError(f"{key}: the table cannot be written again as it is ({name})")
    return table


def value_of(text: str) -> str:
    """Return the value of a cell: its text without quotes around it."""
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return text[1:-1].replace('""', '"')
    return text


def quoted(value: str, like: str, delimiter: str) -> str:
    """Return the text of a cell with this value, quoted as ``like`` is, or where it must be."""
    must = any(char in value for char in (delimiter, '"', "\n", "\r"))
    if must or (len(like) >= 2 and like[0] == like[-1] == '"'):
        return '"' + value.replace('"', '""') + '"'
    return value


def _decoded(data: bytes, key: str, wanted: str | None) -> tuple[str, str, bytes]:
    if wanted is not None:
        try:
            return data.decode(wanted), wanted, b""
        except (UnicodeDecodeError, LookupError) as error:
            raise FormatError(f"{key}: cannot be read as {wanted}: {error}") from error
    for mark, name in _BOMS:
        if data.startswith(mark):
            # "utf-8-sig" writes the mark itself; of UTF-16 it is kept apart.
            body = data if name == "utf-8-sig" else data[len(mark) :]
            kept = b"" if name == "utf-8-sig" else mark
            try:
                return body.decode(name), name, kept
            except UnicodeDecodeError as error:
                raise FormatError(f"{key}: begins as {name} and is not: {error}") from error
    try:
        return data.decode("utf-8"), "utf-8", b""
    except UnicodeDecodeError:
        pass
    return *_legacy(data), b""


def _legacy(data: bytes) -> tuple[str, str]:
    """Decode what is not UTF-8 by the encoding whose characters belong together best."""
    best: tuple[float, str, str] | None = None
    for name in ("cp949", "shift_jis", "gb18030", "cp1252"):
        try:
            text = data.decode(name)
        except UnicodeDecodeError:
            continue
        score = _plausible(text, name)
        if best is None or score > best[0]:
            best = (score, text, name)
    if best is not None and best[0] > 0:
        return best[1], best[2]
    return data.decode("latin-1"), "latin-1"


def _plausible(text: str, name: str) -> float:
    """Score how much of a text's foreign characters an encoding is made for, from 0 to 1."""
    foreign = [char for char in text[:_PROBE_CHARS] if ord(char) > 127]
    if not foreign:
        return 0.5
    blocks = Counter(unicodedata.name(char, "?").split(" ")[0] for char in foreign)
    total = len(foreign)
    if name == "cp949":
        # The Hangul that cp949 adds to euc_kr is rare, and where other encodings' bytes end up.
        usual = sum("가" <= char <= "힣" and _in_euc_kr(char) for char in foreign)
        return usual / total
    if name == "shift_jis":
        kana = blocks["HIRAGANA"] + blocks["KATAKANA"]
        return (kana and (kana + blocks["CJK"])) / total * 0.99
    if name == "gb18030":
        return 0.9 * (blocks["CJK"] + blocks["FULLWIDTH"]) / total
    return 0.5 * blocks["LATIN"] / total


def _in_euc_kr(char: str) -> bool:
    try:
        return len(char.encode("euc_kr")) == 2  # other syllables are spelt out, in eight bytes
    except UnicodeEncodeError:
        return False


def agreeing(tables: Sequence[Table]) -> list[Table]:
    """Return versions of one table that agree on whether the first row names the columns.

    Each version alone may look either way (names that are numbers, no rows below them); a first
    row that is another version's header is one.
    """
    headers = {table.header.cells for table in tables if table.header is not None}
    found = []
    for table in tables:
        if table.header is None and table.rows and table.rows[0].cells in headers:
            table = replace(table, header=table.rows[0], rows=table.rows[1:])
        found.append(table)
    return found


def _records(text: str) -> list[tuple[str, str]]:
    """Cut a text into records and their line ends; a quoted cell may hold line ends."""
    ends = text.count("\n")
    returns = text.count("\r")
    if returns == 0 or returns == ends == text.count("\r\n"):
        end = "\r\n" if returns else "\n"
        parts = text.split(end)
        if '"' not in text or not any(part.count('"') & 1 for part in parts):
            found = [(part, end) for part in parts[:-1]]
            return [*found, (parts[-1], "")] if parts[-1] else found
    records: list[tuple[str, str]] = []
    pending = ""
    for match in _LINE.finditer(text):
        piece = match.group()
        if not piece:
            continue
        line = piece.rstrip("\r\n")
        end = piece[len(line) :]
        if pending or line.count('"') % 2:
            whole = pending + piece
            if whole.count('"') % 2:
                pending = whole
                continue
            line, pending = whole[: len(whole) - len(end)] if end else whole, ""
        records.append((line, end))
    if pending:  # a quote that is never closed: what follows it is one line after the other
        for piece in pending.splitlines(keepends=True):
            line = piece.rstrip("\r\n")
            records.append((line, piece[len(line) :]))
    return records


def _delimiter(lines: Sequence[tuple[str, str]], key: str) -> str:
    """Return the character that cuts the first lines into equally many cells, more than one."""
    best, most = ("\t" if key.lower().endswith((".tsv", ".tab")) else ","), 0.0
    for candidate in _DELIMITERS:
        split = _splitter(candidate)
        widths = Counter(len(split(line)) for line, _ in lines if line)
        if not widths:
            continue
        width, count = widths.most_common(1)[0]
        score = (width > 1) * count / sum(widths.values()) + (width > 1) * min(width, 50) / 1000
        if score > most:
            best, most = candidate, score
    return best


class _splitter:  # noqa: N801 - used like a function
    """Cuts a record into cells at a delimiter outside quotes; joining them gives the record."""

    def __init__(self, delimiter: str) -> None:
        self._delimiter = delimiter
        one = re.escape(delimiter)
        self._cell = re.compile(rf'(?:"(?:[^"]|"")*")?[^{one}]*')

    def __call__(self, line: str) -> tuple[str, ...]:
        plain = line.split(self._delimiter)
        if '"' not in line or not any(cell.count('"') & 1 for cell in plain):
            return tuple(plain)
        cells: list[str] = []
        place = 0
        while True:
            found = self._cell.match(line, place)
            assert found is not None
            cells.append(found.group())
            place = found.end()
            if place >= len(line):
                return tuple(cells)
            place += 1  # the delimiter


def _is_header(rows: Sequence[Row]) -> bool:
    """Tell whether the first row names columns: texts, where the rows below have other things.

    Names of sensors are often numbers: then all are whole, none occurs twice, and the values below
    do not look like them (they have points, or differ in length by far).
    """
    first = [value_of(one).strip() for one in rows[0].cells]
    rest = [[value_of(one).strip() for one in row.cells] for row in rows[1:_SAMPLE_ROWS]]
    if len(set(first)) != len(first):
        return False
    if not rest:
        return all(first) and not any(map(_NUMBER.fullmatch, first))
    if not any(_NUMBER.fullmatch(one) or one == "" for one in first[1:] or first):
        return True
    if not all(one.isdigit() and len(one) > 2 for one in first[1:]):
        return False
    below = [one for row in rest for one in row[1:]]
    return any("." in one for one in below) and not any("." in one for one in first[1:])


def kind_of(values: Iterable[str]) -> str:
    """Return what values look like, missing ones aside: ``int``, ``float``, ``time``, ``text``."""
    given = [one for one in (value.strip() for value in values) if one.lower() not in _MISSING]
    if not given:
        return "text"
    if all(_NUMBER.fullmatch(one) for one in given):
        return "int" if all(one.lstrip("+-").isdigit() for one in given) else "float"
    return "time" if all(map(_DATE.fullmatch, given)) else "text"
