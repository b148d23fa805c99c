"""Records read line by line: what a field of one says is kept for the next that has the same lines.

Versions of one thing differ in a line or two, and trainings share configs and libraries. The text
that veml writes has each field at the beginning of a line, so it is cut there, and a field that was
read before, byte for byte, is neither parsed nor checked again. What is cut is a record only if
each piece is one field, whole; a text of which that cannot be said is read as a whole, and that
says what is wrong with it. So nothing is taken here that would be refused there.

What fields a kind of record has, and what is checked of each, is told by each kind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from veml_vcs.errors import FormatError, VemlError
from veml_vcs.versions.text import FORMAT_VERSION, MAX_RECORD_BYTES, load_value

T = TypeVar("T")
Read = Callable[[dict[str, Any]], Any]

_BEGIN, _MIDDLE, _BETWEEN, _END = b'{\n "', b'": ', b',\n "', b"\n}\n"
_KEPT_BYTES = 4 << 20
"""So much text of fields is remembered for each kind; then it begins anew."""


class LineReader(Generic[T]):
    """Reads the records of one kind.

    Fields must not hang on each other, but in ``build``. Values are shared by records: they are not
    to be changed.

    Args:
        kind: What the record's ``kind`` must be.
        fields: Field -> what makes of a record, or of a part that has this field alone or nothing,
            what the field stands for. May raise ``FormatError`` or ``InvalidInputError``.
        build: Makes the record of what all fields stand for.
        others: Whether there may be fields of which nothing is known.
    """

    def __init__(
        self,
        kind: str,
        fields: Mapping[str, Read],
        build: Callable[[Mapping[str, Any]], T],
        *,
        others: bool = False,
    ) -> None:
        self.kind = kind
        self.fields = fields
        self._build = build
        self._others = others
        self._kept: dict[bytes, tuple[str, Any]] = {}
        self._bytes = 0
        self._absent: dict[str, Any] = {}
        self._needed = {"veml", "kind"}
        for name, read in fields.items():
            try:
                self._absent[name] = read({})
            except FormatError:
                self._needed.add(name)

    def whole(self, record: dict[str, Any]) -> T:
        """Return what a record stands for, from its fields.

        Raises:
            FormatError: One is not what it should be.
            InvalidInputError: One is not what it should be.
        """
        return self._build({name: read(record) for name, read in self.fields.items()})

    def lines(self, data: bytes) -> T | None:
        """Return what a record stands for, from its bytes; None where that cannot be told so."""
        if not (data.startswith(_BEGIN) and data.endswith(_END)) or len(data) > MAX_RECORD_BYTES:
            return None
        kept = self._kept
        pieces = data[len(_BEGIN) : -len(_END)].split(_BETWEEN)
        values: dict[str, Any] = {}
        try:
            for piece in pieces:
                name, value = kept.get(piece) or self._piece(piece)
                values[name] = value
            if len(values) < len(pieces) or not self._needed <= values.keys():
                return None
            del values["veml"], values["kind"]
            return self._build({**self._absent, **values})
        except (VemlError, ValueError, TypeError, KeyError, RecursionError):
            return None  # the whole is read, which says what is wrong

    def _piece(self, piece: bytes) -> tuple[str, Any]:
        head = piece.partition(_MIDDLE)[0]
        name = head.decode("ascii")
        if not name.isidentifier():  # an escape could stand for another name
            raise ValueError(name)
        value = load_value(piece, len(head) + len(_MIDDLE))
        if name == "veml":
            if type(value) is not int or value > FORMAT_VERSION:
                raise ValueError(name)
        elif name == "kind":
            if value != self.kind:
                raise ValueError(name)
        elif name in self.fields:
            value = self.fields[name]({name: value})
        elif not self._others:
            raise ValueError(name)
        self._bytes += len(piece)
        if self._bytes > _KEPT_BYTES:
            self._kept.clear()
            self._bytes = len(piece)
        found = self._kept[piece] = (name, value)
        return found
