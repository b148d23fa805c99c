"""Every real data set through the whole history: add, branch, edit, merge, checkout, export.

Needs the folder VEML_DATA with the data sets' archives (see demo/make_data.py for what they are).
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.archives import unpack_data
from veml_vcs.repository import Repository, init
from veml_vcs.repository.add import add
from veml_vcs.repository.checkout import checkout
from veml_vcs.repository.commit import Signature, commit
from veml_vcs.repository.export import export
from veml_vcs.repository.merging.merge import merge
from veml_vcs.repository.status import status
from veml_vcs.repository.upkeep.fsck import fsck

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not os.environ.get("VEML_DATA"), reason="VEML_DATA is not set"),
]

WHO = Signature("T <t@example.org>", 1_700_000_000, 0)
SETS = {
    "kitti75": ("kitti", 75, 499),
    "bccd": ("voc", 364, 4888),
    "carla_town01": ("voc", 140, 247),
    "raccoon": ("voc", 200, 217),
    "camvid_day_0016E5": ("coco", 130, 970),
    "vehicles_openimages": ("yolo", 340, None),
    "mnist": ("folders", 2500, 0),
    "fashion_mnist": ("folders", 2500, 0),
    "cifar10": ("folders", 2500, 0),
}


def unpack(name: str, folder: Path) -> Path:
    unpack_data(name, folder)
    return folder / name


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def git(root: Path, *words: str) -> str:
    run = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.mark.parametrize("name", SETS)
def test_add_is_lossless_and_checkout_byte_exact(name: str, tmp_path: Path) -> None:
    kind, samples, objects = SETS[name]
    folder = unpack(name, tmp_path)
    before = digests(folder)
    init(str(tmp_path))
    with Repository(str(tmp_path)) as repo:
        (added,) = add(repo, [str(folder)]).datasets
        assert added.record.facts.format == kind
        assert added.record.samples == samples
        assert objects is None or added.record.objects == objects
        assert added.record.samples + added.record.files == len(before)
        commit(repo, "all", author=WHO, committer=WHO)
        assert status(repo).clean
        checkout(repo, "empty", create=True)
        git(tmp_path, "rm", "-q", f"{name}.veml", ".gitignore")
        git(tmp_path, "-c", "user.name=T", "-c", "user.email=t@e", "commit", "-qm", "gone")
        for path in sorted(folder.rglob("*"), reverse=True):
            path.unlink() if path.is_file() else path.rmdir()
        folder.rmdir()
        checkout(repo, "main")
        assert digests(folder) == before
        assert status(repo).clean
        assert fsck(repo).problems == ()
        export(repo, f"main:{name}", str(tmp_path / "copy"))
    assert digests(tmp_path / "copy") == before
    assert git(tmp_path, "status", "--porcelain").strip() in ("", "?? copy/")
    git(tmp_path, "fsck", "--strict")


def test_boxes_of_one_coco_file_edited_on_two_branches_merge(tmp_path: Path) -> None:
    folder = unpack("camvid_day_0016E5", tmp_path)
    file = folder / "instances_derived.json"
    before = json.loads(file.read_text())
    init(str(tmp_path))

    def edit(first: int, shift: int) -> None:
        data = json.loads(file.read_text())
        for box in data["annotations"][first::20]:
            box["bbox"][0] += shift
        data["annotations"].append(dict(data["annotations"][first], id=971, bbox=[first, 1, 9, 9]))
        file.write_text(json.dumps(data))

    with Repository(str(tmp_path)) as repo:
        add(repo, [str(folder)])
        commit(repo, "base", author=WHO, committer=WHO)
        for branch, first, shift in (("ours", 0, 5), ("theirs", 7, 11)):
            checkout(repo, branch, create=True, start="main")
            edit(first, shift)
            commit(repo, branch, all=True, author=WHO, committer=WHO)
        done = merge(repo, "ours", committer=WHO)
        assert done.kind == "merged"
    merged = {box["id"]: box for box in json.loads(file.read_text())["annotations"]}
    assert len(merged) == len(before["annotations"]) + 2
    for i, old in enumerate(before["annotations"]):
        shift = 5 if i % 20 == 0 else 11 if i % 20 == 7 else 0
        assert merged[old["id"]]["bbox"] == [old["bbox"][0] + shift, *old["bbox"][1:]]
        assert merged[old["id"]]["category_id"] == old["category_id"]


@pytest.mark.ml
def test_day_against_dusk_is_drift_and_a_drive_against_itself_is_not(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="needs PyTorch (extra [ml])")
    from veml_vcs.analysis.data_versions import drift, similar

    day, dusk = unpack("camvid_day_0016E5", tmp_path), unpack("camvid_dusk_0001TP", tmp_path)
    unpack("kitti75", tmp_path)
    init(str(tmp_path))
    with Repository(str(tmp_path)) as repo:
        add(repo, [str(day), str(dusk), str(tmp_path / "kitti75")])
        commit(repo, "drives", author=WHO, committer=WHO)
        against_dusk = drift(repo, str(day), str(dusk))
        against_itself = drift(repo, str(day), str(day))
        ranked = similar(repo, str(dusk))
    assert against_dusk.report.verdict == "drift"
    assert against_dusk.report.paper.drifted
    assert against_itself.report.verdict == "no drift"
    assert ranked.rows[-1].energy is not None
    assert len(ranked.rows) == 2
