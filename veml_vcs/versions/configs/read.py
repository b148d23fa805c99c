"""Read an OpenMMLab config with all it inherits, as MMEngine would, without running any of it.

Follows ``mmengine.config.Config.fromfile`` (MMEngine 0.10.7): ``_base_`` files first, then the file
itself merged into them, ``_delete_`` respected; and the newer ``with read_base():``.
"""

from __future__ import annotations

import ast
import json
import os
import posixpath
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

from veml_vcs.errors import FormatError, NotFoundError
from veml_vcs.versions.configs.budget import MAX_DEPTH, MAX_ITEMS, MAX_NUMBER, Budget
from veml_vcs.versions.configs.evaluate import Evaluator, Symbol
from veml_vcs.versions.configs.merge import merge_into

MAX_BYTES = 1 << 20
MAX_FILES = 256
_TEXT_PER_ITEM = 100
"""Characters of text that count like an element more."""

_WHOLE = re.compile(r"\{\{\s*_base_\.([\w.]+)\s*\}\}")
_ENVIRONMENT = re.compile(r"\{\{\s*\$(\w+)\s*:([^{}]*)\}\}")
_FILE_WORDS = re.compile(
    r"\{\{\s*(fileDirname|fileBasename|fileBasenameNoExtension|fileExtname)\s*\}\}"
)

Read = Callable[[str], bytes]


@dataclass(frozen=True)
class ConfigFile:
    """What a config says.

    Attributes:
        path: Its path.
        values: Its variables, plain: None, bool, int, float, str, list and dict (tuples are lists).
        files: All files that were read for it, itself first.
    """

    path: str
    values: Mapping[str, Any]
    files: tuple[str, ...] = field(default_factory=tuple)


def read_config(path: str, read: Read) -> ConfigFile:
    """Read a config.

    Args:
        path: The file, with ``/``: ``configs/faster-rcnn.py``.
        read: Returns the bytes of a path; raises NotFoundError. Paths of ``package::`` bases are
            read from the installed package instead.

    Raises:
        FormatError: It cannot be read without running it, or is no config.
        NotFoundError: A file that it inherits from is not there.
    """
    reader = _Reader(read)
    values = reader.values(path, ())
    try:
        left = [MAX_ITEMS]
        plain = {name: _plain(value, left, 0) for name, value in values.items()}
    except FormatError as error:
        raise FormatError(f"{path}: {error.message}", kind=error.kind) from error
    return ConfigFile(path, plain, tuple(reader.files))


class _Reader:
    def __init__(self, read: Read) -> None:
        self._read = read
        self._budget = Budget()
        self._reads = 0
        self.files: dict[str, None] = {}

    def values(self, path: str, above: tuple[str, ...]) -> dict[str, Any]:
        """Return the variables of a file, what it inherits included."""
        if path in above:
            raise _unreadable(f"{above[-1]}: inherits from itself by way of {path}")
        # Reads are counted, not files: two files that both inherit from two, and so on, are many.
        self._reads += 1
        if len(above) > MAX_DEPTH or self._reads > MAX_FILES:
            raise _unreadable(f"{path}: the config is made of more than {MAX_FILES} files")
        if "\0" in path or any("\ud800" <= char <= "\udfff" for char in path):
            raise _unreadable(f"{path!r:.200}: no file can have this name")
        self.files[path] = None
        text = self._text(path)
        if path.endswith((".yml", ".yaml", ".json")):
            return self._document(path, text, above)
        if not path.endswith(".py"):
            raise _unreadable(f"{path}: a config is a .py, .yml, .yaml or .json file")
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            line = getattr(error, "lineno", None) or 0
            why = getattr(error, "msg", None) or type(error).__name__
            raise _unreadable(f"{path}:{line}: not Python: {why}") from error
        return self._python(path, tree.body, above)

    def _python(
        self, path: str, statements: list[ast.stmt], above: tuple[str, ...]
    ) -> dict[str, Any]:
        base: dict[str, Any] = {}
        for one in filter(_is_base, statements):
            base = self._bases(path, one, above)
        evaluator = Evaluator(path, {"_base_": base}, _no_base_inside(path), self._budget)
        names = evaluator.names
        rest = []
        for one in statements:
            if isinstance(one, ast.With) and _reads_base(one):
                for inner in one.body:
                    names.update(self._imported_base(path, inner, above))
            elif isinstance(one, ast.Import | ast.ImportFrom) and not getattr(one, "level", 0):
                names.update(_symbols(one))
            elif not _is_base(one):
                rest.append(one)
        evaluator.run(rest)
        own = {
            name: value for name, value in names.items()
            if name != "_base_" and not name.startswith("__") and not isinstance(value, Symbol)
        }  # fmt: skip
        return self._merged(path, base, own)

    def _imported_base(self, path: str, node: ast.stmt, above: tuple[str, ...]) -> dict[str, Any]:
        """Return what ``from .FILE import NAMES`` brings, inside ``with read_base():``."""
        if not isinstance(node, ast.ImportFrom) or node.level == 0:
            raise _unreadable(f"{path}:{node.lineno}: expected from .FILE import *")
        found = self.values(_module(path, node), (*above, path))
        if node.names[0].name == "*":
            return {name: value for name, value in found.items() if not name.startswith("_")}
        for alias in node.names:
            if alias.name not in found:
                raise _unreadable(f"{path}:{node.lineno}: no {alias.name} there")
        return {alias.asname or alias.name: found[alias.name] for alias in node.names}

    def _merged(self, path: str, base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
        try:
            return merge_into(dict(base), own, self._spend)
        except TypeError as error:
            raise _unreadable(f"{path}: {error}") from error

    def _spend(self, elements: int) -> None:
        if not self._budget.spend(elements):
            raise TypeError("merging it into what it inherits takes more than any config's")

    def _text(self, path: str) -> str:
        place, _, name = path.rpartition("::")
        data = _packaged(place, name) if place else self._read(path)
        if len(data) > MAX_BYTES:
            raise _unreadable(f"{path}: {len(data):,} bytes are more than any config has")
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise _unreadable(f"{path}: not UTF-8 (byte {error.start:,})") from error
        return _substituted(path, text)

    def _bases(self, path: str, node: ast.stmt, above: tuple[str, ...]) -> dict[str, Any]:
        evaluator = Evaluator(path, {}, budget=self._budget)
        evaluator.run([node])
        return self._inherited(path, evaluator.names["_base_"], above)

    def _inherited(self, path: str, names: Any, above: tuple[str, ...]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        listed = names if isinstance(names, list | tuple) else [names]
        for name in listed:
            if not isinstance(name, str):
                raise _unreadable(f"{path}: _base_ names files, found {type(name).__name__}")
            values = self.values(_beside(path, name), (*above, path))
            twice = sorted(found.keys() & values.keys())
            if twice:
                raise _unreadable(f"{path}: two of its bases say what {twice[0]} is")
            found.update(values)
        return found

    def _document(self, path: str, text: str, above: tuple[str, ...]) -> dict[str, Any]:
        text = _WHOLE.sub(lambda found: json.dumps(found[0]), text)  # as MMEngine quotes it
        try:
            if path.endswith(".json"):
                own = json.loads(text)
            else:
                # Most configs are Python, and every status of a repository with models reads them.
                from veml_vcs.samples.formats.yaml_text import parse_yaml

                own = parse_yaml(text.encode(), path)
        except (ValueError, RecursionError) as error:
            raise _unreadable(f"{path}: {error!s:.200}") from error
        if not isinstance(own, dict) or not all(isinstance(name, str) for name in own):
            raise _unreadable(f"{path}: expected names and values at the top")
        base = self._inherited(path, own.pop("_base_", []), above)
        return self._merged(path, base, _replaced(own, path, base))


def _plain(value: Any, left: list[int], depth: int) -> Any:
    """Return a value of JSON; refuse one that unfolds to more than a config holds."""
    left[0] -= 1 + (len(value) // _TEXT_PER_ITEM if isinstance(value, str) else 0)
    if left[0] < 0 or depth > MAX_DEPTH:
        raise _unreadable("says more, or in more depth, than any config")
    if isinstance(value, dict):
        return {str(name): _plain(one, left, depth + 1) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one, left, depth + 1) for one in value]
    if isinstance(value, int) and abs(value) > MAX_NUMBER:  # of JSON or YAML
        raise _unreadable("has a number beyond any config's")
    return str(value) if isinstance(value, Symbol) else value


def _is_base(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id == "_base_"
    )


def _symbols(node: ast.Import | ast.ImportFrom) -> dict[str, Symbol]:
    """Return what an import names: dotted names, nothing behind them."""
    found = {}
    for alias in node.names:
        if isinstance(node, ast.ImportFrom):
            found[alias.asname or alias.name] = Symbol(f"{node.module}.{alias.name}")
        else:
            top = alias.name.split(".")[0]
            found[alias.asname or top] = Symbol(alias.name if alias.asname else top)
    return found


def _reads_base(node: ast.With) -> bool:
    call = node.items[0].context_expr
    return (
        len(node.items) == 1
        and isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id == "read_base"
    )


def _module(path: str, node: ast.ImportFrom) -> str:
    place, _, name = path.rpartition("::")
    folder = posixpath.dirname(name)
    for _ in range(node.level - 1):
        folder = posixpath.join(folder, "..")
    parts = (node.module or "").split(".")
    found = posixpath.normpath(posixpath.join(folder, *parts)) + ".py"
    if found.startswith("../"):
        raise _unreadable(f"{path}:{node.lineno}: the base lies outside of the repository")
    return f"{place}::{found}" if place else found


def _beside(path: str, name: str) -> str:
    """Return the path of a base: relative to the file that names it, or of a package."""
    if "::" in name:
        return name
    place, _, own = path.rpartition("::")
    found = posixpath.normpath(posixpath.join(posixpath.dirname(own), name))
    if os.path.isabs(name) or found.startswith("../"):
        raise _unreadable(f"{path}: the base {name} lies outside of the repository")
    return f"{place}::{found}" if place else found


def _packaged(package: str, name: str) -> bytes:
    """Return a config that an installed package carries, found without importing it."""
    try:
        spec = find_spec(package) if package.isidentifier() else None
    except ValueError:  # a module that is loaded and no package, as __main__
        spec = None
    if spec is None or not spec.submodule_search_locations:
        raise NotFoundError(
            f"{package}::{name}: the package {package} is not installed",
            hint=f"pip install {package}",
            kind="config-base",
        )
    top = os.path.join(next(iter(spec.submodule_search_locations)), ".mim", "configs")
    full = os.path.normpath(os.path.join(top, name))
    if not full.startswith(top + os.sep):
        raise _unreadable(f"{package}::{name}: lies outside of the package's configs")
    try:
        with open(full, "rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise NotFoundError(f"{package}::{name}: {error.strerror}", kind="config-base") from error


def _substituted(path: str, text: str) -> str:
    """Put in what MMEngine does before it parses: the file's own name, and variables' defaults."""
    own = path.rpartition("::")[2]
    base = posixpath.basename(own)
    stem, extension = posixpath.splitext(base)
    words = {
        "fileDirname": posixpath.dirname(own), "fileBasename": base,
        "fileBasenameNoExtension": stem, "fileExtname": extension,
    }  # fmt: skip
    text = _FILE_WORDS.sub(lambda found: words[found[1]], text)
    text = _ENVIRONMENT.sub(lambda found: found[2].strip(), text)
    if len(text) > MAX_BYTES:
        raise _unreadable(f"{path}: {len(text):,} characters are more than any config has")
    return text


def _no_base_inside(path: str) -> Callable[[str], str]:
    """Return what refuses ``'{{_base_.x}}'`` in a string, which MMEngine leaves in there."""

    def check(text: str) -> str:
        if _WHOLE.search(text):
            raise _unreadable(f"{path}: {text!r:.80} must stand without quotes")
        return text

    return check


def _replaced(value: Any, path: str, base: Mapping[str, Any]) -> Any:
    """Put values of the bases in place of ``{{_base_.x}}`` in a YAML or JSON config."""
    if isinstance(value, dict):
        return {name: _replaced(one, path, base) for name, one in value.items()}
    if isinstance(value, list):
        return [_replaced(one, path, base) for one in value]
    whole = _WHOLE.fullmatch(value) if isinstance(value, str) else None
    if whole is None:
        return value
    found: Any = base
    for part in whole[1].split("."):
        if not isinstance(found, dict) or part not in found:
            raise _unreadable(f"{path}: no base has {whole[1]}")
        found = found[part]
    return found


def _unreadable(message: str) -> FormatError:
    return FormatError(
        message,
        hint="veml reads configs and never runs them; write it out, or use --trust",
        kind="config-not-readable",
    )
