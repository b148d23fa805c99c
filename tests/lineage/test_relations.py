"""What the answers of the lineage have to do with each other, over histories made with git.

``test_engines`` compares each answer with plain Python; here one question is held against another,
and one form of an answer against the next, as somebody would who does not believe either.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterable
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.lineage.kit import History, data_record, model_record, training_record, wander
from tests.repository.conftest import isolated
from veml_cli.render.line import Line
from veml_cli.render.lineage import around_lines, impact_lines, path_lines
from veml_vcs.lineage.ask import RepositoryLineage, lineage
from veml_vcs.lineage.changed import changed
from veml_vcs.lineage.find import find
from veml_vcs.lineage.graph import VERSIONS, Edge, Node
from veml_vcs.lineage.page import page_of
from veml_vcs.lineage.related import common
from veml_vcs.lineage.text import to_dot, to_mermaid
from veml_vcs.repository import Repository
from veml_vcs.repository.git.repo import blob_id

__all__ = ["isolated"]

_DIGITS = re.compile(r"  ([0-9a-f]{10})\b")
_FEW = 7


@settings(
    max_examples=max(3, settings().max_examples // 10),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(chance=st.randoms(use_true_random=False), steps=st.integers(5, 25))
def test_one_answer_agrees_with_the_next(isolated: Path, chance: random.Random, steps: int) -> None:
    with TemporaryDirectory(dir=isolated) as folder:
        history = History(Path(folder) / "project")
        data, model = data_record(1), model_record(50)
        trained = training_record(blob_id(data), blob_id(model))
        history.commit({"d0.veml": data, "models/m0.veml": model, "trainings/t0.veml": trained})
        for _ in range(steps):
            try:
                wander(history, chance)
            except AssertionError:  # git refused: a merge in conflict, nothing before HEAD
                history.git("reset", "-q", "--hard")
        commits = history.git("rev-list", "--branches", "--tags", "HEAD").split()
        some = chance.sample(commits, min(len(commits), 3))
        with Repository(str(history.root)) as repo, lineage(repo) as asked:
            every = find(asked)
            check_counts(asked, every)
            starts = chance.sample(every, min(len(every), _FEW))
            for one, other in product(starts, starts):
                check_two(asked, one, other)
            for one in starts:
                check_forms(asked, one)
                if one.kind == "data":
                    check_impact(asked, one)
            for old, new in product(some, some):
                check_changed(asked, old, new)


def check_counts(asked: RepositoryLineage, every: list[Node]) -> None:
    """As many are counted as are listed, with those that are only named."""
    counts = asked.store.counts()
    there = asked.store.find("", 10**6)
    kinds = ("commit", *VERSIONS)
    assert Counter(one.kind for one in there) == Counter({one: counts.get(one, 0) for one in kinds})
    known = [one for one in there if one.known and one.kind in VERSIONS]
    assert sorted(ids(every)) == ids(known)
    for kind in VERSIONS:
        assert find(asked, [kind]) == [one for one in every if one.kind == kind]


def check_two(asked: RepositoryLineage, one: Node, other: Node) -> None:
    """What one came from is what the other went into, and there is a way between them."""
    up, down = asked.around(one.id, "up").part, asked.around(other.id, "down").part
    comes_from = other.id in up.nodes
    assert comes_from == (one.id in down.nodes)
    way, back = asked.path(one.id, other.id), asked.path(other.id, one.id)
    assert (way is None) == (back is None)
    if comes_from:
        assert up.steps[other.id] == down.steps[one.id]
        assert way is not None
        assert len(way.edges) <= up.steps[other.id]
    if way is not None and back is not None:
        assert len(way.edges) == len(back.edges)
        assert (
            ids(way.nodes)[:: len(way.edges) or 1][:2] == [one.id, other.id][: 1 + (one != other)]
        )
    found = common(asked, one.id, other.id)
    both = up.nodes.keys() & asked.around(other.id, "up").part.nodes.keys()
    assert set(ids(found.ancestors)) <= both
    assert bool(found.ancestors) == bool(both)
    assert ids(common(asked, other.id, one.id).ancestors) == ids(found.ancestors)
    if comes_from:
        assert other.id in ids(found.ancestors)
    for node, (first, second) in zip(found.ancestors, found.ways, strict=True):
        assert len(first.edges) == up.steps[node.id]
        assert ids(first.nodes)[-1] == ids(second.nodes)[-1] == node.id


def check_impact(asked: RepositoryLineage, data: Node) -> None:
    """What was trained on data is touched by it, and all that is came from it."""
    found = asked.impact(data.id)
    touched = set(ids([*found.of_kind("training"), *found.of_kind("inference")]))
    assert touched <= asked.around(data.id, "down").part.nodes.keys()
    trained = find(asked, ["training", "inference"], trained_on=[data.id])
    assert set(ids(trained)) <= touched
    models = set(ids(find(asked, ["model"], trained_on=[data.id])))
    uses = asked.store.edges_from(ids(trained), ("uses",))
    known = {one.id for one in asked.store.nodes([e.target for e in uses]).values() if one.known}
    assert models == known
    told = [one for text in impact_lines(found) for one in digits([text])]
    assert Counter(told) == Counter(one[:10] for one in found.part.nodes if one[:10] in told)
    assert {one[:10] for one in touched} <= set(told)


def check_changed(asked: RepositoryLineage, old: str, new: str) -> None:
    """One way round says what the other does; and what came is what was found of one alone."""
    there, back = changed(asked, old, new), changed(asked, new, old)
    mirrored = {"new": "gone", "gone": "new", "revised": "revised"}
    assert [(one.what, one.path, one.before, one.after) for one in there.changes] == [
        (mirrored[one.what], one.path, one.after, one.before) for one in back.changes
    ]
    assert (there.between, there.left) == (back.left, back.between)
    before, after = (set(ids(find(asked, at=one))) for one in (old, new))
    stands = {one.id for change in there.changes for one in (change.before, change.after) if one}
    assert set(ids(there.between)) <= after - before
    for change in there.changes:
        assert change.before is None or change.before.id in before
        assert change.after is None or change.after.id in after
    files = {str(one.blob) for rev in (old, new) for one in
             asked.repo.git.files(asked.repo.resolve(rev)).values()}  # fmt: skip
    assert after - before <= set(ids(there.between)) | files
    assert set(ids(there.between)).isdisjoint(stands)
    assert {one.source for one in there.edges} <= after - before


def check_forms(asked: RepositoryLineage, one: Node) -> None:
    """Text, JSON, Mermaid, Graphviz and a page tell of the same versions and edges."""
    for way in ("up", "down", "both"):
        found = asked.around(one.id, way)
        part = found.part
        same(asked, found.as_dict(), list(part.nodes.values()), part.edges)
        lines = list(around_lines(found))
        assert set(digits(lines)) == {node[:10] for node in part.nodes}
        if way != "both":  # each edge is a line, from its far end
            far = [edge.target if way == "up" else edge.source for edge in part.edges]
            assert Counter(digits(lines[1:])) == Counter(end[:10] for end in far)
    near = asked.around(one.id, "both", 1)
    assert set(digits(around_lines(near, 1))) == {node[:10] for node in near.part.nodes}
    for end in list(found.part.nodes)[-2:]:
        way_there = asked.path(one.id, end)
        assert way_there is not None
        same(asked, way_there.as_dict(), way_there.nodes, way_there.edges)
        assert digits(path_lines(way_there)) == [node[:10] for node in ids(way_there.nodes)]


def same(
    asked: RepositoryLineage, told: dict[str, list[dict[str, str]]], nodes: Iterable[Node],
    edges: Iterable[Edge],
) -> None:  # fmt: skip
    nodes, edges = list(nodes), list(edges)
    right = sorted(ids(nodes))
    ends = sorted((one.source, one.kind, one.target) for one in edges)
    assert sorted(one["id"] for one in told["nodes"]) == right
    assert sorted((one["source"], one["kind"], one["target"]) for one in told["edges"]) == ends
    page = page_of(asked, nodes, edges, title="")
    assert sorted(one["id"] for one in page.nodes) == right
    assert sorted((one["source"], one["kind"], one["target"]) for one in page.edges) == ends
    dot = to_dot(nodes, edges)
    assert sorted(re.findall(r'^  "(\w+)" \[', dot, re.MULTILINE)) == right
    drawn = re.findall(r'^  "(\w+)" -> "(\w+)" \[label="(\w+)"\]', dot, re.MULTILINE)
    assert sorted((source, kind, target) for source, target, kind in drawn) == ends
    mermaid = to_mermaid(nodes, edges)
    labels = dict(re.findall(r'^  (n\d+)\S*".* (\w{7})"', mermaid, re.MULTILINE))
    assert sorted(labels.values()) == [one[:7] for one in right]
    arrows = re.findall(r"^  (n\d+) -->\|(\w+)\| (n\d+)$", mermaid, re.MULTILINE)
    assert sorted((labels[source], kind, labels[target]) for source, kind, target in arrows) == [
        (source[:7], kind, target[:7]) for source, kind, target in ends
    ]


def digits(lines: Iterable[Line]) -> list[str]:
    """Return the ids on some lines, in order."""
    return [one for line in lines for one in _DIGITS.findall(line.plain)]


def ids(nodes: Iterable[Node]) -> list[str]:
    return [one.id for one in nodes]
