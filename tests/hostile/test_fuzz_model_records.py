"""A stranger's record of a model: read, or refused with a FormatError, in little time and room."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given

from tests.hostile.mutations import as_text, deep, fuzz, mutated_bytes, mutated_json
from veml_vcs.errors import FormatError
from veml_vcs.versions.models import compare_configs, fact_rows, parse_model_record
from veml_vcs.versions.models.record import ModelRecord

SOUND = ModelRecord(
    ("configs/a.py", "mmdet::b.py"),
    {
        "lr": 0.1,
        "model.backbone.depth": 50,
        "model.backbone.type": "R",
        "model.head": [{"loss": {"type": "L"}, "num_classes": 3, "type": "H"}],
        "model.type": "A",
    },
    5,
    {"configs/a.py": "ab" * 20},
)


def use(data: bytes) -> None:
    message = ""
    try:
        found = parse_model_record(data, "models/a.veml")
    except FormatError as error:
        message = error.message
    assert len(message) < 500
    if message:
        return
    # What was read can be written, shown and compared.
    assert parse_model_record(found.to_bytes(), "x").to_bytes() == found.to_bytes()
    assert fact_rows(found)["architecture"]
    compare_configs(found.config, SOUND.config)


@fuzz(150)
@given(data=mutated_bytes((SOUND.to_bytes(),)))
@example(data=SOUND.to_bytes())
@example(data=deep("[", "]"))
@example(data=b'{"veml": 1, "kind": "model", "config": {"a": ' + deep("[", "]", 900) + b"}}")
@example(data=b'{"veml": 1, "kind": "model", "config": {"' + b"." * 1_000_000 + b'": 1}}')
def test_bytes(data: bytes) -> None:
    use(data)


@fuzz(150)
@given(value=mutated_json((json.loads(SOUND.to_bytes()),)))
def test_fields(value: object) -> None:
    use(as_text(value))


def test_many_paths_are_not_many_dicts() -> None:
    """Without the limit of ``unflatten`` a record of 16 MiB unfolds to gigabytes."""
    config = {f"{i}{'.a' * 95}": 1 for i in range(5_000)}
    text = {"veml": 1, "kind": "model", "config": config, "files": ["a.py"]}
    with pytest.raises(FormatError, match="holds more than"):
        parse_model_record(json.dumps(text).encode(), "models/a.veml")
