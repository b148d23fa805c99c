"""Which parts of a detector can be exported: those whose predicting is done here, too.

A part is known by the class that defines how it predicts, not by its name: heads that only differ
in what is learnt inherit that, and heads that predict in a way of their own are refused instead of
exported wrongly.
"""

from __future__ import annotations

from typing import Any

from veml_vcs.errors import FormatError

_SAID = {
    "custom_activation": "a loss with an activation of its own",
    "no_box": "a head that moves no boxes",
    "max_pooling": "RoIAlign by maxima",
    "other_nms": "another suppression of boxes than nms with an iou_threshold",
    "no_scores": "an nms that is not there",
}


def owner(part: Any, method: str) -> str:
    """Return the name of the class that defines a method of a part."""
    found = getattr(getattr(type(part), method, None), "__qualname__", "")
    return str(found).partition(".")[0]


def require(place: str, part: Any, method: str, known: str) -> None:
    """Refuse a part that predicts in a way of its own.

    Args:
        place: Where it stands in the config, for the message.
        part: The part.
        method: What it would be called with.
        known: Name of the class that has to define this.

    Raises:
        FormatError: Another class does.
    """
    if owner(part, method) != known:
        raise cannot_export(f"{place} is {type(part).__name__}, which predicts in a way of its own")


def refuse_parts(**wrong: bool) -> None:
    """Refuse what is true, by the words of ``_SAID``.

    Raises:
        FormatError: One is.
    """
    for name, found in wrong.items():
        if found:
            raise cannot_export(f"the model has {_SAID[name]}")


def cannot_export(what: str) -> FormatError:
    """Return the error of a model that cannot be exported."""
    return FormatError(
        f"{what}; it cannot be exported",
        hint="what can: docs/deploy.md, 'What can be exported'",
        kind="cannot-export",
    )


def step_of(value: Any) -> tuple[int, int]:
    """Return two whole numbers, given as one or two."""
    if isinstance(value, int):
        return value, value
    first, second = value
    return int(first), int(second)


def other_nms(said: Any) -> bool:
    """Tell whether something else than plain suppression chooses among boxes.

    Args:
        said: The config's ``nms``.
    """
    known = {"type", "iou_threshold", "class_agnostic", "max_num", "split_thr"}
    return said.get("type", "nms") != "nms" or bool(said.keys() - known)
