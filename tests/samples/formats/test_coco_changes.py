"""An edit of a COCO file is found without parsing all of it, and what is found is what is there."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from veml_vcs.samples.formats import Layout, get_format
from veml_vcs.samples.formats.coco_changes import changed_part

FILE = "annotations/instances.json"
SAMPLES = tuple(f"images/{n}.jpg" for n in range(5))


def document(boxes: int = 12) -> dict[str, Any]:
    """Return a COCO document of five images, of which the last is not in the folder."""
    return {
        "info": {"year": 2026},
        "images": [{"id": n + 1, "file_name": f"{n}.jpg", "width": 64} for n in range(6)],
        "annotations": [
            {"id": n + 1, "image_id": n % 6 + 1, "category_id": n % 2 + 1, "bbox": [n, 1, 2, 3.5]}
            for n in range(boxes)
        ],
        "categories": [{"id": 1, "name": "car"}, {"id": 2, "name": "cat"}],
    }


def text(value: Any, indent: int | None = None, compact: bool = False) -> bytes:
    separators = (",", ":") if compact else None
    return json.dumps(value, indent=indent, separators=separators).encode()


def said_by(data: bytes) -> dict[str, Any]:
    """Return what the format's reader makes of the whole file."""
    form = get_format("coco")
    layout = form.detect([FILE, *SAMPLES], lambda key: data)
    assert layout is not None
    return dict(form.read(layout, lambda key: data).annotations)


def said_of_changes(old: bytes, new: bytes) -> dict[str, Any] | None:
    """Return what the reader makes of the changed part; None if there is no telling."""
    form = get_format("coco")
    found = form.detect([FILE, *SAMPLES], lambda key: old)
    assert found is not None
    layout = Layout("coco", found.samples, {}, found.shared_sources, found.options)
    if not form.narrow(layout, FILE, old, new):
        return None
    return dict(form.read(layout, lambda key: new).annotations)


EDITS = st.lists(
    st.tuples(
        st.sampled_from(["move", "relabel", "remove", "add", "reassign", "repeat", "swap"]),
        st.integers(0, 30),
        st.integers(0, 30),
    ),
    max_size=5,
)


def edited(value: dict[str, Any], edits: list[tuple[str, int, int]]) -> dict[str, Any]:
    value = copy.deepcopy(value)
    boxes = value["annotations"]
    for what, place, number in edits:
        at = place % max(1, len(boxes))
        new = {"id": 100 + number, "image_id": number % 6 + 1, "category_id": 1, "bbox": [0] * 4}
        if what == "add" or not boxes:
            boxes.insert(at, new)
        elif what == "move":
            boxes[at]["bbox"][0] += number
        elif what == "relabel":
            boxes[at]["category_id"] = number % 2 + 1
        elif what == "remove":
            del boxes[at]
        elif what == "reassign":
            boxes[at]["image_id"] = number % 6 + 1
        elif what == "repeat":
            boxes[at]["id"] = number + 1
        else:
            other = number % len(boxes)
            boxes[at], boxes[other] = boxes[other], boxes[at]
    return value


@given(EDITS, st.sampled_from([None, 1]), st.booleans())
@example([("remove", 0, 0), ("swap", 1, 7)], None, False)  # two boxes of one image
@example([("repeat", 0, 5)], None, False)
def test_changed_images_are_read_as_in_the_whole_file(
    edits: list[tuple[str, int, int]], indent: int | None, compact: bool
) -> None:
    """Seen to fail with the comparison of the order, or of the ids, left out."""
    before = document()
    after = edited(before, edits)
    old, new = text(before, indent, compact), text(after, indent, compact)
    found = said_of_changes(old, new)
    if found is None:
        return
    was, now = said_by(old), said_by(new)
    differing = {key for key in was.keys() | now.keys() if was.get(key) != now.get(key)}
    assert differing <= found.keys()
    assert {key: now[key] for key in found} == found
    ids = [box["id"] for box in after["annotations"]]
    assert len(set(ids)) == len(ids), "a repeated id is for the whole reader, which warns"


@pytest.mark.parametrize("indent", [None, 2])
def test_moved_added_and_removed_boxes_are_told(indent: int | None) -> None:
    before = document()
    after = edited(before, [("move", 0, 7), ("add", 3, 8), ("remove", 6, 0)])
    found = said_of_changes(text(before, indent), text(after, indent))
    assert found is not None
    assert set(found) == {"images/0.jpg", "images/2.jpg", "images/5.jpg"}


def change(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any] | None:
    return changed_part(text(before), text(after), FILE)


def test_what_is_more_than_objects_is_left_to_the_reader() -> None:
    before = document()
    renamed = document()
    renamed["categories"][0]["name"] = "van"
    wider = document()
    wider["images"][0]["width"] = 65
    assert change(before, renamed) is None
    assert change(before, wider) is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("segmentation", {"counts": [1], "size": [2, 2]}),
        ("caption", "a }, { b"),
        ("caption", 'a "image_id": 3'),
        ("caption", "a {"),
        ("attributes", [{"image_id": 3}]),
        ("image_id", "1"),
    ],
)
def test_files_in_which_braces_do_not_tell_objects_apart(field: str, value: Any) -> None:
    """Either there is no telling, or what is told is right."""
    before = document()
    before["annotations"][3][field] = value
    if field == "image_id":
        before["images"].append({"id": value, "file_name": "other.jpg"})
    after = edited(before, [("move", 3, 5), ("move", 4, 5)])
    old, new = text(before), text(after)
    found = said_of_changes(old, new)
    if found is not None:
        now = said_by(new)
        assert {key: now[key] for key in found} == found
        assert {key for key, one in said_by(old).items() if now[key] != one} <= found.keys()


def test_an_object_that_is_no_json_is_left_to_the_reader() -> None:
    old = text(document())
    for bad in (b"[0, 1, 2, 3.5", b"[NaN, 1, 2, 3.5]", b"[0, 1, 2, 3.5], "):
        new = old.replace(b"[0, 1, 2, 3.5]", bad, 1)
        assert new != old
        assert changed_part(old, new, FILE) is None
