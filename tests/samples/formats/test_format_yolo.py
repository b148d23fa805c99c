from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from veml_vcs.errors import FormatError, InvalidInputError
from veml_vcs.samples.facts import ClassInfo, Facts
from veml_vcs.samples.formats import detect, get_format

YOLO = get_format("yolo")
DATA = (
    b"train: ../train/images\nval: ../valid/images\nnc: 2\nnames: [cat, 'no']\nroboflow: {v: 3}\n"
)


def files_of(labels: bytes, data: bytes | None = DATA, **more: bytes) -> dict[str, bytes]:
    files = {
        "train/images/a.jpg": b"",
        "train/images/b.jpg": b"",
        "train/images/c.jpg": b"",
        "valid/images/d.jpg": b"",
        "train/labels/a.txt": labels,
        "train/labels/b.txt": b"",
        "README.roboflow.txt": b"read me",
        **more,
    }
    return files if data is None else {**files, "data.yaml": data}


def read(files: dict[str, bytes]) -> Any:
    return YOLO.read(detect(list(files), files.__getitem__, wanted="yolo"), files.__getitem__)


def test_boxes_classes_and_splits(round_trip) -> None:
    _, parsed = round_trip(files_of(b"0 0.5 0.5 1.0 0.25\r\n\n1 1e-1 .5 0.2 0.2\n"))
    assert dict(parsed.annotations) == {
        "train/images/a.jpg": {
            "splits": ["train"],
            "objects": [
                {"class": "cat", "cxcywhn": [0.5, 0.5, 1, 0.25]},
                {"class": "no", "cxcywhn": [0.1, 0.5, 0.2, 0.2]},
            ],
        },
        "train/images/b.jpg": {"splits": ["train"], "objects": []},  # says: nothing there
        "train/images/c.jpg": {"splits": ["train"]},  # says nothing
        "valid/images/d.jpg": {"splits": ["val"]},
    }
    assert parsed.facts.classes == (ClassInfo("cat", 0), ClassInfo("no", 1))
    assert parsed.facts.extra["data.yaml"] == {
        "train": "../train/images",
        "val": "../valid/images",
        "nc": 2,
        "roboflow": {"v": 3},
    }


@pytest.mark.parametrize(
    ("line", "data", "expected"),
    [
        (b"0 0 0 1 0 1 1", DATA, {"segmentation_n": [0, 0, 1, 0, 1, 1]}),
        (b"0 .5 .5 1 1 .9", DATA, {"cxcywhn": [0.5, 0.5, 1, 1], "confidence": 0.9}),
        (
            b"0 .5 .5 1 1 .1 .2 2 .3 .4 0",
            b"names: {0: cat, 7: dog}\nkpt_shape: [2, 3]\ntrain: x",
            {"cxcywhn": [0.5, 0.5, 1, 1], "keypoints_n": [0.1, 0.2, 2, 0.3, 0.4, 0]},
        ),
        (b"7 .5 .5 1 1", b"names: {0: cat, 7: dog}", {"class": "dog", "cxcywhn": [0.5, 0.5, 1, 1]}),
        (b"9 .5 .5 1 1", None, {"class": "9", "cxcywhn": [0.5, 0.5, 1, 1]}),
        (b"1 .5 .5 1 1", b"nc: 3\ntrain: x", {"class": "1", "cxcywhn": [0.5, 0.5, 1, 1]}),
    ],
)
def test_columns(round_trip, line, data, expected) -> None:
    _, parsed = round_trip(files_of(line, data))
    assert parsed.annotations["train/images/a.jpg"]["objects"] == [{"class": "cat", **expected}]


def test_values_are_verbatim() -> None:
    line = b"0 0.4699519230769231 0.47475961538461536 1e-300 0.9495192307692307\n"
    files = files_of(line)
    parsed = read(files)
    assert YOLO.write(parsed.annotations, parsed.facts)["train/labels/a.txt"] == line


@pytest.mark.parametrize(
    "files",
    [
        {"images/train/a.jpg": b"", "labels/train/a.txt": b"0 0 0 1 1"},
        {
            "a.jpg": b"",
            "a.txt": b"0 0 0 1 1",
            "classes.txt": b"x y\nz\n",
            "notes.txt": b"5 o'clock",
        },
        {"d/a.jpg": b"", "d/a.txt": b"0 0 0 1 1", "d/gone.txt": b"1 0 0 1 1"},
        {"d/images/a.jpg": b"", "d/labels/a.txt": b"0 0 0 1 1", "d/labels/gone.txt": b""},
        {"images/a.jpg": b"", "labels/a.txt": b"0 0 0 1 1", "labels/classes.txt": b"k"},
        {"a.jpg": b"", "a.TXT": b"0 0 0 1 1", "obj.names": b"k\n"},
        {"images/a.b.jpg": b"", "images/a.jpg": b"", "labels/a.b.txt": b"0 0 0 1 1"},
    ],
)
def test_layouts(round_trip, files) -> None:
    layout, _ = round_trip(files)
    assert layout.format == "yolo"


def test_lists_of_images(round_trip) -> None:
    data = b"path: ../set\ntrain: train.txt\nval: [lists/val.txt, valid/images]\nnames: [k, l]\n"
    files = files_of(
        b"0 .5 .5 1 1",
        data,
        **{
            "train.txt": b"./train/images/a.jpg\n./train/images/b.jpg\n./train/images/a.jpg\n",
            "lists/val.txt": b"/home/me/set/train/images/c.jpg\n/home/me/set/train/images/x.jpg\n",
        },
    )
    layout, parsed = round_trip(files)
    assert layout.shared_sources == ("data.yaml", "lists/val.txt", "train.txt")
    assert parsed.annotations["train/images/c.jpg"]["splits"] == ["train", "val"]
    assert parsed.annotations["train/images/x.jpg"]["splits"] == ["train", "val"]
    assert parsed.annotations["valid/images/d.jpg"]["splits"] == ["val"]
    assert "x.jpg" in parsed.warnings[0]


def test_a_set_without_any_label_is_recognised_by_its_yaml(round_trip, with_images) -> None:
    files = with_images({"data.yaml": DATA}, ["train/images/a.jpg"])
    layout, parsed = round_trip(files)
    assert (layout.format, layout.options["folders"]) == ("yolo", {"train/images": "train/labels"})
    labelled = {"train/images/a.jpg": {"objects": [{"class": "cat", "cxcywhn": [0, 0, 1, 1]}]}}
    assert "train/labels/a.txt" in YOLO.write(labelled, parsed.facts)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (b"0 .5 .5 1", "expected 5 columns (box), 6 (and confidence) or an odd number from 7"),
        (b"0 .5 .5 1 1 1 1 1", "expected 5 columns (box)"),
        (b"0 nan .5 1 1", "line 2: expected a class number and finite numbers"),
        (b"0 inf .5 1 1", "expected a class number and finite numbers"),
        (b"0 1_0 .5 1 1", "expected a class number and finite numbers"),
        (b"0 0x1 .5 1 1", "expected a class number and finite numbers"),
        ("0 \u0663 .5 1 1".encode(), "expected a class number and finite numbers"),
        (b"0 1e999 .5 1 1", "expected numbers within the range of a double"),
        (b"0 1-1 .5 1 1", "line 2: expected numbers"),
        (b"-1 .5 .5 1 1", "expected a class number (0, 1, 2...), found -1"),
        (b"0.5 .5 .5 1 1", "expected a class number (0, 1, 2...), found 0.5"),
        (b"cat .5 .5 1 1", "expected a class number and finite numbers"),
        (b"2 .5 .5 1 1", "expected one of the 2 class numbers in data.yaml, found 2"),
        (b"\xff", "line 2: expected UTF-8 text"),
    ],
)
def test_hostile_lines_are_refused_by_place(line, found) -> None:
    with pytest.raises(FormatError) as caught:
        read(files_of(b"0 0 0 1 1\n" + line))
    assert str(caught.value).startswith("train/labels/a.txt: line 2: ")
    assert found in str(caught.value)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"nc: 3\nnames: [a, b]", "nc: expected 2, as many as names, found 3"),
        (b"nc: many\nnames: [a]", "nc: expected a number of classes"),
        (b"nc: 99999999999", "nc: expected a number of classes"),
        (b"names: 5", "names: expected a list, or a mapping from number to name"),
        (b"names: [a, [b]]", "names[1]: expected the name of a class"),
        (b"names: [a, '']", "names[1]: expected the name of a class, found ''"),
        (b"names: {x: a}", "names: expected class numbers (0, 1, 2...), found 'x'"),
        (b"names: {0: a, 00: b}", "names: expected each class number once, found 0 twice"),
        (b"names: [a]\nnames: [b]", "line 2: expected each name once in a mapping"),
        (b"names: [a]\nkpt_shape: [1e9, 3]", "kpt_shape: expected [number of keypoints"),
        (b"names: [a]\nx: .nan", "expected finite numbers"),
        (b"names: [a]\nx: !!python/object/apply:os.system [ls]", "line 2: expected plain YAML"),
        (b"names: [a\n", "expected plain YAML"),
        (b"x: \x07", "expected plain YAML"),
        (b"\xff\xfe", "expected UTF-8 text"),
    ],
)
def test_hostile_yaml_is_refused_by_place(data, message) -> None:
    with pytest.raises(FormatError) as caught:
        read(files_of(b"0 0 0 1 1", data))
    assert str(caught.value).startswith("data.yaml: ")
    assert message in str(caught.value)


def test_names_are_text_as_they_stand(round_trip) -> None:
    data = b"names: [yes, 007, 2020-01-01, null, 1.0, '  x ', x]\ndate: 2020-01-01\nbool: no\n"
    _, parsed = round_trip(files_of(b"0 0 0 1 1", data))
    names = [info.name for info in parsed.facts.classes]
    assert names == ["yes", "007", "2020-01-01", "null", "1.0", "x", "x#6"]
    assert parsed.facts.extra["data.yaml"] == {"date": "2020-01-01", "bool": False}
    assert "'x' has the numbers 5 and 6" in parsed.warnings[0]


def test_bad_boxes_are_kept_with_a_warning(round_trip) -> None:
    _, parsed = round_trip(files_of(b"0 .5 .5 -1 1\n0 .9 .5 .4 1\n0 .5 .5 1.0001 1\n"))
    assert len(parsed.annotations["train/images/a.jpg"]["objects"]) == 3
    assert parsed.warnings == (
        "2 boxes have a negative size or reach out of the image: "
        "train/labels/a.txt line 1, train/labels/a.txt line 2",
    )


def test_a_new_class_gets_the_next_number() -> None:
    parsed = read(files_of(b"0 0 0 1 1"))
    facts = Facts(
        "yolo",
        classes=(ClassInfo("bird"), *parsed.facts.classes),
        layout=parsed.facts.layout,
        extra=parsed.facts.extra,
    )
    key = "train/images/new.jpg"
    annotations = {key: {"objects": [{"class": "bird", "cxcywhn": [0, 0, 1, 1]}]}}
    written = YOLO.write(annotations, facts)
    assert written["train/labels/new.txt"] == b"2 0 0 1 1\n"
    content = yaml.safe_load(written["data.yaml"])
    assert (content["names"], content["nc"]) == (["cat", "no", "bird"], 3)


@pytest.mark.parametrize(
    "annotation",
    [
        {"objects": [{"class": "cat", "xywh": [0, 0, 1, 1]}]},
        {"objects": [{"class": "cat", "cxcywhn": [0, 0, 1]}]},
        {"objects": [{"class": "cat", "cxcywhn": [0, 0, 1, "1"]}]},
        {"objects": [{"class": "cat", "cxcywhn": [0, 0, 1, 1], "pose": "left"}]},
        {"objects": [{"class": "cat", "segmentation_n": [0, 0, 1, 1, 0]}]},
        {"objects": [{"class": "cat", "cxcywhn": [0, 0, 1, 1], "keypoints_n": [1]}]},
        {"objects": [{"class": "bird", "cxcywhn": [0, 0, 1, 1]}]},
        {"objects": [], "splits": ["elsewhere"]},
        {"objects": [], "width": 5},
    ],
)
def test_what_yolo_cannot_hold_is_not_written(annotation) -> None:
    with pytest.raises(InvalidInputError, match=r"train/images/a\.jpg"):
        YOLO.write({"train/images/a.jpg": annotation}, read(files_of(b"")).facts)


_value = st.floats(-2, 2) | st.floats(allow_nan=False, allow_infinity=False) | st.integers(0, 1)
_shape = st.sampled_from([4, 5, 6, 8, 10])
_line = st.tuples(
    st.integers(0, 2), _shape.flatmap(lambda n: st.lists(_value, min_size=n, max_size=n))
).map(lambda both: " ".join(map(str, [both[0], *both[1]])))


@given(
    labels=st.dictionaries(st.integers(0, 5), st.lists(_line, max_size=4), max_size=4),
    names=st.none() | st.lists(st.text(min_size=1), min_size=3, max_size=3),
    folder=st.sampled_from(["images/", "train/images/", ""]),
)
def test_whatever_labels_say_survives(round_trip, labels, names, folder) -> None:
    files = {f"{folder}{n}.jpg": b"" for n in range(3)}
    for number, lines in labels.items():
        key = f"{folder}{number}.txt".replace("images", "labels")
        files[key] = "\n".join(lines).encode()
    if names is not None:
        names = [name.strip() or "blank" for name in names]
        files["data.yaml"] = yaml.safe_dump({"names": names, "train": "x"}).encode()
    round_trip(files, wanted=None if names is None else "yolo")
