"""What starts light stays light."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from veml_cli.start import spare_threads

Place = Any
PROGRAM = Path(sys.executable).with_name("veml")


def imported(place: Place, *arguments: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", str(PROGRAM), *arguments],
        cwd=place.root, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(re.findall(r"^import time:.*\|\s*([\w.]+)$", done.stderr, re.MULTILINE))


@pytest.mark.parametrize("arguments", [["--help"], ["drift", "--help"], ["version"]], ids=" ".join)
def test_help_imports_no_library(arguments: list[str], place: Place) -> None:
    modules = imported(place, *arguments)
    heavy = {"numpy", "pyarrow", "zarr", "torch", "dulwich", "rich", "rich.console", "scipy",
             "numcodecs"}  # fmt: skip
    assert not modules & heavy
    assert not {one for one in modules if one.startswith("veml_vcs.repository")}


def test_plain_output_needs_no_rich(drives: Place) -> None:
    modules = imported(drives, "status")
    assert not {one for one in modules if one == "rich" or one.startswith("rich.")}
    assert not modules & {"zarr", "torch"}


def test_an_edit_is_added_and_committed_without_what_it_does_not_need(drives: Place) -> None:
    """Each of these costs more than the work.

    Seen to fail with ``Selector`` imported at the top of ``sparse.rule``.
    """
    (drives.root / "images" / "train" / "new.jpg").write_bytes(b"\xff\xd8 another image \xff\xd9")
    unneeded = {"veml_vcs.samples.query", "veml_vcs.samples.tables.diff", "zarr"}
    for arguments in (["add", "images/train"], ["commit", "-q", "-m", "another"], ["status"]):
        assert imported(drives, *arguments) & unneeded == set()
        # What was just staged bears too young a stamp, and is compared: by its bytes, first.
        unneeded.add("dulwich.filters")


def test_a_log_that_tells_no_changes_needs_neither_diff_nor_status(drives: Place) -> None:
    """They are a fifth of what it would import.

    Seen to fail with ``render.diff`` at the top of ``render.log``, and with ``data_changes`` in
    ``status``.
    """
    unneeded = {"veml_cli.render.diff", "veml_vcs.repository.diff", "veml_vcs.repository.status"}
    modules = imported(drives, "log")
    assert not modules & unneeded
    assert "veml_vcs.repository.data_changes" in modules


@pytest.mark.parametrize(
    ("command", "before", "after"), [("add", None, "1"), ("add", "3", "3"), ("drift", None, None)]
)
def test_threads_for_algebra_are_spared_where_there_is_none(
    command: str, before: str | None, after: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to fail with the user's own setting overwritten, and with ``drift`` among the spared."""
    name = "OPENBLAS_NUM_THREADS"
    monkeypatch.setenv(name, before or "")
    if before is None:
        monkeypatch.delenv(name)
    spare_threads([command, "x"])
    assert os.environ.get(name) == after
