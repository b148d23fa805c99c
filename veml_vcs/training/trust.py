"""What a config may name without being trusted: what the engine itself registers, and no more.

MMEngine takes a ``type`` with dots as the path of anything that can be imported, and calls it with
the config's own arguments: ``dict(type='os.system', command='...')``. A config that is only read
could so run whatever its author likes on whoever trains it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from veml_vcs.errors import FormatError

_WRITING = frozenset({
    "CheckpointHook", "LoggerHook", "ProfilerHook", "NPUProfilerHook", "DumpResults",
    "DetVisualizationHook", "TrackVisualizationHook", "GroundingVisualizationHook",
    "RFSearchHook", "CameraMotionCompensation",
})  # fmt: skip
"""Registered, and able to write where the config says, or (the last two) to ``eval`` its texts."""

_OPERATORS = frozenset({
    "nms", "soft_nms", "nms_match", "RoIAlign", "RoIPool", "SimpleRoIAlign", "DeformRoIPoolPack",
    "ModulatedDeformRoIPoolPack",
})  # fmt: skip
"""Looked up in ``mmcv.ops`` by name, and in no registry. That of an NMS goes through ``eval``."""

_SCOPES = ("mmdet", "mmengine", "mmcv")


def refuse_foreign_types(
    config: Mapping[str, Any], model: str, own: frozenset[str] = frozenset()
) -> None:
    """Refuse a config that names anything but what MMEngine, MMCV and MMDetection register.

    Args:
        config: The final config, nested and plain.
        model: The model's name, for messages.
        own: What veml itself builds by name for the task.

    Raises:
        FormatError: It does.
    """
    known = _registered() | _OPERATORS | own
    for key, name in _types(config, ""):
        scope, dot, short = name.partition(".")
        plain = short if dot and scope in _SCOPES and "." not in short else name
        if plain not in known and not _registered_class(name):
            raise FormatError(
                f"model {model!r}: {key} is {name!r:.120}, which is none of the parts that "
                "MMEngine, MMCV and MMDetection register",
                hint="a typing error? --trust lets a config name any code: it can do whatever "
                "you can",
                kind="not-trusted",
            )
        if plain.rpartition(".")[2] in _WRITING:
            raise FormatError(
                f"model {model!r}: {key} is {name}, which writes files, or runs texts, as the "
                "config says",
                hint="leave it out: veml keeps log and weights by itself; or --trust",
                kind="not-trusted",
            )


def _types(value: Any, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        found = value.get("type")
        if isinstance(found, str):
            yield f"{key}.type" if key else "type", found
        for name, one in value.items():
            yield from _types(one, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list | tuple):
        for place, one in enumerate(value):
            yield from _types(one, f"{key}.{place}")


def _registries() -> list[Any]:
    from mmengine import registry

    roots = [one for one in vars(registry).values() if isinstance(one, registry.Registry)]
    return [*roots, *(child for root in roots for child in root.children.values())]


def _registered() -> frozenset[str]:
    return frozenset(name for one in _registries() for name in one.module_dict)


def _registered_class(name: str) -> bool:
    """Tell whether a path of modules (as newer configs write a type) leads to a registered part."""
    if name.partition(".")[0] not in (*_SCOPES, "torch"):
        return False
    from mmengine.utils import get_object_from_string

    found = get_object_from_string(name)
    return any(found is one for each in _registries() for one in each.module_dict.values())
