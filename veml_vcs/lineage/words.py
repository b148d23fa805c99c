"""The graph in words: what an edge says from either end, and what is worth saying of a version.

Where they are written, and in what colours, is the business of whoever writes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from veml_vcs.lineage.graph import Edge, EdgeKind, Node

_FORWARD: Mapping[str, str] = {"drifted_from": "compared with"}  # whatever came out
_BACKWARD: Mapping[EdgeKind, str] = {
    "revision_of": "revised by", "derived_from": "source of", "trained_on": "trained",
    "uses": "used by", "initialised_from": "start of", "deployed_from": "deployed as",
    "measured_on": "measured", "transferred_from": "transferred to", "rebuilt_from": "rebuilt as",
    "drifted_from": "compared with", "similar_to": "similar to",
}  # fmt: skip
METRICS = ("mAP", "accuracy", "MAE", "bbox_mAP")


def edge_word(edge: Edge, forward: bool) -> str:
    """Say what one end of an edge has to do with the other.

    Args:
        edge: Between versions.
        forward: As read from the newer end.
    """
    if edge.kind == "trained_on" and edge.props.get("roles", ()) == ["val"]:
        return "validated on" if forward else "validated"
    if forward:
        return _FORWARD.get(edge.kind, edge.kind.replace("_", " "))
    return _BACKWARD[edge.kind]


def version_facts(node: Node) -> Iterator[str]:
    """Yield what is worth saying of a version beside its name: how large, what kind, how good."""
    props = node.props
    if node.kind == "data":
        count = int(props.get("samples", 0))
        yield f"{count:,} sample{'s' * (count != 1)}"
    if props.get("status") == "partial":
        yield "partial"
    if "format" in props and node.kind == "inference":
        small = props.get("quantisation", "none")
        yield f"{props['format']}" + (f" {small}" if small != "none" else "")
    metrics = props.get("metrics", {})
    for name in METRICS:
        if name in metrics:
            yield f"{name} {metrics[name]:.3g}"
            break
