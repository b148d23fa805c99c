"""What the program ends with, and how it says why."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from veml_cli._errors import exit_code, report_bug
from veml_cli.main import main
from veml_vcs.errors import (
    ConflictError,
    DamagedError,
    FormatError,
    InvalidInputError,
    LockedError,
    MissingDependencyError,
    NotFoundError,
    StorageError,
    VemlError,
)

Place = Any


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConflictError("x"), 1),
        (InvalidInputError("x", kind="nothing-to-commit"), 1),
        (InvalidInputError("x"), 128),
        (NotFoundError("x"), 128),
        (FormatError("x"), 65),
        (DamagedError("x"), 66),
        (MissingDependencyError("x"), 69),
        (StorageError("x"), 74),
        (LockedError("x"), 75),
        (VemlError("x"), 128),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_exit_codes(error: VemlError, code: int) -> None:
    assert exit_code(error) == code


def test_every_category_of_error_has_its_code() -> None:
    for category in VemlError.__subclasses__():
        assert exit_code(category("x")) > 0


def test_outside_a_repository(place: Place) -> None:
    done = place.veml("status", code=128)
    assert done.out == ""
    assert done.err.startswith("fatal: not in a Git repository")
    assert "hint: veml init" in done.err


def test_unknown_revision_names_those_there_are(drives: Place) -> None:
    done = drives.veml("checkout", "mian", code=128)
    assert "fatal: unknown revision 'mian'" in done.err
    assert "main" in done.err.split("hint:")[1]


@pytest.mark.parametrize(
    "arguments",
    [["add", "--nonsense"], ["log", "-n"], ["status", "-u", "some"], ["export", "one"], ["add"]],
    ids=" ".join,
)
def test_usage_is_129(arguments: list[str], drives: Place) -> None:
    done = drives.veml(*arguments, code=129)
    assert done.out == ""
    assert done.err


def test_unknown_command_names_the_nearest(place: Place) -> None:
    done = place.veml("chekout", code=129)
    assert "'checkout'" in done.err


def test_without_arguments_the_help_is_shown(place: Place) -> None:
    done = place.veml(code=1)
    assert "Commands:" in done.out


def test_nothing_to_commit_is_one(drives: Place) -> None:
    done = drives.veml("commit", "-m", "again", code=1)
    assert done.err.startswith("error: nothing to commit")
    assert "hint: " in done.err


def test_refused_by_a_hook_is_one(drives: Place) -> None:
    hook = drives.write(".git/hooks/pre-commit", "#!/bin/sh\nexit 3\n")
    hook.chmod(0o755)
    drives.write("notes.txt", "two\n")
    head = drives.git("rev-parse", "HEAD")
    drives.veml("commit", "-am", "x", code=1)
    assert drives.git("rev-parse", "HEAD") == head
    drives.veml("commit", "-am", "x", "--no-verify")
    assert drives.git("rev-parse", "HEAD") != head


def test_a_bug_ends_with_70_and_leaves_a_log(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(place.root))
    with pytest.raises(IndexError) as caught:
        raise IndexError("lost\x1b[31m")
    assert report_bug(caught.value) == 70
    told = capsys.readouterr().err
    (log,) = place.root.glob("veml-error-*.log")
    assert "this is a bug in veml (IndexError: lost\\x1b[31m)" in told
    assert str(log) in told
    assert "Traceback" not in told
    assert "Traceback" in log.read_text()


def test_a_bug_shows_its_traceback_on_request(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VEML_TRACEBACK", "1")
    assert report_bug(IndexError("lost")) == 70
    assert "IndexError: lost" in capsys.readouterr().err
    assert list(place.root.glob("veml-error-*")) == []


def test_a_reader_that_leaves_is_no_error(drives: Place) -> None:
    for number in range(300):
        drives.write(f"file{number}.txt", "x")
    veml = str(Path(os.sys.executable).with_name("veml"))  # type: ignore[attr-defined]
    command = f"set -o pipefail; {veml} status --porcelain | head -1; echo ${{PIPESTATUS[0]}} >&2"
    done = subprocess.run(
        ["bash", "-c", command], cwd=drives.root, capture_output=True, text=True, check=False
    )
    assert done.stderr == "0\n"
    assert done.stdout.startswith("?? ")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("words", ["status", "--version"])
def test_output_that_finds_no_room_is_no_bug(place: Place, words: str) -> None:
    place.veml("init", "-q")
    veml = str(Path(os.sys.executable).with_name("veml"))  # type: ignore[attr-defined]
    done = subprocess.run(
        ["bash", "-c", f"{veml} {words} > /dev/full"],
        cwd=place.root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == "error: cannot write: No space left on device\n"
    assert done.returncode == 74


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_streams_may_be_closed(drives: Place, closed: str) -> None:
    veml = str(Path(os.sys.executable).with_name("veml"))  # type: ignore[attr-defined]
    done = subprocess.run(
        ["bash", "-c", f"{veml} log {closed}"],
        cwd=drives.root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    assert done.returncode == 0


def test_control_c_ends_with_130(drives: Place) -> None:
    drives.write("notes.txt", "two\n")
    veml = str(Path(os.sys.executable).with_name("veml"))  # type: ignore[attr-defined]
    message = drives.root.parent / "message"
    os.mkfifo(message)
    running = subprocess.Popen(
        [veml, "commit", "-a", "-F", str(message)], cwd=drives.root, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    # Opening the pipe waits until veml has opened it, and veml then reads until it is closed. It
    # is: Python sees a signal between its last instruction and its read only after the read.
    with open(message, "w"):
        running.send_signal(signal.SIGINT)
    _, told = running.communicate()
    assert running.returncode == 130
    assert "Traceback" not in told


def test_c_changes_the_folder(
    drives: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = drives.veml("-C", "repository", "-C", "images", "branch", "--show-current")
    assert done.out == "main\n"


def test_c_to_nowhere(place: Place) -> None:
    done = place.veml("-C", "nowhere", "status", code=128)
    assert "cannot change to nowhere: No such file" in done.err


def test_version(place: Place) -> None:
    assert place.veml("--version").out == place.veml("version").out
    assert place.veml("version").out.startswith("veml version ")


def test_main_takes_arguments() -> None:
    assert main(["version"]) == 0
