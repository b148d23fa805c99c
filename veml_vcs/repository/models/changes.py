"""How the models of two states differ: by facts and by keys of their configs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from veml_vcs.repository.git.repo import TreeFile
from veml_vcs.repository.records.changes import RecordDiff, changed_records
from veml_vcs.repository.repository import Repository
from veml_vcs.versions.kinds import MODEL
from veml_vcs.versions.models import ConfigChange, FactChange, compare_configs


@dataclass(frozen=True)
class ModelDiff(RecordDiff):
    """How one model differs.

    Attributes:
        facts: The facts that differ; of a new model, or one that is gone, all.
        changes: The keys of its config that differ.
    """

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
    return tuple(
        ModelDiff(
            pair.name, MODEL.path(pair.name), pair.change,
            tuple(one for one in MODEL.compare_facts(pair.old, pair.new) if one.differs),
            compare_configs(
                {} if pair.old is None else pair.old.config,
                {} if pair.new is None else pair.new.config,
            ),
        )
        for pair in changed_records(repo, MODEL, before, after, wanted)
    )  # fmt: skip
