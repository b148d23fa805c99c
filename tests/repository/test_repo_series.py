"""Series of sensors with a graph under history: recorded, shown, compared, merged, read."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.archives import unpack_data
from tests.repository.kit import Project
from veml_vcs.errors import InvalidInputError
from veml_vcs.repository.contents import series as repository_series
from veml_vcs.repository.contents.series import record_series
from veml_vcs.repository.data.statistics import statistics
from veml_vcs.repository.diff import diff
from veml_vcs.repository.export import export
from veml_vcs.samples.query import Conditions

STEPS, NAMES = 30, ("강남구", "종로구", "중구")


def speed(edits: dict[tuple[int, int], float] | None = None, steps: int = STEPS) -> bytes:
    values = np.arange(steps * 3).reshape(steps, 3) / 4
    for place, value in (edits or {}).items():
        values[place] = value
    rows = [f"2018{i // 10 + 1:02}{i % 10 + 1:02},{','.join(map(str, row))}\r\n"
            for i, row in enumerate(values.tolist())]  # fmt: skip
    return ("date," + ",".join(NAMES) + "\r\n" + "".join(rows)).encode("cp949")


def graph(edits: dict[tuple[int, int], float] | None = None) -> bytes:
    weights = np.eye(3)
    weights[0, 1] = 0.5
    for place, value in (edits or {}).items():
        weights[place] = value
    return "".join(",".join(map(str, row)) + "\n" for row in weights.tolist()).encode()


@pytest.fixture
def roads(project: Project) -> Project:
    project.write({"roads/speed.csv": speed(), "roads/adj.csv": graph(), "roads/README": b"x"})
    project.add("roads", format="tables")
    project.commit("roads")
    return project


def test_the_record_names_the_graph_and_the_numbers_are_told(roads: Project) -> None:
    record = roads.repo.staged_datasets()["roads"]
    assert (record.facts.format, record.facts.task) == ("tables", "series")
    assert record.facts.layout == {"series": {"adjacency": "adj.csv"}}
    found, note = record_series(roads.repo, record)
    assert note is None
    assert found is not None
    assert (found.steps, found.sensors, found.features, found.edges) == (STEPS, 3, 1, 1)
    assert found.sensor_names == NAMES
    counted = statistics(roads.repo, "HEAD:roads", Conditions())
    assert counted.series == found


def test_an_edit_gives_the_same_record_as_a_fresh_add(roads: Project) -> None:
    """What a record says must follow from the content: files may turn into a series and back."""
    roads.write({"roads/adj.csv": graph({(1, 2): 1})})
    roads.add("roads")
    edited = roads.repo.staged_datasets()["roads"]
    roads.write({"again/speed.csv": speed(), "again/adj.csv": graph({(1, 2): 1}),
                 "again/README": b"x"})  # fmt: skip
    roads.add("again", format="tables")
    assert roads.repo.staged_datasets()["again"].to_bytes() == edited.to_bytes()
    roads.path("roads/adj.csv").rename(roads.path("roads/other.csv"))
    roads.add("roads")
    assert roads.repo.staged_datasets()["roads"].facts.task == "tabular"
    told = {"values": ["speed.csv"], "adjacency": "other.csv"}
    roads.write({"roads/series.json": json.dumps(told).encode()})
    roads.add("roads")
    facts = roads.repo.staged_datasets()["roads"].facts
    assert (facts.task, facts.layout) == ("series", {"series": told})


def test_columns_alone_make_a_series_and_strange_files_none(project: Project) -> None:
    """Seen to fail: a series.json that named no file was passed over, and the folder was tables."""
    table = "hour,station,PM10,note\n" + "".join(f"{h},{{0}},{h + 1},x\n" for h in range(4))
    told = {"time": ["hour"], "sensor": "station", "features": ["PM10"]}
    project.write({
        "air/a.csv": table.format("a").encode(), "air/b.csv": table.format("b").encode(),
        "air/series.json": json.dumps(told).encode(),
    })  # fmt: skip
    project.add("air", format="tables")
    facts = project.repo.staged_datasets()["air"].facts
    assert (facts.task, facts.layout) == ("series", {"series": told})
    project.commit("air")
    assert project.repo.dataset("air").series().values.shape == (4, 2, 1)
    for other in ({}, {"sensor": "x", "title": "of another program"}, {"title": "x"}, [], 3):
        project.write({"air/series.json": json.dumps(other).encode()})
        project.add("air")
        assert project.repo.staged_datasets()["air"].facts.task == "tabular"


def test_diff_by_step_and_sensor_and_merge_of_two_branches(roads: Project) -> None:
    roads.checkout("b", create=True)
    roads.write({"roads/speed.csv": speed({(4, 2): 99}, STEPS + 2)})
    roads.commit("b", all=True)
    roads.checkout("main")
    roads.write({"roads/speed.csv": speed({(7, 0): 98}),
                 "roads/adj.csv": graph({(0, 1): 0, (2, 0): 0.75})})  # fmt: skip
    (here,) = diff(roads.repo).datasets
    roads.commit("a", all=True)
    (there,) = diff(roads.repo, "HEAD~1", "HEAD").datasets
    assert here.series == there.series
    found = there.series
    assert found is not None
    assert (found.changed, found.by_sensor, found.steps) == (1, {NAMES[0]: 1}, ("20180108",))
    assert (found.edges_added, found.edges_removed, found.edges_changed) == (1, 1, 0)
    assert [(one.start, one.end) for one in found.edges] == [NAMES[:2], (NAMES[2], NAMES[0])]
    assert roads.merge("b").kind == "merged"
    assert roads.files("roads")["speed.csv"] == speed({(4, 2): 99, (7, 0): 98}, STEPS + 2)
    assert roads.repo.staged_datasets()["roads"].facts.task == "series"
    roads.assert_clean()


def test_from_python(roads: Project) -> None:
    data = roads.repo.dataset("roads", "HEAD")
    found = data.series()
    assert found.values.shape == (STEPS, 3, 1)
    assert found.values.dtype == np.float64
    assert found.adjacency is not None
    assert found.adjacency[0, 1] == 0.5
    assert np.array_equal(data["speed.csv"].values(), found.values)
    alone = data.series(values=["speed.csv"])
    assert alone.adjacency is None
    roads.write({"air/a.csv": speed()})
    roads.add("air", format="tables")
    with pytest.raises(InvalidInputError, match="no series"):
        roads.repo.dataset("air").series()


def test_a_series_that_cannot_be_read_stays_a_data_set(
    roads: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    roads.write({"roads/adj.csv": graph() + b"1,2,3\n"})
    (found,) = diff(roads.repo).datasets
    assert found.series is None
    assert "not read as a series" in found.notes[0]
    assert found.tables.keys() == {"adj.csv"}
    roads.commit("odd", all=True)
    counted = statistics(roads.repo, "roads", Conditions())
    assert counted.series is None
    assert "not read as a series" in counted.notes[0]
    monkeypatch.setattr(repository_series, "MAX_BYTES", 100)
    assert "too large" in statistics(roads.repo, "HEAD~1:roads", Conditions()).notes[0]


def test_it_is_exported_as_it_is_and_not_as_images(roads: Project) -> None:
    with pytest.raises(InvalidInputError, match="tables to coco"):
        export(roads.repo, "HEAD:roads", str(roads.path("out")), format="coco")
    assert not roads.path("out").exists()
    export(roads.repo, "HEAD:roads", str(roads.path("out")))
    assert roads.files("out") == roads.files("roads")


@pytest.mark.data
def test_metr_la(project: Project) -> None:
    unpack(project, "los_loop")
    project.save("los_loop")
    found, note = record_series(project.repo, project.repo.staged_datasets()["los_loop"])
    assert note is None
    assert found is not None
    assert (found.files, found.graph) == (("los_speed.csv",), "los_adj.csv")
    assert (found.steps, found.sensors, found.features, found.missing) == (2016, 207, 1, 0)
    assert (found.edges, found.loops) == (2626, 207)
    series = project.repo.dataset("los_loop").series()
    ids = project.files("los_loop")["graph_sensor_ids.txt"].decode().strip().split(",")
    assert list(series.sensors) == ids
    told = np.loadtxt(project.path("los_loop/los_adj.csv"), delimiter=",")
    assert series.adjacency is not None
    assert np.array_equal(series.adjacency, told)


@pytest.mark.data
def test_stations_in_long_tables(project: Project) -> None:
    unpack(project, "seoul_air_2018_2020")
    project.save("seoul_air_2018_2020")
    data = project.repo.dataset("seoul_air_2018_2020")
    found = data.series(form="long")
    assert found.values.shape[0] == 1096
    assert found.features is not None
    assert len(found.features) == 6
    assert "강남구" in found.sensors
    first = found.values[0, found.sensors.index("강남구")]
    assert first.tolist() == [0.034, 0.009, 0.6, 0.006, 34, 22]
    unpack(project, "beijing_prsa")
    project.save("beijing_prsa")
    found = project.repo.dataset("beijing_prsa").series(
        time=["year", "month", "day", "hour"], sensor="station", features=["PM2.5", "TEMP"]
    )
    assert found.values.shape == (35_064, 12, 2)


def unpack(project: Project, name: str) -> None:
    unpack_data(name, project.root)
