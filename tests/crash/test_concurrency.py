"""Several processes at once: every acknowledged commit is kept, readers see whole versions."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.crash.scenarios import one_commit
from tests.repository.conftest import isolated
from tests.repository.kit import Project, images
from veml_vcs.errors import LockedError
from veml_vcs.repository import Repository
from veml_vcs.repository.diff import diff
from veml_vcs.repository.log import log

__all__ = ["isolated"]

_WRITER = """
import os, sys
from veml_vcs.repository import Repository
from veml_vcs.repository.add import add
from veml_vcs.repository.commit import commit
root, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
i = 0
with Repository(root) as repo:
    # The reader, too, has to have done something meanwhile, however slow it is.
    while i < count or not os.path.exists(os.path.join(root, ".git", "enough")):
        path = os.path.join(root, "data", f"{name}-{i:02d}.png")
        with open(os.path.join(root, ".git", name), "wb") as file:
            file.write(f"{name} {i}".encode() * 20)
        os.rename(file.name, path)
        add(repo, [os.path.join(root, "data")])
        done = commit(repo, f"{name} {i}", allow_empty=True)
        print(done.id, flush=True)
        i += 1
"""

ROOT = Path(__file__).resolve().parents[2]


def start(code: str, *arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True, env=environment
    )


def read_one_version(root: Path, seen: list[int]) -> None:
    """Read whatever HEAD is now: its log, its difference, all of its samples."""
    with Repository(str(root)) as repo:
        head = repo.git.head().commit
        assert head is not None
        record = repo.datasets_at(head)["data"]
        found = {sample.key: sample.data for sample in repo.dataset("data", head)}
        assert len(found) == record.samples
        seen.append(len(list(log(repo, [head]))))
        if repo.git.parents(head):
            diff(repo, f"{head}~1", head)


def check(project: Project, processes: int, commits: int) -> None:
    project.write(images(1), "data")
    project.save("data")
    project.close()
    writers = [start(_WRITER, str(project.root), f"p{n}", str(commits)) for n in range(processes)]
    seen: list[int] = []
    with ExitStack() as stack:
        for one in writers:
            stack.enter_context(one)
            stack.callback(one.kill)  # else it waits for a reader that failed
        while any(one.poll() is None for one in writers):
            read_one_version(project.root, seen)
            if len(seen) == 4:
                (project.root / ".git/enough").touch()
        said = [line for one in writers for line in one.communicate()[0].split()]
    assert [one.returncode for one in writers] == [0] * processes
    assert len(said) == len(set(said)) >= processes * commits
    kept = project.git("rev-list", "HEAD").split()
    assert set(said) <= set(kept)
    assert len(kept) == len(said) + 1
    names = {sample.key for sample in project.repo.dataset("data", "HEAD")}
    assert len(names) == len(said) + 1
    assert seen == sorted(seen)
    assert len(seen) > 3
    project.assert_clean()
    project.close()


def test_two_writers_and_a_reader(tmp_path: Path, isolated: Path) -> None:
    check(Project(tmp_path / "project"), 2, 4)


@pytest.mark.slow
def test_four_times_forty(tmp_path: Path, isolated: Path) -> None:
    """160 acknowledged, 160 kept. Seen to fail without veml's lock (commits lost, index stale)."""
    check(Project(tmp_path / "project"), 4, 40)


def test_a_living_owner_is_named_and_a_dead_one_is_taken_over(
    tmp_path: Path, isolated: Path
) -> None:
    project = Project(tmp_path / "project")
    one_commit(project)
    code = """
import sys, time
from veml_vcs.repository import Repository
with Repository(sys.argv[1]) as repo, repo.lock("veml testing"):
    print("held", flush=True)
    time.sleep(600)
"""
    owner = start(code, str(project.root))
    assert owner.stdout is not None
    assert owner.stdout.readline() == "held\n"
    with (
        pytest.raises(LockedError, match=f"process {owner.pid} .*veml testing, since"),
        project.repo.lock("veml add", 0.05),
    ):
        pass
    owner.send_signal(signal.SIGKILL)
    owner.communicate()
    project.write({"README": b"two\n"})
    project.save("README")
    project.assert_clean()
    project.close()


def test_a_lock_of_git_s_is_waited_for_and_named(tmp_path: Path, isolated: Path) -> None:
    """Git's own lock is never taken away, however long its owner is dead: nothing tells."""
    project = Project(tmp_path / "project")
    one_commit(project)
    project.write({"README": b"two\n"})
    lock = project.root / ".git/index.lock"
    lock.write_bytes(b"")
    project.repo.git.dulwich.locks.timeout_seconds = 0.05
    with (
        lock.open("rb"),
        pytest.raises(LockedError, match=f"held by process {os.getpid()} ") as got,
    ):
        project.add("README")
    assert f"rm {lock}" in (got.value.hint or "")
    assert lock.exists()
    lock.unlink()
    project.save("README")
    project.assert_clean()
    project.close()


def test_a_lock_of_a_dead_veml_is_taken_over_at_once(tmp_path: Path, isolated: Path) -> None:
    """Even where its process number belongs to somebody else by now: the kernel knows.

    Seen to fail with locks made as dulwich makes them.
    """
    project = Project(tmp_path / "project")
    one_commit(project)
    git = project.root / ".git"
    scratch = git / "veml/tmp"
    scratch.mkdir(exist_ok=True)
    for name in ("index", "HEAD", "refs/heads/main", "packed-refs"):
        owner = scratch / f".veml-tmp-{os.getpid()}-00ff~{name.replace('/', '%2F')}"
        owner.write_bytes(b"half")
        os.link(owner, git / f"{name}.lock")
    project.write({"README": b"two\n"})
    began = time.monotonic()
    project.save("README")
    project.checkout("other", create=True)
    assert time.monotonic() - began < 60  # no waiting for a timeout
    assert list(git.rglob("*.lock")) == []
    assert list(scratch.iterdir()) == []
    project.assert_clean()
    project.close()


def test_what_git_stages_meanwhile_is_not_undone(tmp_path: Path, isolated: Path) -> None:
    """The index is read under its lock. Seen to fail with the lock taken only to write it."""
    project = Project(tmp_path / "project")
    one_commit(project)
    project.write({"a.txt": b"a", "b.txt": b"b"})
    repo = project.repo
    with repo.git.changing_index() as index:
        refused = project.git("add", "b.txt", check=False)
        assert "index.lock" in refused
        assert len(index) > 0
    project.git("add", "b.txt")
    project.add("a.txt")
    assert {"a.txt", "b.txt"} <= repo.git.staged_files().keys()
    project.close()
