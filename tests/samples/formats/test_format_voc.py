from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veml_vcs.errors import FormatError, InvalidInputError
from veml_vcs.samples.facts import ClassInfo, Facts
from veml_vcs.samples.formats import detect, get_format

VOC = get_format("voc")

FULL = b"""\xef\xbb\xbf<?xml version="1.0" encoding="latin-1"?>
<annotation verified="yes">
  <!-- not content -->
  <folder>VOC2007</folder>
  <filename>a.jpg</filename>
  <source><database>The VOC</database><image>flickr</image></source>
  <owner><flickrid></flickrid><name>J&amp;J</name></owner>
  <size><width>500</width><height>375.0</height><depth>3</depth></size>
  <segmented>0</segmented>
  <object id="x1">
    <name> dog </name>
    <pose>Left</pose><truncated>1</truncated><difficult>Unspecified</difficult>
    <bndbox rotated="no"><xmax>60.5</xmax><xmin>1</xmin><ymin>2</ymin><ymax>300</ymax></bndbox>
    <part><name>head</name>
      <bndbox><xmin>5</xmin><ymin>6</ymin><xmax>7</xmax><ymax>8</ymax></bndbox></part>
    <part><name>foot</name></part>
    <actions><jumping>1</jumping></actions>
  </object>
  <odd/>
  <object><name>cat</name></object>
  <odd x="1">text</odd>
</annotation>"""


def small(inner: str) -> bytes:
    return f"<annotation><filename>a.jpg</filename>{inner}</annotation>".encode()


def files_of(data: bytes, **more: bytes) -> dict[str, bytes]:
    return {"Annotations/a.xml": data, "JPEGImages/a.jpg": b"", "JPEGImages/b.jpg": b"", **more}


def read(data: bytes) -> Any:
    files = files_of(data)
    return VOC.read(detect(list(files), files.__getitem__, wanted="voc"), files.__getitem__)


def test_every_element_is_kept(round_trip) -> None:
    _, parsed = round_trip(files_of(FULL))
    assert parsed.annotations["JPEGImages/a.jpg"] == {
        "@verified": "yes",
        "folder": "VOC2007",
        "source": {"database": "The VOC", "image": "flickr"},
        "owner": {"flickrid": "", "name": "J&J"},
        "width": 500,
        "height": 375,
        "size": {"depth": "3"},
        "segmented": "0",
        "odd": ["", {"@x": "1", "#text": "text"}],
        "objects": [
            {
                "@id": "x1",
                "class": "dog",
                "pose": "Left",
                "truncated": 1,
                "difficult": "Unspecified",
                "xyxy": [1, 2, 60.5, 300],
                "bndbox": {"@rotated": "no"},
                "part": [{"name": "head", "xyxy": [5, 6, 7, 8]}, {"name": "foot"}],
                "actions": {"jumping": "1"},
            },
            {"class": "cat"},
        ],
    }
    assert parsed.facts.classes == (ClassInfo("cat"), ClassInfo("dog"))


def test_written_as_tools_expect_it() -> None:
    parsed = read(
        small(
            "<object><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>3.5</xmax><ymax>4</ymax></bndbox>"
            "<difficult>0</difficult><name>d</name></object><size><width>9</width></size>"
        )
    )
    assert VOC.write(parsed.annotations, parsed.facts)["Annotations/a.xml"].decode() == (
        "<annotation>\n\t<filename>a.jpg</filename>\n\t<size>\n\t\t<width>9</width>\n\t</size>\n"
        "\t<object>\n\t\t<name>d</name>\n\t\t<difficult>0</difficult>\n\t\t<bndbox>\n"
        "\t\t\t<xmin>1</xmin>\n\t\t\t<ymin>2</ymin>\n\t\t\t<xmax>3.5</xmax>\n\t\t\t<ymax>4</ymax>\n"
        "\t\t</bndbox>\n\t</object>\n</annotation>\n"
    )


@pytest.mark.parametrize(
    "inner",
    [
        "<a>1</a><b>2</b><a>3</a>",  # order that grouping would lose
        "<a>x <b/> y <c/> z</a>",
        "<size/>",
        "<size>big<width>1</width></size>",
        "<object><name>n</name><id>4</id><k/><z/><k/></object>",
        "<objects>1</objects><labels/><splits/><width>3</width>",
        "<object><name>n</name><class>c</class><xyxy>q</xyxy><part>text</part></object>",
        "<p>line\none\r\ntwo&#13;&#9;three</p><q w='a&#10;b\"&lt;'/>",
        "<a><![CDATA[<b>]]><!-- cut -->tail</a>",
        "stray text",
    ],
)
def test_odd_documents_survive(round_trip, inner) -> None:
    round_trip(files_of(small(inner)))


def test_filename_is_kept_where_it_is_not_the_key(round_trip) -> None:
    for data, expected in ((b"<annotation/>", None), (small(""), ...)):
        _, parsed = round_trip(files_of(data))
        assert parsed.annotations["JPEGImages/a.jpg"].get("filename", ...) is expected
    _, parsed = round_trip(files_of(b"<annotation><filename>q.png</filename></annotation>"))
    assert parsed.annotations["JPEGImages/a.jpg"]["filename"] == "q.png"


def test_splits_and_images_that_are_absent(round_trip) -> None:
    files = files_of(
        small(""),
        **{
            "ImageSets/Main/train.txt": b"a\r\nb\na\n\n",
            "ImageSets/Main/test.txt": b"",
            "ImageSets/Main/dog_train.txt": b"a  1\nb -1\n",
            "ImageSets/Segmentation/val.txt": b"gone\nsub/b.jpg\n",
            "SegmentationClass/a.png": b"",
            "Annotations/orphan.xml": small(""),
        },
    )
    layout, parsed = round_trip(files)
    assert layout.samples == ("JPEGImages/a.jpg", "JPEGImages/b.jpg")
    assert layout.shared_sources == (
        "ImageSets/Main/test.txt",
        "ImageSets/Main/train.txt",
        "ImageSets/Segmentation/val.txt",
    )
    assert parsed.annotations["JPEGImages/a.jpg"]["splits"] == ["train"]
    assert parsed.annotations["JPEGImages/b.jpg"] == {"splits": ["Segmentation/val", "train"]}
    assert parsed.annotations["JPEGImages/gone.jpg"] == {"splits": ["Segmentation/val"]}
    assert "objects" in parsed.annotations["JPEGImages/orphan.jpg"]
    assert parsed.facts.extra["ImageSets/Main/train.txt"]["repeated"] == {"JPEGImages/a.jpg": 2}
    assert any("gone" in warning for warning in parsed.warnings)
    assert any("orphan" in warning for warning in parsed.warnings)


@pytest.mark.parametrize(
    "files",
    [
        {"x.jpg": b"", "x.xml": small("")},
        {"train/x.jpg": b"", "train/x.xml": small(""), "test/x.jpg": b"", "test/x.xml": small("")},
        {"VOC/JPEGImages/s/x.jpg": b"", "VOC/Annotations/s/x.xml": small("")},
        {"images/x.PNG": b"", "xmls/x.XML": small("")},
        {"images/x.jpg": b"", "images/x.png": b"", "annotations/x.png.xml": small("")},
        {"images/x.jpg": b"", "/outside/x.xml": small("")},
        {"a/x.jpg": b"", "b/y.jpg": b"", "ann/x.xml": small(""), "ann/y.xml": small("")},
    ],
)
def test_layouts(round_trip, files) -> None:
    layout, parsed = round_trip(files)
    assert layout.format == "voc"
    documents = {key for key in files if key.lower().endswith(".xml")}
    assert set(layout.own_source.values()) == documents
    assert parsed.annotations.keys() <= files.keys()


def test_a_new_sample_gets_its_file_where_the_others_are() -> None:
    facts = read(small("")).facts
    annotations = {
        "JPEGImages/sub/new.png": {"objects": []},
        "JPEGImages/new.jpg": {"objects": []},
        "JPEGImages/new.png": {"objects": []},
    }
    assert sorted(VOC.write(annotations, facts)) == [
        "Annotations/new.png.xml",
        "Annotations/new.xml",
        "Annotations/sub/new.xml",
    ]


BILLION_LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">
<!ENTITY lol1 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">]>
<annotation><folder>&lol1;</folder></annotation>"""


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "line 1, column 1: expected XML, found no element found"),
        (b"<annotation>", "expected XML"),
        (b"<annotation>\n<a></b></annotation>", "line 2, column 6: expected XML, found mismatched"),
        (b"\xff\xfe<annotation/>", "line 1: expected UTF-8 text"),
        (b"<annotation>\n\n\xe9</annotation>", "line 3: expected UTF-8 text, found the bytes e9"),
        (BILLION_LAUGHS, "expected a document without a document type"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><annotation/>', "without a document type"),
        (b"<annotation>&nbsp;</annotation>", "expected XML, found undefined entity"),
        (b"<html><annotation/></html>", "the root: expected <annotation>, found <html>"),
        (b"<annotation>" + b"<a>" * 10**5, "expected at most 100 levels of elements"),
        (small("<object/>"), "object 1: expected elements, found ''"),
        (small("<object><pose/></object>"), "object 1: expected a <name>, found none"),
        (small("<object><name/></object>"), "object 1: expected one <name> with a class"),
        (small("<size><width>wide</width></size>"), "<size>, <width>: expected a number"),
        (small("<size><width>1</width><width>1</width></size>"), "expected one <width>"),
        (small("<filename>b</filename>"), "<filename>: expected one, found several"),
    ],
)
def test_hostile_documents_are_refused_by_place(data, message) -> None:
    with pytest.raises(FormatError) as caught:
        read(data)
    assert str(caught.value).startswith("Annotations/a.xml: ")
    assert message in str(caught.value)


@pytest.mark.parametrize("side", ["", "nan", "inf", "1e999", "1_0", "0x10", "\u0663", "1,5", "1 2"])
def test_a_coordinate_is_a_plain_number(side) -> None:
    box = f"<xmin>1</xmin><ymin>{side}</ymin><xmax>3</xmax><ymax>4</ymax>"
    with pytest.raises(FormatError, match="object 1, <bndbox>, <ymin>: expected a number"):
        read(small(f"<object><name>n</name><bndbox>{box}</bndbox></object>"))
    missing = "<xmin>1</xmin><xmax>3</xmax><ymax>4</ymax>"
    with pytest.raises(FormatError, match="found no <ymin>"):
        read(small(f"<object><name>n</name><bndbox>{missing}</bndbox></object>"))


def test_bad_boxes_are_kept_with_a_warning(round_trip) -> None:
    def box(*sides: int) -> str:
        inner = "".join(
            f"<{name}>{side}</{name}>"
            for name, side in zip(("xmin", "ymin", "xmax", "ymax"), sides, strict=True)
        )
        return f"<object><name>n</name><bndbox>{inner}</bndbox></object>"

    size = "<size><width>10</width><height>10</height></size>"
    data = small(size + box(5, 5, 1, 9) + box(0, 0, 99, 9) + box(0, 0, 11, 10))
    _, parsed = round_trip(files_of(data))
    assert len(parsed.annotations["JPEGImages/a.jpg"]["objects"]) == 3
    assert parsed.warnings == (
        "1 box has its corners in the wrong order: Annotations/a.xml",
        "1 box reaches out of its image: Annotations/a.xml",
    )


@pytest.mark.parametrize(
    "annotation",
    [
        {"objects": [{"xyxy": [0, 0, 1, 1]}]},
        {"objects": [{"class": "n", "xyxy": [0, 0, 1]}]},
        {"objects": [], "a b": "x"},
        {"objects": [], "a": None},
        {"objects": [], "a": [["nested"]]},
        {"objects": [], "a": "\x00"},
        {"objects": [], "splits": ["no list"]},
    ],
)
def test_what_voc_cannot_hold_is_not_written(annotation) -> None:
    with pytest.raises(InvalidInputError, match=r"JPEGImages/a\.jpg"):
        VOC.write({"JPEGImages/a.jpg": annotation}, read(small("")).facts)


_names = st.sampled_from(["a", "b", "part", "xyxy", "width", "x.y", "ns:z", "Ünï", "objects"])
_texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cc",)), max_size=6).map(
    lambda text: "".join(c for c in text if c not in "\ufffe\uffff").strip(" \t\r\n")
)


def element(name: str, body: str, attribute: str | None) -> str:
    opening = name if attribute is None else f"{name} at={attribute}"
    return f"<{opening}>{body}</{name}>"


def quoted(text: str) -> str:
    for raw, escape in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(raw, escape)
    return text


_elements = st.recursive(
    st.builds(
        element, _names, _texts.map(quoted), st.none() | _texts.map(lambda t: f'"{quoted(t)}"')
    ),
    lambda inner: st.builds(
        element, _names, st.lists(inner | _texts.map(quoted), max_size=4).map("".join), st.none()
    ),
    max_leaves=8,
)


@given(inner=st.lists(_elements, max_size=5).map("".join), in_object=st.booleans())
def test_whatever_a_document_says_survives(round_trip, inner, in_object) -> None:
    if in_object:
        inner = f"<object><name>n</name>{inner}</object>"
    try:
        read(small(inner))
    except FormatError as error:
        if "<part>: expected elements" in error.message:
            return  # text among the parts of an object is the one thing refused here
        raise
    round_trip(files_of(small(inner)))


def test_classes_come_from_what_is_read() -> None:
    files = files_of(small("<object><name>n</name></object>"))
    layout = detect(list(files), files.__getitem__)
    assert VOC.read(layout, files.__getitem__, only=["JPEGImages/b.jpg"]).facts.classes == ()


def test_an_annotation_without_objects_has_no_file() -> None:
    facts = Facts("voc", layout={"folders": {"JPEGImages": "Annotations"}, "suffix": ".xml"})
    assert VOC.write({"JPEGImages/a.jpg": {}}, facts) == {}
    written = VOC.write({"JPEGImages/a.jpg": {"objects": []}}, facts)
    assert list(written) == ["Annotations/a.xml"]
