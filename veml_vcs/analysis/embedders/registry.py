"""Embedders by name. A table, not a plug-in mechanism: an id must mean the same everywhere."""

from __future__ import annotations

from collections.abc import Callable

from veml_vcs.analysis.embedders import efficientnet
from veml_vcs.analysis.embedders.base import Embedder
from veml_vcs.errors import NotFoundError

DEFAULT_EMBEDDER = efficientnet.NAME

_EMBEDDERS: dict[str, Callable[[], Embedder]] = {
    efficientnet.NAME: efficientnet.EfficientNetLite0,
}


def embedder_names() -> tuple[str, ...]:
    """List the names that `get_embedder` knows, sorted."""
    return tuple(sorted(_EMBEDDERS))


def get_embedder(name: str = DEFAULT_EMBEDDER) -> Embedder:
    """Return an embedder. Nothing is loaded, and no package is needed, until it embeds.

    Raises:
        NotFoundError: No embedder has this name; the message lists those there are.
    """
    try:
        return _EMBEDDERS[name]()
    except KeyError:
        known = ", ".join(embedder_names())
        raise NotFoundError(
            f"embedder {name!r}: not known, expected one of: {known}", kind="embedder"
        ) from None
