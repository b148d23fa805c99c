"""The demo: its data is what its page says, and the main job goes through."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "demo" / "data"


def load_maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_data", ROOT / "demo" / "make_data.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # dataclasses looks its own module up there.
    sys.modules["make_data"] = module
    spec.loader.exec_module(module)
    return module


def data_sets() -> list[Path]:
    return sorted(path for path in DATA.iterdir() if path.is_dir())


def test_every_data_set_has_its_licence() -> None:
    assert data_sets()
    for folder in data_sets():
        licence = (folder / "LICENSE").read_text(encoding="utf-8")
        assert "MIT License" in licence
        assert "Copyright (c)" in licence


def test_page_counts_what_is_there() -> None:
    page = (DATA / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` .*\| (\d+) of \d+ \| (\d+) \|$", page, re.MULTILINE)
    counted = [
        (
            folder.name,
            str(len(list(folder.rglob("*.jpg")))),
            str(sum(file.read_text().count("<object>") for file in folder.rglob("*.xml"))),
        )
        for folder in data_sets()
    ]
    assert sorted(rows) == counted


def test_every_image_has_its_annotation_file() -> None:
    for folder in data_sets():
        images = {path.stem for path in folder.rglob("*.jpg")}
        assert images == {path.stem for path in folder.rglob("*.xml")}


def test_even_steps_spread_and_refuse() -> None:
    maker = load_maker()
    assert maker.even_steps(["d", "b", "a", "c"], 2) == ["a", "c"]
    assert maker.even_steps(["b", "a"], 2) == ["a", "b"]
    with pytest.raises(ValueError, match="expected at least 3 images, found 2"):
        maker.even_steps(["a", "b"], 3)


@pytest.mark.data
@pytest.mark.skipif("VEML_DATA" not in os.environ, reason="VEML_DATA is not set")
def test_data_can_be_drawn_again(tmp_path: Path) -> None:
    load_maker().make(Path(os.environ["VEML_DATA"]), tmp_path)

    def contents(folder: Path) -> dict[str, bytes]:
        files = [path for path in folder.rglob("*") if path.is_file()]
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}

    shipped = contents(DATA)
    del shipped["README.md"], shipped[".gitattributes"]
    assert contents(tmp_path) == shipped


@pytest.mark.ml
@pytest.mark.slow
def test_main_job_goes_through(tmp_path: Path) -> None:
    programs = Path(sys.executable).parent
    done = subprocess.run(
        ["bash", str(ROOT / "demo" / "main_job.sh"), str(tmp_path / "run")],
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
            "PATH": f"{programs}:{os.environ['PATH']}",
            "HOME": str(tmp_path),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "drift" in done.stdout
