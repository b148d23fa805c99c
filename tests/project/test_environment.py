"""The shell that the two README commands share: clear errors, and nothing of the user's deleted."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def bash(script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/bash", "-c", f". scripts/environment.sh; {script}"],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def program(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)


def test_a_folder_that_is_no_environment_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")
    done = bash("make_venv", VEML_VENV=str(tmp_path))
    assert done.returncode == 1
    assert "no virtual environment" in done.stderr
    assert (tmp_path / "thesis.txt").read_text(encoding="utf-8") == "years of work"


def test_old_python_is_refused_by_name(tmp_path: Path) -> None:
    program(tmp_path / "python3", 'test "$1" = --version && echo "Python 3.9.2" || exit 1')
    done = bash(f"PATH={tmp_path} find_python")
    assert done.returncode == 1
    assert "3.11" in done.stderr
    assert "found Python 3.9.2" in done.stderr


def test_newest_python_that_works_is_taken(tmp_path: Path) -> None:
    program(tmp_path / "python3", "exit 0")
    program(tmp_path / "python3.12", "exit 0")
    program(tmp_path / "python3.13", "exit 1")
    done = bash(f"PATH={tmp_path} find_python")
    assert done.stdout.strip() == str(tmp_path / "python3.12")


@pytest.mark.parametrize(
    ("installed", "asked", "installs"),
    [
        ("", "ml", "[ml]"),
        ("ml", "ml", ""),
        ("ml", "ml,dev", "[ml,dev]"),
        ("ml,dev", "ml", ""),
    ],
)
def test_installs_only_what_is_missing(
    installed: str, asked: str, installs: str, tmp_path: Path
) -> None:
    (tmp_path / "bin").mkdir()
    calls = tmp_path / "calls"
    program(tmp_path / "bin" / "python", f'echo "$@" >> "{calls}"')
    first = f"ensure_environment {installed};" if installed else ""
    done = bash(f'{first} : > "{calls}"; ensure_environment {asked}', VEML_VENV=str(tmp_path))
    assert done.returncode == 0, done.stderr
    lines = [line for line in calls.read_text(encoding="utf-8").splitlines() if "install" in line]
    assert [line.endswith(installs) for line in lines] == ([True] if installs else [])


def test_new_checkout_with_an_old_environment_installs_again(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    calls = tmp_path / "calls"
    program(tmp_path / "bin" / "python", f'echo "$@" >> "{calls}"')
    (tmp_path / ".veml-installed").write_text("another pyproject\nml,dev\n", encoding="utf-8")
    done = bash("ensure_environment ml", VEML_VENV=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "install" in calls.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("opencv", "installs"),
    [
        ("import) exit 0;; version) echo 5.0.0.93", ""),
        ("import) exit 1;; version) echo 5.0.0.93", "opencv-python-headless==5.0.0.93"),
        ("import) exit 1;; version) exit 1", ""),
    ],
    ids=["works", "needs a desktop", "is not there"],
)
def test_opencv_without_a_desktop(opencv: str, installs: str, tmp_path: Path) -> None:
    """By hand: seen to install it, and MMDetection to work, where libGL.so.1 was hidden."""
    (tmp_path / "bin").mkdir()
    calls = tmp_path / "calls"
    body = f"""echo "$@" >> "{calls}"
case "$2" in *"import cv2"*) what=import;; *opencv-python*) what=version;; esac
case "$what" in {opencv};; esac"""
    program(tmp_path / "bin" / "python", body)
    done = bash("mend_opencv", VEML_VENV=str(tmp_path))
    assert done.returncode == 0, done.stderr
    lines = [one for one in calls.read_text(encoding="utf-8").splitlines() if "pip install" in one]
    assert [one.split()[-1] for one in lines] == ([installs] if installs else [])
