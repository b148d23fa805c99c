"""The graph as text for other programs: Mermaid and Graphviz."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from veml_vcs.lineage.graph import Edge, Node

_SHAPES = {"data": "cylinder", "model": "box", "training": "ellipse", "inference": "component"}
# Both read entities in a label: a name that looks like one would be shown as another name.
_MERMAID = {"&": "&amp;", '"': "&quot;", "<": "&lt;", "#": "#35;"}
_DOT = {"&": "&amp;", '"': '\\"', "\\": "\\\\"}


def to_mermaid(nodes: Iterable[Node], edges: Iterable[Edge]) -> str:
    """Return a flowchart for Mermaid, newest at the top."""
    return "\n".join(_mermaid(list(nodes), edges)) + "\n"


def to_dot(nodes: Iterable[Node], edges: Iterable[Edge]) -> str:
    """Return a digraph for Graphviz, newest at the top."""
    lines = ["digraph lineage {", "  rankdir=TB;"]
    lines += [
        f"  {_quoted(one.id)} [label={_quoted(_label(one))}, "
        f"shape={_SHAPES.get(one.kind, 'plain')}];"
        for one in nodes
    ]
    lines += [
        f'  {_quoted(one.source)} -> {_quoted(one.target)} [label="{one.kind}"];' for one in edges
    ]
    return "\n".join([*lines, "}"]) + "\n"


def _mermaid(nodes: list[Node], edges: Iterable[Edge]) -> Iterator[str]:
    number = {one.id: f"n{place}" for place, one in enumerate(nodes)}
    yield "flowchart TB"
    for one in nodes:
        label = "".join(_MERMAID.get(char, char) for char in _label(one))
        left, right = ("[(", ")]") if one.kind == "data" else ("[", "]")
        yield f'  {number[one.id]}{left}"{label}"{right}'
    for edge in edges:
        yield f"  {number[edge.source]} -->|{edge.kind}| {number[edge.target]}"


def _label(node: Node) -> str:
    text = f"{node.kind} {node.name or '(in no commit)'} {node.id[:7]}"
    return "".join(char if char.isprintable() else " " for char in text)


def _quoted(text: str) -> str:
    """Return a text as Graphviz takes it; two stay two, since ids of facts are names."""
    signs = (_DOT.get(char, char) if char.isprintable() else f"&#{ord(char)};" for char in text)
    return f'"{"".join(signs)}"'
