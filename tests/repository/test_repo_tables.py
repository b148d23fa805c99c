"""Tables under history: recognised, byte-exact, compared and merged by rows, chunks shared."""

from __future__ import annotations

import io
import random
import sys
from typing import Any

import numpy as np
import pytest

from tests.archives import unpack_data
from tests.repository.kit import Project, png
from veml_vcs.repository.data.listing import show_sample
from veml_vcs.repository.diff import diff
from veml_vcs.repository.merging.resolve import resolve
from veml_vcs.repository.worktree.data_folders import LEAST_TABLE_BYTES
from veml_vcs.samples.arrays import Archive, read_npz, write_array, write_npz

HEAD = "날짜,측정소,농도\r\n"
ROWS = [f"2018{m:02}{d:02},{s},{m + d / 100}\r\n" for m in range(1, 4) for d in range(1, 11)
        for s in ("강남구", "종로구")]  # fmt: skip


def write(project: Project, rows: list[str], name: str = "air/seoul.csv") -> None:
    project.write({name: (HEAD + "".join(rows)).encode("cp949")})


@pytest.fixture
def air(project: Project) -> Project:
    write(project, ROWS)
    project.write({"air/README": b"daily means\n"})
    project.add("air", format="tables")
    project.commit("air")
    return project


def test_rows_of_two_branches_are_merged(air: Project) -> None:
    air.checkout("b", create=True)
    write(air, [*ROWS[:3], ROWS[3].replace("1.0", "9.0"), *ROWS[4:], "20180401,강남구,1\r\n"])
    air.commit("b", all=True)
    air.checkout("main")
    write(air, [ROWS[0].replace("1.0", "8.0"), *ROWS[2:]])
    air.commit("a", all=True)
    assert air.merge("b").kind == "merged"
    expected = [ROWS[0].replace("1.0", "8.0"), ROWS[2], ROWS[3].replace("1.0", "9.0"), *ROWS[4:],
                "20180401,강남구,1\r\n"]  # fmt: skip
    assert air.files("air")["seoul.csv"] == (HEAD + "".join(expected)).encode("cp949")
    air.assert_clean()


def test_a_cell_both_changed_is_a_conflict_that_can_be_settled(air: Project) -> None:
    air.checkout("b", create=True)
    write(air, [ROWS[0].replace("1.0", "9.0"), *ROWS[1:]])
    air.commit("b", all=True)
    air.checkout("main")
    write(air, [ROWS[0].replace("1.0", "8.0"), ROWS[1].replace("1.0", "7.0"), *ROWS[2:]])
    air.commit("a", all=True)
    found = air.merge("b")
    assert found.kind == "conflicts"
    (one,) = found.conflicts
    assert (one.kind, one.key, one.path) == (
        "cell-both",
        "seoul.csv",
        "rows[20180101, 강남구].농도",
    )
    assert (one.base, one.ours, one.theirs) == ("1.01", "8.01", "9.01")
    resolve(air.repo, ["air/seoul.csv"], "theirs")
    air.commit("merged")
    expected = [ROWS[0].replace("1.0", "9.0"), ROWS[1].replace("1.0", "7.0"), *ROWS[2:]]
    assert air.files("air")["seoul.csv"] == (HEAD + "".join(expected)).encode("cp949")
    air.assert_clean()


def test_a_table_beside_images_is_merged_by_rows_too(project: Project) -> None:
    base = "id,v\n" + "".join(f"{i},{i * i}\n" for i in range(9))
    project.write({"data/a.png": png(1), "data/meta.csv": base.encode()})
    project.save("data")
    project.checkout("b", create=True)
    project.write({"data/meta.csv": base.replace("3,9\n", "3,10\n").encode()})
    project.commit("b", all=True)
    project.checkout("main")
    project.write({"data/meta.csv": base.replace("4,16\n", "4,17\n").encode()})
    project.commit("a", all=True)
    assert project.merge("b").kind == "merged"
    # Neighbouring lines: a merge of text would be a conflict.
    assert b"3,10\n4,17\n" in project.files("data")["meta.csv"]


def test_diff_of_the_work_tree_and_of_commits(air: Project) -> None:
    write(air, [ROWS[0].replace("1.0", "9.0"), *ROWS[2:]])
    (here,) = diff(air.repo).datasets
    air.commit("edited", all=True)
    (there,) = diff(air.repo, "HEAD~1", "HEAD").datasets
    assert here.tables == there.tables
    table = there.tables["seoul.csv"]
    assert table.key_columns == ("날짜", "측정소")
    assert [(row.row, row.kind) for row in table.rows] == [
        ("20180101, 강남구", "changed"), ("20180101, 종로구", "removed")
    ]  # fmt: skip
    shown, _ = show_sample(air.repo, "air", "seoul.csv", revision="HEAD~1")
    assert shown.table is not None
    assert (shown.table.rows, shown.table.encoding) == (len(ROWS), "cp949")


def test_what_is_a_data_set_of_tables(project: Project) -> None:
    rows = "id,v\n" + "".join(f"{i},{i}\n" for i in range(LEAST_TABLE_BYTES // 8))
    assert len(rows) > LEAST_TABLE_BYTES
    project.write({"big/a.csv": rows.encode(), "big/README.md": b"x", "small/a.csv": b"id,v\n1,2\n",
                   "code/a.csv": rows.encode(), "code/run.py": b"print()\n"})  # fmt: skip
    project.add("big", "small", "code")
    assert list(project.repo.staged_datasets()) == ["big"]
    assert project.repo.staged_datasets()["big"].facts.format == "tables"
    assert {"small/a.csv", "code/run.py"} <= set(project.repo.git.staged_files())


def test_an_appended_series_shares_its_chunks(project: Project) -> None:
    random.seed(3)
    rows = [",".join(f"{random.random():.9f}" for _ in range(20)) + "\n" for _ in range(24_000)]
    text = "".join(rows).encode()
    assert len(text) > 4 << 20
    beside = b"id,v\n" + b"1,2\n" * 999
    project.write({"a/one.csv": beside, "a/series.csv": text, "a/two.csv": beside + b"3,4\n"})
    project.save("a")
    first = stored(project)
    project.write({"a/series.csv": text + rows[0].encode()})
    project.save("a")
    # Of the five chunks of a MiB, the last one alone is new.
    assert stored(project) - first < first / 3
    assert project.repo.dataset("a")["series.csv"].data == text + rows[0].encode()
    project.assert_intact()


def stored(project: Project) -> int:
    return sum(one.stat().st_size for one in project.path(".git/veml/packs").iterdir())


def test_arrays_of_two_branches_are_merged(project: Project) -> None:
    base = np.arange(60, dtype=np.float32).reshape(20, 3)
    project.write({"x/series.npy": write_array(base), "x/README": b"x"})
    project.add("x", format="tables")
    project.commit("x")
    project.checkout("b", create=True)
    project.write({"x/series.npy": write_array(np.concatenate([base, base[:2]]))})
    project.commit("b", all=True)
    project.checkout("main")
    edited = base.copy()
    edited[4] = np.nan
    project.write({"x/series.npy": write_array(edited)})
    project.commit("a", all=True)
    (found,) = diff(project.repo, "HEAD~1", "HEAD").datasets
    assert (found.arrays["series.npy"].changed, found.arrays["series.npy"].rows) == (3, ((4, 5),))
    assert project.merge("b").kind == "merged"
    expected = write_array(np.concatenate([edited, base[:2]]))
    assert project.files("x")["series.npy"] == expected
    project.assert_clean()


def test_archives_of_two_branches_are_merged_by_array(project: Project) -> None:
    values, graph = np.arange(60, dtype=np.float32).reshape(20, 3), np.eye(3)

    def write_them(data: Any, adjacency: Any) -> bytes:
        stream = io.BytesIO()
        np.savez_compressed(stream, data=data, adj=adjacency)  # bears the time of writing
        project.write({"x/PEMS.npz": stream.getvalue()})
        return stream.getvalue()

    original = write_them(values, graph)
    project.add("x", format="tables")
    project.commit("x")
    project.checkout("b", create=True)
    corrected = graph.copy()
    corrected[0, 1] = 0.5
    write_them(values, corrected)
    project.commit("b", all=True)
    project.checkout("main")
    assert project.files("x")["PEMS.npz"] == original
    edited = values.copy()
    edited[4, 2] = np.nan
    write_them(edited, graph)
    project.commit("a", all=True)
    (found,) = diff(project.repo, "HEAD~1", "HEAD").datasets
    assert {name: one.changed for name, one in found.arrays.items()} == {"PEMS.npz[data]": 1}
    assert project.merge("b").kind == "merged"
    merged = read_npz(project.files("x")["PEMS.npz"], "PEMS.npz")
    assert np.array_equal(merged.arrays["data"], edited, equal_nan=True)
    assert np.array_equal(merged.arrays["adj"], corrected)
    assert merged.deflated == {"data", "adj"}
    project.assert_clean()


def test_an_element_of_an_archive_that_both_changed_is_settled(project: Project) -> None:
    values = np.zeros((4, 2))
    sides = {}
    for name, value in (("base", 0), ("theirs", 1), ("ours", 2)):
        edited = values.copy()
        edited[1, 1] = value
        sides[name] = write_npz(Archive({"data": edited}))
    project.write({"x/a.npz": sides["base"]})
    project.add("x", format="tables")
    project.commit("x")
    project.checkout("b", create=True)
    project.write({"x/a.npz": sides["theirs"]})
    project.commit("b", all=True)
    project.checkout("main")
    project.write({"x/a.npz": sides["ours"]})
    project.commit("a", all=True)
    (one,) = project.merge("b").conflicts
    assert (one.kind, one.path) == ("elements-both", "data.rows[1:2]")
    resolve(project.repo, ["x/a.npz"], "theirs")
    project.commit("merged")
    assert project.files("x")["a.npz"] == sides["theirs"]


def parquet_file(rows: int, edits: dict[int, float]) -> bytes:
    pa = pytest.importorskip("pyarrow", reason="needs pyarrow (extra [parquet])")
    import pyarrow.parquet as pq

    values = [edits.get(i, i / 8) for i in range(rows)]
    stream = io.BytesIO()
    pq.write_table(pa.table({"id": list(range(rows)), "v": values}), stream, compression="zstd")
    return stream.getvalue()


@pytest.fixture
def parquet(project: Project) -> Project:
    project.write({"x/a.parquet": parquet_file(50, {})})
    project.add("x", format="tables")
    project.commit("x")
    project.checkout("b", create=True)
    project.write({"x/a.parquet": parquet_file(52, {3: -1})})
    project.commit("b", all=True)
    project.checkout("main")
    project.write({"x/a.parquet": parquet_file(50, {9: -2})})
    project.commit("a", all=True)
    return project


def test_parquet_files_of_two_branches_are_merged_by_rows(parquet: Project) -> None:
    import pyarrow.parquet as pq

    assert parquet.files("x")["a.parquet"] == parquet_file(50, {9: -2})
    (found,) = diff(parquet.repo, "main", "b").datasets
    rows = found.tables["a.parquet"]
    assert (rows.count("added"), rows.count("changed"), rows.key_columns) == (2, 2, ("id",))
    assert parquet.merge("b").kind == "merged"
    merged = pq.read_table(io.BytesIO(parquet.files("x")["a.parquet"]))
    expected = pq.read_table(io.BytesIO(parquet_file(52, {3: -1, 9: -2})))
    assert merged.equals(expected)
    parquet.assert_clean()
    shown, _ = show_sample(parquet.repo, "x", "a.parquet")
    assert shown.table is not None
    assert (shown.table.rows, shown.table.encoding) == (52, "Parquet, zstd")


def test_without_pyarrow_it_is_said(parquet: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = parquet_file(50, {9: -2}), parquet_file(52, {3: -1})
    monkeypatch.setitem(sys.modules, "pyarrow", None)  # importing it fails, as if not installed
    (found,) = diff(parquet.repo, "main", "b").datasets
    assert found.tables == {}
    assert [one.key for one in found.samples] == ["a.parquet"]
    assert "pip install 'veml[parquet]'" in found.notes[0]
    shown, data = show_sample(parquet.repo, "x", "a.parquet")
    assert shown.table is None
    assert shown.note is not None
    assert "veml[parquet]" in shown.note
    assert data == ours
    before = parquet.files("x")
    (one,) = parquet.merge("b").conflicts
    assert (one.kind, one.key) == ("needs-parquet", "a.parquet")
    assert parquet.files("x") == before
    resolve(parquet.repo, ["x/a.parquet"], "theirs")
    parquet.commit("merged")
    assert parquet.files("x")["a.parquet"] == theirs
    parquet.assert_clean()


@pytest.mark.data
@pytest.mark.parametrize("name", ["los_loop", "seoul_air_2018_2020", "beijing_prsa"])
def test_real_series(project: Project, name: str) -> None:
    unpack_data(name, project.root)
    before = project.files(name)
    project.save(name)
    assert project.repo.staged_datasets()[name].facts.format == "tables"
    key = max((k for k in before if k.endswith(".csv")), key=lambda k: len(before[k]))
    lines = before[key].splitlines(keepends=True)
    project.checkout("b", create=True)
    cut = lines[7].rindex(b",")
    mine = [*lines[:7], lines[7][:cut] + b",123" + lines[7][len(lines[7].rstrip()) :], *lines[8:]]
    project.write({f"{name}/{key}": b"".join(mine)})
    project.commit("b", all=True)
    project.checkout("main")
    assert project.files(name) == before
    project.write({f"{name}/{key}": b"".join([*lines[:99], *lines[100:]])})
    project.commit("a", all=True)
    assert project.merge("b").kind == "merged"
    assert project.files(name)[key] == b"".join([*mine[:99], *mine[100:]])
