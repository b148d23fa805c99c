"""A record as a table, for ``git diff``, ``git show`` and ``git log -p``."""

from __future__ import annotations

import json

from veml_vcs.errors import VemlError
from veml_vcs.ids import short
from veml_vcs.versions.data import ClassCount, DataRecord, is_data_record, parse_data_record


def textconv(file: str) -> bytes:
    """Return what git shall compare instead of a record's bytes.

    Args:
        file: The record; anything else is returned as it is.
    """
    with open(file, "rb") as opened:
        data = opened.read()
    if b'\n "kind": "model",\n' in data:
        return _model(data, file)
    if b'\n "kind": "training",\n' in data:
        return _training(data, file)
    if not is_data_record(data):
        return data
    try:
        record = parse_data_record(data, file)
    except VemlError:
        return data
    return "".join(line + "\n" for line in _lines(record)).encode("utf-8", "backslashreplace")


def _model(data: bytes, file: str) -> bytes:
    """Return the facts of a model, then its config key by key."""
    from veml_vcs.versions.models import fact_rows, parse_model_record

    try:
        record = parse_model_record(data, file)
    except VemlError:
        return data
    lines = [f"{name:<14} {text}" for name, text in fact_rows(record).items()]
    lines += [f"config         {one}" for one in record.files]
    lines += [f"{key} = {json.dumps(one)}" for key, one in record.config.items()]
    return "".join(_clean(line) + "\n" for line in lines).encode("utf-8", "backslashreplace")


def _training(data: bytes, file: str) -> bytes:
    """Return the facts of a training, its metrics, then its config key by key."""
    from veml_vcs.versions.trainings import parse_training_record
    from veml_vcs.versions.trainings.compare import compare_metrics, fact_rows

    try:
        record = parse_training_record(data, file)
    except VemlError:
        return data
    lines = [f"{name:<16} {text}" for name, text in fact_rows(record).items()]
    lines += [
        f"metric {f'{one.of_class} {one.metric}'.strip()} = {one.new}"
        for one in compare_metrics(None, record)
    ]
    lines += [f"{key} = {json.dumps(one)}" for key, one in record.config.items()]
    return "".join(_clean(line) + "\n" for line in lines).encode("utf-8", "backslashreplace")


def _lines(record: DataRecord) -> list[str]:
    facts = record.facts
    lines = [
        f"data version   {short(record.tree)}",
        f"format         {_clean(facts.format)}, {_clean(facts.task)}",
        f"samples        {record.samples}",
        f"other files    {record.files}",
        f"objects        {record.objects}",
        f"bytes          {record.content_bytes}",
    ]
    for one in facts.classes:
        count = record.class_counts.get(one.name, ClassCount())
        number = "" if one.id is None else f"  (id {one.id})"
        lines.append(
            f"class          {_clean(one.name)}: {count.objects} objects in {count.samples} "
            f"samples{number}"
        )
    lines += [f"source         {_clean(key)}" for key in record.sources]
    lines += [f"annotations    {_clean(path)}" for path in record.annotations]
    lines += [f"derived        {_clean(name)}: {value!r}" for name, value in record.derived.items()]
    lines += [f"layout         {_clean(name)}: {value!r}" for name, value in facts.layout.items()]
    lines += [f"extra          {_clean(name)}: {value!r}" for name, value in facts.extra.items()]
    return lines


def _clean(text: str) -> str:
    return text if text.isprintable() else ascii(text)[1:-1]
