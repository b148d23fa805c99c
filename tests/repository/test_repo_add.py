"""``veml add`` and ``veml status``: what is read, what is trusted, and what is refused."""

from __future__ import annotations

import json
import os
import time

import pytest

from tests.repository.kit import Box, Project, coco, dump, images, png, small_model, voc
from veml_vcs.errors import ConflictError, FormatError, InvalidInputError, NotFoundError
from veml_vcs.repository.data_changes import StagedData
from veml_vcs.repository.worktree import reading
from veml_vcs.repository.worktree.scan import Stamp


def test_status_says_what_differs_at_each_place(project: Project) -> None:
    project.write(images(5), "data")
    project.save("data")
    project.write({"0000.png": png(50), "9000.png": png(51), "note.md": b"n\n"}, "data")
    project.remove("data/0001.png")
    project.add("data")
    project.write({"0002.png": png(52), "9001.png": png(53)}, "data")
    project.remove("data/0003.png")
    found = project.status()
    assert found.staged_data == (
        StagedData("data", "modified", added=1, changed=1, removed=1, files=1),
    )
    changes = found.changed_data["data"]
    assert (changes.added, changes.changed, changes.removed) == (
        ["9001.png"], ["0002.png"], ["0003.png"],
    )  # fmt: skip
    assert "data/" not in project.git("status", "--porcelain")


def test_nothing_is_read_again_when_nothing_changed(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write(coco(small_model(6)), "data")
    project.age("data")
    project.save("data")
    monkeypatch.setattr(reading, "read_file", None)
    assert project.status().clean
    assert project.add("data").datasets[0].new_bytes == 0


def test_a_file_of_the_same_size_and_time_written_just_after_add_is_noticed(
    project: Project,
) -> None:
    """The racy-clean rule; seen to fail with ``known`` trusting any equal stamp."""
    project.write(images(3), "data")
    now = time.time_ns() + 10**9  # at the moment the cache is written, or later
    os.utime(project.path("data/0001.png"), ns=(now, now))
    project.add("data")
    with open(project.path("data/0001.png"), "r+b") as file:
        file.write(png(2))
    os.utime(project.path("data/0001.png"), ns=(now, now))
    assert project.status().changed_data["data"].changed == ["0001.png"]


def test_bytes_changed_behind_an_old_time_stamp_are_found_by_verify(project: Project) -> None:
    project.write(images(3), "data")
    project.age("data")
    project.save("data")
    stamp = project.path("data/0001.png").stat()
    with open(project.path("data/0001.png"), "r+b") as file:
        file.write(png(2))
    os.utime(project.path("data/0001.png"), ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert project.status().clean
    assert project.status(verify=True).changed_data["data"].changed == ["0001.png"]


def test_a_touched_file_is_read_once_and_is_clean(project: Project) -> None:
    project.write(images(3), "data")
    project.save("data")
    os.utime(project.path("data/0001.png"))
    assert project.status().clean


def test_empty_files_of_every_kind(project: Project) -> None:
    project.write({"a.png": b"", "b.png": png(1), "empty.txt": b"", "x.json": b"{}"}, "data")
    record = project.add("data").datasets[0].record
    assert (record.samples, record.files) == (2, 2)
    project.commit("empty")
    project.assert_clean()
    project.remove("data")
    project.checkout("main", force=True)
    assert project.files("data")["a.png"] == b""


def test_an_empty_coco_file_is_a_data_set_without_samples(project: Project) -> None:
    project.write({"annotations.json": dump({"images": [], "annotations": [], "categories": []})},
                  "data")  # fmt: skip
    record = project.add("data", format="coco").datasets[0].record
    assert (record.samples, record.objects, record.facts.format) == (0, 0, "coco")
    project.commit("empty")
    project.assert_clean()


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_are_none_are_refused_by_name(project: Project, word: str) -> None:
    files = coco({"0001.png": (Box(1, "car", 1, 2, 3, 4),)})
    text = (
        files["annotations.json"].decode().replace('"bbox": [\n    1,', f'"bbox": [\n    {word},')
    )
    assert word in text
    project.write(files | {"annotations.json": text.encode()}, "data")
    with pytest.raises(FormatError, match=r"annotations\.json"):
        project.add("data")
    assert project.repo.staged_datasets() == {}
    assert not project.path("data.veml").exists()


def test_a_list_of_ten_thousand_classes(project: Project) -> None:
    names = [f"class {i:05d}" for i in range(10_000)]
    model = {"0001.png": (Box(1, names[-1], 1, 2, 3, 4),)}
    project.write(coco(model, names), "data")
    record = project.add("data").datasets[0].record
    assert len(record.facts.classes) == 10_000
    project.commit("many")
    project.replace(coco({"0001.png": (Box(1, names[5], 1, 2, 3, 4),)}, names), "data")
    record = project.add("data").datasets[0].record
    assert {n: c.objects for n, c in record.class_counts.items() if c.objects} == {names[5]: 1}
    project.commit("other")
    project.assert_clean()


def test_a_file_that_changes_while_it_is_read_is_read_again(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its writer ends between two reads: the bytes that are added are those of one moment."""
    project.write(images(1), "data")
    target = project.path("data/0000.png")
    real = os.read
    changed = []

    def read(descriptor: int, size: int) -> bytes:
        data = real(descriptor, size)
        if not changed and os.readlink(f"/proc/self/fd/{descriptor}") == str(target):
            changed.append(True)
            target.write_bytes(png(77))
            os.utime(target, ns=(time.time_ns(), time.time_ns() + 10**9))
        return data

    with monkeypatch.context() as patch:
        patch.setattr(os, "read", read)
        project.add("data")
    assert changed
    project.commit("one moment")
    project.remove("data")
    project.checkout("main", force=True)
    assert project.files("data") == {"0000.png": png(77)}


def test_a_file_that_keeps_changing_is_refused(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write(images(1) | {"log.txt": b"x\n"}, "data")
    target = project.path("data/log.txt")
    real = os.read

    def read(descriptor: int, size: int) -> bytes:
        data = real(descriptor, size)
        if os.readlink(f"/proc/self/fd/{descriptor}") == str(target):
            with open(target, "ab") as file:
                file.write(b"x\n")
        return data

    monkeypatch.setattr(os, "read", read)
    with pytest.raises(ConflictError, match=r"log\.txt: changes while it is read"):
        project.add("data")
    assert project.repo.staged_datasets() == {}


def test_read_files_returns_the_stamp_of_the_bytes(project: Project) -> None:
    project.write(images(1), "data")
    found = list(
        reading.read_files(
            [("0000.png", Stamp(0, 0, 0, False))], lambda key: str(project.path("data") / key)
        )
    )
    assert found[0].stamp.size == len(png(0)) == len(found[0].data)


def test_what_cannot_be_added_says_why(project: Project) -> None:
    project.write(images(2), "outer/inner")
    project.save("outer/inner")
    with pytest.raises(NotFoundError, match="no such file"):
        project.add("missing")
    with pytest.raises(InvalidInputError, match="nested"):
        project.add("outer", format="files")
    with pytest.raises(InvalidInputError, match="root cannot be a data set"):
        project.add("", format="files")
    project.path("empty").mkdir()
    with pytest.raises(InvalidInputError, match="no file in this folder"):
        project.add("empty", format="files")
    with pytest.raises(InvalidInputError, match="outside the repository"):
        project.add("../elsewhere")
    project.remove("outer/inner")
    with pytest.raises(NotFoundError, match="the folder of this data set is gone"):
        project.add("outer/inner")


def test_a_record_that_is_the_users_own_file_is_not_overwritten(project: Project) -> None:
    project.write({"data.veml": b"my notes\n", "data/a.png": png(1)})
    with pytest.raises(ConflictError, match=r"data\.veml"):
        project.add("data")
    assert project.files()["data.veml"] == b"my notes\n"


def test_dry_run_changes_nothing(project: Project) -> None:
    project.write(images(3), "data")
    before = project.files()
    assert project.add("data", dry_run=True).datasets[0].added == 3
    assert project.files() == before
    assert project.repo.staged_datasets() == {}
    assert list(project.path(".git/veml/packs").iterdir()) == []


def test_some_files_of_a_data_set_are_added_alone(project: Project) -> None:
    project.write(voc(small_model(4)), "data")
    project.save("data")
    project.replace(voc(small_model(5)) | {"JPEGImages/0001.png": png(70)}, "data")
    project.add("data/JPEGImages/0001.png")
    found = project.status()
    assert [(one.changed, one.added) for one in found.staged_data] == [(1, 0)]
    assert found.changed_data["data"].added == ["Annotations/0005.xml", "JPEGImages/0005.png"]
    project.commit("one of them")
    project.add("data")
    project.commit("the rest")
    project.assert_clean()


def test_an_annotation_that_has_no_id_is_named_by_its_sample(project: Project) -> None:
    """Seen to fail as ``objects[0].deep[0][0]...`` alone: in which of thousands of samples?"""
    files = coco(small_model(3))
    (key,) = (one for one in files if one.endswith(".json"))
    deep: object = 1
    for _ in range(200):
        deep = [deep]
    document = json.loads(files[key])
    document["annotations"][0]["deep"] = deep
    number = document["annotations"][0]["image_id"]
    (named,) = (one["file_name"] for one in document["images"] if one["id"] == number)
    project.write(files | {key: dump(document)}, "data")
    with pytest.raises(FormatError) as caught:
        project.add("data")
    assert f"{named}: its annotation: objects[0].deep[0]" in str(caught.value)
    assert "at most 100 levels" in str(caught.value)
    assert str(caught.value).startswith("data/")
