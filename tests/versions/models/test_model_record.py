"""Records of models: canonical, the same for the same config however it was spelled."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veml_vcs.errors import FormatError, InvalidInputError
from veml_vcs.repository.git.repo import blob_id
from veml_vcs.versions.configs import read_config
from veml_vcs.versions.kinds import MODEL
from veml_vcs.versions.models import (
    ModelRecord,
    compare_configs,
    fact_rows,
    flatten,
    parse_model_record,
    unflatten,
)
from veml_vcs.versions.models.record import make_record

CONFIG = """
model = dict(
    type='FasterRCNN',
    backbone=dict(type='ResNet', depth=50),
    neck=dict(type='FPN', in_channels=[256, 512]),
    rpn_head=dict(type='RPNHead'),
    roi_head=dict(type='StandardRoIHead', bbox_head=dict(
        type='Shared2FCBBoxHead', num_classes=3, loss_cls=dict(type='CrossEntropyLoss'))))
optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.00001),
    paramwise_cfg=dict(custom_keys={'backbone.norm': dict(decay_mult=0)}))
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=12)
"""
VALUES: dict[str, Any] = {"model": {"type": "A", "backbone": {"type": "R", "depth": 50}}}


def record(text: str = CONFIG, **more: Any) -> ModelRecord:
    found = read_config("configs/a.py", lambda _path: text.encode())
    return make_record(found.files, found.values, **more)


def edited(**fields: Any) -> bytes:
    found = json.loads(record().to_bytes())
    found |= fields
    return json.dumps({name: one for name, one in found.items() if one is not ...}).encode()


def test_the_text_is_stable() -> None:
    """A version id is a promise: this one may only change with the format's number."""
    assert blob_id(record().to_bytes()) == "d7800f50b36d34ba9dc49d34358f9cc6f2eb0998"


def test_one_fact_a_line() -> None:
    lines = record().to_bytes().decode().splitlines()
    assert '  "model.backbone.depth": 50,' in lines
    assert '  "optim_wrapper.optimizer.lr": 1e-05,' in lines
    assert '  "optim_wrapper.paramwise_cfg.custom_keys.backbone~1norm.decay_mult": 0,' in lines
    assert '  "classes": [3],' in lines
    assert MODEL.is_record(record().to_bytes())


def test_two_spellings_are_one_version() -> None:
    again = CONFIG.replace("depth=50", "depth=5 * 10").replace("dict(type='RPNHead')", "heads")
    first, rest = again.split("model = dict(", 1)
    other = f"# a comment\nheads = dict(type='RPNHead')\n{first}model = dict({rest}\ndel heads\n"
    assert record(other).to_bytes() == record().to_bytes()


def test_the_order_of_keys_says_nothing() -> None:
    """Without sorting, heads stand in another order after a record is read back."""
    backwards = {name: dict(reversed(one.items())) for name, one in _values().items()}
    other = make_record(("configs/a.py",), dict(reversed(backwards.items())))
    assert other.to_bytes() == record().to_bytes()
    listed = {"model": {"type": "A", "head": [{"type": "H", "b": 1, "a": {"type": "LossHead"}}]}}
    found = make_record(("a.py",), listed)
    assert parse_model_record(found.to_bytes(), "x").to_bytes() == found.to_bytes()


def _values() -> dict[str, Any]:
    return dict(read_config("configs/a.py", lambda _path: CONFIG.encode()).values)


NAMES = st.text(st.sampled_from("ab.~/_ é"), max_size=4)
LEAVES = st.none() | st.booleans() | st.integers(-(1 << 60), 1 << 60) | st.floats() | st.text(
    st.sampled_from("~infnax é"), max_size=6
)  # fmt: skip
CONFIGS = st.dictionaries(
    NAMES,
    st.recursive(
        LEAVES,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
        max_leaves=8,
    ),
    max_size=4,
)


@given(config=CONFIGS)
def test_round_trip(config: dict[str, Any]) -> None:
    flat = flatten(config)
    assert repr(unflatten(flat)) == repr(unflatten(flatten(unflatten(flat))))
    found = ModelRecord(("a.py",), flatten(config | VALUES), 7, {"a.py": "ab" * 20})
    back = parse_model_record(found.to_bytes(), "models/a.veml")
    assert back.to_bytes() == found.to_bytes()
    assert repr(unflatten(back.config)) == repr(unflatten(found.config))


def test_what_json_does_not_have() -> None:
    config = {"a": math.inf, "b": [-math.inf], "c": "~inf", "d": "~", "e": {}, "f.g~": {"": 1}}
    flat = flatten(config)
    assert flat == {
        "a": "~inf", "b": ["~-inf"], "c": "~~inf", "d": "~~", "e": {}, "f~1g~0.": 1,
    }  # fmt: skip
    assert unflatten(flat) == config
    assert math.isnan(unflatten({"a": "~nan"})["a"])


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (edited(kind="data"), "expected a record of kind model, found kind 'data'"),
        (edited(veml=2), "newer veml"),
        (edited(config=[]), "'config': expected keys and values"),
        (edited(config={}), "has no model"),
        (edited(config={"a": 1, "a.b": 2, "model.type": "A"}), "below something that is no dict"),
        (edited(config={"a.b": 1, "a": 2, "model.type": "A"}), "below something"),
        (edited(config={"a~2": 1, "model.type": "A"}), "neither ~0 nor ~1"),
        (edited(config={"a": "~x", "model.type": "A"}), "begins with one ~"),
        (edited(config={"a": 10**60, "model.type": "A"}), "number beyond"),
        (edited(config={".".join("a" * 200): 1, "model.type": "A"}), "nested too deep"),
        (edited(files=[]), "'files': expected"),
        (edited(files=["/etc/passwd"]), "not a usable path"),
        (edited(files=["../x.py"]), "not a usable file name"),
        (edited(files=["a.py", "a.py"]), "twice"),
        (edited(files=["mmdet::a.py"]), "in the repository"),
        (edited(files=["a.py", "../x::a.py"]), "in no package"),
        (edited(files=["a.py", 5]), "expected the name of a file"),
        (edited(parameters=-1), "expected a count"),
        (edited(parameters=True), "expected a count"),
        (edited(ran={"b.py": "ab" * 20}), "of files of the config"),
        (edited(ran={"configs/a.py": "zz" * 20}), "40 lower-case hex digits"),
        (edited(surprise=1), "a field that no model record has"),
        (
            b'{"veml": 1, "kind": "model", "config": {"a": 1e999}, "files": ["a"]}',
            "larger than any number",
        ),
    ],
)
def test_what_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(FormatError, match=said) as caught:
        parse_model_record(data, "models/a.veml")
    assert caught.value.message.startswith("models/a.veml: ")
    assert len(caught.value.message) < 400


def test_a_config_without_a_model_is_refused() -> None:
    with pytest.raises(FormatError, match="no model in it"):
        record("lr = 1")


def test_a_text_that_is_no_unicode_is_refused() -> None:
    with pytest.raises(FormatError, match="no Unicode"):
        record(CONFIG + "x = '\\ud800'\n")


@pytest.mark.parametrize(
    "name", ["", "a@b", "a:b", "-a", "a.veml", "../a", "/a", "a/.git/b", "a\n"]
)
def test_names_that_cannot_be(name: str) -> None:
    with pytest.raises(InvalidInputError, match="cannot be the name of a model"):
        MODEL.check(name)


def test_where_records_lie() -> None:
    assert MODEL.path("a/b") == "models/a/b.veml"
    assert MODEL.name_of("models/a/b.veml") == "a/b"
    for path in ("other/a.veml", "models/a.txt", "models/.veml", "models/../a.veml"):
        with pytest.raises(FormatError, match="cannot stand here"):
            MODEL.name_of(path)


def test_facts_and_keys_that_differ() -> None:
    old = record(parameters=41_000_000)
    new = record(CONFIG.replace("depth=50", "depth=101").replace("max_epochs", "max_iters")
                 .replace("Epoch", "Iter"))  # fmt: skip
    differs = {one.fact: (one.old, one.new) for one in MODEL.compare_facts(old, new) if one.differs}
    assert differs == {
        "backbone": ("ResNet (depth 50)", "ResNet (depth 101)"),
        "parameters": ("41,000,000", "unknown"),
        "epochs": ("12", ""),
        "iterations": ("", "12"),
    }
    kinds = {one.key: one.kind for one in compare_configs(old.config, new.config)}
    assert kinds == {
        "model.backbone.depth": "changed", "train_cfg.max_epochs": "removed",
        "train_cfg.max_iters": "added", "train_cfg.type": "changed",
    }  # fmt: skip
    assert list(fact_rows(new)) == [one.fact for one in MODEL.compare_facts(None, new)]


def test_one_and_true_are_not_the_same() -> None:
    changes = compare_configs({"a": 1, "b": 1, "c": 0}, {"a": 1.0, "b": True, "c": 0})
    assert [one.key for one in changes] == ["a", "b"]
