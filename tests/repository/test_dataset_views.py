"""The Python API in bulk: choices, columns, boxes, COCO and orders say what single samples say."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from tests.repository.kit import FORMATS, Box, Project, coco, png, small_model
from veml_vcs.errors import InvalidInputError, NotFoundError
from veml_vcs.repository import Dataset
from veml_vcs.samples.formats import get_format

MODEL = small_model(9)


@pytest.fixture
def data(project: Project) -> Dataset:
    project.write(coco(MODEL), "data")
    project.save("data")
    return project.repo.dataset("data", "HEAD")


def test_several_by_position_key_and_mask(data: Dataset) -> None:
    keys = data.keys
    assert data[np.int64(2)].key == keys[2]
    assert data[-1].key == keys[-1]
    assert data[[4, 0]].keys == [keys[4], keys[0]]
    assert data[np.array([4, 0])].keys == [keys[4], keys[0]]
    assert data[[keys[3], keys[1]]].keys == [keys[3], keys[1]]
    assert data[data.column("key") == keys[5]].keys == [keys[5]]
    assert data[[]].keys == []
    assert data[2:5][1:].keys == keys[3:5]
    for wrong in ([99], np.array([True])):
        with pytest.raises(IndexError):
            data[wrong]  # type: ignore[index]
    with pytest.raises(NotFoundError):
        data[["nope"]]


def test_filter_is_what_single_samples_say(data: Dataset) -> None:
    dogs = data.filter(classes=["dog"])
    assert dogs.keys == [
        one.key for one in data if any(obj["class"] == "dog" for obj in one.objects)
    ]
    assert dogs.filter(keys=["*0001*"]).keys == [k for k in dogs.keys if "0001" in k]
    assert data[2:6].filter(where="count() == 2").keys == [
        one.key for one in data[2:6] if len(one.objects) == 2
    ]
    with pytest.raises(InvalidInputError, match="dgo"):
        data.filter(classes=["dgo"])
    copy = pickle.loads(pickle.dumps(dogs))
    assert [one.data for one in copy] == [one.data for one in dogs]
    copy.repository.close()


def test_columns_have_the_type_of_their_values(data: Dataset) -> None:
    assert data.column("width").tolist() == [64] * len(data)
    assert data.column("width").dtype == np.int64
    assert data.column("width / 3").dtype == np.float64
    assert data.column("count() > 1").dtype == np.bool_
    assert data.column("key").tolist() == data.keys
    assert data.column("classes").dtype == object
    nothing = data.column("nothing")
    assert nothing.dtype == object
    assert set(nothing.tolist()) == {None}
    assert data.column("id + 0.5").tolist() == [one.annotation["id"] + 0.5 for one in data]  # type: ignore[index]
    every = [obj for one in data for obj in one.objects]
    assert data.column("class", of="objects").tolist() == [obj["class"] for obj in every]
    areas = data.column("box.area", of="objects")
    assert areas.tolist() == [obj["xywh"][2] * obj["xywh"][3] for obj in every]
    assert data[[]].column("width").shape == (0,)
    with pytest.raises(InvalidInputError, match="samples"):
        data.column("width", of="rows")  # type: ignore[arg-type]


@pytest.mark.parametrize("form", FORMATS)
def test_boxes_and_coco_of_every_format(project: Project, form: str) -> None:
    files = {k: png(int(k[-8:-4]), 64) if k.endswith(".png") else v
             for k, v in FORMATS[form](MODEL).items()}  # fmt: skip
    project.write(files, "data")
    project.save("data")
    data = project.repo.dataset("data")
    boxes, samples, labels = data.boxes()
    expected = [(one.key, *map(float, box)) for one in data for box in one.boxes()[0]]
    assert [
        (data.keys[i], *box) for i, box in zip(samples, boxes.tolist(), strict=True)
    ] == expected
    assert [data.classes[i] for i in labels] == [n for one in data for n in one.boxes()[1]]
    part = data[::2]
    document = part.to_coco()
    assert [one["file_name"] for one in document["images"]] == part.keys
    numbers = {one["id"]: one["name"] for one in document["categories"]}
    found = sorted(numbers[one["category_id"]] for one in document["annotations"])
    assert found == sorted(
        n for one in part for n in [o["class"] for o in one.objects] + one.labels
    )
    # What to_coco gives can be read again by the format itself.
    import json

    text = json.dumps(document).encode()
    layout = get_format("coco").detect([*part.keys, "a.json"], lambda _: text)
    assert layout is not None
    assert list(layout.samples) == part.keys


def test_store_order_and_shuffle(project: Project) -> None:
    project.write({f"{i:03}.png": png(i) for i in range(60, 120)}, "data")
    project.save("data")
    project.write({f"{i:03}.png": png(i) for i in range(60)}, "data")
    project.save("data")
    data = project.repo.dataset("data")
    # The first sixty came into the store last.
    assert data.in_store_order().keys == data.keys[60:] + data.keys[:60]
    one = data.shuffled(1, block=5, window=2)
    assert sorted(one.keys) == data.keys
    assert one.keys != data.keys
    assert data.shuffled(1, block=5, window=2).keys == one.keys
    assert data.shuffled(2, block=5, window=2).keys != one.keys
    # Any ten that are read together lie in at most two blocks of five neighbours.
    place = {key: i for i, key in enumerate(data.in_store_order().keys)}
    for start in range(0, 120, 10):
        assert len({place[key] // 5 for key in one.keys[start : start + 10]}) == 2
    assert sorted(data.shuffled(block=1, window=1).keys) == data.keys
    assert data[:0].shuffled().keys == []
    with pytest.raises(InvalidInputError, match="1 or more"):
        data.shuffled(block=0)


def test_a_class_that_is_not_listed_has_no_position(project: Project) -> None:
    model = {"0001.png": (Box(1, "car", 1, 1, 5, 5),)}
    files = coco(model)
    files["annotations.json"] = files["annotations.json"].replace(b'"category_id": 1,', b"")
    project.write(files, "data")
    project.save("data")
    assert project.repo.dataset("data").boxes()[2].tolist() == [-1]
