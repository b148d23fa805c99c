"""What is settled, and refused, before anything is trained; the engine is not needed for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Place, place  # noqa: F401
from tests.training.kit import make_cells
from veml_vcs.errors import ConflictError, FormatError, InvalidInputError, NotFoundError, VemlError
from veml_vcs.repository.repository import Repository
from veml_vcs.training.plan import Plan, Request, read_plan
from veml_vcs.training.planning import make_plan


@pytest.fixture
def cells(place: Place) -> Place:  # noqa: F811
    make_cells(place)
    return place


def plan(where: Place, **rest: Any) -> Plan:
    request = {"data": "cells", "model": "small", **rest}
    with Repository(str(where.root)) as repo:
        return make_plan(repo, Request(**request))


def test_settled(cells: Place) -> None:
    found = plan(cells)
    assert (found.name, found.classes) == ("small", ("Platelets", "RBC", "WBC"))
    assert (len(found.train.keys), len(found.val.keys)) == (16, 4)
    assert not set(found.train.keys) & set(found.val.keys)
    assert (found.iterations, found.epochs, found.seed) == (100, None, 0)
    assert found.config["model.roi_head.bbox_head.num_classes"] == 3
    assert not [key for key in found.config if "num_workers" in key]
    assert found.notes == ("bbox_head.num_classes: 1 -> 3, the classes of the data",)
    assert read_plan(found.to_bytes(), "plan") == found


def test_a_kept_plan_is_the_same_after_everything_moved_on(cells: Place) -> None:
    found = plan(cells, data="cells@HEAD")
    cells.veml("rm", "-qr", "cells")
    cells.veml("commit", "-qm", "gone")
    with Repository(str(cells.root)) as repo:
        again = read_plan(found.to_bytes(), "plan")
        data = again.train.dataset(repo)
        assert len(data[list(again.train.keys)]) == 16
        assert again.uses(repo)[0].version == found.train.version


@pytest.mark.parametrize("text", [b"", b"{}", b'{"veml": 2}', b'{"veml": 1}', b"[]", b'"x"'])
def test_no_plan(text: bytes) -> None:
    with pytest.raises(FormatError, match=r"plan\.json"):
        read_plan(text, "plan.json")


def test_edits_that_were_not_added_are_refused(cells: Place) -> None:
    image = next(Path(cells.root / "cells").rglob("*.jpg"))
    image.unlink()
    with pytest.raises(ConflictError, match="1 files differ from the version") as caught:
        plan(cells)
    assert caught.value.kind == "uncommitted-data"
    assert "veml add cells" in str(caught.value.hint)
    committed = plan(cells, data="cells@HEAD")
    assert len(committed.train.keys) + len(committed.val.keys) == 20


def test_a_staged_version_is_said(cells: Place) -> None:
    next(Path(cells.root / "cells").rglob("*.jpg")).unlink()
    cells.veml("add", "-q", "cells")
    assert "cells: this version is staged and not committed yet" in plan(cells).notes


def test_a_config_that_is_not_what_the_record_says(cells: Place) -> None:
    text = (cells.root / "configs/small.py").read_text()
    cells.write("configs/small.py", text.replace("depth=18", "depth=34"))
    with pytest.raises(ConflictError, match="depth 18 -> 34") as caught:
        plan(cells)
    assert caught.value.kind == "stale-model"
    assert plan(cells, model="small@HEAD").model == "small"


def test_what_is_not_there(cells: Place) -> None:
    for wanted, message in (
        ({"data": "cars"}, "no data set 'cars' in the index; data sets there: cells"),
        ({"data": "cells@v9"}, "v9"),
        ({"model": "big"}, "no model 'big' in the index; models there: small"),
        ({"start": "night"}, "no training 'night' in the index; trainings there: none"),
    ):
        with pytest.raises(NotFoundError, match=message):
            plan(cells, **wanted)


def test_data_without_boxes(cells: Place) -> None:
    for i in range(4):
        cells.write(f"sorted/{'ab'[i % 2]}/{i}.png", b"\x89PNG" + bytes([i]))
        cells.write(f"bare/{i}.png", b"\x89PNG" + bytes([9, i]))
    cells.veml("add", "-q", "--format", "folders", "sorted")
    cells.veml("add", "-q", "bare")
    for path, message in (
        ("sorted", "has a class for each image and no boxes"),
        ("bare", "has no labels"),
    ):
        with pytest.raises(InvalidInputError, match=message) as caught:
            plan(cells, data=path)
        assert caught.value.kind == "no-labels"


def test_a_data_set_of_empty_annotations(cells: Place) -> None:
    cells.voc("none", {f"{i}": [] for i in range(5)})
    cells.voc("none", {"9": [("car", 1, 1, 4, 4)]}, first=20)
    cells.veml("add", "-q", "none")
    cells.voc("none", {"9": []}, first=20)
    cells.veml("add", "-q", "none")
    with pytest.raises(InvalidInputError, match=r"no label|no sample has a box|no class"):
        plan(cells, data="none")


def test_measured_on_another_data_version(cells: Place) -> None:
    cells.voc("more", {f"{i}": [("RBC", 1, 1, 5, 5)] for i in range(3)})
    cells.veml("add", "-q", "more")
    found = plan(cells, val="more")
    assert (len(found.train.keys), len(found.val.keys), found.val.path) == (20, 3, "more")
    assert found.train.part == found.val.part == {}
    same = plan(cells, val="cells@HEAD")
    assert "20 of 20 samples measured on are also trained on" in same.notes


def test_classes_that_are_not_trained(cells: Place) -> None:
    cells.voc("more", {"0": [("car", 1, 1, 5, 5)], "1": [("RBC", 1, 1, 5, 5)]})
    cells.veml("add", "-q", "more")
    with pytest.raises(InvalidInputError, match="more has boxes of car, which are not") as caught:
        plan(cells, val="more")
    assert caught.value.kind == "unknown-class"


def test_images_without_annotation_are_left_out(cells: Place) -> None:
    next(Path(cells.root / "cells").rglob("*.xml")).unlink()
    cells.veml("add", "-q", "cells")
    found = plan(cells)
    assert len(found.train.keys) + len(found.val.keys) == 19
    assert "cells: 1 samples without annotation are left out" in found.notes


def test_options_that_make_no_sense(cells: Place) -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"val_split": "1.5"}, "between 0 and 1"),
        ({"val_split": "dev"}, "has the splits"),
        ({"settings": ("lr",)}, "expected KEY=VALUE"),
        ({"epochs": 1, "iterations": 1}, "give one of them"),
        ({"settings": ("load_from='x.pth'",)}, "in no version"),
        ({"settings": ('custom_imports={"imports": ["x"]}',)}, "imports modules of its author"),
        ({"settings": ("default_scope=mmseg",)}, "semantic segmentation"),
    ]
    for given, message in wrong:
        with pytest.raises(VemlError, match=message):
            plan(cells, **given)


def test_a_key_that_is_new_is_said(cells: Place) -> None:
    found = plan(cells, settings=("optim_wrapper.optimzer.lr=1",))
    assert "--set optim_wrapper.optimzer.lr: a key that the config did not have" in found.notes


def test_splits_of_the_data_set(cells: Place) -> None:
    found = plan(cells, val_split="val")
    assert found.val.part == {"split": "val"}
    assert found.train.part == {"split": "train"}
