"""YAML from strangers: plain data alone, small, each name once.

For YOLO's ``data.yaml``. Beyond PyYAML's safe loader this refuses tags, bombs made of aliases,
names that stand twice in a mapping, and numbers that JSON does not have; what JSON has no type for
(dates) stays the text it is.
"""

from __future__ import annotations

import re
from math import isfinite
from typing import Any

import yaml

from veml_vcs.samples.formats.text import decode, malformed

_LARGEST_BYTES = 4 << 20
_MOST_ALIASES = 32
"""Enough for people; too few to build a bomb (3 ** (32 / 3) is about 10 ** 5 nodes)."""
_HALF = re.compile("[\ud800-\udfff]")
_DEEPEST = 32


class _PlainLoader(yaml.SafeLoader):
    """Gives JSON values; dates stay text."""


_PlainLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in rules if tag != "tag:yaml.org,2002:timestamp"]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


class _PlainDumper(yaml.SafeDumper):
    """Quotes what PyYAML would break lines at, and not put together again (NEL, LS, PS)."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None if text.isprintable() else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_PlainDumper.add_representer(str, _represent_text)


def parse_yaml(data: bytes, key: str) -> Any:
    """Parse a YAML file into JSON values.

    Args:
        data: The file, UTF-8.
        key: Its name, for messages.

    Raises:
        FormatError: Not UTF-8, not YAML, too large, too deep, tags other than JSON's types, too
            many aliases, a name twice in a mapping, NaN or an infinity.
    """
    return _jsonable(_load(data, key, _PlainLoader), key, 0)


def parse_yaml_text(data: bytes, key: str) -> Any:
    """As ``parse_yaml``, but scalars are the text they stand as: ``no`` is not false, 007 not 7."""
    return _load(data, key, yaml.BaseLoader)


def dump_yaml(value: Any) -> bytes:
    """Return JSON values as YAML, names in the order given."""
    text = yaml.dump(value, Dumper=_PlainDumper, sort_keys=False, allow_unicode=True, width=100)
    return str(text).encode()


def _load(data: bytes, key: str, loader: type[yaml.SafeLoader] | type[yaml.BaseLoader]) -> Any:
    if len(data) > _LARGEST_BYTES:
        raise malformed(key, "", f"at most {_LARGEST_BYTES} bytes of YAML", f"{len(data)}")
    text = decode(data, key)
    try:
        _check_events(text, key)
        return yaml.load(text, Loader=loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = "" if mark is None else f"line {mark.line + 1}"
        raise malformed(key, place, "plain YAML", error.problem or str(error)) from error
    except (yaml.YAMLError, ValueError, TypeError) as error:
        # ValueError and TypeError: impossible dates, binary, names that cannot be a key.
        raise malformed(key, "", "plain YAML", str(error)) from error
    except RecursionError as error:
        raise malformed(key, "", f"at most {_DEEPEST} levels of nesting", "more") from error


def _check_events(text: str, key: str) -> None:
    """Refuse bombs, depth and repeated names before anything is built."""
    aliases = 0
    seen: list[set[str] | None] = []
    is_name: list[bool] = []
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        place = f"line {event.start_mark.line + 1}" if event.start_mark else ""
        starts_node = isinstance(event, yaml.NodeEvent)
        if starts_node and seen and (names := seen[-1]) is not None:
            if is_name[-1] and isinstance(event, yaml.ScalarEvent):
                if event.value in names:
                    raise malformed(
                        key, place, "each name once in a mapping", f"{event.value!r} twice"
                    )
                names.add(event.value)
            is_name[-1] = not is_name[-1]
        if isinstance(event, yaml.ScalarEvent) and _HALF.search(event.value):
            found = f"half a surrogate pair in {event.value[:40]!a}"
            raise malformed(key, place, "whole characters", found)
        if isinstance(event, yaml.AliasEvent):
            aliases += 1
            if aliases > _MOST_ALIASES:
                raise malformed(key, place, f"at most {_MOST_ALIASES} aliases", "more")
        elif isinstance(event, yaml.CollectionStartEvent):
            is_mapping = isinstance(event, yaml.MappingStartEvent)
            seen.append(set() if is_mapping else None)
            is_name.append(is_mapping)
            if len(seen) > _DEEPEST:
                raise malformed(key, place, f"at most {_DEEPEST} levels of nesting", "more")
        elif isinstance(event, yaml.CollectionEndEvent):
            seen.pop()
            is_name.pop()


def _jsonable(value: Any, key: str, depth: int) -> Any:
    """Return a copy made of JSON values alone."""
    if depth > _DEEPEST:
        raise malformed(key, "", f"at most {_DEEPEST} levels of nesting", "an alias of itself")
    if isinstance(value, dict):
        result = {str(name): _jsonable(item, key, depth + 1) for name, item in value.items()}
        if len(result) != len(value):
            raise malformed(key, "", "names that differ as text", ", ".join(map(repr, value)))
        return result
    if isinstance(value, list):
        return [_jsonable(item, key, depth + 1) for item in value]
    if isinstance(value, float) and not isfinite(value):
        raise malformed(key, "", "finite numbers", str(value))
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    raise malformed(key, "", "plain YAML", f"a {type(value).__name__}")
