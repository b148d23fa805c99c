"""How the models of two states differ: by facts and by keys of their configs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from veml_vcs.repository.git.repo import TreeFile
from veml_vcs.repository.models.place import may_be_model
from veml_vcs.repository.models.versions import models_in
from veml_vcs.repository.repository import Repository
from veml_vcs.versions.models import (
    ConfigChange,
    FactChange,
    compare_configs,
    compare_facts,
    record_path,
)


@dataclass(frozen=True)
class ModelDiff:
    """How one model differs.

    Attributes:
        name: The model.
        path: Its record, from the repository's root.
        kind: ``new``, ``modified`` or ``deleted``.
        facts: The facts that differ; of a new model, or one that is gone, all.
        changes: The keys of its config that differ.
    """

    name: str
    path: str
    kind: str
    facts: tuple[FactChange, ...]
    changes: tuple[ConfigChange, ...]


def model_diffs(
    repo: Repository,
    before: Mapping[str, TreeFile],
    after: Mapping[str, TreeFile],
    wanted: Callable[[str], bool] = lambda _path: True,
) -> tuple[ModelDiff, ...]:
    """Compare the models of two Git trees, or of one and the index.

    A record that cannot be read, on either side, is left to whoever compares ordinary files.

    Args:
        repo: The repository.
        before: The files of the first.
        after: The files of the second.
        wanted: Tells whether a path is asked for.
    """
    changed = {
        path
        for path in before.keys() | after.keys()
        if may_be_model(path) and before.get(path) != after.get(path) and wanted(path)
    }
    if not changed:
        return ()
    left, right = (
        models_in(repo, {path: files[path] for path in changed & files.keys()})
        for files in (before, after)
    )
    found = []
    for name in sorted({*left.records, *right.records}):
        path = record_path(name)
        old, new = left.records.get(name), right.records.get(name)
        if (old is None and path in before) or (new is None and path in after):
            continue  # one side is no record
        kind = "new" if old is None else "deleted" if new is None else "modified"
        facts = tuple(one for one in compare_facts(old, new) if one.differs)
        changes = compare_configs(
            {} if old is None else old.config, {} if new is None else new.config
        )
        found.append(ModelDiff(name, path, kind, facts, changes))
    return tuple(found)
