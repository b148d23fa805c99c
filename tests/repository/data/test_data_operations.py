"""Data operations: what they make is what ``add`` would find in a folder of those files.

That one property carries most: if an operation wrote an annotation file wrongly, miscounted, forgot
a class, left a file behind or built another tree, the record that ``add`` makes of the exported
files differs. Seen to fail with the number of objects taken from the source. What a writer drops is
not in the files either, so that takes the tests which say what must be left: seen to fail with the
read-back of ``rewrite`` switched off and a writer that drops the last object of each sample.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.repository.kit import CLASSES, FORMATS, Box, Files, Project, coco, png, small_model
from veml_vcs.errors import ConflictError, FormatError, InvalidInputError, NotFoundError
from veml_vcs.repository.data.combine import add_samples, merge_data_sets
from veml_vcs.repository.data.filter import filter_data
from veml_vcs.repository.data.listing import list_data, show_sample
from veml_vcs.repository.data.operate import Operated
from veml_vcs.repository.data.statistics import statistics
from veml_vcs.repository.data.update import Edit, parse_assignment, update_data
from veml_vcs.samples.query import Conditions
from veml_vcs.versions.data import DataRecord

MODEL = small_model(12)
BOXED = [name for name in FORMATS if name != "folders"]


def started(project: Project, files: Files, name: str = "data") -> Project:
    project.write(files, name)
    project.save(name)
    return project


def assert_as_added(project: Project, done: Operated) -> None:
    """Check that ``add`` of a copy of the result's folder gives the same record."""
    copy = "copy-of-result"
    shutil.copytree(project.path(done.path), project.path(copy))
    project.add(copy, format=done.record.facts.format)
    found = project.repo.staged_datasets()[copy]
    assert found.to_bytes() == replace(done.record, derived={}).to_bytes()
    shutil.rmtree(project.path(copy))
    project.git("rm", "-q", "--cached", copy + ".veml")
    project.path(copy + ".veml").unlink()
    staged = project.repo.staged_datasets()[done.path]
    assert staged.to_bytes() == done.record.to_bytes()
    assert not project.status().changed_data
    project.assert_intact()


def boxes(project: Project, name: str, revision: str | None = None) -> dict[str, list[str]]:
    """Return image name -> classes of its objects (or labels), sorted."""
    data = project.repo.dataset(name, revision)
    return {
        one.key.rsplit("/", 1)[-1]: sorted([o["class"] for o in one.objects] + one.labels)
        for one in data
    }


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("to", [None, "sets/part"])
def test_filter_by_class(project: Project, form: str, to: str | None) -> None:
    started(project, FORMATS[form](MODEL))
    before = boxes(project, "data")
    source = project.repo.staged_datasets()["data"]
    done = filter_data(project.repo, "data", Conditions(classes=("person",)), to=to)
    assert done.path == (to or "data")
    assert done.written
    expected = {name: found for name, found in before.items() if "person" in found}
    assert 0 < len(expected) < len(before)
    assert boxes(project, done.path) == expected
    assert done.record.derived["operation"] == "filter"
    assert done.record.derived["arguments"] == {"class": ["person"]}
    assert done.record.derived["from"][0]["tree"] == source.tree.hex()
    assert_as_added(project, done)
    if to:
        assert project.repo.staged_datasets()["data"] == source
    project.commit("filtered")
    project.assert_clean()


@pytest.mark.parametrize("form", BOXED)
def test_filter_drops_other_objects(project: Project, form: str) -> None:
    started(project, FORMATS[form](MODEL))
    wanted = Conditions(classes=("dog",), objects="box.width > 0")
    done = filter_data(project.repo, "data", wanted, drop_others=True)
    found = boxes(project, "data")
    assert found
    assert {name for names in found.values() for name in names} == {"dog"}
    assert_as_added(project, done)


def test_unchanged_annotation_files_stay_byte_for_byte(project: Project) -> None:
    started(project, FORMATS["voc"](MODEL))
    before = project.files("data")
    done = filter_data(project.repo, "data", Conditions(keys=("*000[1-4]*",)))
    assert done.rewritten == ()
    after = project.files("data")
    assert after == {key: data for key, data in before.items() if any(
        f"000{i}" in key for i in range(1, 5))}  # fmt: skip


def test_files_named_like_dropped_samples_go(project: Project) -> None:
    files = coco(MODEL) | {f"masks/{name}": png(100) for name in MODEL} | {"README": b"all\n"}
    started(project, files)
    filter_data(project.repo, "data", Conditions(keys=("*0001.png",)))
    assert sorted(project.files("data")) == [
        "README", "annotations.json", "images/0001.png", "masks/0001.png"
    ]  # fmt: skip


@pytest.mark.parametrize("form", FORMATS)
def test_rename_and_join_classes(project: Project, form: str) -> None:
    started(project, FORMATS[form](MODEL))
    before = boxes(project, "data")
    names = {"dog": "animal", "person": "animal", "car": "vehicle"}
    done = update_data(project.repo, "data", Conditions(), Edit(rename_classes=names))
    expected = {k: sorted(names.get(one, one) for one in v) for k, v in before.items()}
    assert boxes(project, "data") == expected
    listed = [one.name for one in done.record.facts.classes]
    assert not {"dog", "person", "car"} & set(listed)
    assert len(listed) == len(set(listed))
    assert_as_added(project, done)


def test_a_class_renamed_in_some_samples_keeps_its_name_in_the_others(project: Project) -> None:
    started(project, coco(MODEL))
    wanted = Conditions(keys=("*0003.png",))
    done = update_data(project.repo, "data", wanted, Edit(rename_classes={"car": "taxi"}))
    names = {name for found in boxes(project, "data").values() for name in found}
    assert {"car", "taxi"} <= names
    assert [one.name for one in done.record.facts.classes] == [*CLASSES, "taxi"]
    assert_as_added(project, done)


def test_set_and_unset_fields(project: Project) -> None:
    started(project, coco(MODEL))
    edit = Edit(
        set_fields={"weather": "night", "tags": [1, None]},
        set_object_fields={"difficult": 1},
    )
    wanted = Conditions(keys=("*000*",), classes=("dog",))
    done = update_data(project.repo, "data", wanted, edit)
    assert_as_added(project, done)
    for one in project.repo.dataset("data"):
        said = one.annotation
        assert said is not None
        meant = "/000" in one.key and any(o["class"] == "dog" for o in one.objects)
        assert ("weather" in said) is meant
        for obj in one.objects:
            assert ("difficult" in obj) is (meant and obj["class"] == "dog")
    undo = Edit(unset_fields=("weather", "tags"), unset_object_fields=("difficult",))
    again = update_data(project.repo, "data", Conditions(where='weather == "night"'), undo)
    assert again.record.tree != done.record.tree
    assert "weather" not in str(project.files("data")["annotations.json"])


def test_drop_objects(project: Project) -> None:
    started(project, coco(MODEL))
    done = update_data(project.repo, "data", Conditions(classes=("car",)), Edit(drop_objects=True))
    assert done.record.samples == len(MODEL)
    assert "car" not in {name for found in boxes(project, "data").values() for name in found}
    assert_as_added(project, done)


def test_a_format_without_a_place_for_a_field_refuses_and_nothing_changes(
    project: Project,
) -> None:
    started(project, FORMATS["yolo"](MODEL))
    before = project.files()
    with pytest.raises(InvalidInputError, match="YOLO has no place for weather"):
        update_data(project.repo, "data", Conditions(), Edit(set_fields={"weather": "night"}))
    assert project.files() == before
    project.assert_clean()


NAMES = list(FORMATS)
PAIRS = [
    pytest.param(one, two, marks=[] if (j - i) % 5 in (0, 2) else pytest.mark.slow)
    for i, one in enumerate(NAMES)
    for j, two in enumerate(NAMES)
]


@pytest.mark.parametrize(("form", "other"), PAIRS)
def test_merge_converts_to_the_first_format(project: Project, form: str, other: str) -> None:
    more = {f"{i:04d}.png": (Box(900 + i, "tree", 1, 2, 9, 8),) for i in range(50, 55)}
    more["0060.png"] = (Box(970, "car", 1, 2, 9, 8),)  # one class folder alone would be none
    started(project, FORMATS[form](MODEL), "one")
    started(project, FORMATS[other](more), "two")
    expected = boxes(project, "one") | boxes(project, "two")
    done = merge_data_sets(project.repo, ["one", "two"], to="both")
    assert done.record.facts.format == form
    if other == "folders" and form not in ("folders", "coco"):
        # These have no place for a label of the whole image, and the conversion says so.
        assert any("no place for 'labels'" in one for one in done.warnings)
        expected |= {name: [] for name in more}
    assert boxes(project, "both") == expected
    assert [one["data"] for one in done.record.derived["from"]] == ["one", "two"]
    assert_as_added(project, done)


def test_merge_takes_the_same_bytes_once_and_keeps_two_of_one_name(project: Project) -> None:
    more = {"0001.png": (Box(1, "car", 1, 2, 9, 8),), "0002.png": (Box(2, "car", 1, 2, 9, 8),)}
    files = coco(more)
    files["images/0001.png"] = png(77)
    started(project, coco(MODEL), "one")
    started(project, files, "two")
    done = merge_data_sets(project.repo, ["one", "two"])
    assert done.record.samples == len(MODEL) + 1
    assert boxes(project, "one")["0001_2.png"] == ["car"]
    assert any("says something else of 1 samples" in one for one in done.warnings)
    assert_as_added(project, done)


def test_ids_of_the_first_source_stay(project: Project) -> None:
    started(project, coco(MODEL), "one")
    started(project, coco({"0000.png": (Box(11, "car", 0, 0, 5, 5),)}), "two")
    before = {one.key: one.annotation for one in project.repo.dataset("one")}
    merge_data_sets(project.repo, ["one", "two"])
    after = {one.key: one.annotation for one in project.repo.dataset("one")}
    assert {key: after[key] for key in before} == before
    document = json.loads(project.files("one")["annotations.json"])
    for name in ("images", "annotations"):
        ids = [one["id"] for one in document[name]]
        assert len(ids) == len(set(ids))


@pytest.mark.parametrize("form", FORMATS)
def test_add_a_folder(project: Project, form: str, tmp_path: pytest.TempPathFactory) -> None:
    started(project, coco(MODEL))
    more = {f"{i:04d}.png": (Box(900 + i, "tree", 1, 2, 9, 8),) for i in range(50, 53)}
    if form == "folders":
        more["0060.png"] = (Box(1, "car", 1, 2, 9, 8),)
    project.write(FORMATS[form](more), "incoming")
    before = project.files("incoming")
    done = add_samples(project.repo, "data", str(project.path("incoming")))
    assert done.record.samples == len(MODEL) + len(more)
    assert project.files("incoming") == before
    assert_as_added(project, done)
    with pytest.raises(InvalidInputError, match="all these samples already"):
        add_samples(project.repo, "data", str(project.path("incoming")))


def test_a_revision_needs_a_place(project: Project) -> None:
    started(project, coco(MODEL))
    project.replace(coco(small_model(3)), "data")
    project.save("data")
    wanted = Conditions(keys=("*0009.png",))
    with pytest.raises(InvalidInputError, match="place of its own"):
        filter_data(project.repo, "HEAD~1:data", wanted)
    done = filter_data(project.repo, "HEAD~1:data", wanted, to="old")
    assert done.record.samples == 1
    assert project.repo.staged_datasets()["data"].samples == 3
    assert_as_added(project, done)


def test_without_a_folder_only_the_record_is_staged(project: Project) -> None:
    started(project, coco(MODEL))
    shutil.rmtree(project.path("data"))
    done = filter_data(project.repo, "data", Conditions(classes=("dog",)))
    assert not done.written
    assert not project.path("data").exists()
    other = filter_data(
        project.repo, "data", Conditions(classes=("car",)), to="cars", checkout=False
    )
    assert not other.written
    assert not project.path("cars").exists()
    assert project.repo.staged_datasets()["cars"].samples == other.record.samples


def test_uncommitted_changes_are_never_overwritten(project: Project) -> None:
    started(project, coco(MODEL))
    edited = project.files("data")["annotations.json"].replace(b"night", b"day") + b"\n"
    project.write({"annotations.json": edited}, "data")
    staged = project.repo.staged_datasets()
    with pytest.raises(ConflictError, match=r"annotations\.json"):
        filter_data(project.repo, "data", Conditions(classes=("dog",)))
    assert project.files("data")["annotations.json"] == edited
    assert project.repo.staged_datasets() == staged


def test_refusals(project: Project) -> None:
    started(project, coco(MODEL))
    repo, dogs = project.repo, Conditions(classes=("dog",))
    before = project.files()
    for call, kind, words in (
        (lambda: filter_data(repo, "data", Conditions()), InvalidInputError, "no condition"),
        (lambda: filter_data(repo, "data", Conditions(where="width > 9999")), InvalidInputError,
         "none of the 12"),
        (lambda: filter_data(repo, "data", dogs, to="data/in"), InvalidInputError, "nested"),
        (lambda: filter_data(repo, "data", dogs, to="../out"), InvalidInputError, "expected a"),
        (lambda: filter_data(repo, "data", dogs, to="data"), ConflictError, "already"),
        (lambda: filter_data(repo, "nope", dogs), NotFoundError, "no data set"),
        (lambda: filter_data(repo, "HEAD:data", dogs, revision="HEAD"), InvalidInputError, "--rev"),
        (lambda: update_data(repo, "data", dogs, Edit()), InvalidInputError, "nothing to change"),
        (lambda: update_data(repo, "data", dogs, Edit(set_fields={"objects": []})),
         InvalidInputError, "cannot be set"),
        (lambda: update_data(repo, "data", dogs, Edit(rename_classes={"dgo": "x"})),
         InvalidInputError, "no class 'dgo'"),
        (lambda: update_data(repo, "data", dogs, Edit(unset_fields=("absent",))),
         InvalidInputError, "nothing of data would change"),
        (lambda: merge_data_sets(repo, ["data"]), InvalidInputError, "two data sets"),
        (lambda: merge_data_sets(repo, ["data", "data"]), InvalidInputError, "already"),
        (lambda: add_samples(repo, "data", str(project.path("absent"))), NotFoundError, "folder"),
    ):  # fmt: skip
        with pytest.raises(kind, match=words):
            call()
    project.write({"note.txt": b"mine"}, "taken")
    with pytest.raises(ConflictError, match="not empty"):
        filter_data(repo, "data", dogs, to="taken")
    project.remove("taken")
    assert project.files() == before
    project.assert_clean()


def test_dry_run_stores_and_stages_nothing(project: Project) -> None:
    started(project, coco(MODEL))
    packs = sorted(project.path(".git/veml/packs").iterdir())
    before = project.files()
    dry = filter_data(project.repo, "data", Conditions(classes=("dog",)), to="x", dry_run=True)
    assert project.files() == before
    assert sorted(project.path(".git/veml/packs").iterdir()) == packs
    real = filter_data(project.repo, "data", Conditions(classes=("dog",)), to="x")
    assert dry.record == real.record


def test_two_machines_make_the_same_version(make_project: Callable[..., Project]) -> None:
    made: list[DataRecord] = []
    for name in ("one", "two"):
        project = started(make_project(name), coco(MODEL))
        if name == "two":
            project.write({"x": b"1"}, "elsewhere")
            project.save("elsewhere")
        done = filter_data(project.repo, "data", Conditions(where='any(class=="dog")'), to="d")
        made.append(done.record)
    assert made[0].to_bytes() == made[1].to_bytes()


def test_derivation_survives_add_of_an_unchanged_folder_alone(project: Project) -> None:
    started(project, coco(MODEL))
    done = filter_data(project.repo, "data", Conditions(classes=("dog",)), to="dogs")
    project.age("dogs")
    project.add("dogs")
    assert project.repo.staged_datasets()["dogs"].to_bytes() == done.record.to_bytes()
    project.write({"README": b"edited\n"}, "dogs")
    project.add("dogs")
    assert project.repo.staged_datasets()["dogs"].derived == {}


def test_annotation_file_outside_the_folder_comes_inside(project: Project) -> None:
    files = coco(MODEL, folder="")
    document = files.pop("annotations.json")
    project.write(files, "images/train")
    project.write({"annotations/instances_train.json": document})
    project.add("images/train", annotations=["annotations/instances_train.json"])
    project.commit()
    done = filter_data(project.repo, "images/train", Conditions(classes=("dog",)), to="dogs")
    assert done.rewritten == ("annotations/instances_train.json",)
    assert_as_added(project, done)
    here = filter_data(project.repo, "images/train", Conditions(classes=("car",)))
    assert here.record.annotations == ("annotations/instances_train.json",)
    assert project.path("annotations/instances_train.json").read_bytes() != document
    assert not project.status().changed_data


def test_only_the_coco_file_that_changes_is_written(project: Project) -> None:
    train, val = coco(MODEL), coco({"0050.png": (Box(1, "car", 0, 0, 9, 9),),
                                    "0051.png": (Box(2, "dog", 0, 0, 9, 9),)})  # fmt: skip
    files = {"instances_train.json": train.pop("annotations.json"),
             "instances_val.json": val.pop("annotations.json"), **train, **val}  # fmt: skip
    started(project, files)
    done = filter_data(project.repo, "data", Conditions(where='not key ~ "*0051*"'))
    assert done.rewritten == ("instances_val.json",)
    assert project.files("data")["instances_train.json"] == files["instances_train.json"]
    assert_as_added(project, done)


def test_listing_and_show(project: Project) -> None:
    started(project, coco(MODEL))
    found = list_data(project.repo, "HEAD:data", Conditions(classes=("person",)))
    assert found.total == len(MODEL)
    assert {one.key.rsplit("/", 1)[-1] for one in found.samples} == {
        name for name, said in MODEL.items() if any(box.name == "person" for box in said)
    }
    assert all(one.width == 64 and "person" in one.classes for one in found.samples)
    shown, data = show_sample(project.repo, "data", "0003.png")
    assert shown.key == "images/0003.png"
    assert data == png(3)
    assert (shown.width, shown.height) == (4, 4)
    with pytest.raises(NotFoundError) as raised:
        show_sample(project.repo, "data", "0003.jpg")
    assert "0003.png" in (raised.value.hint or "")


def test_statistics(project: Project) -> None:
    started(project, coco(MODEL))
    found = statistics(project.repo, "data", Conditions())
    every = [box for said in MODEL.values() for box in said]
    assert (found.samples, found.objects, found.unlabelled) == (len(MODEL), len(every), 0)
    for one in found.classes:
        assert one.objects == sum(box.name == one.name for box in every)
        assert one.small == one.objects  # 10 x 12 pixels
    assert found.image_sizes == {"64x64": len(MODEL)}
    assert found.box_width is not None
    assert found.box_width.minimum == found.box_width.maximum == 10
    assert found.objects_per_sample is not None
    assert sum(found.objects_per_sample.counts) == len(MODEL)
    part = statistics(project.repo, "data", Conditions(classes=("dog",)))
    assert part.samples < part.total == len(MODEL)


@pytest.mark.parametrize(
    ("text", "value"),
    [("a=1", 1), ("a=x", "x"), ('a="1"', "1"), ("a=", ""), ("a=[1,2]", [1, 2]), ("a=NaN", "NaN"),
     ("a=b=c", "b=c"), ("a=null", None)],
)  # fmt: skip
def test_assignments(text: str, value: object) -> None:
    assert parse_assignment(text) == ("a", value)


def test_a_folder_that_cannot_be_read_changes_nothing(project: Project) -> None:
    started(project, coco(MODEL))
    project.write({"a.png": png(1), "ann.json": b'{"images": [{"id": 1, "file_name": "a.png"}]'},
                  "incoming")  # fmt: skip
    with pytest.raises(FormatError, match=r"ann\.json"):
        add_samples(project.repo, "data", str(project.path("incoming")))
    assert project.repo.staged_datasets()["data"].samples == len(MODEL)
