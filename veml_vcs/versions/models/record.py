"""The record of a model version: ``models/NAME.veml``, canonical JSON, one fact a line.

Reads and writes the text; what a repository does with it is elsewhere (``repository/models``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from veml_vcs.errors import FormatError
from veml_vcs.versions.configs.budget import MAX_NUMBER
from veml_vcs.versions.configs.facts import ModelFacts, Part, model_facts
from veml_vcs.versions.configs.flat import flatten, unflatten, written
from veml_vcs.versions.fields import blob, read_record
from veml_vcs.versions.kinds import Need, StoredPart, check_path
from veml_vcs.versions.lines import LineReader
from veml_vcs.versions.text import FORMAT_VERSION, dump_record


@dataclass(frozen=True)
class ModelRecord:
    """What one model version is.

    Attributes:
        files: The files that make up the config, itself first: paths from the repository's root,
            or ``package::path`` of an installed package.
        config: What the config says, in its flat form.
        parameters: Number of parameters; None where nobody counted them.
        ran: Of a config that was run, because reading does not tell what it says: the Git blob id
            of each of its files in the repository. Empty where it was read.
    """

    files: tuple[str, ...]
    config: Mapping[str, Any]
    parameters: int | None = None
    ran: Mapping[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """The config's path."""
        return self.files[0]

    @property
    def parts(self) -> dict[str, StoredPart]:
        """Nothing: the config is in Git."""
        return {}

    @property
    def needs(self) -> tuple[Need, ...]:
        """Nothing: that its config moved on is told by ``repository/models/stale``."""
        return ()

    @cached_property
    def facts(self) -> ModelFacts:
        """What the config says of the model and its training."""
        return model_facts(unflatten(self.config))

    def to_bytes(self) -> bytes:
        """Return the canonical text of the record."""
        record: dict[str, Any] = {
            "veml": FORMAT_VERSION,
            "kind": "model",
            "files": list(self.files),
            "facts": facts_json(self.facts),
            "config": dict(self.config),
        }
        if self.parameters is not None:
            record["parameters"] = self.parameters
        if self.ran:
            record["ran"] = dict(self.ran)
        return dump_record(record)


def make_record(
    files: tuple[str, ...],
    values: Mapping[str, Any],
    *,
    parameters: int | None = None,
    ran: Mapping[str, str] | None = None,
) -> ModelRecord:
    """Return the record of a config that was read, or run.

    Args:
        files: Its files, itself first.
        values: What it says, nested.
        parameters: See ``ModelRecord``.
        ran: See ``ModelRecord``.

    Raises:
        FormatError: It says nothing of a model.
    """
    record = ModelRecord(files, flatten(values), parameters, ran or {})
    if not record.facts.architecture:
        raise FormatError(
            f"{files[0]}: no model in it: expected a dict 'model' with a 'type'",
            hint="name the config that a training would be started with, not what it inherits from",
            kind="no-model",
        )
    return record


def facts_json(facts: ModelFacts) -> dict[str, Any]:
    """Return facts as a record holds them: what says nothing is left out."""
    found: dict[str, Any] = {
        "architecture": facts.architecture,
        "backbone": None if facts.backbone is None else _part(facts.backbone),
        "necks": [_part(one) for one in facts.necks],
        "heads": [_part(one) for one in facts.heads],
        "losses": dict(facts.losses),
        "classes": list(facts.classes),
        "optimiser": facts.optimiser,
        "learning_rate": facts.learning_rate,
        "schedule": list(facts.schedule),
        "epochs": facts.epochs,
        "iterations": facts.iterations,
        "batch_size": facts.batch_size,
        "transforms": list(facts.transforms),
        "pretrained": list(facts.pretrained),
    }
    return {name: written(one) for name, one in found.items() if one not in (None, "", [], {})}


def _part(part: Part) -> dict[str, Any]:
    return {**part.sizes, "name": part.name, "type": part.type}


def parse_model_record(data: bytes, where: str) -> ModelRecord:
    """Read the record of a model version.

    The facts in it are not read: they follow from the config, and are there for people.

    Args:
        data: The record's bytes.
        where: Its path, for messages.

    Raises:
        FormatError: It is not the record of a model version, or a field has a wrong type.
    """
    return read_record(data, where, _READER)


def _build(values: Mapping[str, Any]) -> ModelRecord:
    config, facts = values["config"]
    files, ran = values["files"], values["ran"]
    if not ran.keys() <= set(files):
        raise FormatError(f"'ran': expected blob ids of files of the config, found {ran!r:.80}")
    found = ModelRecord(files, config, values["parameters"], ran)
    found.__dict__["facts"] = facts  # cached: making the config's nested form again takes long
    return found


def _config(record: dict[str, Any]) -> tuple[dict[str, Any], ModelFacts]:
    config = record.get("config")
    if not isinstance(config, dict):
        raise FormatError(f"'config': expected keys and values, found {config!r:.80}")
    facts = model_facts(unflatten(config))
    if not facts.architecture:
        raise FormatError("its config has no model")
    return config, facts


def _files(record: dict[str, Any]) -> tuple[str, ...]:
    value = record.get("files")
    if not isinstance(value, list) or not value:
        raise FormatError(f"'files': expected the config's files, found {value!r:.80}")
    for one in value:
        if not isinstance(one, str):
            raise FormatError(f"'files': expected the name of a file, found {one!r:.80}")
        package, _, name = one.rpartition("::")
        check_path(name)
        if package and not package.isidentifier():
            raise FormatError(f"'files': {one!r:.80} is in no package")
    if len(set(value)) != len(value):
        raise FormatError("'files': a file stands twice")
    if "::" in value[0]:
        raise FormatError(f"'files': the config is in the repository, found {value[0]!r:.80}")
    return tuple(value)


def _parameters(record: dict[str, Any]) -> int | None:
    value = record.get("parameters")
    if value is not None and (type(value) is not int or not 0 <= value < MAX_NUMBER):
        raise FormatError(f"'parameters': expected a count, found {value!r:.80}")
    return value


def _ran(record: dict[str, Any]) -> dict[str, str]:
    value = record.get("ran", {})
    if not isinstance(value, dict):
        raise FormatError(f"'ran': expected blob ids of files of the config, found {value!r:.80}")
    return {name: blob(one, "ran") for name, one in value.items()}


_READER = LineReader(
    "model",
    {
        "config": _config,
        "files": _files,
        "parameters": _parameters,
        "ran": _ran,
        "facts": lambda record: None,  # they follow from the config
    },
    _build,
)
