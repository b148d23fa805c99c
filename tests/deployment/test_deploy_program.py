"""``veml deploy``, ``predict`` and ``training measure`` as they are typed."""

from __future__ import annotations

import csv
import errno
import json
import os
import shutil
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest

from tests.cli.conftest import Place
from tests.training.engine import ENGINE
from tests.training.kit import DEMO, make_cells, place_for, run
from veml_vcs.errors import StorageError
from veml_vcs.objects.files import Files
from veml_vcs.repository.repository import Repository

pytestmark = [pytest.mark.ml, pytest.mark.slow, ENGINE]
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (extra [export])")

from veml_vcs.deployment.deploy import DeployRequest, deploy


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place_for(tmp_path_factory, "typed") as place:
        make_cells(place)
        run(place, name="first", iterations=20)
        place.veml("commit", "-qm", "first")
        done = place.veml("deploy", "first", "--name", "detector", "--threads", "1", "--runs", "3")
        assert "\nas its checkpoint on " in done.out
        assert "staged: inferences/detector.veml" in done.out
        place.veml("commit", "-qm", "deployed")
        yield place


@pytest.fixture
def images(tmp_path: Path) -> Path:
    for place, one in enumerate(sorted((DEMO / "bccd").rglob("*.jpg"))[:2]):
        shutil.copy(one, tmp_path / f"{place}.jpg")
    (tmp_path / "below").mkdir()
    (tmp_path / "below/broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    (tmp_path / "notes.txt").write_text("no image")
    return tmp_path


def test_the_same_again_is_the_same_version(cells: Place) -> None:
    """Although no two measure the same latency."""
    done = cells.veml(
        "deploy", "first", "--name", "detector", "--threads", "1", "--runs", "2", "--json"
    )
    assert json.loads(done.out)["same"] is True
    assert cells.git("status", "--short") == ""


def test_no_version_where_parity_fails(cells: Place) -> None:
    done = cells.veml(
        "deploy", "first", "--name", "odd", "--tolerance", "0", "--runs", "1", code=128
    )
    assert "the exported file is not as its checkpoint on " in done.err
    assert "--force" in done.err
    assert not (cells.root / "inferences/odd.veml").exists()
    assert cells.git("status", "--short") == ""


class Full(Files):
    """A disk that is full when the record is written."""

    def write_atomic(self, path, *rest, **more):  # type: ignore[no-untyped-def]
        if os.fspath(path).endswith("full.veml"):
            raise StorageError("no space", kind=errno.errorcode[errno.ENOSPC])
        return super().write_atomic(path, *rest, **more)


def test_no_version_where_the_disk_is_full_or_it_is_interrupted(cells: Place) -> None:
    """The record is the last thing that is written."""
    request = DeployRequest("first", name="full", threads=1, runs=1)
    with Repository(str(cells.root), Full()) as repo, pytest.raises(StorageError, match="no space"):
        deploy(repo, request)
    assert cells.git("status", "--short") == ""

    def stop(what: str, _done: int, _total: int) -> None:
        if what == "timing":
            raise KeyboardInterrupt

    with Repository(str(cells.root)) as repo, pytest.raises(KeyboardInterrupt):
        deploy(repo, request, stop)
    assert not (cells.root / "inferences/full.veml").exists()
    assert cells.git("status", "--short") == ""
    assert cells.veml("fsck").code == 0


def test_predict(cells: Place, images: Path) -> None:
    """The broken image is named, the others are predicted, by file and by checkpoint alike."""
    said = {}
    for name, options in (("detector", ()), ("first", ("--training",))):
        done = cells.veml("predict", name, str(images), "--json", "--score", "0", *options, code=1)
        assert "broken.png: cannot be decoded as an image" in done.err
        found = json.loads(done.out)
        assert [Path(one["image"]).name for one in found["images"]] == [
            "0.jpg",
            "1.jpg",
            "broken.png",
        ]
        assert "problem" in found["images"][2]
        said[name] = found["images"]
    for one, other in zip(said["detector"][:2], said["first"][:2], strict=True):
        assert len(one["objects"]) == len(other["objects"]) > 0
        for left, right in zip(one["objects"], other["objects"], strict=True):
            assert left["score"] == pytest.approx(right["score"], abs=1e-4)
    assert "images" in cells.veml("predict", "detector", str(images), code=1).out


def test_predict_a_data_version(cells: Place, tmp_path: Path) -> None:
    coco, table, picture = (tmp_path / name for name in ("said.json", "said.csv", "said.png"))
    done = cells.veml("predict", "detector", "cells@HEAD", "--coco", str(coco), "--csv", str(table),
                      "--plot", str(picture), "--most", "2", "--score", "0.1")  # fmt: skip
    assert "20 images" in done.out
    found = json.loads(coco.read_text())
    assert (len(found["images"]), len(found["categories"])) == (20, 3)
    assert found["images"][0]["width"] == 640
    rows = [*csv.DictReader(StringIO(table.read_text()))]
    assert len(rows) == len(found["annotations"]) > 0
    assert all(float(row["score"]) >= 0.1 for row in rows)
    assert picture.stat().st_size > 1000
    again = cells.veml("predict", "detector", "cells", "--coco", str(coco), code=1)
    assert "is there already" in again.err
    assert "neither an inference version nor a training" in cells.veml(
        "predict", "nowhere", "cells", code=128
    ).err  # fmt: skip


def test_errors_on_any_data_version(cells: Place, images: Path) -> None:
    """Precision is what MMDetection measures, of the file and of the checkpoint.

    Of all detections: seen to fail when those below ``--score`` were left out before.
    """
    measured = json.loads(
        cells.veml("training", "measure", "first", "--data", "cells", "--json").out
    )["metrics"]
    found = {}
    for name, options in (("detector", ()), ("first", ("--training",))):
        how = ("--errors", "--score", "0.9", "--iou", "0.6", "--json", *options)
        done = cells.veml("predict", name, "cells", *how)
        assert "16 of 20 samples of cells were trained on" in done.err
        found[name] = json.loads(done.out)
        assert (found[name]["samples"], found[name]["iou"]) == (20, 0.6)
        assert measured["mAP50"] > 0.01
        assert found[name]["ap"] == pytest.approx(measured["mAP"], abs=1e-3)
        assert found[name]["ap50"] == pytest.approx(measured["mAP50"], abs=1e-3)
    how = ("--data", "cells@HEAD", "--score", "0.9", "--iou", "0.6", "--json")
    done = cells.veml("inference", "errors", "detector", *how)
    assert json.loads(done.out) == found["detector"]
    done = cells.veml("predict", "detector", str(images), "--errors", code=128)
    assert "is of no data version" in done.err


def test_a_torchscript_file_is_not_run_without_trust(cells: Place, images: Path) -> None:
    cells.veml(
        "deploy", "first", "--name", "script", "--format", "torchscript", "--runs", "1", "-q"
    )
    done = cells.veml("predict", "script", str(images / "0.jpg"), code=65)
    assert "is a program" in done.err
    assert "1 image" in cells.veml("predict", "script", str(images / "0.jpg"), "--trust").out
    cells.veml("inference", "rm", "script")  # other tests find nothing staged
    assert cells.git("status", "--short") == ""


def test_a_missing_package_is_named(cells: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """``packages`` asks what can be found; here onnxruntime cannot."""
    from veml_vcs.deployment import packages

    monkeypatch.setitem(packages._EXPORT, "onnxruntime_that_is_not_here", "onnxruntime")
    done = cells.veml("deploy", "first", code=69)
    assert "onnxruntime" in done.err
    assert "pip install 'veml[export]'" in done.err


def test_measure(cells: Place) -> None:
    """An average has no metrics of its own; what it held back is what its parents did."""
    own = json.loads((cells.root / "trainings/first.veml").read_text())["metrics"]
    assert json.loads(cells.veml("training", "measure", "first", "--json").out)["metrics"] == own
    told = cells.veml("training", "measure", "first", "--data", "cells")
    assert "16 of 20 samples of cells were trained on" in told.err
    assert "20 samples" in told.out
