"""Annotation files of a stranger's: they are read, or refused with one clear error.

Inputs that once broke a reader are kept as ``@example``.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.hostile.mutations import as_text, deep, fuzz, mutated_bytes, mutated_json
from tests.repository.kit import Files, coco, kitti, png, small_model, voc, yolo
from veml_vcs.errors import FormatError, VemlError
from veml_vcs.samples.formats import Parsed, detect, get_format
from veml_vcs.samples.images import image_shape
from veml_vcs.samples.tree import check_key

EXAMPLES = fuzz(25)

MODEL = small_model(3)
COCO = json.loads(coco(MODEL)["annotations.json"])
COCO["info"] = {"year": 2020}
COCO["annotations"][0]["segmentation"] = [[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]]
VOC = tuple(data for key, data in voc(MODEL).items() if key.endswith(".xml"))
YOLO = tuple(data for key, data in yolo(MODEL).items() if key.startswith("labels/"))
KITTI = tuple(data for key, data in kitti(MODEL).items() if key.startswith("label_2/"))
YAML = (
    b"path: .\ntrain: images\nnames:\n  0: car\n  1: dog\n  2: person\n",
    b"names: [car, dog, person]\nnc: 3\ntrain: images/train\nval: [a, b]\n",
)


def parse(files: Files, name: str | None) -> Parsed:
    layout = detect(sorted(files), files.__getitem__, wanted=name)
    return get_format(layout.format).read(layout, files.__getitem__, None)


def read(files: Files, name: str | None) -> None:
    """Recognise and read a data set; every name that comes out can be used as a key."""
    refused = ""
    try:
        parsed = parse(files, name)
    except VemlError as error:
        refused = error.message
    if refused:
        assert len(refused) < 2000
        return
    for key in parsed.annotations:
        try:
            check_key(key)
        except VemlError:
            # It stays what the file says; nothing can be stored under it, see below.
            assert key not in files


@EXAMPLES
@given(mutated_json((COCO,)), st.sampled_from(["coco", None]))
def test_coco(value: object, name: str | None) -> None:
    files = coco(MODEL)
    files["annotations.json"] = as_text(value)
    read(files, name)


@EXAMPLES
@given(mutated_bytes((coco(MODEL)["annotations.json"],)))
def test_coco_text(data: bytes) -> None:
    read({**coco(MODEL), "annotations.json": data}, "coco")


@EXAMPLES
@given(mutated_bytes(VOC), st.sampled_from(["voc", None]))
def test_voc(data: bytes, name: str | None) -> None:
    read({**voc(MODEL), "Annotations/0001.xml": data}, name)


@EXAMPLES
@given(mutated_bytes(YOLO), st.sampled_from(["yolo", None]))
def test_yolo(data: bytes, name: str | None) -> None:
    read({**yolo(MODEL), "labels/0001.txt": data}, name)


@EXAMPLES
@given(mutated_bytes(YAML), st.sampled_from(["yolo", None]))
def test_yolo_yaml(data: bytes, name: str | None) -> None:
    files = yolo(MODEL)
    del files["classes.txt"]
    read({**files, "data.yaml": data}, name)


@EXAMPLES
@given(mutated_bytes(KITTI), st.sampled_from(["kitti", None]))
def test_kitti(data: bytes, name: str | None) -> None:
    read({**kitti(MODEL), "label_2/0001.txt": data}, name)


@EXAMPLES
@given(mutated_bytes((
    png(1), b"GIF89a\1\0\1\0", b"BM" + bytes(40), b"\xff\xd8\xff\xe0\0\x10JFIF\0" + bytes(30),
    b"II*\0\x08\0\0\0\1\0\0\1\4\0\1\0\0\0\1\0\0\0", b"RIFF\0\0\0\0WEBPVP8 " + bytes(30),
    b"P5 3 4 255\n", b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(60), b"8BPS\0\1" + bytes(30),
    b"<svg width='3' height='4'></svg>", b"#?RADIANCE\n\n-Y 3 +X 4\n",
)))  # fmt: skip
@example(b"II*\0\xff\xff\xff\xff")
@example(b"P5 " + b"9" * 5000)
def test_image_size(data: bytes) -> None:
    try:
        width, height = image_shape(data)
    except FormatError:
        return
    assert width > 0
    assert height > 0


DEEP: dict[str, tuple[Callable[[], Files], str, bytes, str]] = {
    "coco": (lambda: coco(MODEL), "annotations.json", deep("[", "]"), "coco"),
    "coco-field": (
        lambda: coco(MODEL),
        "annotations.json",
        b'{"images": [], "annotations": [], "categories": [], "info": ' + deep('{"a":', "}") + b"}",
        "coco",
    ),
    "voc": (lambda: voc(MODEL), "Annotations/0001.xml", deep("<a>", "</a>"), "voc"),
    "yaml": (lambda: yolo(MODEL), "data.yaml", b"names: " + deep("[", "]"), "yolo"),
    "yaml-map": (lambda: yolo(MODEL), "data.yaml", b"names: " + deep("{a: ", "}"), "yolo"),
}


@pytest.mark.parametrize("name", DEEP)
def test_nesting_of_100_000(name: str) -> None:
    make, key, data, wanted = DEEP[name]
    with pytest.raises(FormatError):
        parse({**make(), key: data}, wanted)


BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a0 "ha">'
    + b"".join(b'<!ENTITY a%d "%s">' % (i, b"&a%d;" % (i - 1) * 20) for i in range(1, 12))
    + b"]><annotation><filename>&a11;</filename></annotation>"
)
OUTSIDE = (
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
    b"<annotation><filename>&x;</filename></annotation>"
)


@pytest.mark.parametrize("data", [BOMB, OUTSIDE], ids=["billion-laughs", "external"])
def test_xml_entities(data: bytes) -> None:
    files = {**voc(MODEL), "Annotations/0001.xml": data}
    with pytest.raises(FormatError):
        parse(files, "voc")


@pytest.mark.parametrize(
    "data",
    [
        b"names: !!python/object/apply:os.system ['touch veml-was-here']\n",
        b"a: &a [x, x, x, x, x, x, x, x, x]\n"
        + b"".join(
            b"%c: &%c [%s]\n" % (98 + i, 98 + i, b", ".join([b"*%c" % (97 + i)] * 9))
            for i in range(9)
        )
        + b"names: *j\n",
    ],
    ids=["python-object", "aliases"],
)
def test_yaml_neither_runs_nor_grows(data: bytes) -> None:
    files = {**yolo(MODEL), "data.yaml": data}
    with pytest.raises(FormatError):
        parse(files, "yolo")
