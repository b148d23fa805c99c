"""Versions of all of history by what they are made of, say of themselves, and were trained on."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from veml_vcs.errors import InvalidInputError
from veml_vcs.lineage.ask import RepositoryLineage
from veml_vcs.lineage.conditions import Condition
from veml_vcs.lineage.graph import FACTS, VERSIONS, Node, VersionKind, normal
from veml_vcs.lineage.store import LineageStore


def find(
    asked: RepositoryLineage,
    kinds: Sequence[VersionKind] = VERSIONS,
    *,
    facts: Sequence[str] = (),
    where: Sequence[Condition] = (),
    trained_on: Sequence[str] = (),
    at: str | None = None,
) -> list[Node]:
    """List the versions that fit in every way that is asked for.

    A training has the facts of its model and of the data that it was trained on, an inference
    version those of its training.

    Args:
        asked: The lineage.
        kinds: Which kinds of version.
        facts: ``KIND:NAME`` each: ``backbone:resnet50``.
        where: Conditions on properties and metrics.
        trained_on: ``class:NAME``, or a data version, each; models, trainings and inference
            versions alone can be.
        at: As of a revision: what it and its ancestors brought.

    Returns:
        By kind, in order of the record's path and id.

    Raises:
        NotFoundError: There is no such data version, or revision.
        InvalidInputError: There is no such kind of fact.
    """
    store = asked.store
    wanted = [fact_id(one) for one in facts]
    data = [_data(asked, one) for one in trained_on]
    within = None if at is None else store.as_of([asked.repo.resolve(at)])
    found: list[Node] = []
    for kind in dict.fromkeys(kinds):
        own = kind in ("data", "model")
        if data and (kind == "data" or (kind == "model" and not _models(store, data))):
            continue  # all of them need not be looked at
        nodes = store.having(wanted if own else (), kind, where)
        if within is not None:
            there = within.among([one.id for one in nodes])
            nodes = [one for one in nodes if one.id in there]
        if kind == "model" and data:
            trained = _models(store, data)
            nodes = [one for one in nodes if one.id in trained]
        elif not own and (wanted or data):
            nodes = _trained(store, nodes, wanted, data)
        found += nodes
    return found


def fact_id(text: str) -> str:
    """Return the id of ``KIND:NAME``, however the name is written.

    Raises:
        InvalidInputError: There is no such kind of fact.
    """
    kind, colon, name = text.partition(":")
    if not colon or kind not in FACTS or not name:
        raise InvalidInputError(
            f"{text} is no fact, expected KIND:NAME with KIND one of {', '.join(FACTS)}",
            hint="veml lineage find --has backbone:resnet50",
        )
    return f"{kind}:{normal(name)}"


def _data(asked: RepositoryLineage, text: str) -> set[str]:
    """Return the data versions that ``--trained-on`` names."""
    if text.partition(":")[0] == "class":
        return {one.id for one in asked.store.having([fact_id(text)], "data")}
    return {asked.version(text, "data").id}


def _models(store: LineageStore, data: Sequence[Collection[str]]) -> set[str]:
    """Return the models that were trained on each of some data."""
    return set.intersection(*(store.trained_with(one) for one in data))


def _trained(
    store: LineageStore,
    nodes: Sequence[Node],
    facts: Sequence[str],
    data: Sequence[Collection[str]],
) -> list[Node]:
    """Return those trainings, or inference versions, whose training has facts and data."""
    training_of = {one.id: {one.id} for one in nodes if one.kind == "training"}
    deployed = [one.id for one in nodes if one.kind == "inference"]
    for edge in store.edges_from(deployed, ("deployed_from",)) if deployed else ():
        training_of.setdefault(edge.source, set()).add(edge.target)
    trainings = sorted(set().union(*training_of.values(), set()))
    made_of: dict[str, set[str]] = {one: set() for one in trainings}
    for edge in store.edges_from(trainings, ("uses", "trained_on")):
        if edge.kind == "uses" or "train" in edge.props.get("roles", ()):
            made_of[edge.source].add(edge.target)
    groups = [
        {one.id for kind in ("model", "data") for one in store.having([fact], kind)}
        for fact in facts
    ]
    groups += [set(one) for one in data]
    fitting = {one for one in trainings if all(made_of[one] & group for group in groups)}
    return [one for one in nodes if training_of.get(one.id, set()) & fitting]
