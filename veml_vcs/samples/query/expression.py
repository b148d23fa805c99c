"""Conditions on samples and objects: a small expression language, parsed and never executed.

    weather == "night" and width >= 1280 and count(class == "car" and box.area > 1024) >= 2

The grammar, loosest binding first::

    or        a or b
    and       a and b
    not       not a
    compare   a == b   !=  <  <=  >  >=   a in b   a not in b   a ~ "glob"
    sum       a + b    a - b
    product   a * b    a / b
    atom      3.5  "text"  'text'  true  false  null  [a, b]  (a)  -a  name  name.field  name["a b"]
              any(a)  all(a)  count(a)  count()  len(a)

``any``, ``all`` and ``count`` ask the objects of a sample; inside, names are the object's fields. A
name that is not there is ``null``. A field with an odd name stands in ``fields["its name"]``.
Comparing the order of things that have none (``null``, a text and a number) is false, and
arithmetic on them is null: data is uneven, and a condition that a sample cannot answer does not
hold. ``str`` of an expression is its canonical text.

This module knows nothing of samples: a scope (any mapping-like object) answers names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, NoReturn, Protocol

from veml_vcs.errors import InvalidInputError

MAX_TEXT_CHARS = 4_000
MAX_DEPTH = 50

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
      | (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
      | (?P<name>[$@\#]*[^\W\d]\w*)
      | (?P<sign>==|!=|<=|>=|[<>~()\[\],.+*/-])
    )""",
    re.VERBOSE,
)
_WORDS = frozenset(("and", "or", "not", "in"))
_CONSTANTS = {"true": True, "false": False, "null": None}
_CALLS = frozenset(("any", "all", "count", "len"))
_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


class Scope(Protocol):
    """What an expression is asked of."""

    def get(self, name: str) -> Any:
        """Return the value of a name, None where it has none."""

    def objects(self) -> Iterable[Scope]:
        """Return the scopes that ``any``, ``all`` and ``count`` go through."""


class Expression:
    """One parsed expression; equal ones have equal texts."""

    def value(self, scope: Scope) -> Any:
        """Return the value for a scope, a JSON value."""
        raise NotImplementedError

    def names(self, inside: bool = False) -> Iterator[tuple[str, bool]]:
        """Yield each name asked for, and whether it is asked of an object of the scope."""
        raise NotImplementedError


@dataclass(frozen=True)
class Constant(Expression):
    """A number, text, truth value or null."""

    what: Any

    def value(self, scope: Scope) -> Any:
        """Return it."""
        return self.what

    def names(self, inside: bool = False) -> Iterator[tuple[str, bool]]:
        """Yield nothing."""
        return iter(())

    def __str__(self) -> str:
        return json.dumps(self.what, ensure_ascii=False)


@dataclass(frozen=True)
class Items(Expression):
    """A list."""

    parts: tuple[Expression, ...]

    def value(self, scope: Scope) -> Any:
        """Return the list of its values."""
        return [part.value(scope) for part in self.parts]

    def names(self, inside: bool = False) -> Iterator[tuple[str, bool]]:
        """See ``Expression``."""
        for part in self.parts:
            yield from part.names(inside)

    def __str__(self) -> str:
        return "[" + ", ".join(map(str, self.parts)) + "]"


@dataclass(frozen=True)
class Field(Expression):
    """A name, and fields or positions inside its value."""

    name: str
    path: tuple[str | int, ...] = ()

    def value(self, scope: Scope) -> Any:
        """Return what stands there, None where nothing does."""
        found = scope.get(self.name)
        for step in self.path:
            if isinstance(step, str):
                get = getattr(found, "get", None)
                found = get(step) if get is not None else None
            elif isinstance(found, list) and -len(found) <= step < len(found):
                found = found[step]
            else:
                return None
        return found

    def names(self, inside: bool = False) -> Iterator[tuple[str, bool]]:
        """Yield its name."""
        yield self.name, inside

    def __str__(self) -> str:
        text = self.name
        for step in self.path:
            plain = isinstance(step, str) and re.fullmatch(r"[$@#]*[^\W\d]\w*", step)
            text += f".{step}" if plain else f"[{json.dumps(step, ensure_ascii=False)}]"
        return text


@dataclass(frozen=True)
class Not(Expression):
    """The opposite."""

    part: Expression

    def value(self, scope: Scope) -> Any:
        """Return whether the part does not hold."""
        return not holds(self.part.value(scope))

    def names(self, inside: bool = False) -> Iterator[tuple[str, bool]]:
        """See ``Expression``."""
        return self.part.names(inside)

    def __str__(self) -> str:
        return f"not {_inner(self.part)}"


@dataclass(frozen=True)
class Join(Expression):
    """``and`` or ``or`` of several."""

    word: str
    parts: tuple[Expression, ...]

    def value(self, scope: Scope) -> Any:
        """Return whether all (any) hold; the rest is not asked once it is clear."""
        if self.word == "and":
            return all(holds(part.value(scope)) for part in self.parts)
        return any(holds(part.value(scope)) for part in self.parts)

    def names(self, inside: bool = False) -> Iterator[tuple[str, bool]]:
        """See ``Expression``."""
        for part in self.parts:
            yield from part.names(inside)

    def __str__(self) -> str:
        return f" {self.word} ".join(map(_inner, self.parts))


@dataclass(frozen=True)
class Binary(Expression):
    """Two values and an operator: a comparison or arithmetic."""

    sign: str
    left: Expression
    right: Expression

    def value(self, scope: Scope) -> Any:
        """Return the result; False or null where the values do not fit the operator."""
        a, b = self.left.value(scope), self.right.value(scope)
        if self.sign in ("==", "!="):
            return _equal(a, b) == (self.sign == "==")
        if self.sign in ("in", "not in"):
            return _contains(b, a) == (self.sign == "in")
        if self.sign == "~":
            return _matches(a, b)
        if self.sign in _ORDERS:
            both = (_is_number(a) and _is_number(b)) or (isinstance(a, str) and isinstance(b, str))
            return both and _ORDERS[self.sign](a, b)
        return _arithmetic(self.sign, a, b)

    def names(self, inside: bool = False) -> Iterator[tuple[str, bool]]:
        """See ``Expression``."""
        yield from self.left.names(inside)
        yield from self.right.names(inside)

    def __str__(self) -> str:
        return f"{_inner(self.left)} {self.sign} {_inner(self.right)}"


@dataclass(frozen=True)
class Call(Expression):
    """``any``, ``all``, ``count`` over the objects; ``len`` of a value."""

    name: str
    part: Expression | None

    def value(self, scope: Scope) -> Any:
        """Return the answer."""
        if self.name == "len":
            assert self.part is not None
            found = self.part.value(scope)
            return len(found) if isinstance(found, (str, list, dict)) else None
        answers = (self.part is None or holds(self.part.value(one)) for one in scope.objects())
        if self.name == "count":
            return sum(answers)
        return any(answers) if self.name == "any" else all(answers)

    def names(self, inside: bool = False) -> Iterator[tuple[str, bool]]:
        """See ``Expression``."""
        if self.part is not None:
            yield from self.part.names(inside or self.name != "len")

    def __str__(self) -> str:
        return f"{self.name}({'' if self.part is None else self.part})"


def holds(value: Any) -> bool:
    """Tell whether a value counts as true: not false, null, zero or empty."""
    return bool(value)


def parse(text: str) -> Expression:
    """Parse an expression.

    Raises:
        InvalidInputError: It is none; the message shows the place.
    """
    if len(text) > MAX_TEXT_CHARS:
        raise InvalidInputError(
            f"an expression of {len(text)} characters: expected at most {MAX_TEXT_CHARS}"
        )
    return _Parser(text).run()


class _Parser:
    """Recursive descent over the tokens of one text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(_tokens(text))
        self._next = 0
        self._depth = 0

    def run(self) -> Expression:
        found = self._or()
        if self._next < len(self._tokens):
            self._fail("the end, or an operator")
        return found

    def _fail(self, expected: str) -> NoReturn:
        kind, word, place = (*self._tokens, ("end", "the end", len(self._text)))[self._next]
        shown = word if kind == "end" else repr(word)
        raise InvalidInputError(
            f"expression: expected {expected} at character {place + 1}, found {shown}\n"
            f"  {self._text}\n  {' ' * place}^",
            hint="""example: weather == "night" and count(class == "car") >= 2""",
        )

    def _peek(self, *words: str) -> str | None:
        """Return the next token if it is one of these words or signs."""
        if self._next < len(self._tokens):
            kind, word, _ = self._tokens[self._next]
            if kind in ("name", "sign") and word in words:
                return word
        return None

    def _take(self, *words: str) -> str | None:
        found = self._peek(*words)
        if found is not None:
            self._next += 1
        return found

    def _need(self, word: str) -> None:
        if self._take(word) is None:
            self._fail(repr(word))

    def _or(self) -> Expression:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._fail(f"at most {MAX_DEPTH} expressions inside each other")
        parts = [self._and()]
        while self._take("or"):
            parts.append(self._and())
        self._depth -= 1
        return parts[0] if len(parts) == 1 else Join("or", tuple(parts))

    def _and(self) -> Expression:
        parts = [self._not()]
        while self._take("and"):
            parts.append(self._not())
        return parts[0] if len(parts) == 1 else Join("and", tuple(parts))

    def _not(self) -> Expression:
        count = 0
        while self._take("not"):
            count += 1
        found = self._compare()
        return Not(found) if count % 2 else found

    def _compare(self) -> Expression:
        left = self._sum()
        sign = self._take("==", "!=", "<", "<=", ">", ">=", "~", "in")
        if sign is None and self._take("not"):
            self._need("in")
            sign = "not in"
        return left if sign is None else Binary(sign, left, self._sum())

    def _sum(self) -> Expression:
        found = self._product()
        while sign := self._take("+", "-"):
            found = Binary(sign, found, self._product())
        return found

    def _product(self) -> Expression:
        found = self._atom()
        while sign := self._take("*", "/"):
            found = Binary(sign, found, self._atom())
        return found

    def _atom(self) -> Expression:
        if self._next == len(self._tokens):
            self._fail("a value")
        kind, word, _ = self._tokens[self._next]
        self._next += 1
        if kind == "number":
            number = _number(word)
            if number in (float("inf"), float("-inf")):
                self._next -= 1
                self._fail("a number within the range of a double")
            return Constant(number)
        if kind == "text":
            return Constant(_unquoted(word))
        if kind == "name" and word in _CONSTANTS:
            return Constant(_CONSTANTS[word])
        if kind == "name" and word not in _WORDS:
            if word in _CALLS and self._peek("("):
                return self._call(word)
            return self._field(word)
        if word == "(":
            found = self._or()
            self._need(")")
            return found
        if word == "[":
            return self._list()
        if word == "-":
            self._depth += 1
            if self._depth > MAX_DEPTH:
                self._fail(f"at most {MAX_DEPTH} expressions inside each other")
            part = self._atom()
            self._depth -= 1
            if isinstance(part, Constant) and _is_number(part.what):
                return Constant(-part.what)
            return Binary("-", Constant(0), part)
        self._next -= 1
        return self._fail("a value")

    def _list(self) -> Expression:
        parts: list[Expression] = []
        while not self._take("]"):
            if parts:
                self._need(",")
            parts.append(self._or())
        return Items(tuple(parts))

    def _call(self, name: str) -> Expression:
        self._need("(")
        if name == "count" and self._take(")"):
            return Call(name, None)
        part = self._or()
        self._need(")")
        return Call(name, part)

    def _field(self, name: str) -> Expression:
        path: list[str | int] = []
        while sign := self._take(".", "["):
            if self._next == len(self._tokens):
                self._fail("a field")
            kind, word, _ = self._tokens[self._next]
            if sign == "." and kind == "name":
                path.append(word)
            elif sign == "[" and kind == "text":
                path.append(_unquoted(word))
            elif sign == "[" and kind == "number" and word.isdigit() and len(word) < 10:
                path.append(int(word))
            else:
                self._fail("the name of a field" if sign == "." else "a text or a whole number")
            self._next += 1
            if sign == "[":
                self._need("]")
        return Field(name, tuple(path))


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    """Yield kind, text and place of each token."""
    place = 0
    end = len(text.rstrip())
    while place < end:
        found = _TOKEN.match(text, place)
        if found is None or found.lastgroup is None:
            rest = text[place:]
            place += len(rest) - len(rest.lstrip())
            raise InvalidInputError(
                f"expression: nothing begins with {text[place]!r} at character {place + 1}\n"
                f"  {text}\n  {' ' * place}^",
                hint="""texts stand in quotes: weather == "night"; equality is ==""",
            )
        yield found.lastgroup, found[found.lastgroup], found.start(found.lastgroup)
        place = found.end()


def _number(word: str) -> int | float:
    return int(word) if word.isdigit() and len(word) < 400 else float(word)


def _unquoted(word: str) -> str:
    return re.sub(r"\\(.)", r"\1", word[1:-1], flags=re.DOTALL)


def _inner(part: Expression) -> str:
    """Print a part so that it binds as it was parsed."""
    return f"({part})" if isinstance(part, (Join, Binary, Not)) else str(part)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, bool) != isinstance(b, bool):
        # Sources write flags as 0 and 1 (iscrowd, difficult): true equals 1, as people expect.
        return _is_number(a if isinstance(b, bool) else b) and bool(a == b)
    return bool(a == b)


def _contains(where: Any, what: Any) -> bool:
    if isinstance(where, str):
        return isinstance(what, str) and what in where
    if isinstance(where, dict):
        return what in where if isinstance(what, str) else False
    return isinstance(where, list) and any(_equal(one, what) for one in where)


def _matches(value: Any, pattern: Any) -> bool:
    """Match a text, or any text of a list, with a shell pattern; case counts."""
    if not isinstance(pattern, str):
        return False
    values: Sequence[Any] = value if isinstance(value, list) else [value]
    return any(isinstance(one, str) and fnmatchcase(one, pattern) for one in values)


def _arithmetic(sign: str, a: Any, b: Any) -> Any:
    if not (_is_number(a) and _is_number(b)):
        return None
    try:
        if sign == "+":
            return a + b
        if sign == "-":
            return a - b
        return a * b if sign == "*" else a / b
    except (ZeroDivisionError, OverflowError):
        return None
