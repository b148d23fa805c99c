r"""Half a surrogate pair in a name or a value: one FormatError, wherever it stands.

JSON and YAML can spell one (``\ud800``), a file's name can have one (a byte that is no UTF-8), and
no text file can hold it. Before, ``to_bytes`` of a record of a stranger, and of a data set
whose ``data.yaml`` or whose annotation file's name had one, was a UnicodeEncodeError.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hostile.mutations import fuzz
from tests.hostile.test_fuzz_model_records import SOUND as MODEL
from tests.hostile.test_fuzz_training_records import SOUND as TRAINING
from tests.repository.conftest import isolated
from tests.repository.kit import Project, coco, png, small_model, yolo
from veml_vcs.errors import FormatError
from veml_vcs.ids import TreeId
from veml_vcs.samples.facts import ClassInfo, Facts
from veml_vcs.samples.formats.json_text import parse_json
from veml_vcs.samples.formats.yaml_text import parse_yaml, parse_yaml_text
from veml_vcs.versions.data import ClassCount, DataRecord, parse_data_record
from veml_vcs.versions.models import parse_model_record
from veml_vcs.versions.trainings import parse_training_record

__all__ = ["isolated"]

HALVES = st.sampled_from(["\ud800", "a\udfffb", "\udc80", "\udc00\ud800", "x\udbff"])
DATA = DataRecord(
    TreeId(bytes(32)),
    Facts(
        "coco", classes=(ClassInfo("car", 1, {"supercategory": "v"}),), layout={"a": "b"},
        extra={"info": {"year": "2026", "tags": ["x"]}},
    ),
    samples=1, class_counts={"car": ClassCount(1, 1)}, sources=("a.json",),
    annotations=("b.json",), derived={"operation": "filter", "where": ["x > 1"]},
)  # fmt: skip
RECORDS: dict[str, tuple[bytes, Callable[[bytes, str], object]]] = {
    "data": (DATA.to_bytes(), parse_data_record),
    "model": (MODEL.to_bytes(), parse_model_record),
    "training": (TRAINING.to_bytes(), parse_training_record),
}


def texts(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to each text in a document: to a value, or to a name (its way ends in None)."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield (*way, name, None)
            yield from texts(one, (*way, name))
    elif isinstance(value, list):
        for i, one in enumerate(value):
            yield from texts(one, (*way, i))
    elif isinstance(value, str):
        yield way


def spoiled(value: Any, way: tuple[Any, ...], half: str) -> Any:
    """Return the document with half a pair at the end of one text."""
    if not way:
        return value + half
    if way[1:] == (None,):
        return {(name + half if name == way[0] else name): one for name, one in value.items()}
    items = value.items() if isinstance(value, dict) else enumerate(value)
    new = [(name, spoiled(one, way[1:], half) if name == way[0] else one) for name, one in items]
    return dict(new) if isinstance(value, dict) else [one for _, one in new]


@pytest.mark.parametrize("kind", sorted(RECORDS))
@fuzz(60)
@given(data=st.data(), half=HALVES)
def test_records(kind: str, data: st.DataObject, half: str) -> None:
    sound, parse = RECORDS[kind]
    document = json.loads(sound)
    way = data.draw(st.sampled_from([*texts(document)]))
    bad = json.dumps(spoiled(document, way, half)).encode()
    assert parse(sound, "a.veml") is not None
    with pytest.raises(FormatError):
        parse(bad, "a.veml")


@fuzz(60)
@given(data=st.data(), half=HALVES)
def test_json_and_yaml(data: st.DataObject, half: str) -> None:
    document = {"a": ["b", {"c": "d", "e": {"f": "g"}}], "names": {"0": "car"}}
    way = data.draw(st.sampled_from([*texts(document)]))
    bad = json.dumps(spoiled(document, way, half)).encode()
    for parse in (parse_json, parse_yaml, parse_yaml_text):  # JSON is YAML
        with pytest.raises(FormatError, match="half a surrogate pair"):
            parse(bad, "x")


CASES: dict[str, dict[str, bytes]] = {
    "a class in YAML": yolo(small_model(2)) | {"data.yaml": b'names: ["\\ud800x", b, c, d]\n'},
    "a field in YAML": yolo(small_model(2)) | {"data.yaml": b'"\\udc80": 1\nnames: [a, b, c, d]\n'},
    "the annotation file's name": {
        os.fsdecode(b"n\xff.json" if name == "annotations.json" else os.fsencode(name)): data
        for name, data in coco(small_model(2)).items()
    },
    "a class's folder": {os.fsdecode(b"c\xff/1.png"): png(1), "b/2.png": png(2)},
}


@pytest.mark.parametrize("name", sorted(CASES))
def test_data_sets(name: str, tmp_path: Path, isolated: Path) -> None:
    project = Project(tmp_path / "project")
    project.write(CASES[name], "data")
    with pytest.raises(FormatError):
        project.add("data")
    assert not project.path("data.veml").exists()
    project.write({"README": b"x"})
    project.save("README")
    project.assert_intact()


def test_a_record_of_a_stranger(tmp_path: Path, isolated: Path) -> None:
    """Every command that meets it says so; none ends in a traceback."""
    project = Project(tmp_path / "project")
    project.write(coco(small_model(2)), "data")
    project.save("data")
    bad = project.path("data.veml").read_bytes().replace(b'"car"', b'"c\\ud800"')
    project.write({"data.veml": bad})
    project.git("add", "-f", "data.veml")
    project.git("commit", "-qm", "theirs", "--no-verify")
    project.reopen()
    with pytest.raises(FormatError, match="half a surrogate pair"):
        project.repo.datasets_at(project.repo.resolve("HEAD"))
