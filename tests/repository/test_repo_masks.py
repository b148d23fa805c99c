"""Class masks under history: compared by class, merged by pixel, conflicts settled."""

from __future__ import annotations

import numpy as np
import pytest

from tests.archives import unpack_data
from tests.repository.kit import Project, png
from veml_vcs.repository.diff import diff
from veml_vcs.repository.merging.resolve import resolve
from veml_vcs.samples.masks import Mask, read_mask


def write(project: Project, values: np.ndarray) -> None:
    data = Mask(values.astype(np.uint8), 0, b"", b"").to_bytes()
    project.write({"data/masks/a.png": data})


def pixels(project: Project) -> np.ndarray:
    return read_mask(project.files("data")["masks/a.png"], "a").values


@pytest.fixture
def scenes(project: Project) -> Project:
    project.write({"data/images/a.jpg": png(1), "data/mask_classes.txt": b"0 Sky\n3 Road\n"})
    document = b'{"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": [], "categories": []}'
    project.write({"data/a.json": document})
    write(project, np.zeros((4, 6)))
    project.save("data")
    project.checkout("b", create=True)
    theirs = np.zeros((4, 6))
    theirs[3] = 3
    write(project, theirs)
    project.commit("b", all=True)
    project.checkout("main")
    return project


def test_pixels_of_two_branches_are_merged(scenes: Project) -> None:
    (found,) = diff(scenes.repo, "main", "b").datasets
    assert found.masks["masks/a.png"].moves == {"Sky -> Road": 6}
    ours = np.zeros((4, 6))
    ours[0, :2] = 1
    write(scenes, ours)
    scenes.commit("a", all=True)
    assert scenes.merge("b").kind == "merged"
    ours[3] = 3
    assert np.array_equal(pixels(scenes), ours)
    scenes.assert_clean()


def test_pixels_both_changed_are_a_conflict(scenes: Project) -> None:
    ours = np.zeros((4, 6))
    ours[3, 2:4] = 1
    ours[0, 0] = 2
    write(scenes, ours)
    scenes.commit("a", all=True)
    found = scenes.merge("b")
    (one,) = found.conflicts
    assert (one.kind, one.path, one.ours) == ("mask-both", "pixels[2:4, 3:4]", "2 pixels")
    resolve(scenes.repo, ["data/masks/a.png"], "theirs")
    scenes.commit("merged")
    ours[3] = 3
    assert np.array_equal(pixels(scenes), ours)
    scenes.assert_clean()


@pytest.mark.data
def test_real_masks(project: Project) -> None:
    name = "camvid_dusk_0001TP"
    unpack_data(name, project.root)
    files = project.files(name)
    key = next(key for key in files if key.startswith("masks/"))
    project.save(name)
    mask = read_mask(files[key], key)
    assert mask.values.shape == (360, 480)
    for branch, row in (("a", 10), ("b", 300)):
        project.checkout(branch, create=True, start="main")
        values = mask.values.copy()
        values[row, :50] = 11 - values[row, :50] % 2
        data = Mask(values, mask.color, mask.before, mask.after).to_bytes()
        project.write({f"{name}/{key}": data})
        project.commit(branch, all=True)
    assert project.merge("a").kind == "merged"
    merged = read_mask(project.files(name)[key], key).values
    assert set(np.flatnonzero((merged != mask.values).any(1)).tolist()) <= {10, 300}
    (found,) = diff(project.repo, "main", "HEAD").datasets
    assert found.masks[key].changed == int((merged != mask.values).sum()) > 0
    assert any("Sky" in one or "Road" in one for one in found.masks[key].moves or {})
