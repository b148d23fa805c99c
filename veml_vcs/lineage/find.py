"""Versions of all of history by what they are made of, say of themselves, and were trained on."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from veml_vcs.errors import InvalidInputError
from veml_vcs.lineage.ask import RepositoryLineage, at_once
from veml_vcs.lineage.conditions import Condition
from veml_vcs.lineage.graph import FACTS, VERSIONS, Node, VersionKind, normal
from veml_vcs.lineage.store import LineageStore

_FEW = 10_000
"""So many versions as of a revision are told one by one to what is asked."""


@at_once
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
        at: As of a revision: what it and its ancestors brought; it has the names of data, too.

    Returns:
        By kind, in order of the record's path and id.

    Raises:
        NotFoundError: There is no such data version, or revision.
        InvalidInputError: There is no such kind of fact, or it is no data that was named.
    """
    store = asked.store
    wanted = [fact_id(one) for one in facts]
    named = [one for one in where if one.name == "name" and one.sign in ("=", "!=")]
    where = [one for one in where if one not in named]
    data = [_data(asked, one, at) for one in trained_on]
    within = None if at is None else store.as_of([asked.repo.resolve(at)])
    then = None if within is None else within.versions(_FEW)
    found: list[Node] = []
    for kind in dict.fromkeys(kinds):
        if data and kind == "data":
            continue
        early = then
        for one in named:
            if one.sign == "=":
                called = store.called(kind, str(one.value))
                early = called if early is None else early & called
        if kind in ("data", "model"):
            among = [store.models_trained(one) for one in data] if kind == "model" else []
            among += [] if early is None else [early]
            some = set.intersection(*among) if among else None
            nodes = store.having(wanted, kind, where, among=some)
        elif not wanted and not data:
            nodes = store.having((), kind, where, among=early)
        elif kind == "training":
            nodes = store.trainings(wanted, data, where, among=early)
        else:
            some_nodes = store.having((), kind, where, among=early)
            nodes = _deployed(store, some_nodes, wanted, data)
        if within is not None and then is None:
            there = within.among([one.id for one in nodes])
            nodes = [one for one in nodes if one.id in there]
        found += _called(store, kind, nodes, named)
    return found


def _called(
    store: LineageStore, kind: VersionKind, nodes: list[Node], named: Sequence[Condition]
) -> list[Node]:
    """Leave out what is called as it must not be; tell the rest by the name that was asked for."""
    for one in named:
        if one.sign == "=":
            nodes = [node._replace(name=str(one.value)) for node in nodes]
        else:
            others = store.called(kind, str(one.value))
            nodes = [node for node in nodes if node.id not in others]
    return nodes


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


def _data(asked: RepositoryLineage, text: str, at: str | None) -> str:
    """Return what ``--trained-on`` names: a class, or a data version."""
    if text.partition(":")[0] == "class":
        return fact_id(text)
    found = asked.version(text, "data", at)
    if found.kind != "data":
        raise InvalidInputError(
            f"{text} is a {found.kind} version, expected a data version or class:NAME",
            hint=f"veml lineage show {text} --down",
        )
    return found.id


def _deployed(
    store: LineageStore, nodes: Sequence[Node], facts: Collection[str], data: Collection[str]
) -> list[Node]:
    """Return those inference versions that were deployed from trainings made of all of these."""
    edges = store.edges_from([one.id for one in nodes], ("deployed_from",)) if nodes else []
    named = {edge.target for edge in edges}
    made = {one.id for one in store.trainings(facts, data, among=named)}
    fitting = {edge.source for edge in edges if edge.target in made}
    return [one for one in nodes if one.id in fitting]
