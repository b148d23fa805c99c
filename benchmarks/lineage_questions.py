"""What ``benchmarks.lineage`` asks: every question of the protocol, and of the commands."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sized
from dataclasses import dataclass
from typing import Any

from veml_vcs.lineage.ask import RepositoryLineage
from veml_vcs.lineage.changed import changed
from veml_vcs.lineage.compare import compare
from veml_vcs.lineage.conditions import parse_condition
from veml_vcs.lineage.find import find
from veml_vcs.lineage.graph import Node
from veml_vcs.lineage.related import chain, common, neighbours


@dataclass(frozen=True)
class Question:
    """One question.

    Attributes:
        name: For people.
        ask: Asks it of a lineage.
    """

    name: str
    ask: Callable[[RepositoryLineage], Any]

    def size(self, answer: Any) -> int:
        """Return how many nodes, or what else is listed, an answer has."""
        part = getattr(answer, "part", answer)
        for inside in ("nodes", "changes", "rows"):
            part = getattr(part, inside, part)
        return len(part) if isinstance(part, Sized) else int(part is not None)


def questions(asked: RepositoryLineage) -> Iterator[Question]:
    """Yield each question."""
    store = asked.store
    trainings = sorted(store.listed("training"), key=lambda one: int(one.props.get("seed", 0)))
    tuned = [one for one in trainings if one.props["seed"] % 4 == 2]  # one long chain
    short = [one for one in trainings if one.props["seed"] % 4 == 3]
    new, half, old = (_at(tuned, part) for part in (0.999, 0.5, 0.001))
    near = _at(tuned, 0.998)
    other = _at(short, 0.999)
    data = asked.version("data/d1")
    early = asked.version("data/d1@main~" + str(int(len(trainings) * 1.9)))
    deployed = max(store.listed("inference"), key=lambda one: int(one.props["bytes"]))
    models = store.listed("model")
    hub = _used_most(asked, models)
    head, back, far = (asked.repo.resolve(f"main~{n}") for n in (0, 20, len(trainings)))
    late = int(new.props["seed"]) - 4000
    before = [parse_condition("mAP>.4"), parse_condition(f"seed>={late}")]
    few = [parse_condition("mAP>.997")]

    def ask(name: str, call: Callable[[RepositoryLineage], Any]) -> Question:
        return Question(name, call)

    yield ask("a version, by its id", lambda on: on.store.node(new.id))
    yield ask("a version, by its digits", lambda on: on.version(new.id[:9]))
    yield ask("a version, by its name", lambda on: on.version("trainings/t2.veml"))
    yield ask("its edges", lambda on: on.store.edges_of(new.id))
    yield ask(
        "edges of a fact that 24,000 models have", lambda on: on.store.edges_of("head:bboxhead")
    )
    yield ask("where it stands", lambda on: on.store.places(new.id))
    yield ask("counts", lambda on: on.store.counts())
    yield ask("counts as of HEAD", lambda on: on.store.counts(head))
    yield ask("counts as of half of history", lambda on: on.store.counts(far))
    yield ask("show --depth 2", lambda on: on.around(new.id, "both", 2))
    yield ask("show --depth 2, a model used everywhere",
              lambda on: on.around(hub.id, "both", 2))  # fmt: skip
    yield ask("show --up, of an early training", lambda on: on.around(old.id, "up"))
    yield ask("show --down, of a late training", lambda on: on.around(new.id, "down"))
    yield ask("show --up, of a data version", lambda on: on.around(data.id, "up"))
    yield ask("show --depth 2 --at main~20", lambda on: on.around(new.id, "both", 2, at="main~20"))
    yield ask("show --up, of a late training", lambda on: on.around(new.id, "up"))
    yield ask("show --up --at, of a late training", lambda on: on.around(new.id, "up", at="main"))
    yield ask("show --down, of an early data version", lambda on: on.around(early.id, "down"))
    yield ask("path, short", lambda on: on.path(new.id, data.id))
    yield ask("path, between two late trainings", lambda on: on.path(new.id, other.id))
    yield ask("path, half of history", lambda on: on.path(new.id, half.id))
    yield ask("path, all of history", lambda on: on.path(new.id, old.id))
    yield ask("path, from a deployment to an early data version",
              lambda on: on.path(deployed.id, early.id))  # fmt: skip
    yield ask("common, near", lambda on: common(on, new.id, near.id))
    yield ask("common, of two late trainings", lambda on: common(on, new.id, other.id))
    yield ask("common, of a deployment and a training", lambda on: common(on, deployed.id, near.id))
    yield ask("common, half of history back", lambda on: common(on, new.id, half.id))
    yield ask("common, all of history back", lambda on: common(on, new.id, old.id))
    yield ask("common, of a late training and early data", lambda on: common(on, new.id, early.id))
    yield ask("common, of two data sets", lambda on: common(on, "data/d1", "data/d9"))
    yield ask("chain, of 20 trainings", lambda on: chain(on, _at(short, 0.5).id))
    yield ask("chain, of a quarter of all versions", lambda on: chain(on, half.id))
    yield ask("impact of a late data version", lambda on: on.impact("data/d1"))
    yield ask("impact of an early data version", lambda on: on.impact(early.id))
    yield ask("impact of a sample", lambda on: on.impact("data/d1", "00007.jpg"))
    yield ask("neighbours", lambda on: neighbours(on, "data/d0")[1])
    yield ask("compare two trainings", lambda on: compare(on, new.id, near.id))
    yield ask("compare two models", lambda on: compare(on, models[0].id, models[-1].id))
    yield ask("changed, 20 commits", lambda on: changed(on, back, head))
    yield ask("changed, half of history", lambda on: changed(on, far, head))
    yield ask("find trainings, few by metric", lambda on: find(on, ["training"], where=few))
    resnet = ["backbone:resnet50"]
    yield ask("find trainings, by metric and seed", lambda on: find(on, ["training"], where=before))
    yield ask("find trainings, few by fact and metric",
              lambda on: find(on, ["training"], facts=resnet, where=few))  # fmt: skip
    yield ask("find deployments, int8 with a backbone",
              lambda on: find(on, ["inference"], facts=resnet,
                           where=[parse_condition("quantisation=int8")]))  # fmt: skip
    yield ask("find data, few by size",
              lambda on: find(on, ["data"], where=[parse_condition("samples<200")]))  # fmt: skip
    yield ask("find by name", lambda on: find(on, where=[parse_condition("name=data/d3")]))
    yield ask("find data with a rare class", lambda on: find(on, ["data"], facts=["class:tram"]))
    yield ask("find models trained on a rare class",
              lambda on: find(on, ["model"], trained_on=["class:tram"]))  # fmt: skip
    yield ask("find trainings on a data version",
              lambda on: find(on, ["training"], trained_on=["data/d2"]))  # fmt: skip
    yield ask("find all that was trained on a rare class, few by metric",
              lambda on: find(on, trained_on=["class:tram"], where=few))  # fmt: skip
    yield ask("find few by metric --at main~20",
              lambda on: find(on, ["training"], where=few, at="main~20"))  # fmt: skip
    yield ask("find models with a backbone and trained on a class",
              lambda on: find(on, ["model"], facts=resnet,
                           trained_on=["class:car"]))  # fmt: skip
    yield ask("find all trainings with a backbone",
              lambda on: find(on, ["training"], facts=resnet))  # fmt: skip
    yield ask("all data versions", lambda on: on.store.listed("data"))
    yield ask("all trainings", lambda on: on.store.listed("training"))


def _at(some: list[Node], part: float) -> Node:
    return some[int(part * (len(some) - 1))]


def _used_most(asked: RepositoryLineage, models: list[Node]) -> Node:
    return max(models[:50], key=lambda one: len(asked.store.edges_of(one.id, ("uses",))))
