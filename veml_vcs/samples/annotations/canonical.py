"""The canonical form of JSON values: one sequence of bytes for one value, whoever writes it.

An annotation's id is the SHA-256 of its canonical form, and records and manifests are hashed in it
too, so the form must not depend on key order, blanks, or on whether a tool wrote 48 or 48.0. It is
RFC 8785 (JSON Canonicalization Scheme): keys sorted by UTF-16 code units, no blanks, strings and
numbers as ECMAScript's ``JSON.stringify`` prints them, UTF-8.

One deviation: an ``int`` is written with all its digits, also beyond 2**53, where RFC 8785 would
round it to a double. Ids of that size exist (hashes, snowflakes) and must not collide. A ``float``
is always written as the RFC says.

Two writers produce the form. ``_exact`` is the definition: it handles everything, and names the
place of what it refuses. ``_prepare`` makes the common case fast: it turns whole floats into ints
and leaves the printing to the C encoder of ``json``, which then agrees with the RFC. Whatever
looks unusual goes to ``_exact``; a property test holds the two together.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any, NoReturn

from veml_vcs.errors import DamagedError, InvalidInputError
from veml_vcs.ids import AnnotationId, Buffer, digest
from veml_vcs.samples.facts import Annotation

MAX_DEPTH = 100
"""Lists and dicts inside each other, the outermost included. Python's own limit is near 1000."""

_WHOLE_LIMIT = 2.0**53
_PLAIN = frozenset((str, int, bool, type(None)))
_NUMBERS = frozenset((float, int))
_FLOATS = frozenset((float,))
_LAST_OF_BMP = "\uffff"
_NAME = re.compile(r"[^\W\d][\w-]*")
_EXPONENT = re.compile(r"\de-\d")
_encoder = json.JSONEncoder(
    ensure_ascii=False,
    check_circular=False,
    allow_nan=False,
    sort_keys=True,
    separators=(",", ":"),
)
_encode_text = json.encoder.encode_basestring
_new_encoder = getattr(json.encoder, "c_make_encoder", None)
_encode: Callable[[Any], str] = _encoder.encode
if _new_encoder is not None:
    # ``JSONEncoder.encode`` makes one of these for each call, which costs more than a small value.
    _pieces = _new_encoder(None, _encoder.default, _encode_text, None, ":", ",", True, False, False)

    def _encode_fast(value: Any) -> str:
        return "".join(_pieces(value, 0))

    _encode = _encode_fast


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"the constant {name}")


_decode = json.JSONDecoder(parse_constant=_refuse_constant).decode


def canonical_json(value: Any, *, what: str = "value") -> bytes:
    """Return the canonical form of a JSON value.

    Args:
        value: ``dict`` with ``str`` keys, ``list``, ``str``, ``int``, finite ``float``, ``bool`` or
            ``None``, nested at most ``MAX_DEPTH`` deep. Subclasses count as what they derive from
            (``StrEnum`` as ``str``); a ``tuple`` is refused, for it would not come back as one.
        what: Names the value in messages.

    Raises:
        InvalidInputError: The value is not JSON: names the place, what was expected and found.
    """
    data = _fast(value)
    if data is not None:
        return data
    parts: list[str] = []
    _exact(value, "", MAX_DEPTH, parts.append, what)
    return "".join(parts).encode()


def canonical_bytes(annotation: Annotation) -> bytes:
    """Return the canonical form of an annotation.

    Raises:
        InvalidInputError: It is not a dict, or holds something that is not JSON; the message begins
            with the place, for example ``objects[3].xywh[1]``.
    """
    if not isinstance(annotation, dict):
        raise InvalidInputError(f"annotation: expected a dict, found {_describe(annotation)}")
    return canonical_json(annotation, what="annotation")


def annotation_id(annotation: Annotation) -> AnnotationId:
    """Return the SHA-256 of an annotation's canonical form.

    Raises:
        InvalidInputError: As for ``canonical_bytes``.
    """
    return AnnotationId(digest(canonical_bytes(annotation)))


def has_id(annotation: Annotation, expected: AnnotationId) -> bool:
    """Tell whether an annotation's id is ``expected``.

    Faster than computing the id where the values are in canonical form already, as those read
    from the store are: then the encoder's plain output is it. Equal digests prove the rest.
    """
    try:
        if digest(_encode(annotation).encode()) == expected:
            return True
    except (TypeError, ValueError, RecursionError):
        pass  # not for the plain encoder; the exact one below says what is wrong
    return annotation_id(annotation) == expected


def parse(data: Buffer) -> Annotation:
    """Read an annotation back from its canonical form, so that writing it gives ``data`` again.

    Numbers come back as the type their text suggests: what was 48.0 comes back as 48.

    Raises:
        DamagedError: ``data`` is not UTF-8, not JSON, or not a JSON object.
    """
    try:
        value = _decode(str(data, "utf-8"))
    except (ValueError, RecursionError) as error:
        raise DamagedError(f"annotation: expected canonical JSON, found {error}") from error
    if not isinstance(value, dict):
        raise DamagedError(f"annotation: expected a JSON object, found {_describe(value)}")
    return value


def child_path(path: str, key: str) -> str:
    """Name a field of the value at ``path``: ``a.b``; ``a["b c"]`` if the key is no plain word."""
    if not _NAME.fullmatch(key):
        return f"{path}[{json.dumps(key)}]"
    return f"{path}.{key}" if path else key


def number_text(number: float) -> str:
    """Print a finite float as ECMAScript does (ECMA-262, ``Number::toString``).

    Python's ``repr`` finds the same shortest digits; only where the point goes, and from where on
    an exponent is used, differs.
    """
    if number == 0:
        return "0"
    mantissa, _, exponent = float.__repr__(abs(number)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    # The value is 0.DIGITS times ten to the power of ``point``.
    point = len(whole) + int(exponent or 0) - (len(whole) + len(fraction) - len(digits))
    digits = digits.rstrip("0")
    sign = "-" if number < 0 else ""
    if len(digits) <= point <= 21:
        return sign + digits.ljust(point, "0")
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    tail = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{tail}e{point - 1:+d}"


class _UnusualError(Exception):
    """The value needs ``_exact``: an odd type or key, a huge float, or an error to be named."""


def _fast(value: Any) -> bytes | None:
    """Print the value with the C encoder, or return None where that may not be canonical."""
    try:
        text = _encode(_prepare(value, MAX_DEPTH))
        data = text.encode()
    except (_UnusualError, TypeError, ValueError):
        return None
    # Python writes 1e-05 where ECMAScript writes 0.00001: such a text cannot stay. The plain search
    # is many times faster than the expression, and nearly always enough.
    if "e-" in text and _EXPONENT.search(text):
        return None
    return data


def _prepare(value: Any, depth: int) -> Any:
    """Return the value such that the C encoder prints it canonically, copying only what changes."""
    kind = type(value)
    if kind is dict:
        return _prepare_dict(value, depth)
    if kind is list:
        return _prepare_list(value, depth)
    if kind is float:
        return _prepare_float(value)
    if kind in _PLAIN:
        return value
    raise _UnusualError


def _prepare_dict(value: dict[str, Any], depth: int) -> dict[str, Any]:
    if not depth:
        raise _UnusualError
    names = "".join(value)  # a key that is no str raises TypeError here
    if not names.isascii() and max(names) > _LAST_OF_BMP:
        raise _UnusualError  # only up to there do code points sort as UTF-16 code units do
    result = value
    for key, item in value.items():
        if type(item) in _PLAIN:
            continue
        prepared = _prepare(item, depth - 1)
        if prepared is not item:
            if result is value:
                result = value.copy()
            result[key] = prepared
    return result


def _prepare_list(value: list[Any], depth: int) -> list[Any]:
    if not depth:
        raise _UnusualError
    kinds = set(map(type, value))
    if kinds <= _PLAIN:
        return value
    if kinds == _FLOATS:
        if any(map(float.is_integer, value)):
            return list(map(_prepare_float, value))
        return value
    if kinds == _NUMBERS:
        return [_prepare_float(item) if type(item) is float else item for item in value]
    return [_prepare(item, depth - 1) for item in value]


def _prepare_float(value: float) -> float | int:
    if not value.is_integer():
        return value
    if -_WHOLE_LIMIT < value < _WHOLE_LIMIT:
        return int(value)
    raise _UnusualError


def _exact(value: Any, path: str, depth: int, emit: Any, what: str) -> None:
    """Write any JSON value canonically, piece by piece, or say what is wrong with it, and where."""
    if value is None:
        emit("null")
    elif value is True:
        emit("true")
    elif value is False:
        emit("false")
    elif isinstance(value, str):
        emit(_exact_text(value, path or what))
    elif isinstance(value, int):
        try:
            emit(int.__repr__(value))
        except ValueError:  # Python's guard against quadratic conversion
            _refuse(path or what, "an integer of sane length", f"{value.bit_length()} bits")
    elif isinstance(value, float):
        if not math.isfinite(value):
            _refuse(path or what, "a finite number", str(float(value)))
        emit(number_text(value))
    elif isinstance(value, dict | list):
        if not depth:
            _refuse(path or what, f"at most {MAX_DEPTH} levels of nesting", "more")
        if isinstance(value, dict):
            _exact_dict(value, path, depth, emit, what)
        else:
            _exact_list(value, path, depth, emit, what)
    else:
        _refuse(path or what, "a JSON value", _describe(value))


def _exact_dict(value: dict[Any, Any], path: str, depth: int, emit: Any, what: str) -> None:
    for key in value:
        if not isinstance(key, str):
            _refuse(path or what, "only str keys", f"the key {key!r:.80} ({type(key).__name__})")
    separator = "{"
    for key in sorted(value, key=_utf16):
        emit(separator)
        place = child_path(path, key)
        emit(_exact_text(key, place))
        emit(":")
        _exact(value[key], place, depth - 1, emit, what)
        separator = ","
    emit("}" if value else "{}")


def _exact_list(value: list[Any], path: str, depth: int, emit: Any, what: str) -> None:
    separator = "["
    for position, item in enumerate(value):
        emit(separator)
        _exact(item, f"{path}[{position}]", depth - 1, emit, what)
        separator = ","
    emit("]" if value else "[]")


def _exact_text(text: str, path: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        _refuse(
            path, "text that can be written as UTF-8", f"the lone surrogate {text[error.start]!a}"
        )
    return _encode_text(text)


def _utf16(key: str) -> bytes:
    return key.encode("utf-16-be", "surrogatepass")


def _describe(value: Any) -> str:
    return f"{type(value).__name__} {value!r:.80}"


def _refuse(path: str, expected: str, found: str) -> NoReturn:
    if len(path) > 200:
        path = f"{path[:80]} ... {path[-80:]}"
    raise InvalidInputError(f"{path}: expected {expected}, found {found}")
