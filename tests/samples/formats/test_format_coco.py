from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veml_vcs.errors import FormatError, InvalidInputError
from veml_vcs.samples.facts import ClassInfo, Facts
from veml_vcs.samples.formats import detect, get_format

COCO = get_format("coco")


def document(**changes: Any) -> dict[str, Any]:
    content: dict[str, Any] = {
        "info": {"year": 2026},
        "licenses": [{"id": 1, "name": "MIT"}],
        "images": [
            {"id": 7, "file_name": "a.jpg", "width": 640, "height": 480, "license": 1},
            {"id": 3, "file_name": "b.jpg", "width": 640, "height": 480},
        ],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 5, "bbox": [1, 2, 3.5, 4], "iscrowd": 0},
            {"id": 2, "image_id": 3, "category_id": 2, "bbox": [0, 0, 9, 9], "mine": {"x": [1]}},
        ],
        "categories": [
            {"id": 5, "name": "cat", "supercategory": "animal", "color": [1, 2, 3]},
            {"id": 2, "name": "dog"},
        ],
        "segments": "an unknown field",
    }
    content.update(changes)
    return {name: value for name, value in content.items() if value is not ...}


def encode(content: Any) -> bytes:
    return json.dumps(content).encode()


def files_of(content: Any, name: str = "instances.json") -> dict[str, bytes]:
    data = content if isinstance(content, bytes) else encode(content)
    return {name: data, "images/a.jpg": b"", "images/b.jpg": b"", "masks/a.png": b"", "README": b""}


def read(files: dict[str, bytes]) -> Any:
    return COCO.read(detect(list(files), files.__getitem__, wanted="coco"), files.__getitem__)


def test_every_field_is_kept(round_trip) -> None:
    layout, parsed = round_trip(files_of(document()))
    assert layout.samples == ("images/a.jpg", "images/b.jpg")  # the mask is no sample
    assert parsed.annotations["images/a.jpg"] == {
        "id": 7,
        "width": 640,
        "height": 480,
        "license": 1,
        "objects": [{"id": 1, "class": "cat", "xywh": [1, 2, 3.5, 4], "iscrowd": 0}],
    }
    assert parsed.annotations["images/b.jpg"]["objects"][0]["mine"] == {"x": [1]}
    assert parsed.facts.classes == (
        ClassInfo("cat", 5, {"supercategory": "animal", "color": [1, 2, 3]}),
        ClassInfo("dog", 2, {}),
    )
    assert parsed.facts.extra["instances.json"] == {
        "info": {"year": 2026},
        "licenses": [{"id": 1, "name": "MIT"}],
        "segments": "an unknown field",
    }
    assert parsed.warnings == ()


def test_images_nobody_has_labelled_yet_are_samples() -> None:
    files = files_of(document()) | {"images/c.jpg": b"", "images/a.png": b"", "top.jpg": b""}
    layout = detect(list(files), files.__getitem__)
    assert layout.samples == ("images/a.jpg", "images/b.jpg", "images/c.jpg")
    parsed = COCO.read(layout, files.__getitem__)
    assert set(parsed.annotations) == {"images/a.jpg", "images/b.jpg"}


def test_written_in_the_usual_order() -> None:
    parsed = read(files_of(document()))
    written = json.loads(COCO.write(parsed.annotations, parsed.facts)["instances.json"])
    expected = ["info", "licenses", "images", "annotations", "categories", "segments"]
    assert list(written) == expected
    assert written == document()


@pytest.mark.parametrize(
    ("name", "images", "expected"),
    [
        ("a.jpg", ["a.jpg", "other/a.jpg"], "a.jpg"),
        ("a.jpg", ["train2017/a.jpg"], "train2017/a.jpg"),
        ("train/a.jpg", ["images/train/a.jpg", "images/val/a.jpg"], "images/train/a.jpg"),
        ("./images\\a.jpg", ["images/a.jpg"], "images/a.jpg"),
        ("/home/me/set/a.jpg", ["images/a.jpg"], "images/a.jpg"),
        ("http://host/x/a.jpg", ["images/a.jpg"], "images/a.jpg"),
        ("ünï/ä.jpg", ["data/ünï/ä.jpg"], "data/ünï/ä.jpg"),
    ],
)
def test_file_names_find_their_image(round_trip, with_images, name, images, expected) -> None:
    content = document(images=[{"id": 7, "file_name": name}], annotations=[])
    _, parsed = round_trip(with_images({"annotations/c.json": encode(content)}, images))
    assert list(parsed.annotations) == [expected]


def test_a_name_that_follows_no_rule_is_found_by_its_last_component(round_trip, with_images):
    entries = [{"id": n, "file_name": f"{n}.jpg"} for n in range(5)]
    entries.append({"id": 9, "file_name": "elsewhere/x.jpg"})
    images = [*(f"images/{n}.jpg" for n in range(5)), "more/x.jpg"]
    files = with_images({"c.json": encode(document(images=entries, annotations=[]))}, images)
    _, parsed = round_trip(files)
    assert parsed.annotations["more/x.jpg"] == {
        "id": 9,
        "file_name": "elsewhere/x.jpg",
        "objects": [],
    }


def test_the_files_name_decides_between_folders_that_fit_equally(round_trip, with_images) -> None:
    content = document(images=[{"id": 1, "file_name": "1.jpg"}], annotations=[])
    names = ("annotations/instances_val2017.json", "annotations/instances_train2017.json")
    images = ["train2017/1.jpg", "val2017/1.jpg"]
    _, parsed = round_trip(with_images(dict.fromkeys(names, encode(content)), images))
    assert parsed.annotations["val2017/1.jpg"]["splits"] == ["val"]
    assert parsed.annotations["train2017/1.jpg"]["splits"] == ["train"]
    assert parsed.annotations["train2017/1.jpg"]["sources"] == [names[1]]


def test_an_external_file_and_absent_images(round_trip, with_images) -> None:
    content = document()
    content["images"].append({"id": 99, "file_name": "../../etc/passwd"})
    files = with_images({"/anno/instances.json": encode(content)}, ["a.jpg", "b.jpg"])
    layout, parsed = round_trip(files)
    assert layout.shared_sources == ("/anno/instances.json",)
    assert parsed.annotations["etc/passwd"] == {
        "id": 99,
        "file_name": "../../etc/passwd",
        "objects": [],
    }
    assert parsed.warnings == ("1 image that is listed is not in the folder: etc/passwd",)


def test_several_files_over_the_same_images(round_trip) -> None:
    instances = document()
    captions = document(
        annotations=[
            {"id": 11, "image_id": 7, "caption": "a cat"},
            instances["annotations"][0] | {"category_id": 1},
        ],
        categories=[{"id": 1, "name": "cat"}],
        info=...,
        licenses=...,
    )
    captions["images"] = [{"id": 7, "file_name": "a.jpg"}]
    files = {**files_of(instances), "captions.json": encode(captions)}
    _, parsed = round_trip(files)
    both = parsed.annotations["images/a.jpg"]
    assert both["sources"] == ["captions.json", "instances.json"]
    assert both["entries"] == {
        "instances.json": {"id": 7, "width": 640, "height": 480, "license": 1}
    }
    assert both["objects"] == [
        {"id": 11, "caption": "a cat", "source": "captions.json"},
        {"id": 1, "class": "cat", "xywh": [1, 2, 3.5, 4], "iscrowd": 0},
    ]
    assert parsed.facts.extra["captions.json"]["categories"] == [{"id": 1, "class": "cat"}]


def test_files_without_annotations_or_categories_stay_so(round_trip) -> None:
    bare = document(annotations=..., categories=..., info=...)
    files = {**files_of(document()), "test_info.json": encode(bare)}
    round_trip(files)
    _, parsed = round_trip(files_of(bare))
    assert "objects" not in parsed.annotations["images/a.jpg"]


def test_fields_called_like_ours_are_told_apart(round_trip) -> None:
    content = document()
    content["images"][0] |= {"objects": 1, "splits": "x", "$objects": 2, "sources": None}
    content["annotations"][0] |= {"class": "z", "$class": 0, "xywh": [], "source": 3, "xyxy": 1}
    _, parsed = round_trip(files_of(content))
    annotation = parsed.annotations["images/a.jpg"]
    assert annotation["$objects"] == 1
    assert annotation["$$objects"] == 2
    assert annotation["objects"][0]["class"] == "cat"
    assert annotation["objects"][0]["$class"] == "z"


def test_equal_class_names_are_told_apart(round_trip) -> None:
    content = document(categories=[{"id": 5, "name": "cat"}, {"id": 2, "name": "cat"}])
    _, parsed = round_trip(files_of(content))
    assert parsed.annotations["images/b.jpg"]["objects"][0]["class"] == "cat#2"
    assert "'cat' has the numbers 5 and 2" in parsed.warnings[0]
    written = COCO.write(parsed.annotations, parsed.facts)["instances.json"]
    assert json.loads(written)["categories"] == content["categories"]


def test_repeated_ids_and_bad_boxes_are_kept_with_a_warning() -> None:
    content = document()
    content["annotations"].append(
        {"id": 1, "image_id": 3, "category_id": 2, "bbox": [600, 0, -5, 1]}
    )
    content["annotations"].append({"image_id": 3, "category_id": 2, "bbox": [600, 0, 90, 1]})
    parsed = read(files_of(content))
    assert len(parsed.annotations["images/b.jpg"]["objects"]) == 3
    assert parsed.warnings == (
        "instances.json: 1 object has an id that another one has: 1 (annotations[2])",
        "instances.json: 2 boxes have a negative size or reach out of their image: "
        "annotations[2], annotations[3]",
    )
    written = json.loads(COCO.write(parsed.annotations, parsed.facts)["instances.json"])
    assert [entry["id"] for entry in written["annotations"]] == [1, 2, 3, 4]


def test_new_samples_get_the_next_numbers() -> None:
    parsed = read(files_of(document()))
    annotations = dict(parsed.annotations)
    annotations["images/0.jpg"] = {"objects": [{"class": "bird", "xywh": [0, 0, 1, 1]}]}
    annotations["images/z.jpg"] = {"id": 7, "objects": []}
    facts = Facts(
        "coco",
        classes=(*parsed.facts.classes, ClassInfo("bird")),
        layout=parsed.facts.layout,
    )
    written = json.loads(COCO.write(annotations, facts)["instances.json"])
    assert {entry["file_name"]: entry["id"] for entry in written["images"]} == {
        "0.jpg": 8,
        "a.jpg": 7,
        "b.jpg": 3,
        "z.jpg": 9,
    }
    assert written["annotations"][0]["id"] == 3
    assert written["annotations"][0]["category_id"] == 6
    assert written["categories"][-1] == {"id": 6, "name": "bird"}


@pytest.mark.parametrize(
    "annotation",
    [
        {"objects": [{"class": "cat", "xyxy": [0, 0, 1, 1]}]},
        {"objects": [{"class": "cat", "xywh": [0, 0, 1]}]},
        {"objects": [{"class": "unheard of", "xywh": [0, 0, 1, 1]}]},
        {"labels": ["cat"]},
        {"splits": ["val"]},
    ],
)
def test_what_coco_cannot_hold_is_not_written(annotation) -> None:
    facts = read(files_of(document())).facts
    with pytest.raises(InvalidInputError):
        COCO.write({"images/a.jpg": annotation}, facts)


def broken(place: str, value: Any) -> dict[str, Any]:
    content = document()
    *path, last = place.split("/")
    target: Any = content
    for part in path:
        target = target[int(part)] if part.isdigit() else target[part]
    if isinstance(target, list):
        target[int(last)] = value
    else:
        target[last] = value
    return content


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (broken("images", {}), "instances.json: images: expected a list, found {}"),
        (broken("images/1", []), "images[1]: expected an object, found []"),
        (broken("images/1/id", 7), "images[1].id: expected an id of its own, found 7 again"),
        (broken("images/1/id", True), "images[1].id: expected a number or text, found True"),
        (broken("images/1/width", "640"), "images[1].width: expected a number, found '640'"),
        (broken("images/1/file_name", ""), "images[1].file_name: expected the name of a file"),
        (broken("images/1/file_name", 5), "images[1].file_name: expected the name of a file"),
        (broken("images/1/file_name", "a.jpg"), "images[1].file_name: expected an image not"),
        (broken("annotations", {}), "annotations: expected a list, found {}"),
        (broken("annotations/1", None), "annotations[1]: expected an object, found nothing"),
        (broken("annotations/1/id", []), "annotations[1].id: expected a number or text"),
        (broken("annotations/1/image_id", 99), "annotations[1].image_id: expected the id of one"),
        (broken("annotations/1/image_id", True), "annotations[1].image_id: expected the id of"),
        (broken("annotations/1/image_id", [3]), "annotations[1].image_id: expected the id of"),
        (broken("annotations/1/category_id", 99), "annotations[1].category_id: expected the id"),
        (broken("annotations/1/category_id", {}), "annotations[1].category_id: expected the id"),
        (broken("annotations/1/bbox", [1, 2, 3]), "annotations[1].bbox: expected four numbers"),
        (broken("annotations/1/bbox", [1, 2, 3, True]), "annotations[1].bbox: expected four"),
        (broken("annotations/1/bbox", [1, 2, 3, "4"]), "annotations[1].bbox: expected four"),
        (broken("annotations/1/bbox", None), "annotations[1].bbox: expected four numbers"),
        (broken("categories", 5), "categories: expected a list, found 5"),
        (broken("categories/1", 5), "categories[1]: expected an object, found 5"),
        (broken("categories/1/id", 5), "categories[1].id: expected a number other than that of"),
        (broken("categories/1/id", 1.5), "categories[1].id: expected a whole number, found 1.5"),
        (broken("categories/1/name", ""), "categories[1].name: expected text, found ''"),
    ],
)
def test_hostile_content_is_refused_by_place(content, message) -> None:
    with pytest.raises(FormatError) as caught:
        read(files_of(content))
    assert message in str(caught.value)
    assert str(caught.value).startswith("instances.json: ")


@pytest.mark.parametrize("number", [2**63, 10**100, -(2**80)])
def test_huge_ids_are_exact(round_trip, number) -> None:
    content = json.loads(json.dumps(document()).replace('"image_id": 3', f'"image_id": {number}'))
    content["images"][1]["id"] = number
    _, parsed = round_trip(files_of(content))
    assert parsed.annotations["images/b.jpg"]["id"] == number


def test_a_damaged_coco_file_is_not_taken_for_another_format() -> None:
    data = encode(document())
    for bad in (data[:-20], data.replace(b"3.5", b"NaN"), b"\xff" + data):
        files = files_of(bad)
        with pytest.raises(FormatError, match=r"instances\.json"):
            detect(list(files), files.__getitem__)


def test_json_beside_the_images_is_not_coco(with_images) -> None:
    files = with_images({f"x/{n}.json": b'{"shapes": []}' for n in range(300)}, ["x/1.jpg"])
    assert detect(list(files), files.__getitem__).format == "files"


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner,
                                                               max_size=3),
    max_leaves=5,
)  # fmt: skip
_extra = st.dictionaries(st.text(max_size=8), _json, max_size=3)
_number = st.integers(-(10**6), 10**6) | st.floats(-1e6, 1e6)


@st.composite
def coco_documents(draw: st.DrawFn) -> dict[str, Any]:
    ids = draw(st.lists(st.integers() | st.text(max_size=3), unique=True, max_size=4))
    stems = st.text(st.characters(codec="utf-8", exclude_characters="/\\\0."), min_size=1)
    names = draw(st.lists(stems, min_size=len(ids), max_size=len(ids), unique=True))
    numbers = draw(st.lists(st.integers(), unique=True, min_size=1, max_size=3))
    objects = []
    if ids:
        for number in draw(st.lists(st.none() | st.integers(), max_size=6, unique=True)):
            obj = draw(_extra) | {"image_id": draw(st.sampled_from(ids))}
            if number is not None:
                obj["id"] = number
            else:
                obj.pop("id", None)
            obj.pop("bbox", None)
            obj.pop("category_id", None)
            if draw(st.booleans()):
                obj["bbox"] = draw(st.lists(_number, min_size=4, max_size=4))
                obj["category_id"] = draw(st.sampled_from(numbers))
            objects.append(obj)
        if None in [obj.get("id") for obj in objects]:
            objects = [obj for obj in objects if "id" in obj]
    images = []
    for image_id, name in zip(ids, names, strict=True):
        entry = draw(_extra)
        entry.pop("width", None)
        entry.pop("height", None)
        images.append({**entry, "id": image_id, "file_name": f"{name}.jpg"})
    top = draw(_extra)
    classes = [draw(_extra) | {"id": n, "name": f"class {n}"} for n in numbers]
    return {**top, "images": images, "annotations": objects, "categories": classes}


@given(content=coco_documents(), present=st.integers(0, 4), folder=st.sampled_from(["", "i/j/"]))
def test_whatever_a_file_says_survives(round_trip, content, present, folder) -> None:
    files = {"c.json": json.dumps(content, ensure_ascii=False).encode()}
    files |= {folder + image["file_name"]: b"" for image in content["images"][:present]}
    round_trip(files, wanted="coco")


def test_splits_are_sorted_whatever_the_files_are_called(round_trip) -> None:
    data = encode(document())
    files = {**files_of(data, "a_val.json"), "b_train.json": data}
    _, parsed = round_trip(files)
    assert parsed.annotations["images/a.jpg"]["splits"] == ["train", "val"]


def test_a_layout_serves_again_and_for_other_content() -> None:
    files = files_of(document())
    layout = detect(list(files), files.__getitem__)
    changed = {**files, "instances.json": encode(document(segments="changed"))}
    for content, expected in ((changed, "changed"), (files, "an unknown field")):
        extra = COCO.read(layout, content.__getitem__).facts.extra["instances.json"]
        assert extra["segments"] == expected
