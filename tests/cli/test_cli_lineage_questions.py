"""``veml lineage find, compare, common, chain, changed, neighbours`` as they are typed."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.lineage.kit import data_record, model_record, training_record
from veml_vcs.ids import VersionId
from veml_vcs.lineage.ask import lineage
from veml_vcs.repository import Repository
from veml_vcs.repository.git.notes import write_note
from veml_vcs.repository.git.repo import blob_id

Place = Any
ROADS, ROADS2 = data_record(1, ("car", "bus")), data_record(2, ("car",))
TOWN = data_record(3, ("bus",))
BIG, SMALL = model_record(50), model_record(18, 0.3)
FIRST = training_record(blob_id(ROADS), blob_id(BIG), metrics={"mAP": 0.2, 'a"b': 1.0})
SECOND = training_record(blob_id(ROADS2), blob_id(BIG), blob_id(FIRST))
THIRD = training_record(blob_id(TOWN), blob_id(SMALL), blob_id(FIRST), seed=4)
LOST = training_record("12" * 20, "34" * 20, seed=9)


@pytest.fixture
def roads(place: Place) -> Place:
    """A training, and two that were tuned from it, on other data, one with another model."""
    place.veml("init", "-q")
    place.git("config", "core.hooksPath", "/dev/null")  # records alone, without their data

    def commit(message: str, **files: bytes) -> None:
        for name, content in files.items():
            path = place.root / f"{name.replace('_', '/')}.veml"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
        place.git("add", "-A")
        place.git("commit", "-qm", message)

    commit("first", roads=ROADS, models_big=BIG, trainings_first=FIRST)
    place.git("tag", "v1")
    commit("second", roads=ROADS2, trainings_second=SECOND)
    commit("third", town=TOWN, models_small=SMALL, trainings_third=THIRD)
    return place


def line(kind: str, name: str, record: bytes) -> str:
    return f"{kind} {name}  {blob_id(record)[:10]}"


def names(place: Place, *words: str) -> list[str]:
    return [one["name"] for one in place.veml("lineage", "find", *words, "--json").json()]


def test_find(roads: Place) -> None:
    assert names(roads, "--kind", "training", "--where", "mAP>.4") == ["second", "third"]
    assert names(roads, "--kind", "training", "--has", "backbone:ResNet-50") == ["first", "second"]
    assert names(roads, "--has", "class:bus") == ["roads", "town", "first", "third"]
    assert names(roads, "--trained-on", "class:bus") == ["big", "small", "first", "third"]
    assert names(roads, "--trained-on", "town") == ["small", "third"]
    assert names(
        roads, "--kind", "training", "--has", "backbone:resnet50", "--has", "class:bus"
    ) == ["first"]
    assert names(roads, "--at", "v1") == ["roads", "big", "first"]
    assert names(roads, "--where", "samples>=2", "--kind", "data") == ["roads", "town"]
    assert names(roads, "--where", "seed=4") == ["third"]
    assert names(roads, "--where", "name=town") == ["town"]
    assert names(roads, "--where", 'a"b=1') == ["first"]
    out = roads.veml("lineage", "find", "--where", "seed=4").out
    assert out == line("training", "third", THIRD) + "  mAP 0.5  seed 4\n"
    assert roads.veml("lineage", "find", "--where", "seed=5").out == "no version is like that\n"
    assert names(roads, "--has", "class:bus", "-n", "3") == ["roads", "town", "first"]
    assert names(roads, "--has", "class:bus", "--max-count", "0") == []
    assert roads.veml("lineage", "find", "-n", "0").out == ""  # not that there is none
    # The shorthand says the same.
    one = roads.veml("lineage", "models", "--backbone", "resnet50", "--json").json()
    assert one == roads.veml("lineage", "find", "--kind", "model", "--has", "backbone:resnet50",
                             "--json").json()  # fmt: skip
    assert roads.veml("lineage", "models", "--at", "v1", "-n", "9", "--json").json() == one[:1]


def test_a_metric_that_was_asked_about_is_shown(roads: Place) -> None:
    """Of several one stands beside the name, and it is not always that."""
    metrics = {"mAP": 0.5, "accuracy": 0.75}
    roads.write("trainings/both.veml", training_record("12" * 20, "34" * 20, metrics=metrics))
    roads.git("add", "-A")
    roads.git("commit", "-qm", "two metrics")
    out = roads.veml("lineage", "find", "--where", "accuracy>.7", "--where", "mAP=.5").out
    assert out.endswith("  mAP 0.5  accuracy 0.75\n")


def test_as_of_a_revision_a_name_is_that_of_the_revision(roads: Place) -> None:
    """As in ``git show REV:PATH``. Seen to fail: the name was taken from HEAD, whose version was
    told to have come from nothing then, or found to have trained nothing.
    """
    found = roads.veml("lineage", "show", "roads", "--at", "v1", "--json").json()
    assert found["start"] == blob_id(ROADS)
    assert {one["name"] for one in found["nodes"]} == {"roads", "first"}
    assert names(roads, "--trained-on", "roads", "--at", "v1") == ["big", "first"]
    # What is gone from HEAD has its name there, too.
    roads.git("rm", "-q", "trainings/first.veml")
    roads.git("commit", "-qm", "no first")
    assert roads.veml("lineage", "show", "first", "--at", "v1").out.startswith("training first  ")
    assert "no version third in v1" in roads.veml(
        "lineage", "show", "third", "--at", "v1", code=128
    ).err  # fmt: skip
    # A revision of its own is meant, and digits are; but what came later was not there then.
    late = ("roads@HEAD", blob_id(ROADS2)[:10])
    for one in ("roads@v1", blob_id(ROADS)[:10]):
        assert roads.veml("lineage", "show", one, "--at", "v1", "--json").json() == found
    for one in late:
        done = roads.veml("lineage", "show", one, "--at", "v1", code=128)
        assert "neither v1 nor a commit before it brought it" in done.err


def test_where_nothing_leads_every_form_says_so(roads: Place) -> None:
    """Seen to fail: JSON was no JSON, and a picture no picture."""
    roads.write("alone.veml", data_record(7))
    roads.git("add", "-A")
    roads.git("commit", "-qm", "alone")
    asked = ("lineage", "path", "big", "alone")
    done = roads.veml(*asked, "--json", code=1)
    assert done.json() == {"nodes": [], "edges": []}
    assert done.err == "nothing leads from big to alone\n"
    assert roads.veml(*asked, code=1).out == ""
    told = roads.veml(*asked, "--mermaid", code=1).out.splitlines()
    assert [one.strip().partition("[")[0] for one in told] == ["flowchart TB", "n0", "n1"]
    assert "->" not in roads.veml(*asked, "--dot", code=1).out
    assert "2 versions" in roads.veml(*asked, "--html", "-", code=1).out
    assert "one of them" in roads.veml(*asked, "--dot", "--json", code=128).err
    same = roads.veml("lineage", "path", "big", "big", "--json").json()
    assert ([one["name"] for one in same["nodes"]], same["edges"]) == (["big"], [])


def test_a_version_has_each_name_that_history_gave_it(roads: Place) -> None:
    """Seen to fail: it was known by the first of its names in order of the alphabet alone, so what
    was renamed was not found by the name it has now, and told by the one it had.
    """
    for old, new in (("town", "zoo"), ("trainings/third", "trainings/yonder")):
        roads.git("mv", f"{old}.veml", f"{new}.veml")
    roads.git("commit", "-qm", "renamed")
    town, third = blob_id(TOWN), blob_id(THIRD)
    for name in ("town", "zoo"):
        (found,) = roads.veml("lineage", "find", "--where", f"name={name}", "--json").json()
        assert (found["id"], found["name"]) == (town, name)
        left = roads.veml("lineage", "find", "--kind", "data", "--where", f"name!={name}", "--json")
        assert town not in {one["id"] for one in left.json()}
    assert names(roads, "--where", "name=zoo", "--where", "samples=3") == ["zoo"]
    assert names(roads, "--where", "name=zoo", "--at", "HEAD~1") == ["zoo"]
    assert names(roads, "--where", "name=zoo", "--at", "v1") == []
    assert names(roads, "--where", "name=zoo", "--where", "name=roads") == []
    assert names(roads, "--where", "name=yonder", "--trained-on", "zoo") == ["yonder"]
    assert f"veml lineage show {town[:10]}" in roads.veml("lineage", "show", "town", code=128).err
    # What was asked about has the name that it was asked by.
    told = line("data", "zoo", TOWN)
    for words in (("show", "zoo"), ("impact", "zoo"), ("neighbours", "zoo"), ("path", "zoo", "big"),
                  ("common", "zoo", "yonder"), ("compare", "zoo", "roads")):  # fmt: skip
        assert roads.veml("lineage", *words).out.startswith(told), words
    assert told in roads.veml("lineage", "path", "big", "zoo").out
    # Nor is it what HEAD has of another kind.
    assert "veml data ls" in roads.veml("lineage", "show", "data:yonder", code=128).err
    assert third[:10] in roads.veml("lineage", "show", "training:third", code=128).err
    assert roads.veml("lineage", "show", "town@HEAD~1").out.startswith("data town  ")
    assert roads.veml("lineage", "chain", "yonder").out.startswith("training yonder  ")
    for words in (("show", "zoo"), ("common", "zoo", "yonder"), ("path", "yonder", "zoo")):
        nodes = roads.veml("lineage", *words, "--json").json()
        nodes = nodes.get("nodes") or nodes["ancestors"]
        assert {one["name"] for one in nodes if one["id"] == town} == {"zoo"}
    drawn = roads.veml("lineage", "common", "zoo", "yonder", "--dot").out
    assert drawn.count('label="data zoo') == drawn.count('label="training yonder') == 1
    assert third in drawn


def test_two_work_trees_know_the_same(roads: Place) -> None:
    """As ``git log --all`` does. Seen to fail: where HEAD was detached in one, the other took what
    it had out of the file that they share.
    """
    there = roads.root.parent / "linked"
    roads.git("worktree", "add", "-q", "--detach", str(there), "v1")
    (there / "roads.veml").write_bytes(data_record(30))
    roads.git("-C", str(there), "commit", "-qam", "there")
    (wanted,) = roads.veml("lineage", "find", "--where", "samples=30", "--json").json()
    assert wanted["id"] == blob_id(data_record(30))
    with Repository(str(there)) as repo, lineage(repo) as found:
        assert (found.synced.commits, found.synced.removed) == (0, 0)
        assert found.version("roads").id == wanted["id"]
    assert "there" in roads.veml("log", "--all", "--oneline").out
    roads.git("checkout", "-q", "--detach", "v1")
    roads.git("update-ref", "-d", "refs/heads/main")
    with Repository(str(there)) as repo, lineage(repo) as found:
        assert found.synced.removed == 2
    roads.git("worktree", "remove", "--force", str(there))
    assert names(roads, "--where", "samples=30") == []


def test_what_was_trained_on_is_data(roads: Place) -> None:
    """Seen to fail: nothing was said to be trained on a training, as if it were data."""
    for named in ("first", "big"):
        done = roads.veml("lineage", "find", "--trained-on", named, code=128)
        assert "expected a data version or class:NAME" in done.err


def test_common(roads: Place) -> None:
    out = roads.veml("lineage", "common", "second", "third").out
    assert out.splitlines() == [
        line("training", "first", FIRST) + "  mAP 0.2",
        "  " + line("training", "second", SECOND) + "  mAP 0.5",
        "    initialised from",
        "  " + line("training", "third", THIRD) + "  mAP 0.5",
        "    initialised from",
    ]
    assert "  is training first" in roads.veml("lineage", "common", "first", "third").out
    found = roads.veml("lineage", "common", "roads", "second", "--json").json()
    assert [(one["id"], one["steps"]) for one in found["ancestors"]] == [(blob_id(ROADS2), [0, 1])]
    assert roads.veml("lineage", "common", "big", "town", code=1).out.startswith("nothing that")
    assert "flowchart" in roads.veml("lineage", "common", "second", "third", "--mermaid").out


def test_data_that_was_taken_back_is_told_with_what_it_was(roads: Place) -> None:
    (roads.root / "roads.veml").write_bytes(ROADS)
    roads.git("commit", "-qam", "back")
    found = roads.veml("lineage", "common", "second", "roads", "--json").json()
    assert {one["id"] for one in found["ancestors"]} == {blob_id(ROADS), blob_id(ROADS2)}
    roads.veml("lineage", "common", "second", "first")


def test_chain(roads: Place) -> None:
    out = roads.veml("lineage", "chain", "first").out
    assert "|- start of training" in out
    assert "`- start of training" in out
    up = roads.veml("lineage", "chain", "second", "--json").json()
    assert [one["id"] for one in up["nodes"]] == [blob_id(SECOND), blob_id(FIRST)]
    assert "expected a training" in roads.veml("lineage", "chain", "roads", code=128).err


def test_compare(roads: Place) -> None:
    rows = {one["name"]: one for one in roads.veml("lineage", "compare", "big", "small", "--json")
            .json()["rows"]}  # fmt: skip
    assert rows["backbone"] == {
        "name": "backbone", "shared": ["ResNet"], "first": ["ResNet-50"], "second": ["ResNet-18"],
    }  # fmt: skip
    assert rows["learning_rate"]["first"] == ["0.1"]
    assert rows["architecture"]["shared"] == ["FasterRCNN"]
    told = roads.veml("lineage", "compare", "second", "third", "--json").json()["rows"]
    rows = {one["name"]: one for one in told}
    assert rows["initialised from"]["shared"] == [f"first {blob_id(FIRST)[:10]}"]
    assert rows["model"]["first"] == [f"big {blob_id(BIG)[:10]}"]
    assert rows["data"]["second"] == [f"town {blob_id(TOWN)[:10]}"]
    assert rows["mAP"]["shared"] == ["0.5"]
    assert rows["seed"] == {"name": "seed", "shared": [], "first": ["0"], "second": ["4"]}
    assert rows["backbone"]["shared"] == ["ResNet"]
    out = roads.veml("lineage", "compare", "big", "small").out
    assert "only the first" in out
    assert "only the second" in out
    same = roads.veml("lineage", "compare", "big", "big", "--json").json()["rows"]
    assert not any(one["first"] or one["second"] for one in same)
    assert (
        "expected two of a kind" in roads.veml("lineage", "compare", "big", "roads", code=128).err
    )
    assert "digraph" in roads.veml("lineage", "compare", "big", "small", "--dot").out


def test_a_metric_that_is_called_like_a_fact_is_compared(roads: Place) -> None:
    """Seen to fail: a loss was left out, and one called data stood among the data."""
    for number, name in enumerate(("one", "two")):
        metrics = {"loss": 1.5 + number, "data": 7.0, "tree": 3.0, "mAP": 0.5}
        record = training_record(blob_id(ROADS), blob_id(BIG), seed=1, metrics=metrics)
        roads.write(f"trainings/{name}.veml", record)
    roads.git("add", "-A")
    roads.git("commit", "-qm", "losses")
    found = roads.veml("lineage", "compare", "one", "two", "--json").json()
    rows = {one["name"]: (one["shared"], one["first"], one["second"]) for one in found["rows"]}
    assert rows["metric loss"] == ([], ["1.5"], ["2.5"])
    assert rows["metric data"] == (["7"], [], [])
    assert rows["metric tree"] == (["3"], [], [])
    assert rows["mAP"] == (["0.5"], [], [])
    assert rows["data"] == ([f"roads {blob_id(ROADS)[:10]}"], [], [])
    assert "metric mAP" not in rows


def test_what_stands_where_it_cannot_has_not_changed(roads: Place) -> None:
    """It is no version of the graph; its bytes are one elsewhere."""
    roads.git("tag", "before")
    roads.write("x/big.veml", BIG)
    roads.write("trainings/roads.veml", BIG)
    roads.write("y/copy.veml", TOWN)
    roads.git("add", "-A")
    roads.git("commit", "-qm", "misplaced, and a copy")
    found = roads.veml("lineage", "changed", "before", "--json").json()
    assert [(one["what"], one["path"]) for one in found["changes"]] == [("new", "y/copy.veml")]
    assert found["between"] == found["left"] == []


def test_a_record_that_cannot_be_read_has_not_changed(roads: Place) -> None:
    """Seen to fail where another record names it: it was told as new, and as in no commit here."""
    roads.git("tag", "before")
    bad = b'{"kind": "data", "veml": 1'
    roads.write("bad.veml", bad)
    roads.write("trainings/on.veml", training_record(blob_id(bad), blob_id(BIG), seed=7))
    roads.git("add", "-A")
    roads.git("commit", "-qm", "a training on what is damaged")
    found = roads.veml("lineage", "changed", "before", "--json").json()
    assert [(one["what"], one["path"]) for one in found["changes"]] == [
        ("new", "trainings/on.veml")
    ]
    assert blob_id(bad) in {one["target"] for one in found["edges"]}
    assert "data ? " + blob_id(bad)[:10] in roads.veml("lineage", "changed", "before").out


def test_changed(roads: Place) -> None:
    out = roads.veml("lineage", "changed", "v1").out.splitlines()
    assert out[:5] == [
        f"revised {line('data', 'roads', ROADS2)}  2 samples  was {blob_id(ROADS)[:10]}",
        f"new     {line('data', 'town', TOWN)}  3 samples",
        f"new     {line('model', 'small', SMALL)}",
        f"new     {line('training', 'second', SECOND)}  mAP 0.5",
        f"new     {line('training', 'third', THIRD)}  mAP 0.5",
    ]
    assert "7 new edges" in out
    back = roads.veml("lineage", "changed", "HEAD..v1", "--json").json()
    assert [one["what"] for one in back["changes"]] == ["revised", "gone", "gone", "gone", "gone"]
    assert back["edges"] == []
    assert back["changes"][0]["before"]["id"] == blob_id(ROADS2)
    assert roads.veml("lineage", "changed", "HEAD").out == "no version differs\n"


def test_what_came_in_between_and_what_another_branch_has(roads: Place) -> None:
    roads.git("checkout", "-q", "-b", "side", "v1")
    for number in (11, 12, 13):
        (roads.root / "roads.veml").write_bytes(data_record(number))
        roads.git("commit", "-qam", "more")
    found = roads.veml("lineage", "changed", "main", "side", "--json").json()
    assert {one["id"] for one in found["between"]} == {
        blob_id(data_record(number)) for number in (11, 12)
    }
    assert found["left"] == []  # the last of main is what main has
    there = roads.veml("lineage", "changed", "side", "main").out
    assert "only the older one's history has\n  data roads" in there
    for wrong in (("main...side",), ("main..side", "v1")):
        assert "expected A..B" in roads.veml("lineage", "changed", *wrong, code=128).err
    assert "unknown revision" in roads.veml("lineage", "changed", "nix", code=128).err


def test_a_version_taken_back_is_revised_and_brings_no_edge(roads: Place) -> None:
    (roads.root / "roads.veml").write_bytes(ROADS)
    roads.git("commit", "-qam", "back")
    found = roads.veml("lineage", "changed", "HEAD~1", "--json").json()
    assert [one["what"] for one in found["changes"]] == ["revised"]
    assert found["edges"] == []


def test_neighbours(roads: Place) -> None:
    def note(kind: str, version: bytes, *said: object) -> None:
        lines = "".join(json.dumps(one) + "\n" for one in said)
        with Repository(str(roads.root)) as repo:
            write_note(repo, kind, VersionId(blob_id(version)), lines.encode())

    town, old = blob_id(TOWN), blob_id(ROADS)
    note("similar", ROADS2, {"other": town, "energy": 9.5, "core_set_distance": 30.0},
         {"other": old, "energy": None}, {"other": "nonsense"}, 3)  # fmt: skip
    note(
        "similar",
        TOWN,
        {"other": blob_id(ROADS2), "energy": 9.5},
        {"other": "ab" * 20, "energy": 1},
    )
    note("drift", ROADS2, {"train": old, "verdict": "drift", "report": {"effect_word": "small",
                           "test": {"energy": 2.5, "p_value": float("nan")}}})  # fmt: skip
    out = roads.veml("lineage", "neighbours", "roads").out.splitlines()
    assert [one.split() for one in out[2:5]] == [
        ["2.50", "compared", "with", "data", "roads", old[:10], "drift,", "effect", "small"],
        ["9.50", "similar", "to", "data", "town", town[:10], "core", "sets", "30.00"],
        ["-", "similar", "to", "data", "roads", old[:10]],
    ]
    found = roads.veml("lineage", "neighbours", "town", "--json").json()["neighbours"]
    assert [(one["node"]["id"], one["distance"]) for one in found] == [
        ("ab" * 20, 1.0), (blob_id(ROADS2), 9.5),
    ]  # fmt: skip
    assert "in no commit here" in roads.veml("lineage", "neighbours", "town").out
    (roads.root / "alone.veml").write_bytes(data_record(7))
    roads.git("add", "-A")
    roads.git("commit", "-qm", "alone")
    assert "compared with nothing" in roads.veml("lineage", "neighbours", "alone").out
    assert "expected a data version" in roads.veml("lineage", "neighbours", "big", code=128).err


def test_bad_input(roads: Place) -> None:
    for command in ("common", "compare"):
        assert "no version nix" in roads.veml("lineage", command, "first", "nix", code=128).err
        assert (
            "no version whose id"
            in roads.veml("lineage", command, "ffffffff", "first", code=128).err
        )
    for words in (("--has", "red"), ("--where", "mAP"), ("--where", "task>x"), ("--kind", "dog"),
                  ("--trained-on", "nix"), ("--at", "nix")):  # fmt: skip
        assert roads.veml("lineage", "find", *words, code=128).err.startswith("fatal: ")
    # Versions that no commit has, and names of a stranger.
    (roads.root / "trainings/lost.veml").write_bytes(LOST)
    (roads.root / 'x"];\x1b[31m.veml').write_bytes(data_record(8))
    roads.git("add", "-A")
    roads.git("commit", "-qm", "odd")
    digits = blob_id(LOST)[:12]
    for words in (("chain", digits), ("common", digits, "first"), ("compare", digits, "first"),
                  ("changed", "v1"), ("changed", "v1", "--dot"), ("find",),
                  ("neighbours", blob_id(data_record(8))[:9])):  # fmt: skip
        code = 1 if words[0] == "common" else 0
        assert "\x1b" not in roads.veml("lineage", *words, code=code).out
    told = roads.veml("lineage", "compare", digits, "first", "--json").json()["rows"]
    assert {"name": "model", "shared": [], "first": ["? 3434343434"],
            "second": [f"big {blob_id(BIG)[:10]}"]} in told  # fmt: skip


def test_ids_of_facts_break_no_graph(roads: Place) -> None:
    """A class that has no letter is called by its signs alone, in its id too."""
    odd = ('"', '"];\n', "\\", "\x1b[", "\u202e", "&", "&amp;")
    roads.write("odd.veml", data_record(9, odd))
    roads.git("add", "-A")
    roads.git("commit", "-qm", "odd")
    dot = roads.veml("lineage", "compare", "odd", "town", "--dot").out
    text = r'"(?:[^"\\\n]|\\["\\])*"'
    node, edge = rf"  {text} \[label={text}, shape=\w+\];", rf'  {text} -> {text} \[label="has"\];'
    ids = set()
    for one in dot.splitlines()[2:-1]:
        assert re.fullmatch(node, one) or re.fullmatch(edge, one), one
        assert one.isprintable()
        ids |= set(re.findall(text, one.partition(" [")[0]))
    assert len(ids) == 2 + len(odd) + 1
    for one in roads.veml("lineage", "compare", "odd", "town", "--mermaid").out.splitlines():
        assert one.isprintable()
        assert one.count('"') in (0, 2)
