"""gc, compact and repair killed before every write, fsync, rename and remove; and many at once.

Killed at any step, every version is whole, ``fsck`` is content, nothing has to be cleaned by hand,
and the same command runs again. Seen to fail when ``_remove`` runs before ``_rewrite``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.repository.kit import Project, coco, images, png, small_model
from veml_vcs.objects import Files
from veml_vcs.repository import Repository
from veml_vcs.repository.upkeep.compact import compact
from veml_vcs.repository.upkeep.fsck import fsck
from veml_vcs.repository.upkeep.gc import gc
from veml_vcs.repository.upkeep.repair import repair

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


class Killed:
    """An observer that ends the process before one step, and counts them."""

    def __init__(self, step: int) -> None:
        self.steps: list[str] = []
        self._step = step

    def __call__(self, operation: str, path: str) -> None:
        self.steps.append(operation)
        if len(self.steps) == self._step:
            os._exit(9)


def run_gc(repo: Repository) -> None:
    gc(repo, prune_before=1e11, threshold=0.0)


def run_compact(repo: Repository) -> None:
    compact(repo, everything=True)


def run_repair(repo: Repository) -> None:
    repair(repo)


def prepare(project: Project, command: Callable[[Repository], None]) -> dict[str, object]:
    """Make a repository with work for the command; return what its versions contain."""
    project.write(coco(small_model(8)), "d")
    project.write({f"images/bad{i}.png": png(100 + i, 64) for i in range(8)}, "d")
    project.add("d")
    for i in range(8):
        project.remove(f"d/images/bad{i}.png")
    project.save("d")
    project.write({"images/one more.png": png(50)}, "d")
    project.save("d", message="two")
    state = contents(project.root)
    if command is run_repair:
        path = max(project.path(".git/veml/packs").iterdir(), key=lambda one: one.stat().st_size)
        path.chmod(0o644)
        data = bytearray(path.read_bytes())
        data[200] ^= 255
        path.write_bytes(data)
    project.close()
    return state


def contents(root: Path) -> dict[str, object]:
    with Repository(str(root)) as repo:
        found: dict[str, object] = {}
        for revision in ("HEAD", "HEAD~1"):
            data = repo.dataset("d", revision)
            found[revision] = (
                {sample.key: sample.data for sample in data}, data.annotations(), data.tree
            )  # fmt: skip
        return found


def count_steps(root: Path, command: Callable[[Repository], None]) -> int:
    stop = Killed(-1)
    with Repository(str(root), Files(stop)) as repo:
        command(repo)
    return len(stop.steps)


COMMANDS = [run_gc, run_compact, run_repair]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: one.__name__)
@pytest.mark.parametrize("every", [5, pytest.param(1, marks=pytest.mark.slow)])
def test_killed_at_every_step(
    project: Project, tmp_path: Path, command: Callable[[Repository], None], every: int
) -> None:
    before = prepare(project, command)
    work_tree = project.files()
    shutil.copytree(project.root, tmp_path / "counted")
    steps = count_steps(tmp_path / "counted", command)
    assert steps > 5
    for step in range(1, steps + 1, every):
        root = tmp_path / "killed"
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(project.root, root)
        child = os.fork()
        if not child:
            command(Repository(str(root), Files(Killed(step))))
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
        killed = Project(root, create=False)
        if command is not run_repair:
            assert fsck(killed.repo).problems == (), step
            assert contents(root) == before, step
        command(killed.reopen())
        assert fsck(killed.repo).problems == (), step
        assert contents(root) == before, step
        assert killed.files() == work_tree
        assert not [one for one in os.listdir(root / ".git/veml/packs") if one.startswith(".")]
        killed.close()


COMMITTER = """
import sys
from veml_vcs.repository import Repository
from veml_vcs.repository.add import add
from veml_vcs.repository.commit import commit
sys.path.insert(0, sys.argv[2])
from tests.repository.kit import png
root, number = sys.argv[1], int(sys.argv[3])
for i in range(15):
    with open(f"{root}/d/images/p{number}-{i}.png", "wb") as file:
        file.write(png(1000 * number + i, 24))
    with Repository(root) as repo:
        add(repo, [f"{root}/d"])
        commit(repo, f"{number}-{i}", allow_empty=True)
"""

MAINTAINER = """
import sys
from veml_vcs.errors import LockedError
from veml_vcs.repository import Repository
from veml_vcs.repository.upkeep.compact import compact
from veml_vcs.repository.upkeep.gc import gc
for i in range(6):
    with Repository(sys.argv[1]) as repo:
        gc(repo, prune_before=1e11, threshold=0.0)
        compact(repo, everything=i % 2 == 0)
"""


@pytest.mark.slow
def test_maintenance_beside_commits_and_readers(project: Project) -> None:
    """No commit fails or is lost, no reader fails, whatever gc and compact do meanwhile."""
    project.write(coco(small_model(8)), "d")
    project.save("d")
    project.close()
    top = str(Path(__file__).parents[2])
    root = str(project.root)
    running = [
        subprocess.Popen([sys.executable, "-c", COMMITTER, root, top, str(number)])
        for number in (1, 2)
    ]
    running.append(subprocess.Popen([sys.executable, "-c", MAINTAINER, root]))
    reads = 0
    with Repository(root) as reader:
        while any(one.poll() is None for one in running):
            data = reader.dataset("d", "HEAD")
            assert len([sample.data for sample in data]) == len(data)
            reads += 1
    assert [one.returncode for one in running] == [0, 0, 0]
    assert reads > 3
    assert len(project.git("log", "--oneline").splitlines()) == 31
    assert len(project.repo.dataset("d", "HEAD")) >= 8 + 29
    project.assert_intact()


def test_fsyncs_of_maintenance_are_few(project: Project, tmp_path: Path) -> None:
    """A new pack and its folder before anything is removed; the folder after that."""
    for command, most in ((run_gc, 4), (run_compact, 4)):
        root = tmp_path / command.__name__
        shutil.rmtree(project.root)
        fresh = Project(project.root)
        prepare(fresh, command)
        shutil.copytree(project.root, root)
        stop = Killed(-1)
        with Repository(str(root), Files(stop)) as repo:
            command(repo)
        assert stop.steps.count("fsync") <= most
        first = stop.steps.index("remove")
        assert stop.steps[:first].count("fsync") >= 2
        assert "fsync" in stop.steps[first:]


def test_a_full_disk_still_lets_whole_packs_go(project: Project) -> None:
    import errno

    from veml_vcs.errors import StorageError

    project.write({**images(10), **{f"bad{i}.png": png(100 + i, 64) for i in range(10)}}, "d")
    project.add("d")
    project.replace(images(10), "d")
    project.save("d")
    project.write({"gone.png": png(70, 64)}, "d")
    project.add("d")
    project.remove("d/gone.png")
    project.add("d")
    project.close()

    def full(operation: str, path: str) -> None:
        if operation == "write" and "/packs/" in path:
            error = StorageError("no space left", kind="disk-full")
            error.errno = errno.ENOSPC
            raise error

    with Repository(str(project.root), Files(full)) as repo:
        done = gc(repo, prune_before=1e11, threshold=0.0)
    assert done.packs_removed >= 1
    assert done.packs_rewritten == 0
    assert any("space" in one.why for one in done.kept)
    project.assert_intact()
