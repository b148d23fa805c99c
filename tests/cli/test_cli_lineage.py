"""``veml lineage`` as it is typed: words, JSON, Mermaid, Graphviz, errors."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.lineage.kit import data_record, model_record, training_record
from veml_cli.lineage._options import write_page
from veml_vcs.lineage.ask import lineage
from veml_vcs.lineage.graph import EDGES
from veml_vcs.lineage.page import page_of_all
from veml_vcs.repository import Repository
from veml_vcs.repository.git.repo import blob_id

Place = Any
DATA, MODEL = data_record(1), model_record(50)
NIGHT = training_record(blob_id(DATA), blob_id(MODEL))


@pytest.fixture
def roads(place: Place) -> Place:
    place.veml("init", "-q")
    place.git("config", "core.hooksPath", "/dev/null")  # records alone, without their data
    for path, content in (
        ("roads.veml", DATA), ("models/big.veml", MODEL), ("trainings/night.veml", NIGHT),
    ):  # fmt: skip
        (place.root / path).parent.mkdir(exist_ok=True)
        (place.root / path).write_bytes(content)
    place.git("add", "-A")
    place.git("commit", "-qm", "night")
    return place


def test_a_tree_in_the_terminal(roads: Place) -> None:
    out = roads.veml("lineage", "show", "night").out
    data, model, night = (blob_id(one)[:10] for one in (DATA, MODEL, NIGHT))
    assert out.splitlines() == [
        f"training night  {night}  mAP 0.5", "", "came from",
        f"  |- trained on data roads  {data}  1 sample",
        f"  `- uses model big  {model}", "", "went into", "  nothing",
    ]  # fmt: skip
    up = roads.veml("lineage", "show", "roads", "--down").out
    assert f"`- trained training night  {night}" in up
    assert "came from" not in up


def test_a_tree_is_no_deeper_than_asked(roads: Place) -> None:
    """The data is one step away, and of the training that is one step away too."""
    tuned = training_record(blob_id(DATA), blob_id(MODEL), blob_id(NIGHT), seed=2)
    roads.write("trainings/tuned.veml", tuned)
    roads.git("add", "-A")
    roads.git("commit", "-qm", "tuned")
    data, model, night = (blob_id(one)[:10] for one in (DATA, MODEL, NIGHT))
    first = f"  |- initialised from training night  {night}  mAP 0.5"
    rest = [f"  |- trained on data roads  {data}  1 sample", f"  `- uses model big  {model}"]
    out = roads.veml("lineage", "show", "tuned", "--up", "--depth", "1").out
    assert out.splitlines()[3:] == [first + " ...", *rest]
    out = roads.veml("lineage", "show", "tuned", "--up").out
    assert out.splitlines()[3:] == [first, *("  |" + one for one in rest), *rest]


def test_no_steps_say_nothing_of_what_is_there(roads: Place) -> None:
    """Seen to fail: it said that the training came from nothing."""
    out = roads.veml("lineage", "show", "night", "--depth", "0").out
    assert out == f"training night  {blob_id(NIGHT)[:10]}  mAP 0.5\n"
    assert roads.veml("lineage", "show", "night", "--down").out.endswith("went into\n  nothing\n")


def test_a_name_as_the_shell_completes_it(roads: Place) -> None:
    for spec in ("roads/", "roads/@HEAD", "data:roads/", "roads//"):
        assert roads.veml("lineage", "show", spec).out.startswith("data roads  ")
    assert "1 training" in roads.veml("lineage", "impact", "roads/").out


def test_for_other_programs(roads: Place) -> None:
    found = json.loads(roads.veml("lineage", "show", "night", "--json").out)
    assert {one["kind"] for one in found["edges"]} == {"trained_on", "uses"}
    assert roads.veml("lineage", "show", "night", "--mermaid").out.startswith("flowchart TB\n")
    dot = roads.veml("lineage", "impact", "roads", "--dot").out
    assert f'"{blob_id(NIGHT)}" -> "{blob_id(DATA)}" [label="trained_on"];' in dot
    assert "one of them" in roads.veml("lineage", "show", "night", "--dot", "--json", code=128).err


def test_as_a_page(roads: Place) -> None:
    done = roads.veml("lineage", "show", "night", "--html", "out/night.html")
    assert (done.out, done.err) == ("", "drawn into out/night.html\n")
    text = (roads.root / "out/night.html").read_text()
    assert "<title>Lineage of training night</title>" in text
    assert "is there already" in roads.veml(
        "lineage", "path", "night", "roads", "--html", "out/night.html", code=1
    ).err  # fmt: skip
    roads.veml("lineage", "path", "night", "roads", "--html", "out/night.html", "-f")
    assert "<title>From night to roads</title>" in (roads.root / "out/night.html").read_text()
    assert "Impact of roads" in roads.veml("lineage", "impact", "roads", "--html", "-").out
    assert "one of them" in roads.veml(
        "lineage", "show", "night", "--html", "x.html", "--dot", code=128
    ).err  # fmt: skip
    assert not (roads.root / "x.html").exists()


def test_the_whole_repository_as_a_page(roads: Place) -> None:
    roads.git("commit", "-q", "--allow-empty", "-m", "nothing")
    roads.veml("lineage", "page", "all.html")
    assert "3 versions of all branches and tags" in (roads.root / "all.html").read_text()
    assert "is there already" in roads.veml("lineage", "page", "all.html", code=1).err
    assert "3 versions of HEAD~1 and" in roads.veml("lineage", "page", "-", "--at", "HEAD~1").out
    assert roads.veml("lineage", "page", "b.html", "--at", "nowhere", code=128).out == ""


def test_what_is_not_on_a_page_is_told(roads: Place, capsys: pytest.CaptureFixture[str]) -> None:
    with Repository(str(roads.root)) as repo, lineage(repo) as found:
        write_page(found, page_of_all(found, most=2), "few.html", force=False)
    told = capsys.readouterr().err.splitlines()
    assert told[0].startswith("warning: not on the page: 1 ")
    assert told[0].endswith("what is around one: veml lineage show VERSION --depth 3 --html FILE")
    assert told[1] == "drawn into few.html"


def test_what_is_touched(roads: Place) -> None:
    assert "1 training\n  training night" in roads.veml("lineage", "impact", "roads").out
    assert roads.veml("lineage", "models", "--backbone", "ResNet-50", "--trained-on",
                      "class:car").out.startswith("model big  ")  # fmt: skip
    assert "no version is like that" in roads.veml("lineage", "models", "--backbone", "x").out


def test_data_that_was_derived_is_touched(roads: Place) -> None:
    """It was told in words alone: JSON named it in an edge, and did not say what it is."""
    origin = {"data": "roads", "version": blob_id(DATA), "tree": "00" * 32}
    derived = {"operation": "filter", "arguments": {}, "from": [origin]}
    roads.write("cars.veml", data_record(7, derived=derived))
    roads.git("add", "-A")
    roads.git("commit", "-qm", "cars")
    assert "1 data version\n  data cars" in roads.veml("lineage", "impact", "roads").out
    found = json.loads(roads.veml("lineage", "impact", "roads", "--json").out)
    assert [one["name"] for one in found["derived"]] == ["cars"]
    assert found["data"] == [blob_id(DATA)]


def test_errors(roads: Place) -> None:
    (roads.root / "apart.veml").write_bytes(data_record(5))
    roads.git("add", "-A")
    roads.git("commit", "-qm", "alone")
    assert "no version nowhere in HEAD" in roads.veml("lineage", "show", "nowhere", code=128).err
    assert roads.veml("lineage", "path", "night", "apart", code=1).out == ""
    assert "is no fact" in roads.veml("lineage", "models", "--has", "red", code=128).err
    assert "expected a data version" in roads.veml("lineage", "impact", "night", code=128).err


def test_a_damaged_record_is_told_and_the_rest_is_there(roads: Place) -> None:
    (roads.root / "bad.veml").write_bytes(b'{\n "kind": "data",\n "veml": 1}\n')
    roads.git("add", "bad.veml")
    roads.git("commit", "-qm", "bad")
    done = roads.veml("lineage", "show", "night")
    assert "1 damaged record left out: veml lineage status" in done.err
    assert "left out: " in roads.veml("lineage", "status").out
    counts = json.loads(roads.veml("lineage", "status", "--json").out)["counts"]
    assert counts["training"] == 1
    nodes, edges = roads.veml("lineage", "status").out.split("\nedges")
    for text, kinds in ((nodes, counts.keys() - {*EDGES}), (edges, counts.keys() & {*EDGES})):
        total, *rows = re.findall(r" (\d+)$", text, re.MULTILINE)
        assert int(total) == sum(map(int, rows)) == sum(counts[one] for one in kinds)


def test_a_damaged_note_is_told_and_the_rest_is_there(roads: Place) -> None:
    """Seen to fail: each question ended with 66."""
    bad = roads.root / "bad.veml"
    bad.write_bytes(b'{\n "kind": "data",\n "veml": 1}\n')
    roads.git("add", "bad.veml")
    roads.git("commit", "-qm", "bad")
    ref, version = "refs/notes/veml/drift", blob_id(DATA)
    roads.git("notes", f"--ref={ref}", "add", "-m", "a verdict", version)
    name = roads.git("rev-parse", f"{ref}:{version}").strip()
    path = roads.root / ".git/objects" / name[:2] / name[2:]
    path.chmod(0o644)
    path.write_bytes(b"nothing that inflates")
    done = roads.veml("lineage", "show", "night")
    assert "1 damaged record and 1 damaged note left out: veml lineage status" in done.err
    told = roads.veml("lineage", "status").out
    assert f"left out: {version[:10]}  the note drift of version {version[:10]} cannot" in told
    # The graph names the note, to try it again; that is no other place that needs it.
    assert "needs it" not in roads.veml("fsck", code=1).out


def test_names_of_a_stranger_do_no_harm(roads: Place) -> None:
    roads.git("mv", "roads.veml", 'x"];\x1b[31m.veml')
    roads.git("commit", "-qm", "odd")
    for form in ((), ("--dot",), ("--mermaid",)):
        assert "\x1b" not in roads.veml("lineage", "show", "night", *form).out


def test_in_an_empty_repository(place: Place) -> None:
    place.veml("init", "-q")
    assert place.veml("lineage", "sync").out == "0 new commits, 0 versions read\n"
    place.veml("lineage", "show", "night", code=128)
    assert "no commits yet" in place.veml("lineage", "page", "all.html", code=128).err
    assert not (place.root / "all.html").exists()
    place.git("commit", "-q", "--allow-empty", "-m", "nothing")
    place.veml("lineage", "page", "all.html")
    assert "0 versions" in (place.root / "all.html").read_text()


def test_on_a_branch_without_a_commit(roads: Place) -> None:
    """Seen to fail: the version was found, and no page could be drawn of it, nor of the others."""
    roads.git("checkout", "-q", "--orphan", "new")
    assert roads.veml("lineage", "show", blob_id(DATA)[:8]).out.startswith("data roads")
    text = roads.veml("lineage", "show", blob_id(DATA)[:8], "--html", "-").out
    assert "2 versions; HEAD has no commit" in text
    assert "3 versions of main" in roads.veml("lineage", "page", "-", "--at", "main").out
    assert "3 versions of all branches and tags; HEAD" in roads.veml("lineage", "page", "-").out


def test_all_of_it_can_be_read_again(roads: Place) -> None:
    roads.veml("lineage", "status")
    assert roads.veml("lineage", "sync").out.startswith("0 new commits")
    assert roads.veml("lineage", "sync", "--full").out == "1 new commit, 3 versions read\n"
