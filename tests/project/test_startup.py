"""Commands that only look at history start light."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"torch", "torchvision", "numpy", "pyarrow", "zarr", "numcodecs", "scipy", "PIL",
         "neo4j", "pydantic"}  # fmt: skip


def imported_by(arguments: list[str], folder: Path, *, whole: bool = False) -> set[str]:
    """Run veml with the given arguments; return the names of all modules it imported.

    Args:
        arguments: Those of the command line.
        folder: Where to run.
        whole: The full names instead of the top-level ones.
    """
    script = (
        "import sys; from veml_cli.main import main; code = main(sys.argv[1:]);"
        "print(*sys.modules, file=sys.stderr); sys.exit(code)"
    )
    command = [sys.executable, "-c", script, *arguments]
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
        "HOME": str(folder),
        "GIT_CONFIG_NOSYSTEM": "1",
    }
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    names = done.stderr.splitlines()[-1].split()
    return set(names) if whole else {name.partition(".")[0] for name in names}


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    modules = imported_by(["--help"], tmp_path)
    assert "veml_cli" in modules
    assert modules & HEAVY == set()


def test_a_command_imports_no_other_command(tmp_path: Path) -> None:
    imported_by(["init"], tmp_path)
    names = imported_by(["status"], tmp_path, whole=True)
    assert "veml_cli.status" in names
    assert names & {"veml_cli.log", "veml_cli.drift", "veml_cli.merge"} == set()


@pytest.mark.parametrize("command", [["status"], ["branch"], ["tag"]], ids=" ".join)
def test_history_commands_never_import_torch_or_zarr(command: list[str], tmp_path: Path) -> None:
    imported_by(["init"], tmp_path)
    assert imported_by(command, tmp_path) & (HEAVY - {"numpy"}) == set()


def test_looking_at_differences_needs_no_arrays() -> None:
    """Masks and arrays are compared with numpy, which ``log`` and ``diff`` of others do without."""
    modules = "sys, veml_vcs.repository.diff, veml_vcs.repository.log"
    code = f"import {modules}; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
