"""Other boxes are put into a COCO file; what it says of all other images stays, in its bytes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.samples.formats.test_coco_changes import (
    EDITS,
    FILE,
    SAMPLES,
    document,
    edited,
    said_by,
    text,
)
from veml_vcs.samples.facts import Facts
from veml_vcs.samples.formats import get_format
from veml_vcs.samples.formats.coco_splice import splice


def facts_of(data: bytes) -> Facts:
    form = get_format("coco")
    layout = form.detect([FILE, *SAMPLES], lambda key: data)
    assert layout is not None
    return form.read(layout, lambda key: data).facts


def put(ours: bytes, theirs: bytes, said: dict[str, Any]) -> bytes | None:
    return splice(FILE, ours, [theirs], facts_of(ours), said)


@given(EDITS, EDITS, st.sampled_from([None, 1]), st.booleans())
@example([("remove", 2, 0), ("remove", 7, 0), ("move", 9, 7)], [], None, False)
def test_chosen_images_are_said_as_wanted_and_all_others_as_before(
    left: list[tuple[str, int, int]],
    right: list[tuple[str, int, int]],
    indent: int | None,
    compact: bool,
) -> None:
    ours = text(edited(document(), left), indent, compact)
    theirs = text(edited(document(), right))
    was, wanted = said_by(ours), said_by(theirs)
    changed = {key: one for key, one in wanted.items() if was[key] != one}
    found = put(ours, theirs, changed)
    if found is not None:
        assert said_by(found) == {**was, **changed}
    else:
        assert not changed or len(json.loads(ours)["annotations"]) < 2


@pytest.mark.parametrize("indent", [None, 2])
def test_what_is_not_concerned_keeps_its_bytes(indent: int | None) -> None:
    before = document()
    ours = text(before, indent)
    after = edited(before, [("move", 3, 7)])
    found = put(ours, text(after), {"images/3.jpg": said_by(text(after))["images/3.jpg"]})
    assert found is not None
    if indent is None:
        assert found == text(after)
    assert said_by(found) == said_by(text(after))
    box = json.dumps(after["annotations"][3])[1:-1].encode()
    assert found.replace(box, b"") != found, "the words of the other side are taken"


def test_an_image_gets_its_first_box_and_loses_its_last() -> None:
    value = document(5)  # the sixth image has none
    ours = text(value)
    said = said_by(ours)
    new = {"id": 90, "class": "cat", "xywh": [1, 2, 3, 4]}
    first = {"images/1.jpg": {**said["images/1.jpg"], "objects": []}}
    last = {key: {**one, "objects": [new]} for key, one in said.items() if not one["objects"]}
    assert len(last) == 1
    found = put(ours, b"", {**first, **last})
    assert found is not None
    assert said_by(found) == {**said, **first, **last}


def test_what_it_cannot_say_for_sure_it_does_not_say() -> None:
    said = said_by(text(document()))
    one = said["images/1.jpg"]
    odd = {"images/1.jpg": {**one, "objects": [{"class": "cat", "xywh": [1, 2, 3, 4]}]}}
    assert put(text(document()), b"", odd) is None, "the box has no id"
    unknown = {"images/1.jpg": {**one, "objects": [{**one["objects"][0], "class": "gnu"}]}}
    assert put(text(document()), b"", unknown) is None, "the file has no such class"
    escaped = text(document()).replace(b'"year"', b'"ye\\u0061r"')
    assert put(escaped, b"", {"images/1.jpg": one}) is None
    alone = document(1)
    assert put(text(alone), b"", {"images/0.jpg": said_by(text(alone))["images/0.jpg"]}) is None
