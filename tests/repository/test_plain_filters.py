"""Ordinary files whose stamp proves nothing are compared as Git compares them, filters included."""

from __future__ import annotations

import os

import pytest

from tests.repository.kit import Project


def modified(project: Project) -> list[str]:
    """Return what veml says is modified, once Git has said the same."""
    said = project.git("status", "--porcelain").splitlines()
    found = sorted(project.status(untracked=False).changed_files)
    assert found == sorted(line[3:] for line in said if line[1] == "M")
    return found


def touch(project: Project, path: str) -> None:
    later = os.stat(project.path(path)).st_mtime_ns + 5 * 10**9
    os.utime(project.path(path), ns=(later, later))


@pytest.mark.parametrize("text", [b"one\r\ntwo\r\n", b"one\ntwo\n"], ids=["CRLF", "LF"])
def test_line_ends_that_are_in_the_index_as_they_are_are_no_change(
    project: Project, text: bytes
) -> None:
    project.write({"notes.txt": text})
    project.git("add", "notes.txt")
    project.git("commit", "-q", "-m", "notes")
    project.git("config", "core.autocrlf", "true")
    touch(project, "notes.txt")
    assert modified(project) == []
    project.write({"notes.txt": text + b"three"})
    assert modified(project) == ["notes.txt"]


def test_a_file_that_a_filter_made_is_no_change(project: Project) -> None:
    project.write({".gitattributes": b"*.txt ident\n", "notes.txt": b"see $Id$ here\n"})
    project.git("add", ".")
    project.git("commit", "-q", "-m", "notes")
    touch(project, "notes.txt")
    assert modified(project) == []
    project.write({"notes.txt": b"see $Id$ there\n"})
    assert modified(project) == ["notes.txt"]
