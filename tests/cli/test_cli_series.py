"""What the commands say of a series of sensors, and of arrays and Parquet in their place."""

from __future__ import annotations

import io

import numpy as np
import pytest

from tests.cli.conftest import Place

GRAPH = "1,0.5,0\n0,1,0\n0,0,1\n"
SPEED = "time,a,b,c\n" + "".join(f"2020-01-{i:02},{i},{i}.5,{-i}\n" for i in range(1, 11))


@pytest.fixture
def roads(place: Place) -> Place:
    place.veml("init")
    place.write("roads/speed.csv", SPEED)
    place.write("roads/adj.csv", GRAPH)
    place.veml("add", "--format", "tables", "roads")
    place.veml("commit", "-m", "roads")
    return place


def test_show_and_stats_tell_sensors_steps_features_and_edges(roads: Place) -> None:
    for shown in (roads.veml("show", "HEAD:roads").out, roads.veml("data", "stats", "roads").out):
        words = " ".join(shown.split())
        assert "time steps 10 2020-01-01 … 2020-01-10" in words
        assert "sensors 3 a, b, c" in words
        assert "graph adj.csv" in words
        assert "edges 1 (directed), and 3 loops" in words
    told = roads.veml("data", "stats", "roads", "--json").json()["series"]
    assert (told["steps"], told["sensors"], told["features"], told["edges"]) == (10, 3, 1, 1)


def test_diff_names_steps_sensors_and_edges(roads: Place) -> None:
    roads.write("roads/speed.csv", SPEED.replace("3,3.5,", "3,9.5,") + "2020-01-11,1,1,1\n")
    roads.write("roads/adj.csv", GRAPH.replace("0,1,0", "0.25,1,0"))
    words = " ".join(roads.veml("diff").out.split())
    assert "series 10x3x1 -> 11x3x1 (time x sensor x feature)" in words
    assert "values 1 changed at 1 step (2020-01-03) of 1 sensor (b 1)" in words
    assert "edges +1 +b -> a 0.25" in words
    assert "table speed.csv" not in words  # said once, in the words of the series
    told = roads.veml("diff", "--json").json()["datasets"][0]
    assert told["series"]["by_sensor"] == {"b": 1}
    assert told["tables"].keys() == {"adj.csv", "speed.csv"}


def test_data_show_tells_what_is_in_an_archive(place: Place) -> None:
    place.veml("init")
    values = np.array([[1.0, np.nan], [4.0, 7.0]])
    stream = io.BytesIO()
    np.savez(stream, data=values, names=np.array(["a", "b"]))
    place.write("x/a.npz", stream.getvalue())
    place.veml("add", "--format", "tables", "x")
    words = " ".join(place.veml("data", "show", "x", "a.npz").out.split())
    assert "data 2x2 <f8 1 1 4 7" in words  # missing, smallest, mean, largest
    assert "names 2 <U1" in words
    told = place.veml("data", "show", "x", "a.npz", "--json").json()["arrays"]
    assert [one["name"] for one in told] == ["data", "names"]
