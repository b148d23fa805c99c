"""``veml inference``: listed, shown, compared, exported, removed; in merges; what is stale."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Place
from tests.repository.inferences import EXPORTED, LATENCY, made, write
from tests.repository.kit import Project, png
from tests.repository.trainings import outcome as training_outcome
from veml_vcs.repository import Repository
from veml_vcs.repository.trainings.write import write_training

RECORD = "inferences/fast.veml"
SMALL = EXPORTED[:12_000]


def deploy(place: Place, message: str, name: str = "fast", **changes: Any) -> None:
    """Write an inference version of 'night', and commit."""
    with Repository(str(place.root)) as repo:
        write(repo, place.root.parent, name, **changes)
    place.veml("commit", "-qm", message)


@pytest.fixture
def place(place: Place) -> Iterator[Place]:
    """'fast' is deployed, and quantised as 'small'."""
    made(Project(place.root)).close()
    place.veml("hook", "install")
    deploy(place, "fast")
    quick = replace(LATENCY, median_ms=5.0, p95_ms=6.5)
    deploy(
        place, "small", "small", data=SMALL, quantisation="int8", metrics={"mAP": 0.4375},
        latency=quick, predictions={},
    )  # fmt: skip
    return place


def record(place: Place) -> Any:
    return json.loads((place.root / RECORD).read_text())


def test_ls_and_show(place: Place) -> None:
    told = place.veml("inference", "ls").out.splitlines()
    assert told[0].split() == [
        "inference", "version", "training", "format", "quantisation", "device", "bytes", "median",
        "ms", "metrics",
    ]  # fmt: skip
    assert f"night     onnx    int8          cpu     {len(SMALL):,}" in told[2]
    assert "12.5  mAP 0.5" in told[1]
    assert place.veml("inference", "ls", "HEAD~1", "--quiet").out == "fast\n"
    found = place.veml("inference", "ls", "--json").json()
    assert [(one["name"], one["record"]["quantisation"]) for one in found] == [
        ("fast", "none"),
        ("small", "int8"),
    ]
    shown = place.veml("inference", "show", "fast").out
    for words in (
        "training      night (",
        "format        onnx, opset 17",
        "inputs        image 1 x 3 x 160 x any",
        "as its checkpoint on 1 sample: boxes differ by 0.001 pixels at most (allowed 0.5)",
        "12.5 ms median, 15.2 ms p95; batch 1, 2 threads of Some CPU",
        "mAP          0.5      0.5625  -0.0625",
        "predictions   of 1 sample",
    ):
        assert words in shown, shown
    document = place.veml("inference", "show", "small@HEAD", "--json").json()
    assert document["record"]["latency"]["median_ms"] == 5.0
    assert len(document["record"]["file"]["sha256"]) == 64


def test_what_is_not_there(place: Place) -> None:
    done = place.veml("inference", "show", "slow", code=None)
    assert "no inference 'slow' in the index; inferences there: fast, small" in done.err
    assert "veml deploy TRAINING --name slow" in done.err
    done = place.veml("inference", "show", "small@HEAD~1", code=None)
    assert "no inference 'small' in HEAD~1; inferences there: fast" in done.err
    assert (
        "cannot be the name of an inference"
        in place.veml("inference", "show", "../x", code=None).err
    )


def test_compare(place: Place) -> None:
    told = place.veml("inference", "compare", "fast", "small").out
    assert "~  quantisation" in told
    assert "mAP     0.5  0.4375  -0.0625" in told
    assert "median ms    12.5       5     -7.5" in told
    assert "bytes      50,008  12,000  -38,008" in told
    found = place.veml("inference", "compare", "fast", "small", "--json").json()
    costs = {one["metric"]: (one["old"], one["new"]) for one in found["costs"]}
    assert costs["bytes"] == (len(EXPORTED), len(SMALL))
    assert costs["p95 ms"] == (15.25, 6.5)
    assert not found["same_file"]
    place.veml("inference", "compare", "fast", "small", "--exit-code", code=1)
    same = place.veml("inference", "compare", "fast", "fast@HEAD", "--exit-code").out
    assert "they are the same version" in same


def test_export_and_rm(place: Place, tmp_path: Path) -> None:
    target = tmp_path / "out.onnx"
    told = place.veml("inference", "export", "fast", "-o", str(target)).out
    assert f"{len(EXPORTED):,} bytes of fast" in told
    assert target.read_bytes() == EXPORTED
    done = place.veml("inference", "export", "fast", "-o", str(target), code=None)
    assert "is there already" in done.err
    place.veml("inference", "export", "small", "-o", str(target), "--force")
    assert target.read_bytes() == SMALL
    place.veml("inference", "rm", "small")
    assert place.veml("inference", "ls", "--quiet").out == "fast\n"
    assert not (place.root / "inferences/small.veml").exists()
    place.veml("inference", "export", "small@HEAD", "-o", str(tmp_path / "old.onnx"))


def test_errors(place: Place) -> None:
    """The same analysis as of a training, of the predictions that were kept."""
    found = place.veml("inference", "errors", "fast", "--json").json()
    training = place.veml("training", "errors", "night", "--json").json()
    assert (found["kind"], training["kind"]) == ("inference", "training")
    for document in (found, training):
        for key in ("kind", "name", "version"):
            del document[key]
    assert found == training
    assert "inference fast" in place.veml("inference", "errors", "fast").out
    done = place.veml("inference", "errors", "small", code=None)
    assert "small: has no predictions to look at" in done.err


def test_status_commit_diff_and_log_speak_of_them(place: Place) -> None:
    with Repository(str(place.root)) as repo:
        write(repo, place.root.parent, metrics={"mAP": 0.25}, data=SMALL)
    assert f"modified inference: {RECORD}" in place.veml("status").out
    told = place.veml("commit", "-m", "worse").out
    assert "inference fast  mAP 0.5 -> 0.25; file" in told
    stat = place.veml("diff", "HEAD~1", "HEAD", "--stat").out
    assert " inference fast  |  mAP 0.5 -> 0.25; file" in stat
    assert "1 inference changed" in stat
    shown = place.veml("show").out
    assert "mAP     0.5  0.25   -0.25" in shown
    assert "new inference fast  night (" in place.veml("show", "HEAD~2").out
    names = place.veml("diff", "HEAD~1", "HEAD", "--name-status").out
    assert names == f"M\t{RECORD}\n"
    found = place.veml("diff", "HEAD~1", "HEAD", "--json").json()["inferences"]
    assert [one["name"] for one in found] == ["fast"]
    by_git = place.git("diff", "HEAD~1", "HEAD", "--", RECORD)
    assert "-metric mAP = 0.5\n+metric mAP = 0.25\n" in by_git


def test_stale_with_its_training_or_its_data(place: Place) -> None:
    assert "other versions than are here" not in place.veml("status").out
    place.write("data/images/0900.png", png(900))
    place.veml("add", "-q", "data")
    with Repository(str(place.root)) as repo:
        write_training(repo, training_outcome(repo, seed=3), "night")
    place.veml("commit", "-qm", "trained again")
    told = place.veml("status").out
    assert "Inference versions of other versions than are here" in told
    assert "fast  the training night is another version now" in told
    listed = place.veml("inference", "ls").out
    assert "small  the data data is another version now" in listed
    found = place.veml("status", "--json").json()["stale_records"]
    assert {(one["kind"], one["name"], one["what"]) for one in found} == {
        (kind, name, what)
        for kind, name in (("inference", "fast"), ("inference", "small"))
        for what in ("training", "data")
    }
    place.veml("training", "rm", "night")
    assert "the training night is not here any more" in place.veml("status").out


def fork(place: Place, ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """Deploy 'fast' again on main, and otherwise on the branch side."""
    place.veml("branch", "side")
    deploy(place, "ours", **ours)
    place.veml("checkout", "-q", "side")
    deploy(place, "theirs", **theirs)
    place.veml("checkout", "-q", "main")


@pytest.mark.parametrize("how", ["veml", "git"])
def test_both_sides_deployed_it_anew(place: Place, how: str) -> None:
    """Without ``whole_kind``, or the driver's look, the record has the numbers of both sides."""
    fork(place, {"metrics": {"mAP": 0.25}}, {"metrics": {"mAP": 0.75}, "data": SMALL})
    if how == "veml":
        told = place.veml("merge", "side", code=1).out
        assert f"CONFLICT in inference {RECORD}" in told
        assert f"veml resolve {RECORD} --ours   or --theirs, --base\n" in told
    else:
        with pytest.raises(AssertionError, match="both sides changed this inference"):
            place.git("merge", "side")
    assert record(place)["metrics"] == {"mAP": 0.25}
    told = place.veml("status").out
    assert "theirs mAP 0.5 -> 0.75; file" in told
    assert f'(use "veml resolve {RECORD} --ours|--theirs|--base")' in told
    assert "cannot both be one" in place.veml("resolve", RECORD, "--both", code=None).err
    done = place.veml("resolve", RECORD, "--average", code=None)
    assert "not a training in conflict" in done.err
    place.veml("resolve", RECORD, "--theirs")
    place.veml("commit", "-qm", "merged")
    assert record(place)["metrics"] == {"mAP": 0.75}
    with Repository(str(place.root)) as repo:
        assert repo.inference("fast").file() == SMALL


@pytest.mark.parametrize("how", ["veml", "git"])
def test_measured_on_both_sides_is_no_conflict(place: Place, how: str) -> None:
    """Without ``measured_twice`` whoever measures on two machines has to settle a conflict."""
    fork(
        place,
        {"latency": replace(LATENCY, median_ms=10.0), "remeasured": True},
        {"latency": replace(LATENCY, median_ms=30.0), "remeasured": True},
    )
    if how == "veml":
        place.veml("merge", "-q", "side")
    else:
        place.git("merge", "-q", "side")
    assert record(place)["latency"]["median_ms"] == 10.0
    assert len(place.git("log", "-1", "--format=%P").split()) == 2


def test_hand_edited_records_are_refused(place: Place) -> None:
    path = place.root / RECORD
    path.write_text(path.read_text().replace('"median_ms": 12.5', '"median_ms":  1.5'))
    place.veml("add", RECORD)
    assert "edited by hand" in place.veml("commit", "-m", "faster", code=None).err
    with pytest.raises(AssertionError, match="edited by hand"):
        place.git("commit", "-qm", "faster")
    place.veml("restore", "--staged", RECORD)
    place.veml("restore", RECORD)
    place.git("mv", RECORD, "trainings/fast.veml")
    done = place.veml("commit", "-m", "moved", code=None)
    assert "an inference record cannot stand here" in done.err
