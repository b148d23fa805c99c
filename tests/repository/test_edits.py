"""An edit understood from the files it touched gives the version that reading everything gives.

Seen to fail with the conditions of ``coco_edits.regroup`` about documents, strangers, stems and
folders taken out; what the walks do not meet, ``test_format_coco_edits`` tests one by one.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable

import pytest

from tests.repository.kit import Box, Project, coco, dump, png, small_model
from veml_vcs.repository.worktree import add_look
from veml_vcs.repository.worktree.snapshot import take_snapshot
from veml_vcs.repository.worktree.store_snapshot import record_of
from veml_vcs.samples.tree import Tree

SOURCE = "data/annotations.json"


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Count the times that a folder was looked at as a whole."""
    times: list[str] = []

    def counted(*arguments: object, **options: object) -> object:
        times.append("whole")
        return take_snapshot(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(add_look, "take_snapshot", counted)
    return times


def start(project: Project, count: int = 12) -> None:
    project.write(coco(small_model(count)), "data")
    project.add("data")
    settle(project)


def settle(project: Project) -> None:
    """Make the folder look long untouched: what was written just now is racy."""
    cache = project.repo.statcache_path("data")
    later = os.stat(cache).st_mtime_ns + 10**9
    os.utime(cache, ns=(later, later))


def add(project: Project) -> None:
    """Add, and compare with the version that reading everything gives."""
    project.add("data")
    record = project.repo.staged_datasets()["data"]
    afresh = take_snapshot(project.repo, "data", None, {}, wanted_format="coco")
    assert dict(Tree(project.repo.store, record.tree).items()) == afresh.entries
    assert record.to_bytes() == record_of(afresh, record.tree, {}).to_bytes()
    settle(project)


Document = dict[str, list[dict[str, object]]]


def edit_source(project: Project, change: Callable[[Document], None]) -> None:
    document = json.loads(project.path(SOURCE).read_bytes())
    change(document)
    project.path(SOURCE).write_bytes(dump(document))


def test_usual_edits_are_understood_without_reading_everything(
    project: Project, looked: list[str]
) -> None:
    start(project, 16)
    looked.clear()
    project.write({"data/images/0099.png": png(99), "data/README": b"hello"})
    add(project)
    project.path("data/images/0003.png").unlink()
    add(project)
    assert project.repo.staged_datasets()["data"].samples == 16
    project.write({"data/images/0003.png": png(33), "data/images/0004.png": png(44)})
    add(project)
    project.path("data/images/0099.png").unlink()
    project.path("data/README").unlink()
    add(project)
    edit_source(project, lambda document: document["annotations"][2].update(bbox=[1, 2, 3, 4]))
    project.write({"data/images/0006.png": png(66)})
    add(project)
    os.chmod(project.path(SOURCE), 0o755)
    add(project)
    add(project)
    assert not looked


@pytest.mark.parametrize(
    "edit",
    ["same name", "other suffix", "document", "last of its folder", "annotation file", "classes"],
)
def test_edits_that_take_a_look_at_everything(
    project: Project, looked: list[str], edit: str
) -> None:
    start(project)
    looked.clear()
    if edit == "same name":
        project.write({"data/masks/0003.png": png(9)})
    elif edit == "other suffix":
        project.write({"data/images/0003.jpg": png(9)})
        add(project)
        assert not looked  # it is loose
        project.path("data/images/0003.png").unlink()  # and now it is not
    elif edit == "document":
        project.write({"data/other.json": b"{}"})
    elif edit == "last of its folder":
        for number in range(2, 13):
            project.path(f"data/images/{number:04d}.png").unlink()
        project.write({"data/images/0055.png": png(55)})
        add(project)
        looked.clear()
        project.path("data/images/0001.png").unlink()
    elif edit == "annotation file":
        project.path(SOURCE).unlink()
        project.write(coco(small_model(11)), "data")
    else:
        edit_source(project, lambda document: document["categories"].append({"id": 9, "name": "x"}))
    if edit == "last of its folder":
        project.add("data")
    else:
        add(project)
    assert looked


def test_after_a_checkout_an_edit_is_still_understood(project: Project, looked: list[str]) -> None:
    """Seen to fail with hints that are dropped when the folder leaves a version."""
    start(project)
    project.commit("one")
    project.checkout("side", create=True)
    edit_source(project, lambda document: document["annotations"][0].update(bbox=[1, 2, 3, 4]))
    add(project)
    project.commit("two")
    looked.clear()
    for branch, number in (("main", 55), ("side", 66)):
        project.checkout(branch)
        settle(project)
        project.write({f"data/images/00{number}.png": png(number)})
        add(project)
        edit_source(project, lambda document: document["annotations"][1].update(bbox=[4, 3, 2, 1]))
        add(project)
        project.commit("and more")
    assert not looked


@pytest.mark.parametrize("whole", [False, True], ids=["boxes alone", "an image, too"])
def test_after_a_merge_an_edit_is_still_understood(
    project: Project, looked: list[str], whole: bool
) -> None:
    """Seen to fail with a merge that does not hand on the hints, of each kind."""
    start(project, 16)
    project.commit("one")
    for branch, place in (("left", 0), ("right", 1)):
        project.checkout("main")
        project.checkout(branch, create=True)
        settle(project)
        edit_source(
            project,
            lambda document, place=place: document["annotations"][place].update(bbox=[1, 2, 3, 4]),  # type: ignore[misc]
        )
        if whole:
            project.write({f"data/images/{branch}.png": png(place)})
        add(project)
        project.commit(branch)
    assert project.merge("left").kind == "merged"
    settle(project)
    looked.clear()
    merged = json.loads(project.path(SOURCE).read_bytes())
    assert [box["bbox"] for box in merged["annotations"][:2]] == [[1, 2, 3, 4]] * 2
    merged["annotations"][2]["bbox"] = [4, 3, 2, 1]
    project.write({SOURCE: _compact(merged) if whole else dump(merged)})
    project.write({"data/images/0006.png": png(66)})
    add(project)
    assert not looked


def _compact(document: Document) -> bytes:
    """Return a document as a merge writes it anew."""
    return json.dumps(document, separators=(",", ":")).encode() + b"\n"


def walk(project: Project, seed: int, steps: int) -> None:
    """Edit a data set at random, with names chosen so that odd cases happen often."""
    rng = random.Random(seed)
    model = {f"{i}.png": (Box(i, "car", 1, 1, 5, 5),) for i in range(1, 9)}
    folder = rng.choice(["", "images/", "a/b/"])
    files = coco(model, ["car"], folder)
    document = json.loads(files["annotations.json"])
    strip = rng.choice(["", "", "train/", "./x/"])
    for image in document["images"]:
        image["file_name"] = strip + image["file_name"]
    if rng.random() < 0.3:
        document["images"][0]["file_name"] = "odd/1.png"
    files["annotations.json"] = dump(document)
    project.write(files, "data")
    for number in rng.sample(range(1, 9), rng.randint(0, 4)):
        project.path(f"data/{folder}{number}.png").unlink()
    project.add("data")
    settle(project)
    places = [folder, folder, "", "images/", "masks/", "a/", "odd/", "train/"]
    commits: list[str] = []
    for _ in range(steps):
        for _ in range(rng.randint(1, 3)):
            suffix = rng.choice([".png"] * 4 + [".jpg"])
            name = f"{rng.choice(places)}{rng.randint(1, 10)}{suffix}"
            here = project.path("data/" + name)
            action = rng.random()
            if action < 0.45:
                project.write({"data/" + name: png(rng.randint(0, 250))})
            elif action < 0.75 and here.exists():
                here.unlink()
            elif action < 0.85:
                move = [rng.randint(0, 40) for _ in range(4)]
                edit_source(
                    project,
                    lambda document, move=move: document["annotations"][rng.randint(0, 7)].update(  # type: ignore[misc]
                        bbox=move
                    ),
                )
            elif action < 0.9:
                project.write({"data/notes.txt": bytes([rng.randint(65, 90)])})
            elif action < 0.93:
                os.chmod(project.path(SOURCE), rng.choice([0o644, 0o755]))
        add(project)
        if project.repo.git.head().commit is None or rng.random() < 0.3:
            commits.append(project.commit("on the way", allow_empty=True).id)
            project.checkout(rng.choice(commits))
            settle(project)


@pytest.mark.parametrize("seed", range(6))
def test_random_walks(project: Project, seed: int) -> None:
    walk(project, seed, 8)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 124))
def test_many_random_walks(project: Project, seed: int) -> None:
    walk(project, seed, 12)
