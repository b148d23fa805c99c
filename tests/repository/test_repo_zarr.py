"""Zarr stores of users under history: byte-exact, compared and merged by chunk and element."""

from __future__ import annotations

import shutil
from typing import Any

import numpy as np
import pytest
import zarr

from tests.repository.kit import Project
from veml_vcs.errors import NotFoundError
from veml_vcs.repository.data.statistics import statistics
from veml_vcs.repository.diff import diff
from veml_vcs.repository.merging.resolve import resolve
from veml_vcs.samples.query import Conditions

VALUES = np.arange(60, dtype=np.float32).reshape(10, 6)


def write(project: Project, values: Any, name: str = "t", **options: Any) -> None:
    """Write an array as a user does; chunks that did not change are the same files."""
    root = project.path("grid")
    shutil.rmtree(root / name, ignore_errors=True)
    group = zarr.open_group(root, mode="a", zarr_format=options.get("zarr_format", 3))
    given = {"chunks": (4, 3), **options}
    given.pop("zarr_format", None)
    group.create_array(name, data=values, **given)


def edited(*places: tuple[int, int], values: Any = VALUES, by: float = 100) -> Any:
    values = values.copy()
    for place in places:
        values[place] += by
    return values


@pytest.fixture(params=[2, 3], ids=["v2", "v3"])
def grid(project: Project, request: pytest.FixtureRequest) -> Project:
    project.version = request.param  # type: ignore[attr-defined]
    write(project, VALUES, zarr_format=request.param)
    write(project, VALUES[0], "x", chunks=(3,), zarr_format=request.param)
    project.add("grid")  # recognised by itself, however small
    project.commit("grid")
    return project


def rewrite(project: Project, values: Any, **options: Any) -> None:
    write(project, values, zarr_format=project.version, **options)  # type: ignore[attr-defined]


def test_a_store_is_a_data_set_whose_chunks_are_samples(grid: Project) -> None:
    record = grid.repo.staged_datasets()["grid"]
    assert (record.facts.format, record.facts.task, record.samples) == ("zarr", "arrays", 8)
    before = grid.files("grid")
    rewrite(grid, edited((0, 0)))
    (found,) = diff(grid.repo).datasets
    assert (found.count("changed"), found.files) == (1, {})  # one chunk of the six
    assert {name: (one.changed, one.rows) for name, one in found.arrays.items()} == {
        "t": (1, ((0, 1),))
    }
    grid.commit("edit", all=True)
    grid.checkout("main~1")
    assert grid.files("grid") == before
    counted = statistics(grid.repo, "grid", Conditions()).arrays
    assert [(one.name, one.shape, one.stored, one.total) for one in counted] == [
        ("t", (10, 6), 6, 6), ("x", (6,), 2, 2)
    ]  # fmt: skip
    data = grid.repo.dataset("grid", "main")
    assert np.array_equal(data.array("t"), edited((0, 0)))
    with pytest.raises(NotFoundError, match="there are: t, x"):
        data.array("y")


def branches(project: Project, theirs: Any, ours: Any, **options: Any) -> None:
    project.checkout("b", create=True)
    rewrite(project, theirs, **options)
    project.commit("b", all=True)
    project.checkout("main")
    rewrite(project, ours)
    project.commit("a", all=True)


def values_of(project: Project, name: str = "t") -> Any:
    """What the zarr library reads from the folder."""
    return zarr.open_array(project.path(f"grid/{name}"), mode="r")[...]


def test_chunks_and_elements_of_two_branches_are_merged(grid: Project) -> None:
    branches(grid, edited((0, 0), (9, 5)), edited((1, 1), (5, 0)))
    assert grid.merge("b").kind == "merged"
    assert np.array_equal(values_of(grid), edited((0, 0), (9, 5), (1, 1), (5, 0)))
    grid.assert_clean()


def test_a_shard_of_two_branches_is_merged_by_its_chunks(project: Project) -> None:
    """Seen to fail (both replaced the bytes) where shards could not be written."""
    sharded = {"chunks": (2, 3), "shards": (10, 6)}
    write(project, VALUES, **sharded)
    project.save("grid")
    project.git("branch", "night")
    write(project, edited((0, 0), (5, 5)), **sharded)
    project.commit("ours", all=True)
    project.checkout("night")
    write(project, edited((9, 0)), **sharded)
    project.commit("theirs", all=True)
    project.checkout("main")
    assert project.merge("night").kind == "merged"
    merged = zarr.open_array(project.path("grid/t"), mode="r")
    assert np.array_equal(merged[...], edited((0, 0), (5, 5), (9, 0)))
    project.assert_clean()


def test_rows_one_side_added_and_edits_of_the_other(grid: Project) -> None:
    branches(grid, np.concatenate([edited((0, 0)), VALUES[:4]]), edited((9, 5)))
    assert grid.merge("b").kind == "merged"
    expected = np.concatenate([edited((0, 0), (9, 5)), VALUES[:4]])
    assert np.array_equal(values_of(grid), expected)


def test_an_element_both_changed(grid: Project) -> None:
    branches(grid, edited((5, 4)), edited((5, 4), (4, 3), by=50))
    (one,) = grid.merge("b").conflicts
    assert (one.kind, one.path) == ("elements-both", "t.rows[5:6]")
    resolve(grid.repo, [f"grid/{one.key}"], "theirs")
    grid.commit("merged")
    assert np.array_equal(values_of(grid), edited((4, 3), values=edited((5, 4)), by=50))
    grid.assert_clean()


@pytest.mark.parametrize("side", ["ours", "theirs", "base"])
def test_chunks_of_two_layouts_are_never_mixed(grid: Project, side: Any) -> None:
    """Seen to fail: with ``settle_layouts`` left out, the array cannot be opened any more."""
    branches(grid, edited((0, 0)), edited((9, 5)), compressors=None)
    (one,) = grid.merge("b").conflicts
    assert one.kind == "array-layout-both"
    assert np.array_equal(values_of(grid), edited((9, 5)))  # ours meanwhile, whole
    resolve(grid.repo, [f"grid/{one.key}"], side)
    grid.commit("merged")
    expected = {"ours": edited((9, 5)), "theirs": edited((0, 0)), "base": VALUES}[side]
    assert np.array_equal(values_of(grid), expected)
    assert np.array_equal(values_of(grid, "x"), VALUES[0])
    grid.assert_clean()


def test_both_grew(grid: Project) -> None:
    more = np.concatenate([VALUES, VALUES[:3]])
    branches(grid, np.concatenate([VALUES, VALUES[:9]]), more)
    (one,) = grid.merge("b").conflicts
    assert one.kind == "array-layout-both"
    assert np.array_equal(values_of(grid), more)


def test_an_array_one_side_removed_and_the_other_changed(grid: Project) -> None:
    grid.checkout("b", create=True)
    shutil.rmtree(grid.path("grid/t"))
    grid.commit("b", all=True)
    grid.checkout("main")
    rewrite(grid, edited((0, 0)))
    grid.commit("a", all=True)
    (one,) = grid.merge("b").conflicts
    assert one.kind == "array-layout-both"
    assert np.array_equal(values_of(grid), edited((0, 0)))


def test_attributes_of_one_side_and_chunks_of_the_other(grid: Project) -> None:
    branches(grid, VALUES, edited((0, 0)), attributes={"unit": "m"})
    assert grid.merge("b").kind == "merged"
    assert np.array_equal(values_of(grid), edited((0, 0)))
    assert zarr.open_array(grid.path("grid/t"), mode="r").attrs["unit"] == "m"


def test_an_array_that_is_not_read_is_compared_as_files(project: Project) -> None:
    root = project.path("texts")
    array = zarr.create_array(root, shape=(4,), chunks=(2,), dtype="str")
    array[:] = ["a", "b", "c", "d"]
    project.add("texts")
    project.commit("texts")
    array[0] = "z"
    (found,) = diff(project.repo).datasets
    assert found.arrays == {}
    assert found.count("changed") == 1
    assert "only plain numbers are read" in found.notes[0]
    (one,) = statistics(project.repo, "texts", Conditions()).arrays
    assert one.unread is not None


def test_a_chunk_that_stands_elsewhere_has_not_moved(project: Project) -> None:
    """Seen to fail: with ``find_moves``, an edit followed the bytes to another place."""
    array = zarr.create_array(project.path("grid"), shape=(8, 3), chunks=(4, 3), dtype="f4")
    array[:4] = 7
    project.add("grid")
    project.commit("grid")
    project.checkout("b", create=True)
    zarr.open_array(project.path("grid"))[0, 0] = 8
    project.commit("b", all=True)
    project.checkout("main")
    project.path("grid/c/1").mkdir()
    project.path("grid/c/0/0").rename(project.path("grid/c/1/0"))
    (found,) = diff(project.repo).datasets
    assert [(one.key, one.kind) for one in found.samples] == [
        ("c/0/0", "removed"), ("c/1/0", "added")
    ]  # fmt: skip
    assert found.arrays["/"].changed == 24
    project.commit("a", all=True)
    (one,) = project.merge("b").conflicts
    assert one.key == "c/0/0"
    assert (zarr.open_array(project.path("grid"), mode="r")[4:] == 7).all()


def set_attributes(project: Project, **values: Any) -> None:
    zarr.open_array(project.path("grid/t"), mode="a").attrs.update(values)


def test_attributes_of_both_sides_are_merged_by_key(grid: Project) -> None:
    grid.checkout("b", create=True)
    set_attributes(grid, unit="m", by="b")
    grid.commit("b", all=True)
    grid.checkout("main")
    set_attributes(grid, scale=2, by="a")
    grid.commit("a", all=True)
    (one,) = grid.merge("b").conflicts
    assert (one.kind, one.ours, one.theirs) == ("field-both", "a", "b")
    assert one.path.endswith("by")
    resolve(grid.repo, [f"grid/{one.key}"], "theirs")
    grid.commit("merged")
    found = dict(zarr.open_array(grid.path("grid/t"), mode="r").attrs)
    assert found == {"unit": "m", "scale": 2, "by": "b"}
    grid.assert_clean()


@pytest.mark.filterwarnings("ignore:Consolidated metadata is currently not part")
def test_consolidated_metadata_of_both_sides_are_merged_by_key(grid: Project) -> None:
    zarr.consolidate_metadata(grid.path("grid"), zarr_format=grid.version)  # type: ignore[attr-defined]
    grid.commit("consolidated", all=True)

    def grow(name: str, values: Any) -> None:
        array = zarr.open_array(grid.path(f"grid/{name}"), mode="a")
        array.append(values)
        zarr.consolidate_metadata(grid.path("grid"), zarr_format=grid.version)  # type: ignore[attr-defined]

    grid.checkout("b", create=True)
    grow("t", VALUES[:2])
    grid.commit("b", all=True)
    grid.checkout("main")
    grow("x", VALUES[0, :3])
    grid.commit("a", all=True)
    assert grid.merge("b").kind == "merged"
    group = zarr.open_consolidated(grid.path("grid"), mode="r")
    assert (group["t"].shape, group["x"].shape) == ((12, 6), (9,))  # type: ignore[union-attr]
    assert np.array_equal(group["t"][10:], VALUES[:2])  # type: ignore[index]


@pytest.mark.parametrize("mine", ["files", "zarr"])
def test_a_side_that_took_the_store_for_files_is_merged(project: Project, mine: str) -> None:
    """An older veml recorded a Zarr store as plain files."""
    write(project, VALUES)
    project.add("grid", format="files")
    project.commit("files")
    project.checkout("b", create=True)
    write(project, edited((0, 0)))
    project.add("grid", format="files" if mine == "zarr" else "zarr")
    project.commit("b", all=True)
    project.checkout("main")
    write(project, edited((1, 1), (9, 5)))
    project.add("grid", format=mine)
    project.commit("a", all=True)
    assert project.merge("b").kind == "merged"
    assert np.array_equal(values_of(project), edited((0, 0), (1, 1), (9, 5)))
    assert project.repo.staged_datasets()["grid"].facts.format == "zarr"
    project.assert_clean()
