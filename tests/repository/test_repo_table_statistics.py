"""``data stats`` of tables: the columns of all of them together."""

from __future__ import annotations

import pytest

from tests.repository.kit import Project
from veml_vcs.repository.data import table_statistics as module
from veml_vcs.repository.data.statistics import statistics
from veml_vcs.samples.query import Conditions

TABLES = {
    "a.csv": b"id,speed,day,who\n1,10,2024-01-01,ann\n2,NaN,2024-01-02,\n3,30,2024-01-03,bob\n",
    "b.csv": b"id,speed,day,who,extra\n4,2.5,2024-02-01,zoe,1\n5,-4,2023-12-31,ann,x\n",
    "c.csv": b'id;speed;price;extra\n6;1;"1,5";2\n7;7;"2,5";3\n',
}


@pytest.fixture
def flows(project: Project) -> Project:
    project.write(TABLES, "flows")
    project.add("flows", format="tables")
    project.commit("flows")
    return project


def test_columns_of_all_tables(flows: Project) -> None:
    found = statistics(flows.repo, "flows", Conditions())
    assert found.tables is not None
    assert (found.tables.tables, found.tables.rows, found.notes) == (3, 7, ())
    columns = {one.name: one for one in found.tables.columns}
    assert list(columns) == ["id", "speed", "day", "who", "extra", "price"]
    speed = columns["speed"]
    assert (speed.tables, speed.missing, speed.minimum, speed.maximum) == (3, 1, "-4", "30")
    assert speed.spread is not None
    assert (speed.spread.count, speed.spread.median) == (6, 4.75)
    assert sum(speed.spread.counts) == 6
    day = columns["day"]
    assert (day.kind, day.minimum, day.maximum) == ("time", "2023-12-31", "2024-02-01")
    assert (columns["who"].missing, columns["who"].minimum, columns["who"].maximum) == (
        1, "ann", "zoe"
    )  # fmt: skip
    assert (columns["extra"].spread, columns["extra"].kind) == (None, "text, int")
    assert columns["price"].spread is None
    assert columns["id"].spread is not None
    assert columns["id"].spread.mean == 4


def test_only_those_that_are_chosen(flows: Project) -> None:
    found = statistics(flows.repo, "flows", Conditions(keys=("a.csv",)))
    assert found.tables is not None
    assert (found.tables.tables, found.tables.rows) == (1, 3)


def test_what_is_too_much_is_said(flows: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 100)
    found = statistics(flows.repo, "flows", Conditions())
    assert found.tables is not None
    assert found.tables.tables == 1
    assert "the first 1 of 3 tables" in found.notes[0]


def test_images_have_no_columns(project: Project) -> None:
    from tests.repository.kit import images

    project.write(images(3), "data")
    project.save("data")
    assert statistics(project.repo, "data", Conditions()).tables is None
