"""When an edit of a COCO data set is understood without its file, and when it must not be.

Each case of ``test_not_plain`` and ``test_cannot_be_told`` was seen to fail with the condition it
is about taken out of ``coco_edits``. That the answers are right where there is one is shown by the
random walks of ``tests/repository/test_edits.py``.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from veml_vcs.samples.formats.base import Layout
from veml_vcs.samples.formats.coco import Coco
from veml_vcs.samples.formats.coco_edits import plain_hints, regroup
from veml_vcs.samples.formats.names import Naming


def hints_of(names: list[str], images: list[str]) -> dict[str, Any]:
    document = {"images": [{"id": i, "file_name": n} for i, n in enumerate(names)]}
    files = {"a.json": json.dumps(document).encode(), **dict.fromkeys(images, b"")}
    layout = Coco().recognise(sorted(files), files.__getitem__, forced=True)
    assert isinstance(layout, Layout)
    return dict(layout.hints)


def test_plain() -> None:
    assert hints_of(["1.jpg", "2.jpg", "3.jpg"], ["i/1.jpg", "i/2.jpg", "i/9.jpg", "m/9.jpg"]) == {
        "absent": ["i/3.jpg"],
        "unlisted": ["i/9.jpg"],
        "loose": ["m/9.jpg"],
    }


@pytest.mark.parametrize(
    ("names", "naming", "known"),
    [
        (
            ["x/1.jpg", "x/2.jpg"],
            Naming("x/", "i/", {"x/2.jpg": "j/2.jpg"}),
            {"i/1.jpg", "j/2.jpg"},
        ),
        (["x\\1.jpg"], Naming("", ""), {"x\\1.jpg"}),
        (["x/./1.jpg"], Naming("x/", "i/"), {"i/1.jpg"}),
        (["x/1.jpg", "2.jpg"], Naming("x/", "i/"), {"i/1.jpg"}),
        (["1.jpg", "2.jpg"], Naming("", "i/"), {"i/1.jpg", "2.jpg"}),
        (["1.jpg", "../2.jpg"], Naming("", "i/"), {"i/1.jpg"}),
        (["1.jpg", "1.jpg"], Naming("", "i/"), {"i/1.jpg"}),
        ([], Naming(), {"i/1.jpg"}),
    ],
    ids=["others", "backslash", "dot", "strip", "key of its own", "leaves", "twice", "none"],
)
def test_not_plain(names: list[str], naming: Naming, known: set[str]) -> None:
    document = {"images": [{"file_name": name} for name in names]}
    assert plain_hints(document, names, naming, known) == {}


def test_a_file_that_does_not_name_each_image_is_not_plain() -> None:
    assert (
        plain_hints({"images": [{"file_name": "1.jpg"}, {}]}, ["1.jpg"], Naming(), {"1.jpg"}) == {}
    )
    assert plain_hints({"images": None}, ["1.jpg"], Naming(), {"1.jpg"}) == {}


PLAIN: dict[str, Any] = {"absent": ["i/3.jpg"], "unlisted": ["i/8.jpg"], "loose": ["m/9.jpg"]}
KEYS = ["a.json", "i/1.jpg", "i/2.jpg", "i/8.jpg", "m/9.jpg"]


@pytest.mark.parametrize(
    ("hints", "added", "removed"),
    [
        (PLAIN, ["b.JSON"], []),
        (PLAIN, [], ["a.json"]),
        ({**PLAIN, "absent": ["j/1.jpg"]}, ["i/5.jpg"], []),
        (PLAIN, ["m/1.jpg"], []),
        (PLAIN, ["m/3.jpg"], []),
        ({**PLAIN, "unlisted": [], "loose": []}, [], ["i/1.jpg", "i/2.jpg", "i/8.jpg", "m/9.jpg"]),
        ({**PLAIN, "loose": []}, [], ["i/1.jpg", "i/2.jpg", "m/9.jpg"]),
        ({**PLAIN, "absent": ["m/3.jpg"]}, ["m/3.jpg"], []),
        ({**PLAIN, "loose": ["m/9.jpg", "i/1.png"]}, [], ["i/1.jpg"]),
    ],
    ids=["document", "document gone", "names alike", "name of one there", "name of an absent one",
         "nothing left", "its folder holds none", "its folder holds one now", "stem free"],
)  # fmt: skip
def test_cannot_be_told(hints: dict[str, Any], added: list[str], removed: list[str]) -> None:
    keys = [*KEYS, "k/7.jpg"] if "m/9.jpg" in removed and "i/8.jpg" not in removed else KEYS
    keys = [*keys, "i/1.png"] if "i/1.png" in hints["loose"] else keys
    assert regroup(hints, keys, added, removed) is None


def test_what_became_of_images() -> None:
    done = regroup(
        PLAIN, KEYS, ["i/3.jpg", "i/5.jpg", "m/5.png", "note.txt"], ["i/2.jpg", "i/8.jpg"]
    )
    assert done is not None
    assert done.samples == {"i/3.jpg", "i/5.jpg"}
    assert done.named == {"i/2.jpg"}
    assert done.hints == {
        "absent": ["i/2.jpg"],
        "unlisted": ["i/5.jpg"],
        "loose": ["m/5.png", "m/9.jpg"],
    }
    assert "i/2.jpg" in done.warnings[0]
