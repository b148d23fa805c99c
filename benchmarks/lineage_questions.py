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
        ask: Asks it.
    """

    name: str
    ask: Callable[[], Any]

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

    def ask(name: str, call: Callable[[], Any]) -> Question:
        return Question(name, call)

    yield ask("a version, by its id", lambda: store.node(new.id))
    yield ask("a version, by its digits", lambda: asked.version(new.id[:9]))
    yield ask("a version, by its name", lambda: asked.version("trainings/t2.veml"))
    yield ask("its edges", lambda: store.edges_of(new.id))
    yield ask("edges of a fact that 24,000 models have", lambda: store.edges_of("head:bboxhead"))
    yield ask("where it stands", lambda: store.places(new.id))
    yield ask("counts", store.counts)
    yield ask("counts as of HEAD", lambda: store.counts(head))
    yield ask("counts as of half of history", lambda: store.counts(far))
    yield ask("show --depth 2", lambda: asked.around(new.id, "both", 2))
    yield ask("show --depth 2, a model used everywhere",
              lambda: asked.around(hub.id, "both", 2))  # fmt: skip
    yield ask("show --up, of an early training", lambda: asked.around(old.id, "up"))
    yield ask("show --down, of a late training", lambda: asked.around(new.id, "down"))
    yield ask("show --up, of a data version", lambda: asked.around(data.id, "up"))
    yield ask("show --depth 2 --at main~20", lambda: asked.around(new.id, "both", 2, at="main~20"))
    yield ask("show --up, of a late training", lambda: asked.around(new.id, "up"))
    yield ask("show --up --at, of a late training", lambda: asked.around(new.id, "up", at="main"))
    yield ask("show --down, of an early data version", lambda: asked.around(early.id, "down"))
    yield ask("path, short", lambda: asked.path(new.id, data.id))
    yield ask("path, between two late trainings", lambda: asked.path(new.id, other.id))
    yield ask("path, half of history", lambda: asked.path(new.id, half.id))
    yield ask("path, all of history", lambda: asked.path(new.id, old.id))
    yield ask("path, from a deployment to an early data version",
              lambda: asked.path(deployed.id, early.id))  # fmt: skip
    yield ask("common, near", lambda: common(asked, new.id, near.id))
    yield ask("common, of two late trainings", lambda: common(asked, new.id, other.id))
    yield ask("common, of a deployment and a training", lambda: common(asked, deployed.id, near.id))
    yield ask("common, half of history back", lambda: common(asked, new.id, half.id))
    yield ask("common, all of history back", lambda: common(asked, new.id, old.id))
    yield ask("common, of a late training and early data", lambda: common(asked, new.id, early.id))
    yield ask("common, of two data sets", lambda: common(asked, "data/d1", "data/d9"))
    yield ask("chain, of 20 trainings", lambda: chain(asked, _at(short, 0.5).id))
    yield ask("chain, of a quarter of all versions", lambda: chain(asked, half.id))
    yield ask("impact of a late data version", lambda: asked.impact("data/d1"))
    yield ask("impact of an early data version", lambda: asked.impact(early.id))
    yield ask("impact of a sample", lambda: asked.impact("data/d1", "00007.jpg"))
    yield ask("neighbours", lambda: neighbours(asked, "data/d0")[1])
    yield ask("compare two trainings", lambda: compare(asked, new.id, near.id))
    yield ask("compare two models", lambda: compare(asked, models[0].id, models[-1].id))
    yield ask("changed, 20 commits", lambda: changed(asked, back, head))
    yield ask("changed, half of history", lambda: changed(asked, far, head))
    yield ask("find trainings, few by metric", lambda: find(asked, ["training"], where=few))
    resnet = ["backbone:resnet50"]
    yield ask("find trainings, by metric and seed", lambda: find(asked, ["training"], where=before))
    yield ask("find trainings, few by fact and metric",
              lambda: find(asked, ["training"], facts=resnet, where=few))  # fmt: skip
    yield ask("find deployments, int8 with a backbone",
              lambda: find(asked, ["inference"], facts=resnet,
                           where=[parse_condition("quantisation=int8")]))  # fmt: skip
    yield ask("find data, few by size",
              lambda: find(asked, ["data"], where=[parse_condition("samples<200")]))  # fmt: skip
    yield ask("find by name", lambda: find(asked, where=[parse_condition("name=data/d3")]))
    yield ask("find data with a rare class", lambda: find(asked, ["data"], facts=["class:tram"]))
    yield ask("find models trained on a rare class",
              lambda: find(asked, ["model"], trained_on=["class:tram"]))  # fmt: skip
    yield ask("find trainings on a data version",
              lambda: find(asked, ["training"], trained_on=["data/d2"]))  # fmt: skip
    yield ask("find all that was trained on a rare class, few by metric",
              lambda: find(asked, trained_on=["class:tram"], where=few))  # fmt: skip
    yield ask("find few by metric --at main~20",
              lambda: find(asked, ["training"], where=few, at="main~20"))  # fmt: skip
    yield ask("find models with a backbone and trained on a class",
              lambda: find(asked, ["model"], facts=resnet,
                           trained_on=["class:car"]))  # fmt: skip
    yield ask("find all trainings with a backbone",
              lambda: find(asked, ["training"], facts=resnet))  # fmt: skip
    yield ask("all data versions", lambda: store.listed("data"))
    yield ask("all trainings", lambda: store.listed("training"))


def _at(some: list[Node], part: float) -> Node:
    return some[int(part * (len(some) - 1))]


def _used_most(asked: RepositoryLineage, models: list[Node]) -> Node:
    return max(models[:50], key=lambda one: len(asked.store.edges_of(one.id, ("uses",))))
