"""The power goes at any step: what was synced is there, of the rest any part may be missing.

A child runs the command and keeps account of what the disk is bound to have: the bytes of a file
since it was synced, the names in a folder since that was. At one step it writes down a disk on
which every other change, each by the toss of a coin, is there or is not: a name, the bytes behind
it, half of them. That is harsher than a real file system, which loses the latest changes together.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.crash import kit
from tests.crash.scenarios import SCENARIOS, Scenario
from tests.repository.conftest import isolated
from tests.repository.kit import Project
from veml_vcs.repository import Repository
from veml_vcs.repository.upkeep.fsck import fsck

__all__ = ["isolated"]

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")

STAGING = ("add new", "add edited")
NAMED = (
    *("commit first", "commit", "commit -a", "commit --amend", "checkout", "switch -c", "merge"),
    *("cherry-pick", "revert", "reset --hard", "stash", "stash pop", "stash drop"),
    *("merge, fast forward", "resolve", "rm data", "branch", "branch -d", "tag", "tag -a", "note"),
)
BY_NAME = {one.name: one for one in SCENARIOS}


class Disk:
    """An observer that knows what the disk is bound to have, and loses the rest at one step."""

    def __init__(self, root: Path, image: Path, step: int, seed: int) -> None:
        self._root = str(root)
        self._image = str(image)
        self._step = step
        self._chance = random.Random(seed)
        self._count = 0
        self._last: tuple[str, str] | None = None
        self._names: dict[str, dict[str, tuple[int, bool]]] = {}
        self._bytes: dict[int, bytes] = {}
        for folder, _, files in os.walk(root):
            self._names[folder] = self._list(folder)
            for name in files:
                path = os.path.join(folder, name)
                self._bytes[os.lstat(path).st_ino] = Path(path).read_bytes()

    def __call__(self, operation: str, path: str) -> None:
        self._settle()
        self._last = (operation, path)
        self._count += 1
        if self._count == self._step:
            self.lose_the_rest()

    def lose_the_rest(self) -> None:
        self._settle()
        self._write(self._root, self._image)
        os._exit(0)

    def _settle(self) -> None:
        """Note what the operation that was announced before has made sure of."""
        if self._last is None or self._last[0] != "fsync":
            return
        path = self._last[1]
        if os.path.isdir(path):
            self._names[path] = self._list(path)
        elif os.path.exists(path):
            self._bytes[os.stat(path).st_ino] = Path(path).read_bytes()

    @staticmethod
    def _list(folder: str) -> dict[str, tuple[int, bool]]:
        with os.scandir(folder) as entries:
            return {e.name: (e.inode(), e.is_dir(follow_symlinks=False)) for e in entries}

    def _write(self, folder: str, target: str) -> None:
        os.mkdir(target)
        now = self._list(folder) if os.path.isdir(folder) else {}
        bound = self._names.get(folder, {})
        for name in bound.keys() | now.keys():
            old, new = bound.get(name), now.get(name)
            chosen = new if old == new else self._chance.choice((old, new))
            path = os.path.join(target, name)
            if chosen is None:
                continue
            if chosen[1]:
                self._write(os.path.join(folder, name), path)
            else:
                self._write_file(os.path.join(folder, name), chosen[0], path)

    def _write_file(self, source: str, inode: int, target: str) -> None:
        bound = self._bytes.get(inode)
        here = os.path.exists(source) and os.stat(source).st_ino == inode
        now = Path(source).read_bytes() if here else b""
        if bound is not None:
            data = now if here and self._chance.random() < 0.5 else bound
        else:
            data = self._chance.choice((now, b"", now[: len(now) // 2]))
        Path(target).write_bytes(data)


def power_cut(scenario: Scenario, root: Path, image: Path, step: int, seed: int) -> None:
    """Run the command in a child that leaves such a disk; step 0 is when it has ended."""
    child = os.fork()
    if not child:
        code = 1
        try:
            disk = Disk(root, image, step, seed)
            kit.run(scenario, root, disk)
            code = 2
            disk.lose_the_rest()
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def check(name: str, tmp_path: Path, steps: slice, seeds: int) -> None:
    scenario = BY_NAME[name]
    base = kit.build(scenario, tmp_path / "base")
    old = kit.state_of(base)
    done = kit.copied(base, tmp_path / "done")
    counted = kit.Steps()
    kit.run(scenario, done, counted)
    new = kit.state_of(done)
    for step in [*range(1, len(counted.seen) + 1)[steps], 0]:
        for seed in range(seeds):
            root = kit.copied(base, tmp_path / "disk")
            image = tmp_path / "image"
            power_cut(scenario, root, image, step, 1000 * step + seed)
            place = f"step {step}: {counted.seen[step - 1] if step else 'the end'}, seed {seed}"
            found = names(image)
            for ref in old.refs.keys() | new.refs.keys() | found.keys():
                allowed = {new.refs.get(ref)} | ({old.refs.get(ref)} if step else set())
                assert found.get(ref) in allowed, f"{place}: {ref}"
            told = subprocess.run(
                ["git", "fsck", "--strict", "--no-dangling"],
                cwd=image,
                capture_output=True,
                text=True,
            )
            assert told.returncode == 0, f"{place}: {told.stderr}"
            index = Project(image, create=False).git("ls-files", "--stage")
            assert index == new.index or step, place
            stashes = Project(image, create=False).git("stash", "list", "--format=%H")
            assert set(stashes.split()) <= set((old.stashes + new.stashes).split()), place
            assert stashes == new.stashes or step, place
            with Repository(str(image)) as repo:
                assert fsck(repo).problems == (), place
            shutil.rmtree(root)
            shutil.rmtree(image)


def names(root: Path) -> dict[str, str]:
    state = kit.state_of(root)
    return state.refs


@pytest.mark.parametrize("name", ["commit", "add edited"])
def test_the_power_goes_at_a_few_steps(name: str, tmp_path: Path, isolated: Path) -> None:
    """Seen to fail with objects that are not synced (dulwich's default): refs to empty objects."""
    check(name, tmp_path, slice(2, None, 12), 1)


@pytest.mark.search
@pytest.mark.parametrize("name", [*STAGING, *NAMED])
def test_the_power_goes_at_every_step(name: str, tmp_path: Path, isolated: Path) -> None:
    check(name, tmp_path, slice(None), 3)
