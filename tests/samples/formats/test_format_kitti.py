from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veml_vcs.errors import FormatError, InvalidInputError
from veml_vcs.samples.formats import detect, get_format

KITTI = get_format("kitti")
LINE = b"Car 0.50 1 -1.57 599.41 156.40 629.75 189.25 2.85 2.63 12.34 0.47 1.49 69.44 -1.56"
DONT_CARE = b"DontCare -1 -1 -10 1 2 3 4 -1 -1 -1 -1000 -1000 -1000 -10"


def files_of(labels: bytes) -> dict[str, bytes]:
    return {
        "training/image_2/000000.png": b"",
        "training/image_2/000001.png": b"",
        "training/image_3/000000.png": b"",
        "testing/image_2/000000.png": b"",
        "training/label_2/000000.txt": labels,
        "training/calib/000001.txt": b"P0: 7.1e+02 0 0\n",
        "training/calib/000000.txt": b"P0: 7.1e+02 0 0\n",
    }


def read(files: dict[str, bytes]) -> Any:
    return KITTI.read(detect(list(files), files.__getitem__, wanted="kitti"), files.__getitem__)


def test_columns(round_trip) -> None:
    layout, parsed = round_trip(files_of(LINE + b" 0.9\r\n" + DONT_CARE))
    assert layout.samples == (
        "testing/image_2/000000.png",
        "training/image_2/000000.png",
        "training/image_2/000001.png",
    )
    assert parsed.annotations == {
        "training/image_2/000000.png": {
            "objects": [
                {
                    "class": "Car",
                    "truncated": 0.5,
                    "occluded": 1,
                    "alpha": -1.57,
                    "xyxy": [599.41, 156.4, 629.75, 189.25],
                    "dimensions": [2.85, 2.63, 12.34],
                    "location": [0.47, 1.49, 69.44],
                    "rotation_y": -1.56,
                    "score": 0.9,
                },
                {
                    "class": "DontCare",
                    "truncated": -1,
                    "occluded": -1,
                    "alpha": -10,
                    "xyxy": [1, 2, 3, 4],
                    "dimensions": [-1, -1, -1],
                    "location": [-1000, -1000, -1000],
                    "rotation_y": -10,
                },
            ]
        }
    }
    assert [info.name for info in parsed.facts.classes] == ["Car", "DontCare"]


def test_written_as_kitti_writes() -> None:
    files = files_of(LINE + b"\n")
    parsed = read(files)
    assert KITTI.write(parsed.annotations, parsed.facts) == {
        "training/label_2/000000.txt": LINE + b"\n"
    }


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"Car 1 2 3", "expected 15 or 16 columns, found 4"),
        (LINE + b" 1 1", "expected 15 or 16 columns, found 17"),
        (LINE.replace(b"0.50", b"nan"), "column 2: expected a finite number, found 'nan'"),
        (LINE.replace(b"-1.56", b"1e999"), "column 15: expected a finite number"),
        (LINE.replace(b"2.63", b"2_63"), "column 10: expected a finite number"),
        (b"\xff", "expected UTF-8 text"),
    ],
)
def test_hostile_lines_are_refused_by_place(line, message) -> None:
    with pytest.raises(FormatError) as caught:
        read(files_of(LINE + b"\n" + line))
    assert str(caught.value).startswith("training/label_2/000000.txt: line 2")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        {"class": "two words"},
        {"class": ""},
        {"xyxy": [1, 2, 3]},
        {"alpha": "x"},
        {"alpha": True},
        {"pose": "left"},
    ],
)
def test_what_kitti_cannot_hold_is_not_written(change) -> None:
    parsed = read(files_of(LINE))
    key = "training/image_2/000000.png"
    obj = {**parsed.annotations[key]["objects"][0], **change}
    with pytest.raises(InvalidInputError, match=r"000000\.png"):
        KITTI.write({key: {"objects": [obj]}}, parsed.facts)
    with pytest.raises(InvalidInputError, match="no place for splits"):
        KITTI.write({key: {"objects": [], "splits": ["train"]}}, parsed.facts)


_number = (
    st.floats(allow_nan=False, allow_infinity=False).map(repr)
    | st.integers(-(10**6), 10**6).map(str)
    | st.floats(-100, 100).map("{:.2f}".format)
)
_word = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1)


@given(
    rows=st.lists(
        st.tuples(_word, st.lists(_number, min_size=14, max_size=15)).map(
            lambda row: " ".join([row[0], *row[1]])
        ),
        max_size=4,
    )
)
def test_whatever_labels_say_survives(round_trip, rows) -> None:
    round_trip(files_of("\n".join(rows).encode()), wanted="kitti")
