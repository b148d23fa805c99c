"""``veml similar`` and ``veml drift`` as typed, with the real embedder on the demo's drives."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Place, isolate

pytestmark = pytest.mark.ml
pytest.importorskip("torch", reason="needs PyTorch (extra [ml])")

DEMO = Path(__file__).resolve().parents[2] / "demo" / "data"


def frames(town: str, first: int, folder: Path) -> None:
    """Copy every second frame of a town."""
    folder.mkdir(parents=True)
    for one in sorted((DEMO / town).rglob("*.jpg"))[first::2]:
        shutil.copy(one, folder / one.name)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half of a drive, and blood cells; the other half and another town lie untracked."""
    top = tmp_path_factory.mktemp("similar")
    root = top / "repository"
    root.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch, top / "home")
        patch.chdir(root)
        place = Place(root)
        place.veml("init")
        frames("carla_town01", 0, root / "day")
        frames("bccd", 0, root / "cells")
        place.veml("add", "day", "cells")
        place.veml("commit", "-m", "two sets")
        place.veml("branch", "night")
        frames("carla_town01", 1, root / "more")
        frames("carla_town03", 0, root / "town")
        place.veml("similar", "day")  # the summaries are noted
    return root


@pytest.fixture
def drives(made: Path, place: Place) -> Place:
    shutil.copytree(made, place.root, symlinks=True, dirs_exist_ok=True)
    return place


def test_the_ranking(drives: Place) -> None:
    lines = drives.veml("similar", "more", "--top", "1").out.splitlines()
    assert lines[0].startswith("data more  32 samples, embedded by efficientnet-lite0-")
    assert lines[2].split() == ["#", "data", "set", "at", "samples", "energy", "core", "sets"]
    assert lines[3].split()[:5] == ["1", "day", "main,", "night,", "index"]
    assert lines[4] == ""  # one row, as asked
    assert lines[5] == "more is nearest to main:day"
    document = drives.veml("similar", "town", "--json").json()
    assert [one["name"] for one in document["rows"]] == ["day", "cells"]
    assert document["rows"][0]["names"] == ["main:day", "night:day", "index:day"]
    assert document["rows"][0]["energy"] < document["rows"][1]["energy"]
    assert document["radius"] > 0


def test_similar_says_what_it_cannot_do(drives: Place) -> None:
    told = drives.veml("similar", "nowhere", code=128).err
    assert "nowhere: neither a data set nor a folder; data sets here: cells, day" in told
    told = drives.veml("similar", "day", "--embedder", "nix", code=128).err
    assert "embedder 'nix': not known, expected one of: efficientnet-lite0" in told
    assert (
        "k: expected 1 to 100 centres" in drives.veml("similar", "day", "-k", "101", code=128).err
    )
    drives.veml("similar", "day", "--top", "-1", code=129)


def test_drift_and_no_drift(drives: Place) -> None:
    same = drives.veml("drift", "day", "more", "--exit-code")
    assert same.out.startswith("no drift: no difference from the old data was found (p = ")
    assert "paper's rule" in same.out
    other = drives.veml("drift", "day", "town", "--exit-code", code=1)
    assert other.out.startswith("DRIFT: the new data differ from the old; the difference is ")
    for said in ("p-value", "effect", "smallest effect it shows", "outside", "paper's rule",
                 "Where: old centres", "Farthest from all old data:", "What to do:"):  # fmt: skip
        assert said in other.out
    assert drives.veml("drift", "day", "town").code == 0  # the answer is in the text
    document = drives.veml("drift", "day", "town", "--json").json()
    assert document["report"]["verdict"] == "drift"
    assert document["report"]["test"]["p_value"] <= 0.05
    assert document["farthest"]


def test_what_is_known_is_kept_as_git_notes(drives: Place) -> None:
    drives.veml("drift", "HEAD:day", "HEAD:cells")
    version = drives.git("rev-parse", "HEAD:day.veml").strip()
    note = drives.git("notes", "--ref", "veml/summary/efficientnet-lite0", "show", version)
    assert '"radius_profile"' in note
    tested = drives.git("rev-parse", "HEAD:cells.veml").strip()
    assert f'"train": "{version}"' in drives.git("notes", "--ref", "veml/drift", "show", tested)
    assert drives.git("fsck", "--strict", "--no-dangling") == ""
    assert drives.git("status", "--porcelain", "--", "day.veml") == ""


def test_the_nearest_are_noted_and_are_neighbours(drives: Place) -> None:
    """Of committed versions alone, on both sides; asked again, nothing is added."""
    day, cells = (drives.git("rev-parse", f"HEAD:{one}.veml").strip() for one in ("day", "cells"))
    notes = ("notes", "--ref", "veml/similar")
    first = drives.git(*notes, "show", day)
    assert [json.loads(one)["other"] for one in first.splitlines()] == [cells]
    drives.veml("similar", "HEAD:day")
    drives.veml("similar", "more")  # no version
    shutil.rmtree(drives.root / "more")
    drives.veml("add", "town")
    drives.veml("similar", "town")  # staged
    drives.veml("similar", "day")
    assert drives.git(*notes, "show", day) == first
    assert drives.git(*notes, "list").split()[1::2] == [day]
    drives.veml("commit", "-qm", "town")
    drives.veml("similar", "day")
    found = drives.veml("lineage", "neighbours", "day", "--json").json()["neighbours"]
    assert [(one["node"]["name"], one["kind"]) for one in found] == [
        ("town", "similar_to"), ("cells", "similar_to"),
    ]  # fmt: skip
    assert 0 < found[0]["distance"] < found[1]["distance"]
    back = drives.veml("lineage", "neighbours", "cells", "--json").json()["neighbours"]
    assert [(one["node"]["name"], one["direction"]) for one in back] == [("day", "down")]
    drives.veml("fsck")
    assert drives.git("fsck", "--strict", "--no-dangling") == ""


def test_the_second_time_nothing_is_embedded(
    drives: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    from veml_vcs.analysis.embedders.efficientnet import EfficientNetLite0

    first = drives.veml("drift", "day", "town", "--json").json()
    packs = sorted(one.name for one in (drives.root / ".git/veml/packs").iterdir())

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("nothing should be embedded again")

    monkeypatch.setattr(EfficientNetLite0, "embed", refuse)
    assert drives.veml("drift", "day", "town", "--json").json() == first
    assert packs == sorted(one.name for one in (drives.root / ".git/veml/packs").iterdir())


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("day",), 129, "Missing argument 'TEST'"),
        (("day", "nowhere"), 128, "nowhere: neither a data set nor a folder"),
        (("nowhere:day", "more"), 128, "nowhere"),
        (("day", "more", "--alpha", "2"), 128, "alpha: expected a number between 0 and 1, found 2"),
        (("day", "more", "-k", "7"), 128, "the paper's rule is defined for 10 centres, found 7"),
        (("day", "more", "--permutations", "0"), 129, "--permutations"),
    ],
)
def test_drift_says_what_it_cannot_do(
    drives: Place, arguments: tuple[str, ...], code: int, said: str
) -> None:
    done = drives.veml("drift", *arguments, code=code)
    assert said in done.err
    assert done.out == ""


def test_tables_beside_images_are_left_out_and_named(drives: Place) -> None:
    for name in "ab":
        drives.write(f"numbers/{name}.csv", "id,value\n1,2\n2,3\n")
    drives.veml("add", "--format", "tables", "numbers")
    drives.veml("commit", "-qm", "numbers")
    said = drives.veml("similar", "day", "--json").json()
    assert {one["name"] for one in said["rows"]} == {"cells"}
    assert any("numbers" in note for note in said["notes"])
    for words in (["similar", "numbers"], ["drift", "numbers", "day"], ["drift", "day", "numbers"]):
        alone = drives.veml(*words, code=65).err
        assert "numbers: a data set of tables or series; similar and drift look at images" in alone
        assert "veml data stats" in alone
