"""Evaluate the Python of a config over values alone: nothing is imported, called or opened.

The subset is what configs are written in (design note 019). What is not in it is refused with its
line. Values are plain: None, bool, int, float, str, list, tuple, dict; so no attribute, method or
operator of anything else can be reached. Limits keep a hostile file from eating time or memory:
steps are counted, and so are the elements that are copied or gone through in a step. A list that
holds another many times over is small, so nothing here goes through values in depth unless it
counts what it meets.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from veml_vcs.errors import FormatError
from veml_vcs.versions.configs.budget import MAX_DEPTH, MAX_ITEMS, MAX_NUMBER, MAX_STEPS, Budget
from veml_vcs.versions.configs.merge import merge_into

_MAX_KEY = 1 << 60
"""Beyond, Python gives many whole numbers one hash, and a dict of these takes for ever."""
_MAX_DIGITS = 128

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
    ast.Div: operator.truediv, ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod,
    ast.Pow: operator.pow, ast.BitOr: operator.or_,
}  # fmt: skip
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.USub: operator.neg, ast.UAdd: operator.pos, ast.Not: operator.not_,
}  # fmt: skip
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le,
    ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Is: operator.is_, ast.IsNot: operator.is_not,
    ast.In: lambda a, b: a in b, ast.NotIn: lambda a, b: a not in b,
}  # fmt: skip
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "dict": dict, "list": list, "tuple": tuple, "int": int, "float": float, "str": str,
    "bool": bool, "len": len, "max": max, "min": min, "sum": sum, "abs": abs, "round": round,
    "sorted": sorted,
    "range": lambda *a: list(range(*a)), "enumerate": lambda *a: list(enumerate(*a)),
    "zip": lambda *a: list(zip(*a, strict=False)), "reversed": lambda a: list(reversed(a)),
}  # fmt: skip
_METHODS: dict[type, frozenset[str]] = {
    dict: frozenset({"update", "pop", "get", "keys", "values", "items", "copy", "setdefault"}),
    list: frozenset({"append", "extend", "insert", "pop", "copy", "remove", "index", "reverse"}),
    str: frozenset({"lower", "upper", "replace", "split", "strip", "join", "startswith",
                    "endswith"}),
}  # fmt: skip


class Evaluator:
    """Evaluates one file.

    Args:
        where: The file's name, for messages.
        names: What names stand for at the start; grows by what is assigned.
        string: Is given every string constant, and returns what stands for it.
        budget: Is shared by the files of a config.
    """

    def __init__(
        self,
        where: str,
        names: dict[str, Any],
        string: Callable[[str], Any] = lambda text: text,
        budget: Budget | None = None,
    ) -> None:
        self.names = names
        self._where = where
        self._string = string
        self._budget = budget or Budget()
        self._depth = 0

    def run(self, statements: list[ast.stmt]) -> None:
        """Evaluate statements in order.

        Raises:
            FormatError: One of them is not in the subset, or fails.
        """
        for statement in statements:
            self._step(statement)
            try:
                self._statement(statement)
            except FormatError:
                raise
            except RecursionError as error:
                raise self._refuse(statement, "is nested too deep") from error
            except Exception as error:  # whatever a value's own operation says
                what = f"{type(error).__name__}: {error!s:.200}"
                raise self._refuse(statement, f"fails ({what})") from error

    def _statement(self, node: ast.stmt) -> None:
        if isinstance(node, ast.Assign):
            value = self.value(node.value)
            for target in node.targets:
                self._assign(target, value)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            self._assign(node.target, self.value(node.value))
        elif isinstance(node, ast.AugAssign):
            old = self.value(node.target)
            self._assign(node.target, self._augmented(node, old, self.value(node.value)))
        elif isinstance(node, ast.Expr):
            self.value(node.value)
        elif isinstance(node, ast.Delete):
            for target in node.targets:
                self._delete(target)
        elif isinstance(node, ast.If):
            self.run(node.body if self.value(node.test) else node.orelse)
        elif isinstance(node, ast.For) and not node.orelse:
            for item in self._iterate(node, self.value(node.iter)):
                self._assign(node.target, item)
                self.run(node.body)
        elif not isinstance(node, ast.Pass):
            raise self._refuse(node, "cannot be read without running it")

    def _assign(self, target: ast.expr, value: Any) -> None:
        if isinstance(target, ast.Name):
            self._check_name(target, target.id)
            self.names[target.id] = value
        elif isinstance(target, ast.Tuple | ast.List):
            values = list(value)
            if len(values) != len(target.elts):
                raise self._refuse(target, f"takes {len(target.elts)} of {len(values)} values")
            for one, part in zip(target.elts, values, strict=True):
                self._assign(one, part)
        elif isinstance(target, ast.Subscript):
            place, key = self.value(target.value), self._key(target, self.value(target.slice))
            place[key] = self._iterate(target, value) if isinstance(key, slice) else value
        elif isinstance(target, ast.Attribute):
            place = self.value(target.value)
            if not isinstance(place, dict):
                raise self._refuse(target, "is an attribute of something that is no dict")
            place[target.attr] = value
        else:
            raise self._refuse(target, "cannot be assigned to")

    def _delete(self, target: ast.expr) -> None:
        if isinstance(target, ast.Name):
            del self.names[target.id]
        elif isinstance(target, ast.Subscript):
            del self.value(target.value)[self._key(target, self.value(target.slice))]
        elif isinstance(target, ast.Attribute):
            del self.value(target.value)[target.attr]
        else:
            raise self._refuse(target, "cannot be deleted")

    def value(self, node: ast.expr) -> Any:
        """Return the value of an expression.

        Raises:
            FormatError: It is not in the subset.
        """
        self._step(node)
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._refuse(node, "is nested too deep")
        try:
            return self._checked(node, self._value(node))
        finally:
            self._depth -= 1

    def _value(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Constant):
            return self._constant(node)
        if isinstance(node, ast.Name):
            return self._name(node)
        if isinstance(node, ast.Dict):
            return self._dict(node)
        if isinstance(node, ast.List):
            return self._items(node.elts)
        if isinstance(node, ast.Tuple):
            return tuple(self._items(node.elts))
        if isinstance(node, ast.Set):
            return self._set(node)
        if isinstance(node, ast.Call):
            return self._call(node)
        if isinstance(node, ast.Attribute):
            return self._attribute(node)
        if isinstance(node, ast.Subscript):
            return self.value(node.value)[self._key(node, self.value(node.slice))]
        if isinstance(node, ast.Slice):
            parts = (node.lower, node.upper, node.step)
            return slice(*(None if one is None else self.value(one) for one in parts))
        if isinstance(node, ast.JoinedStr):
            return "".join(str(self.value(one)) for one in node.values)
        return self._operation(node)

    def _operation(self, node: ast.expr) -> Any:
        if isinstance(node, ast.BinOp):
            return self._binary(node, node.op, self.value(node.left), self.value(node.right))
        if isinstance(node, ast.UnaryOp) and type(node.op) in _UNARY:
            return _UNARY[type(node.op)](self.value(node.operand))
        if isinstance(node, ast.BoolOp):
            return self._bool(node)
        if isinstance(node, ast.Compare):
            return self._compare(node)
        if isinstance(node, ast.IfExp):
            return self.value(node.body if self.value(node.test) else node.orelse)
        if isinstance(node, ast.FormattedValue) and node.conversion == -1:
            form = "" if node.format_spec is None else self.value(node.format_spec)
            if sum(char.isdigit() for char in form) > 2:  # f"{x:999999999}" is a way to fill memory
                raise self._refuse(node, "has a width of more than two digits")
            return format(self._scalar(node, self.value(node.value)), form)
        if isinstance(node, ast.ListComp | ast.GeneratorExp):
            return [self.value(node.elt) for _ in self._loop(node.generators)]
        if isinstance(node, ast.DictComp):
            return {
                self._key(node, self.value(node.key)): self.value(node.value)
                for _ in self._loop(node.generators)
            }
        raise self._refuse(node, "cannot be read without running it")

    def _constant(self, node: ast.Constant) -> Any:
        if isinstance(node.value, str):
            return self._string(node.value)
        if node.value is None or isinstance(node.value, bool | int | float):
            return node.value
        raise self._refuse(node, "is no value of a config")

    def _name(self, node: ast.Name) -> Any:
        if node.id in self.names:
            return self.names[node.id]
        raise self._refuse(node, "is not defined in this config")

    def _dict(self, node: ast.Dict) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for key, one in zip(node.keys, node.values, strict=True):
            if key is None:
                found.update(self._spread(node, self.value(one)))
            else:
                found[self._key(node, self.value(key))] = self.value(one)
        return found

    def _items(self, nodes: list[ast.expr]) -> list[Any]:
        found = []
        for node in nodes:
            if isinstance(node, ast.Starred):
                found += self._iterate(node, self.value(node.value))
            else:
                found.append(self.value(node))
        return found

    def _set(self, node: ast.Set) -> Any:
        """Return what ``{{_base_.x}}`` stands for, which Python takes for a set in a set."""
        inner = node.elts[0]
        if len(node.elts) == 1 and isinstance(inner, ast.Set) and len(inner.elts) == 1:
            return self.value(inner.elts[0])
        raise self._refuse(node, "is a set, which a config cannot hold")

    def _call(self, node: ast.Call) -> Any:
        arguments = self._items(node.args)
        named: dict[str, Any] = {}
        for keyword in node.keywords:
            if keyword.arg is None:
                named.update(self._spread(node, self.value(keyword.value)))
            else:
                named[keyword.arg] = self.value(keyword.value)
        if isinstance(node.func, ast.Name) and node.func.id not in self.names:
            if node.func.id in _FUNCTIONS:
                self._check_arguments(node, node.func.id, arguments, named)
                return _FUNCTIONS[node.func.id](*arguments, **named)
        elif isinstance(node.func, ast.Attribute):
            place = self.value(node.func.value)
            if isinstance(place, dict) and node.func.attr == "merge" and len(arguments) == 1:
                merge_into(place, arguments[0], lambda count: self._charge(node, count))
                return None
            if node.func.attr in _METHODS.get(type(place), ()):
                self._check_method(node, node.func.attr, place, arguments)
                result = getattr(place, node.func.attr)(*arguments, **named)
                # Views would let a loop run over what it changes.
                return list(result) if node.func.attr in ("keys", "values", "items") else result
        raise self._refuse(node, "is a call, which would have to be run")

    def _check_arguments(
        self, node: ast.expr, name: str, arguments: list[Any], named: Mapping[str, Any]
    ) -> None:
        """Refuse what a function would go through in depth, or make too long."""
        sizes = [len(one) for one in arguments if isinstance(one, str | list | tuple | dict)]
        if name not in ("len", "bool"):
            self._charge(node, sum(sizes))
        if name == "zip":
            self._charge(node, len(sizes) * min(sizes, default=0))
        elif name == "round":
            digits = arguments[1] if len(arguments) > 1 else named.get("ndigits")
            if isinstance(digits, int) and abs(digits) > _MAX_DIGITS:
                raise self._refuse(node, "has more digits than any config")
        elif name == "range":
            if arguments and len(range(*arguments)) > MAX_ITEMS:
                raise self._refuse(node, "has more elements than any config")
        elif name in ("str", "int", "float"):
            for one in arguments:
                self._scalar(node, one)
        elif name in ("max", "min", "sum", "sorted"):
            for one in arguments:
                for part in one if isinstance(one, list | tuple) else [one]:
                    self._scalar(node, part)
        elif name == "dict" and arguments:
            pairs = arguments[0]
            for pair in [] if isinstance(pairs, dict) else pairs:
                self._key(node, self._scalar(node, pair[0]))

    def _check_method(self, node: ast.expr, name: str, place: Any, arguments: list[Any]) -> None:
        """Refuse what a method would go through in depth, or make too long."""
        first = arguments[0] if arguments else None
        grown = 0
        if name == "update":
            if not isinstance(first, dict | None):
                raise self._refuse(node, "updates a dict with something that is none")
            grown = len(place) + len(self._spread(node, first or {}))
        elif name == "extend":
            grown = len(place) + len(self._iterate(node, first))
        elif name == "join":
            grown = sum(len(one) + len(place) for one in self._iterate(node, first))
        elif name == "replace":
            grown = len(place) + (len(place) + 1) * len(self._scalar(node, arguments[1]))
        elif name not in ("append", "insert"):
            for one in arguments[:1]:
                self._key(node, self._scalar(node, one))
            if name not in ("get", "pop", "setdefault"):  # these go through all of it
                self._charge(node, len(place))
        if grown > MAX_ITEMS:
            raise self._refuse(node, "makes more elements than any config has")

    def _scalar(self, node: ast.AST, value: Any) -> Any:
        """Return a value that is none of lists and dicts; refuse those."""
        if value is None or isinstance(value, bool | int | float | str):
            return value
        raise self._refuse(node, "takes a list or a dict where only a plain value is read")

    def _key(self, node: ast.AST, value: Any) -> Any:
        if isinstance(value, int) and abs(value) > _MAX_KEY:
            raise self._refuse(node, "is a number beyond any config's")
        return value if isinstance(value, slice) else self._scalar(node, value)

    def _attribute(self, node: ast.Attribute) -> Any:
        place = self.value(node.value)
        if isinstance(place, dict) and node.attr in place:
            return place[node.attr]
        if isinstance(place, Symbol):
            return Symbol(f"{place}.{node.attr}")
        raise self._refuse(node, "is not defined in this config")

    def _binary(self, node: ast.AST, sign: ast.operator, left: Any, right: Any) -> Any:
        function = _BINARY.get(type(sign))
        if function is None or isinstance(left, Symbol) or isinstance(right, Symbol):
            raise self._refuse(node, "cannot be read without running it")
        if isinstance(sign, ast.Mult):
            for times, value in ((left, right), (right, left)):
                many = isinstance(value, str | list | tuple) and isinstance(times, int)
                if many and len(value) * times > MAX_ITEMS:
                    raise self._refuse(node, "has more elements than any config")
        if isinstance(sign, ast.Pow) and isinstance(right, int) and abs(right) > 128:
            raise self._refuse(node, "is a power beyond any config's")
        if isinstance(sign, ast.Mod) and isinstance(left, str):
            raise self._refuse(node, "formats a text; only f-strings and + are read")
        return function(left, right)

    def _augmented(self, node: ast.AugAssign, old: Any, right: Any) -> Any:
        """Return what ``old += right`` leaves; lists and dicts change in all places they are in."""
        if isinstance(old, list) and isinstance(node.op, ast.Add):
            right = self._iterate(node, right)
        new = self._checked(node, self._binary(node, node.op, old, right))
        if isinstance(old, list):
            old[:] = new
            return old
        if isinstance(old, dict):
            old.update(new)
            return old
        return new

    def _bool(self, node: ast.BoolOp) -> Any:
        value: Any = None
        for one in node.values:
            value = self.value(one)
            if bool(value) is isinstance(node.op, ast.Or):
                return value
        return value

    def _compare(self, node: ast.Compare) -> bool:
        left = self.value(node.left)
        for sign, one in zip(node.ops, node.comparators, strict=True):
            right = self.value(one)
            self._scalar(node, left)
            if not isinstance(sign, ast.In | ast.NotIn | ast.Is | ast.IsNot):
                self._scalar(node, right)
            elif isinstance(right, str | list | tuple):
                self._charge(node, len(right))
            if not _COMPARE[type(sign)](left, right):
                return False
            left = right
        return True

    def _loop(self, generators: list[ast.comprehension]) -> Iterator[None]:
        """Bind the names of a comprehension, one turn after the other."""
        first, rest = generators[0], generators[1:]
        if first.is_async:
            raise self._refuse(first.iter, "cannot be read without running it")
        parts = list(ast.walk(first.target))
        self._charge(first.target, len(parts))
        bound = [one.id for one in parts if isinstance(one, ast.Name)]
        hidden = {name: self.names[name] for name in bound if name in self.names}
        for item in self._iterate(first.iter, self.value(first.iter)):
            self._assign(first.target, item)
            if all(self.value(one) for one in first.ifs):
                if rest:
                    yield from self._loop(rest)
                else:
                    yield None
        for name in bound:
            self.names.pop(name, None)
        self.names.update(hidden)

    def _iterate(self, node: ast.AST, value: Any) -> list[Any]:
        if isinstance(value, list | tuple | dict | str) and not isinstance(value, Symbol):
            self._charge(node, len(value))
            return list(value)
        raise self._refuse(node, "is not a list to go through")

    def _spread(self, node: ast.AST, value: Any) -> dict[Any, Any]:
        """Return a dict that is copied into another."""
        if not isinstance(value, dict):
            raise self._refuse(node, "takes something that is no dict for one")
        self._charge(node, len(value))
        return value

    def _checked(self, node: ast.AST, value: Any) -> Any:
        if isinstance(value, int | float) and not isinstance(value, bool):
            if isinstance(value, int) and abs(value) > MAX_NUMBER:
                raise self._refuse(node, "is a number beyond any config's")
        elif isinstance(value, str | list | tuple | dict):
            if len(value) > MAX_ITEMS:
                raise self._refuse(node, "has more elements than any config")
            if not isinstance(node, ast.Name | ast.Constant | ast.Attribute):
                self._charge(node, len(value))
        elif not (value is None or isinstance(value, bool | slice)):
            raise self._refuse(node, "is no value of a config")
        return value

    def _check_name(self, node: ast.expr, name: str) -> None:
        if name.startswith("__"):
            raise self._refuse(node, "is a name of Python's own")

    def _step(self, node: ast.AST) -> None:
        self._budget.steps -= 1
        if self._budget.steps < 0:
            raise self._refuse(node, f"comes after {MAX_STEPS:,} steps; no config takes as many")

    def _charge(self, node: ast.AST, elements: int) -> None:
        if not self._budget.spend(elements):
            raise self._refuse(node, "makes or goes through more elements than any config")

    def _refuse(self, node: ast.AST, why: str) -> FormatError:
        try:
            text = " ".join(ast.unparse(node).split())
        except (RecursionError, ValueError):
            text = type(node).__name__
        shown = text if len(text) <= 60 else text[:57] + "..."
        return FormatError(
            f"{self._where}:{getattr(node, 'lineno', 0)}: {shown} {why}",
            hint="veml reads configs and never runs them; write it out, or use --trust",
            kind="config-not-readable",
        )


class Symbol(str):
    """A class or function that a config imports: its dotted name, and nothing behind it."""

    __slots__ = ()
