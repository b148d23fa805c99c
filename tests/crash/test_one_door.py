"""Nothing changes a file but ``Files``: watched while commands run, and sought in the sources."""

from __future__ import annotations

import ast
import json
import os
import sys
from pathlib import Path

import pytest

from tests.crash import kit
from tests.crash.scenarios import SCENARIOS, Scenario
from tests.repository.conftest import isolated

__all__ = ["isolated"]

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")

ROOT = Path(__file__).resolve().parents[2]
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES = {"os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.truncate", "os.chown"}
_TO_TARGET = {"os.rename", "os.link", "os.symlink"}
_LOCKS = ("lock", "gate")
FAST = ("add new", "commit -a", "checkout", "merge, conflicts", "note", "branch -m", "restore")
"""What is watched in the fast suite; the slow one watches all."""


def changes_behind_the_door(scenario: Scenario, root: Path) -> list[str]:
    """Run a command in a child; return what Python saw it change that no observer was told of."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.write(writing, json.dumps(_watched(scenario, root)).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    found: list[str] = json.loads(told)
    return found


def _watched(scenario: Scenario, root: Path) -> list[str]:
    steps = kit.Steps()
    seen: list[tuple[str, str]] = []

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        path: object = None
        flags = arguments[2] if event == "open" else 0
        if event in _CHANGES or (isinstance(flags, int) and flags & _WRITING):
            path = arguments[0]
        elif event in _TO_TARGET:
            path = arguments[1]
        if isinstance(path, str | bytes):
            seen.append((event, os.path.abspath(os.fsdecode(path))))

    sys.addaudithook(watch)
    kit.run(scenario, root, steps)
    announced = {os.path.abspath(path) for _, path in steps.seen}
    removed = {os.path.abspath(path) for operation, path in steps.seen if operation == "remove"}
    inside = os.path.join(root, "")
    return [
        f"{event} {path}"
        for event, path in seen
        # veml's own locks are held by the kernel, not by what is in the file.
        if path.startswith(inside)
        and path not in (removed if event == "os.remove" else announced)
        and not path.endswith(("/veml/lock", "/veml/gate"))
    ]


@pytest.mark.parametrize(
    "scenario",
    [pytest.param(one, marks=[] if one.name in FAST else pytest.mark.slow) for one in SCENARIOS],
    ids=lambda one: one.name,
)
def test_every_change_is_announced(scenario: Scenario, tmp_path: Path, isolated: Path) -> None:
    """Seen to fail with dulwich's own index, refs or objects, and with locks removed by ``os``."""
    root = kit.build(scenario, tmp_path / "project")
    assert changes_behind_the_door(scenario, root) == []


# -- sources -----------------------------------------------------------------------------------

_DOORS = {"veml_vcs/objects/files.py", "veml_vcs/objects/open_file.py", "veml_vcs/objects/lock.py"}
_OUTSIDE = {
    # Not in a repository: the file of an editor, the log of a bug.
    "cli/_editor.py",
    "cli/_errors.py",
    # What it is there to find out is what the door does not tell: whether fsync of a folder works.
    "veml_vcs/repository/doctor/file_system.py",
}
_OS = {
    "chmod", "chown", "fsync", "ftruncate", "link", "makedirs", "mkdir", "mkfifo", "pwrite",
    "remove", "removedirs", "rename", "renames", "replace", "rmdir", "symlink", "truncate",
    "unlink", "utime", "write",
}  # fmt: skip
_PATHLIB = {"write_bytes", "write_text", "touch", "hardlink_to", "symlink_to"}


def sources() -> list[Path]:
    return [
        path
        for part in ("veml_vcs", "cli", "hooks")
        for path in sorted((ROOT / part).rglob("*.py"))
        if path.relative_to(ROOT).as_posix() not in _DOORS | _OUTSIDE
    ]


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_source_changes_files_by_itself(path: Path) -> None:
    """A new command that writes a file does so through ``Files`` (see design note 013)."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = _name(node.func)
        base, _, attribute = name.rpartition(".")
        writes = name == "open" and any(set(mode) & set("wax+") for mode in _modes(node))
        bare_os = base == "os" and attribute in _OS
        if writes or bare_os or base == "shutil" or (base and attribute in _PATHLIB - {"touch"}):
            if base == "out" or name in ("shutil.get_terminal_size", "shutil.which"):
                continue
            found.append(f"{path.relative_to(ROOT)}:{node.lineno}: {name}")
    assert found == []


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_name(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


def _modes(node: ast.Call) -> list[str]:
    given = [*node.args[1:2], *(word.value for word in node.keywords if word.arg == "mode")]
    return [
        one.value for one in given if isinstance(one, ast.Constant) and isinstance(one.value, str)
    ]
