"""A record as a table, for ``git diff``, ``git show`` and ``git log -p``."""

from __future__ import annotations

import json
from typing import Any

from veml_vcs.errors import VemlError
from veml_vcs.ids import short
from veml_vcs.versions.changes import compare_metrics
from veml_vcs.versions.data import ClassCount, DataRecord, is_data_record, parse_data_record
from veml_vcs.versions.kinds import MEASURED, RecordKind, kind_of


def textconv(file: str) -> bytes:
    """Return what git shall compare instead of a record's bytes.

    Args:
        file: The record; anything else is returned as it is.
    """
    with open(file, "rb") as opened:
        data = opened.read()
    kind = kind_of(data)
    if kind is not None:
        return _named(kind, data, file)
    if not is_data_record(data):
        return data
    try:
        record = parse_data_record(data, file)
    except VemlError:
        return data
    return "".join(line + "\n" for line in _lines(record)).encode("utf-8", "backslashreplace")


def _named(kind: RecordKind[Any], data: bytes, file: str) -> bytes:
    """Return the facts of a model, training or inference version, its metrics, its config."""
    try:
        record = kind.parse(data, file)
    except VemlError:
        return data
    lines = [f"{name:<16} {text}" for name, text in kind.fact_rows(record).items()]
    lines += [f"config           {one}" for one in getattr(record, "files", ())]
    if kind in MEASURED:
        lines += [
            f"metric {f'{one.of_class} {one.metric}'.strip()} = {one.new}"
            for one in compare_metrics(None, record)
        ]
    config = getattr(record, "config", {})
    lines += [f"{key} = {json.dumps(one)}" for key, one in config.items()]
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
