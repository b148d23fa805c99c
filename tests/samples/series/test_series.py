"""Series of sensors with a graph: every way they lie in files gives the same numbers."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.hostile.mutations import mutated_bytes, mutated_json
from veml_vcs.errors import FormatError
from veml_vcs.samples.arrays import Archive, write_array, write_npz
from veml_vcs.samples.formats import detect, get_format
from veml_vcs.samples.formats.series import CONFIG, SeriesLayout, find_series
from veml_vcs.samples.series import (
    Series,
    diff_series,
    read_adjacency,
    read_series,
    read_values,
    summarise_series,
)
from veml_vcs.samples.series import values as values_module

Files = dict[str, bytes]
NAMES = ("강남구", "종로구", "중구")
GRAPH = np.array([[1, 0.5, 0], [0, 1, 0.25], [0, 0, 0]])
VALUES = np.arange(12, dtype=np.float64).reshape(4, 3) / 8
DAYS = tuple(f"2018-01-0{i}" for i in range(1, 5))


def csv(rows: list[list[Any]], encoding: str = "utf-8") -> bytes:
    return "".join(",".join(map(str, row)) + "\r\n" for row in rows).encode(encoding)


def wide(encoding: str = "utf-8") -> bytes:
    rows = [[day, *row] for day, row in zip(DAYS, VALUES.tolist(), strict=True)]
    return csv([["날짜", *NAMES], *rows], encoding)


def long(encoding: str = "utf-8") -> bytes:
    rows = [[day, name, VALUES[i, j], 7] for i, day in enumerate(DAYS)
            for j, name in enumerate(NAMES)]  # fmt: skip
    return csv([["date", "station", "오존", "PM10"], *rows], encoding)


EDGES = csv([["from", "to", "cost"], *([NAMES[i], NAMES[j], GRAPH[i, j]]
             for i, j in np.argwhere(GRAPH))])  # fmt: skip


def series(files: Files, **said: Any) -> Series:
    layout = SeriesLayout(**said) if said else find_series(sorted(files), sorted(files),
                                                           files.__getitem__)  # fmt: skip
    assert layout is not None
    return read_series(layout, [one for one in sorted(files) if one != CONFIG], files.__getitem__)


def npz(**named: Any) -> bytes:
    return write_npz(Archive({name: np.asarray(one) for name, one in named.items()}))


def sparse(form: str) -> bytes:
    rows, columns = np.nonzero(GRAPH)
    data = GRAPH[rows, columns]
    shape, word = np.array([3, 3]), np.array(form.encode())
    if form == "coo":
        return npz(row=rows, col=columns, format=word, shape=shape, data=data)
    if form == "csc":
        order = np.lexsort((rows, columns))
        rows, columns, data = columns[order], rows[order], data[order]
    pointers = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=3))])
    return npz(indices=columns, indptr=pointers, format=word, shape=shape, data=data)


GRAPHS: dict[str, bytes] = {
    "adj.csv": csv(GRAPH.tolist()),
    "adj_named.csv": csv([list(NAMES), *GRAPH.tolist()]),
    "adj_indexed.csv": csv([["", *NAMES], *([n, *r] for n, r in zip(NAMES, GRAPH.tolist(),
                                                                    strict=True))]),
    "adj_turned.csv": csv([list(NAMES[::-1]), *GRAPH[::-1, ::-1].tolist()]),
    "edges.csv": EDGES,
    "edges_cp949.csv": EDGES.decode().encode("cp949"),
    "edge_list.csv": csv([["from", "to", "cost"], *([i, j, GRAPH[i, j]]
                          for i, j in np.argwhere(GRAPH))]),
    "adj.npy": write_array(GRAPH),
    "adj.npz": npz(adj=GRAPH),
    "adj_csr.npz": sparse("csr"),
    "adj_csc.npz": sparse("csc"),
    "adj_coo.npz": sparse("coo"),
}  # fmt: skip


@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16"])
def test_every_kind_of_graph_and_encoding(graph: str, encoding: str) -> None:
    found = series({"values.csv": wide(encoding), graph: GRAPHS[graph], "about.csv": b"a,b\n1,2\n"})
    assert np.array_equal(found.values[:, :, 0], VALUES)
    assert found.adjacency is not None
    assert np.array_equal(found.adjacency, GRAPH)
    assert (found.sensors, found.times, found.files) == (NAMES, DAYS, ("values.csv",))


def test_long_tables_and_several_files() -> None:
    files = {"a.csv": long("cp949"), "adj.csv": GRAPHS["adj.csv"]}
    found = series(files)
    assert found.values.shape == (4, 3, 2)
    assert found.features == ("오존", "PM10")
    assert np.array_equal(found.values[:, :, 0], VALUES)
    lines = long().splitlines(keepends=True)
    halves = {"1.csv": b"".join([*lines[:7]]), "2.csv": b"".join([lines[0], *lines[7:]])}
    again = series(halves | {"adj.csv": GRAPHS["adj.csv"]})
    assert np.array_equal(again.values, found.values)
    assert again.times == DAYS


def test_one_file_a_station() -> None:
    lines = long().decode().splitlines()
    files = {f"{name}.csv": "\n".join([lines[0], *(one for one in lines if name in one)]).encode()
             for name in NAMES}  # fmt: skip
    found = series(files, form="long", time=("date",), sensor="station", features=("오존",))
    assert sorted(found.sensors) == sorted(NAMES)
    order = [found.sensors.index(name) for name in NAMES]
    assert np.array_equal(found.values[:, order, 0], VALUES)
    assert found.adjacency is None


def test_arrays_as_pems_comes() -> None:
    cube = np.stack([VALUES, -VALUES], 2).astype(np.float32)
    found = series({"PEMS04.npz": npz(data=cube), "PEMS04.csv": GRAPHS["edge_list.csv"]})
    assert found.values.dtype == np.float32
    assert np.array_equal(found.values, cube)
    assert found.graph == "PEMS04.csv"
    assert found.sensors == ("0", "1", "2")
    assert series({"v.npy": write_array(VALUES), "adj.npy": GRAPHS["adj.npy"]}).values.shape == (
        4, 3, 1
    )  # fmt: skip
    whole = series({"v.npy": write_array(VALUES.astype(np.int16)), "adj.npy": GRAPHS["adj.npy"]})
    assert whole.values.dtype == np.float64


def test_parquet_values() -> None:
    pa = pytest.importorskip("pyarrow", reason="needs pyarrow (extra [parquet])")
    import pyarrow.parquet as pq

    stream = io.BytesIO()
    columns = {"time": pa.array(range(4), pa.timestamp("s"))}
    pq.write_table(pa.table(columns | {n: VALUES[:, i] for i, n in enumerate(NAMES)}), stream)
    found = series({"v.parquet": stream.getvalue(), "adj.csv": GRAPHS["adj.csv"]})
    assert np.array_equal(found.values[:, :, 0], VALUES)
    assert found.sensors == NAMES


def test_missing_values_and_decimal_commas() -> None:
    text = "date;a;b\n2018-01-01;1,5;\n2018-01-02;NA;-2\n"
    found = read_values(text.encode(), "a.csv", SeriesLayout()).values[:, :, 0]
    assert np.array_equal(found, [[1.5, np.nan], [np.nan, -2]], equal_nan=True)


def test_what_makes_a_folder_a_series() -> None:
    def found(*keys: str) -> str | None:
        layout = find_series(sorted(keys), sorted(keys), lambda _: b"")
        return None if layout is None else layout.adjacency

    assert found("los_speed.csv", "los_adj.csv") == "los_adj.csv"
    assert found("V_228.csv", "W_228.csv") == "W_228.csv"
    assert found("data.npz", "adj_mx.npy", "edges.csv") == "adj_mx.npy"
    assert found("PEMS08.csv", "PEMS08.npz") == "PEMS08.csv"
    assert found("train.csv", "train.npz") is None
    assert found("adjusted.csv") is None  # a graph alone is no series
    assert found("seoul_2018.csv", "seoul_2019.csv") is None
    files = {"values.csv": wide(), "adj.csv": GRAPHS["adj.csv"], "README": b"x"}
    layout = detect(sorted(files), files.__getitem__)
    facts = get_format(layout.format).read(layout, files.__getitem__).facts
    assert (facts.format, facts.task) == ("tables", "series")
    assert facts.layout == {"series": {"adjacency": "adj.csv"}}
    plain = detect(["values.csv"], files.__getitem__)
    facts = get_format(plain.format).read(plain, files.__getitem__).facts
    assert (facts.task, facts.layout) == ("tabular", {})  # as before there were series


def test_the_config_says_it() -> None:
    told = {"values": ["a.csv"], "adjacency": "b.csv", "form": "long", "time": "date",
            "sensor": "station", "features": ["PM10"]}  # fmt: skip
    files = {"a.csv": long(), "b.csv": GRAPHS["adj.csv"], CONFIG: json.dumps(told).encode()}
    samples = ["a.csv", "b.csv"]
    layout = find_series(samples, sorted(files), files.__getitem__)
    assert layout is not None
    assert SeriesLayout.from_json(layout.to_json()) == layout
    found = read_series(layout, samples, files.__getitem__)
    assert found.values.shape == (4, 3, 1)
    assert (found.values == 7).all()
    for other in (b"{", b"[]", b'{"name": "x"}'):  # a file of this name about something else
        assert find_series(samples, [*samples, CONFIG], lambda _, o=other: o) is None


def config(**told: Any) -> bytes:
    return json.dumps(told).encode()


def test_edges_in_the_config() -> None:
    edges = [[NAMES[i], NAMES[j], GRAPH[i, j]] for i, j in np.argwhere(GRAPH)]
    numbered = [[int(i), int(j), GRAPH[i, j]] for i, j in np.argwhere(GRAPH)]
    for told in (edges, numbered):
        found = series({"v.csv": wide(), CONFIG: config(edges=told)})
        assert found.adjacency is not None
        assert np.array_equal(found.adjacency, GRAPH)
        assert found.graph == CONFIG
    plain = series({"v.csv": wide(), CONFIG: config(edges=[[0, 1]])})
    assert plain.adjacency is not None
    assert plain.adjacency.sum() == 1
    for wrong in ([["x", NAMES[0]]], [[0]], [0], {"a": 1}, [[0, 1, "far"]], [[0, None]], [[0, 9]],
                  [[0, 1, 10**400]], [[True, 1]]):  # fmt: skip
        with pytest.raises(FormatError, match=r"series\.json"):
            series({"v.csv": wide(), CONFIG: config(edges=wrong)})
    with pytest.raises(FormatError, match="names another graph"):
        find_series(["v.csv"], [CONFIG], lambda _: config(edges=[], adjacency="v.csv"))


def test_a_wrong_config_stands_in_nobodys_way() -> None:
    files = {"v.csv": wide(), CONFIG: config(values=["gone.csv"])}
    layout = detect(sorted(files), files.__getitem__)
    parsed = get_format(layout.format).read(layout, files.__getitem__)
    assert (parsed.facts.task, parsed.facts.layout) == ("tabular", {})
    assert "names 'gone.csv'" in parsed.warnings[0]


@pytest.mark.parametrize(
    "told",
    [{"values": ["no.csv"]}, {"values": ["a.csv"], "adjacency": ""}, {"adjacency": "../x.csv"},
     {"values": 3}, {"values": [1]},
     {"adjacency": ["b.csv"]}, {"values": ["a.csv"], "form": "tall"},
     {"values": ["a.csv"], "sensors": "x"}],
)  # fmt: skip
def test_a_wrong_config_is_refused(told: Any) -> None:
    with pytest.raises(FormatError, match=r"series\.json"):
        find_series(["a.csv", "b.csv"], ["a.csv", CONFIG], lambda _: json.dumps(told).encode())


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"v.csv": wide(), "adj.csv": csv(np.eye(4).tolist())}, "no file has the values"),
        ({"v.csv": wide(), "edges.csv": EDGES.replace(NAMES[0].encode(), b"x")}, "an edge ends at"),
        ({"v.npy": write_array(VALUES), "edges.csv": b"from,to\n0,9\n"}, "no file has the values"),
        ({"v.csv": wide(), "adj.npy": write_array(np.zeros((3, 4)))}, "a square matrix"),
        ({"v.csv": wide(), "adj.npz": sparse("csr").replace(b"csr", b"xyz")}, "no NPZ file"),
        ({"v.csv": wide().replace(b"0.125", b"often"), "adj.csv": GRAPHS["adj.csv"]}, "a number"),
        ({"v.csv": long() + long().splitlines(True)[1], "adj.csv": GRAPHS["adj.csv"]},
         "no file has the values"),
    ],
)  # fmt: skip
def test_what_does_not_fit_says_so(files: Files, said: str) -> None:
    with pytest.raises(FormatError, match=said):
        series(files)


def of(values: Any, graph: Any = GRAPH, sensors: Any = NAMES, times: Any = DAYS) -> Series:
    cube = np.asarray(values, np.float64)[:, :, None]
    return Series(cube, np.asarray(graph, np.float64), tuple(sensors), times, None, ("v",), "adj")


def test_summary() -> None:
    values = VALUES.copy()
    values[0, 0] = np.nan
    found = summarise_series(of(values))
    assert (found.steps, found.sensors, found.features) == (4, 3, 1)
    assert (found.edges, found.loops, found.symmetric) == (2, 2, False)
    assert (found.missing, found.minimum, found.first, found.last) == (1, 0.125, DAYS[0], DAYS[-1])


def test_diff_by_step_sensor_and_edge() -> None:
    edited = VALUES.copy()
    edited[1, 2] = edited[1, 0] = edited[2, 2] = -1
    graph = GRAPH.copy()
    graph[0, 1], graph[1, 2], graph[2, 0] = 0, 0.75, 1
    found = diff_series(of(VALUES), of(edited, graph))
    assert found.changed == 3
    assert found.by_sensor == {NAMES[2]: 2, NAMES[0]: 1}
    assert (found.steps, found.changed_steps) == (DAYS[1:3], 2)
    assert (found.edges_added, found.edges_removed, found.edges_changed) == (1, 1, 1)
    assert [(e.start, e.end, e.old, e.new) for e in found.edges] == [
        (NAMES[0], NAMES[1], 0.5, 0), (NAMES[1], NAMES[2], 0.25, 0.75), (NAMES[2], NAMES[0], 0, 1)
    ]  # fmt: skip
    assert not diff_series(of(VALUES), of(VALUES))


def test_diff_of_sensors_and_steps_that_come_and_go() -> None:
    """Sensors are known by name: another order is no difference."""
    turned = of(VALUES[:, ::-1], GRAPH[::-1, ::-1], NAMES[::-1])
    assert not diff_series(of(VALUES), turned)
    less = of(VALUES[1:, :2], GRAPH[:2, :2], NAMES[:2], DAYS[1:])
    found = diff_series(of(VALUES), less)
    assert (found.sensors_removed, found.steps_removed, found.changed) == ((NAMES[2],), 1, 0)
    assert (found.edges_removed, found.edges_added) == (1, 0)
    back = diff_series(less, of(VALUES))
    assert (back.sensors_added, back.steps_added, back.edges_added) == ((NAMES[2],), 1, 1)
    nan = VALUES.copy()
    nan[0, 0] = np.nan
    assert diff_series(of(nan), of(nan)).changed == 0
    assert diff_series(of(VALUES), of(nan)).changed == 1


@settings(deadline=None, max_examples=40)
@given(mutated_bytes((wide(), long("cp949"), write_array(VALUES), npz(data=VALUES))),
       mutated_bytes(tuple(GRAPHS.values())), st.sampled_from(["csv", "npy", "npz"]),
       st.sampled_from(["csv", "npy", "npz"]))  # fmt: skip
@example(wide(), b"from,to\n0,999999999\n", "csv", "csv")
@example(wide(), b"a,b\n1e999,1\n1,nan\n", "csv", "csv")
def test_fuzz_files(values: bytes, graph: bytes, one: str, other: str) -> None:
    files = {f"v.{one}": values, f"adj.{other}": graph}
    refused = ""
    try:
        found = series(files)
    except FormatError as error:
        refused = error.message
    if refused:
        assert len(refused) < 2000
        return
    summarise_series(found)
    assert not diff_series(found, found).changed


TOLD = {"values": ["a.csv"], "adjacency": "b.csv", "form": "long", "time": ["date"]}


@settings(deadline=None, max_examples=40)
@given(mutated_json((TOLD,)))
def test_fuzz_config(value: Any) -> None:
    data = json.dumps(value).encode()
    try:
        layout = find_series(["a.csv", "b.csv"], [CONFIG], lambda _: data)
    except FormatError:
        return
    stored = SeriesLayout.from_json(value)  # in a stranger's record
    if layout is not None:
        assert {layout.adjacency, *layout.values} <= {"a.csv", "b.csv", None}
        assert stored == layout


def test_edges_without_weights_and_without_names() -> None:
    found = read_adjacency(b"0,1\n1,2\n", "edges.csv", None, 4)
    assert found.weights.sum() == 2
    assert found.weights[1, 2] == 1


WORD, SHAPE, NUMBERS = np.array(b"csr"), np.array([3, 3]), np.ones(2)


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ({"indices": [0, 9], "indptr": [0, 1, 2, 2]}, "indices"),
        ({"indices": [0, -1], "indptr": [0, 1, 2, 2]}, "indices"),
        ({"indices": [0, 1], "indptr": [0, 2, 1, 2]}, "pointers"),
        ({"indices": [0, 1], "indptr": [0, 1 << 40, 1 << 40, 1 << 40]}, "pointers"),
        ({"indices": [0, 1], "indptr": [0, 1, 2, 2], "data": np.ones(1)}, "indices"),
        ({"indices": [0, 1], "indptr": [0, 1, 2, 2], "shape": np.array([1 << 40] * 2)}, "sensors"),
        ({"indices": [0, 1], "indptr": [0, 1, 2, 2], "shape": np.array([3, 4])}, "no square"),
        ({"indices": [0, 1], "indptr": [0, 1, 2, 2], "format": np.array(b"dia")}, "no square"),
        ({"indices": [0, 1]}, "no square"),
    ],
)
def test_hostile_sparse_matrices_are_refused(named: dict[str, Any], said: str) -> None:
    """Seen to fail: without the check that indices are inside, and without that of pointers."""
    data = npz(**{"format": WORD, "shape": SHAPE, "data": NUMBERS, **named})
    with pytest.raises(FormatError, match=said):
        read_adjacency(data, "adj.npz")


def test_a_long_table_with_two_rows_of_one_sensor_and_step_is_refused() -> None:
    twice = long() + long().splitlines(True)[1]
    layout = SeriesLayout(time=("date",), sensor="station")
    with pytest.raises(FormatError, match="two rows of one station"):
        read_values(twice, "a.csv", layout)


def test_a_text_that_is_too_large_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values_module, "MAX_TEXT_BYTES", 50)
    with pytest.raises(FormatError, match="bytes of text are too many"):
        read_values(wide(), "a.csv", SeriesLayout())


def test_a_table_may_not_grow_when_it_is_put_into_a_cube(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values_module, "MAX_VALUES", 1000)
    rows = [["t", "s", "v"], *([i, f"s{i}", 1] for i in range(40))]  # 120 cells, 1600 values
    with pytest.raises(FormatError, match="more than 1000 values"):
        read_values(csv(rows), "a.csv", SeriesLayout(time=("t",), sensor="s"))
