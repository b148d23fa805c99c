"""``veml commit`` runs veml's hooks without a program; any other hook stays the program it is.

Seen to fail: with the checks of ``_is_just_ours`` taken out one by one, the last two tests.
"""

from __future__ import annotations

import pytest

from tests.hooks.kit import GitProject
from veml_hooks.here import run_hooks_here
from veml_hooks.shim import guard_of
from veml_vcs.errors import ConflictError
from veml_vcs.repository.git.hook import FunctionHook


def in_process(project: GitProject) -> list[str]:
    project.reopen()
    run_hooks_here(project.repo)
    hooks = project.repo.git.dulwich.hooks
    return sorted(name for name, hook in hooks.items() if isinstance(hook, FunctionHook))


def stage_stray(project: GitProject) -> None:
    """Stage a file of the data set in Git itself, which pre-commit refuses."""
    project.git("add", "-f", "data/images/0001.png")


def test_it_refuses_what_the_program_refuses(
    drives: GitProject, capfd: pytest.CaptureFixture[str]
) -> None:
    stage_stray(drives)
    assert in_process(drives) == ["pre-commit"]
    with pytest.raises(ConflictError, match="hook refused the commit"):
        drives.commit("x")
    here = capfd.readouterr().err
    drives.reopen()
    with pytest.raises(ConflictError, match="hook refused the commit"):
        drives.commit("x")
    assert "would go into Git itself: data/images/0001.png" in here
    assert capfd.readouterr().err == here
    in_process(drives)
    drives.write({"notes.txt": b"two\n"})
    drives.git("rm", "-q", "--cached", "data/images/0001.png")
    drives.git("add", "notes.txt")
    drives.commit("fine")
    assert drives.git("log", "-1", "--format=%s").strip() == "fine"


@pytest.mark.parametrize("change", ["beside", "other", "other interpreter", "removed"])
def test_other_hooks_run_as_programs(drives: GitProject, change: str) -> None:
    hook = drives.path(".git/hooks/pre-commit")
    own = b"#!/bin/sh\ntouch ran\n"
    if change == "beside":
        (hook.parent / "pre-commit.user").write_bytes(own)
        (hook.parent / "pre-commit.user").chmod(0o755)
    elif change == "other":
        hook.write_bytes(own)
    elif change == "other interpreter":
        hook.write_bytes(hook.read_bytes().replace(b"python", b"python-of-another"))
    else:
        hook.unlink()
    assert in_process(drives) == []
    drives.write({"notes.txt": b"two\n"})
    drives.git("add", "notes.txt")
    drives.commit("x")
    assert drives.path("ran").exists() == (change in ("beside", "other"))


@pytest.mark.parametrize("name", ["VEML_HOOKS", guard_of("pre-commit")])
def test_variables_that_turn_hooks_off(
    drives: GitProject, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "0")
    assert "pre-commit" not in in_process(drives)
