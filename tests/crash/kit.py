"""Runs a command in a process that kills itself at one step, and says what is left on disk."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tests.crash.scenarios import Scenario
from tests.repository.kit import Files, Project
from veml_vcs.errors import VemlError
from veml_vcs.objects.files import TEMPORARY_PREFIX
from veml_vcs.objects.files import Files as Door
from veml_vcs.repository import Repository
from veml_vcs.repository.upkeep.fsck import fsck

Step = tuple[str, str]

WAITING = (
    "MERGE_HEAD",
    "CHERRY_PICK_HEAD",
    "REVERT_HEAD",
    "MERGE_MSG",
    "SQUASH_MSG",
    "veml/merge.json",
)
"""Files that say what waits for the user."""


class Steps:
    """An observer that notes the steps of a command, and kills the process at one.

    Args:
        stop: The number of the step, from 1; 0 never.
    """

    def __init__(self, stop: int = 0) -> None:
        self.seen: list[Step] = []
        self._stop = stop

    def __call__(self, operation: str, path: str) -> None:
        self.seen.append((operation, path))
        if len(self.seen) == self._stop:
            os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True)
class State:
    """What a repository holds, in a form that two runs of a command can be compared in."""

    files: Files
    refs: dict[str, str]
    index: str
    waiting: str
    stashes: str


def state_of(root: Path) -> State:
    project = Project(root, create=False)
    refs = {}
    asked = "--format=%(refname) %(objectname) %(tree)"
    for line in project.git("for-each-ref", asked).splitlines():
        name, value, tree = line.split(" ")
        # A note's commit has the time of the day; what it says is its tree.
        refs[name] = tree if "notes" in name else value
    # Git lists nothing where there is no such ref; most commands leave none.
    stashes = project.git("stash", "list", "--format=%H") if "refs/stash" in refs else ""
    refs["HEAD"] = (root / ".git/HEAD").read_text()
    waiting = [root / ".git" / name for name in WAITING]
    return State(
        {name: data for name, data in project.files().items() if TEMPORARY_PREFIX not in name},
        refs,
        project.git("ls-files", "--stage"),
        "".join(f"{one.name}: {one.read_text()}" for one in waiting if one.exists()),
        stashes,
    )


def leftovers(root: Path) -> list[str]:
    """Return files that a killed process must not leave for good."""
    found = []
    for folder, _, names in os.walk(root):
        found += [
            os.path.relpath(os.path.join(folder, name), root)
            for name in names
            if name.startswith((TEMPORARY_PREFIX, "tmp_")) or name.endswith(".lock")
        ]
    writing = root / ".git/veml/writing"
    return found + ([str(one) for one in writing.iterdir()] if writing.exists() else [])


def build(scenario: Scenario, folder: Path) -> Path:
    """Make the project that a scenario starts from."""
    project = Project(folder)
    scenario.setup(project)
    project.close()
    return folder


EVERY_STEP = ("add", "commit", "checkout", "switch", "merge")
"""What everybody types all day: always stopped at every step."""
MOST = 40


def steps_in_ci(scenario: Scenario, count: int) -> list[int]:
    """Return the steps of a command at which CI stops it.

    All, or of the less common commands at most about 40, spread evenly: the 46 commands have 2,850
    steps, more than CI has time for. ``./test.sh --search`` stops at the others.
    """
    if scenario.name.startswith(EVERY_STEP) or count <= MOST:
        return list(range(1, count + 1))
    return sorted({*range(1, count + 1, -(-count // MOST)), count})


def other_steps(scenario: Scenario, count: int) -> list[int]:
    """Return the steps that ``steps_in_ci`` leaves out."""
    return sorted({*range(1, count + 1)}.difference(steps_in_ci(scenario, count)))


def states_on_the_way(scenario: Scenario, base: Path, folder: Path) -> list[State]:
    """Return the states that a command passes between the old one and the new one."""
    found = []
    for number, stage in enumerate(scenario.stages):
        root = copied(base, folder / f"stage{number}")
        run(replace(scenario, command=stage), root)
        found.append(state_of(root))
    return found


def copied(source: Path, target: Path) -> Path:
    shutil.copytree(source, target, symlinks=True)
    return target


def run(scenario: Scenario, root: Path, observer: Callable[[str, str], None] | None = None) -> None:
    """Run the command in this process."""
    with Repository(str(root), Door(observer)) as repo:
        scenario.command(repo)


def run_killed(scenario: Scenario, root: Path, step: int) -> None:
    """Run the command in a child that kills itself at a step, with all that a kill implies."""
    child = os.fork()
    if not child:
        code = 1
        try:
            run(scenario, root, Steps(step))
            code = 0
        finally:
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    # A note's id depends on the time of the day, so now and then it needs a folder less.
    assert code in (-signal.SIGKILL, 0), f"the command ended with {code} before the step"


def run_again(scenario: Scenario, root: Path) -> None:
    """Run the command once more; that it was done already is the only error allowed."""
    try:
        run(scenario, root)
    except VemlError as error:
        if error.kind not in scenario.done:
            raise AssertionError(f"the second run: {error}") from error


def check_between(root: Path, states: Sequence[State]) -> None:
    """Check what is promised right after a kill, before anything else runs.

    Args:
        root: The project.
        states: The old state, those that the command passes on its way, and the new one.
    """
    now = state_of(root)
    for name in {name for one in (*states, now) for name in one.files}:
        allowed = [one.files.get(name) for one in states]
        assert now.files.get(name) in allowed, f"{name} is neither the old file nor the new one"
    for name in {name for one in (*states, now) for name in one.refs}:
        assert now.refs.get(name) in [one.refs.get(name) for one in states], name
    check_intact(root)


def check_intact(root: Path) -> None:
    done = subprocess.run(
        ["git", "fsck", "--strict", "--no-dangling"], cwd=root, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "error" not in done.stderr + done.stdout, done.stderr
    with Repository(str(root)) as repo:
        assert fsck(repo).problems == ()
