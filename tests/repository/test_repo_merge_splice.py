"""Boxes edited on two branches in one COCO file: the merge changes these and nothing else in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.repository.kit import Project, coco, dump, png, small_model
from veml_vcs.errors import ConflictError
from veml_vcs.repository.merging import data as merging
from veml_vcs.repository.merging.merge import settle
from veml_vcs.repository.worktree.snapshot import take_snapshot
from veml_vcs.repository.worktree.store_snapshot import record_of
from veml_vcs.samples.formats.coco import Coco
from veml_vcs.samples.tree import Tree

SOURCE = "data/annotations.json"
Document = dict[str, list[dict[str, Any]]]


def move(number: int, to: int) -> Callable[[Document], None]:
    def change(document: Document) -> None:
        document["annotations"][number]["bbox"] = [to, to, 9, 9]

    return change


def fork(project: Project, left: list[Callable[[Document], None]], *right: Any) -> None:
    """Make two branches, each with its edits of the COCO file, and stand on ``right``."""
    project.write(coco(small_model(16)), "data")
    project.save("data")
    for branch, changes in (("left", left), ("right", right)):
        project.checkout("main")
        project.checkout(branch, create=True)
        document = json.loads(project.path(SOURCE).read_bytes())
        for change in changes:
            change(document)
        project.write({SOURCE: dump(document)})
        project.save("data")


def boxes(project: Project) -> list[Any]:
    return [one["bbox"] for one in json.loads(project.path(SOURCE).read_bytes())["annotations"]]


def check(project: Project) -> None:
    """Compare what stands in the index with the version that reading everything gives."""
    record = project.repo.staged_datasets()["data"]
    afresh = take_snapshot(project.repo, "data", None, {}, wanted_format="coco")
    assert dict(Tree(project.repo.store, record.tree).items()) == afresh.entries
    assert record.to_bytes() == record_of(afresh, record.tree, {}).to_bytes()


@pytest.fixture
def spliced(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Note of each merge of a data set whether the file was made by splicing."""
    times: list[bool] = []
    original = merging.splice_source

    def noted(*arguments: Any) -> Any:
        found = original(*arguments)
        times.append(found is not None)
        return found

    monkeypatch.setattr(merging, "splice_source", noted)
    return times


def test_only_what_theirs_changed_differs_from_our_file(
    project: Project, spliced: list[bool]
) -> None:
    fork(project, [move(0, 3), move(5, 4)], move(1, 5))
    ours = project.path(SOURCE).read_bytes()
    assert project.merge("left").kind == "merged"
    assert spliced == [True]
    merged = json.loads(ours)
    for change in (move(0, 3), move(5, 4)):
        change(merged)
    assert project.path(SOURCE).read_bytes() == dump(merged)
    check(project)


def test_the_outcome_is_that_of_writing_everything_anew(
    project: Project, spliced: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """But for the blanks in the file."""

    def add_and_remove(document: Document) -> None:
        new = {"id": 900, "image_id": document["images"][7]["id"], "category_id": 1}
        document["annotations"].append({**new, "bbox": [1, 1, 2, 2]})
        del document["annotations"][3]

    fork(project, [move(0, 3), move(9, 2)], add_and_remove, move(0, 3))
    assert project.merge("left").kind == "merged"
    check(project)
    quick = json.loads(project.path(SOURCE).read_bytes())
    project.git("reset", "-q", "--hard", "HEAD^")
    project.follow()
    monkeypatch.setattr(Coco, "splice", lambda *_: None)
    assert project.merge("left").kind == "merged"
    check(project)
    slow = json.loads(project.path(SOURCE).read_bytes())
    assert spliced == [True, False]
    for document in (quick, slow):
        document["annotations"].sort(key=lambda one: one["id"])
    assert quick == slow


def test_ours_stands_in_the_file_until_a_conflict_is_settled(
    project: Project, spliced: list[bool]
) -> None:
    fork(project, [move(0, 3), move(5, 4)], move(0, 6))
    assert project.merge("left").kind == "conflicts"
    assert boxes(project)[0] == [6, 6, 9, 9]
    assert boxes(project)[5] == [4, 4, 9, 9]
    (conflict,) = project.status().merge.conflicts  # type: ignore[union-attr]
    with project.repo.lock("a test"):
        settle(project.repo, {"data": {conflict.key: "theirs"}})
    assert boxes(project)[0] == [3, 3, 9, 9]
    assert spliced == [True, True]
    check(project)


@pytest.mark.parametrize("lie", ["another box", "a box of another image", "not JSON"])
def test_a_file_that_says_something_else_is_not_taken(
    project: Project, spliced: list[bool], monkeypatch: pytest.MonkeyPatch, lie: str
) -> None:
    """Seen to fail with the comparison of what is read back taken out of ``splice_source``."""
    fork(project, [move(0, 3), move(5, 4)], move(1, 5))
    original = Coco.splice

    def wrong(*arguments: Any) -> bytes | None:
        found = original(*arguments)
        assert found is not None
        document = json.loads(found)
        if lie == "not JSON":
            return found.replace(b'"bbox"', b'"bbox', 1)
        move(5 if lie == "another box" else 11, 8)(document)
        return dump(document)

    monkeypatch.setattr(Coco, "splice", wrong)
    assert project.merge("left").kind == "merged"
    assert spliced == [False]
    assert boxes(project)[:2] == [[3, 3, 9, 9], [5, 5, 9, 9]]
    assert boxes(project)[5] == [4, 4, 9, 9]
    check(project)


def test_more_than_boxes_is_merged_as_ever(project: Project, spliced: list[bool]) -> None:
    def name(document: Document) -> None:
        document["categories"][0]["supercategory"] = "vehicle"

    fork(project, [move(0, 3), name], move(1, 5))
    project.write({"data/images/0055.png": png(55)})
    project.save("data")
    assert project.merge("left").kind == "merged"
    assert spliced == [False]
    check(project)


def test_what_is_not_committed_elsewhere_in_the_folder_survives_and_is_seen(
    project: Project,
) -> None:
    """A merge looks at the files that it is about to change, and at no others."""
    fork(project, [move(0, 3)], move(1, 5))
    project.write({"data/images/0004.png": png(44), "data/images/0077.png": png(77)})
    assert project.merge("left").kind == "merged"
    assert project.path("data/images/0004.png").read_bytes() == png(44)
    changes = project.status().changed_data["data"]
    assert (changes.added, changes.changed) == (["images/0077.png"], ["images/0004.png"])
    assert not changes.removed


def test_what_is_not_committed_in_the_file_itself_stops_the_merge(project: Project) -> None:
    """Seen to fail with nothing looked at."""
    fork(project, [move(0, 3)], move(1, 5))
    document = json.loads(project.path(SOURCE).read_bytes())
    move(7, 7)(document)
    project.write({SOURCE: dump(document)})
    with pytest.raises(ConflictError) as caught:
        project.merge("left")
    assert caught.value.kind == "would-lose-changes"
    assert json.loads(project.path(SOURCE).read_bytes()) == document
    assert project.repo.git.head().commit == project.repo.resolve("right")


def test_a_number_that_both_sides_gave_to_new_boxes_is_given_anew(
    project: Project, spliced: list[bool]
) -> None:
    """The file would name it twice, which the read-back notices."""

    def draw(image: int) -> Callable[[Document], None]:
        def change(document: Document) -> None:
            box = {"id": 900, "image_id": document["images"][image]["id"], "category_id": 1}
            document["annotations"].append({**box, "bbox": [1, 1, 2, 2]})

        return change

    fork(project, [draw(2)], draw(4))
    assert project.merge("left").kind == "merged"
    assert spliced == [False]
    numbers = [one["id"] for one in json.loads(project.path(SOURCE).read_bytes())["annotations"]]
    assert len(set(numbers)) == len(numbers) == 26
    check(project)
