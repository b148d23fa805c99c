"""How many times a command waits for the disk: counted, and held against docs/durability.md."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pytest

from tests.crash import kit
from tests.crash.scenarios import ADA, SCENARIOS, Scenario, one_commit
from tests.repository.conftest import isolated
from tests.repository.kit import Project
from veml_vcs.repository.checkout import checkout
from veml_vcs.repository.commit import commit

__all__ = ["isolated"]

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")

DOC = Path(__file__).resolve().parents[2] / "docs" / "durability.md"
MOST_IN_A_COMMIT = 10


def fsyncs(scenario: Scenario, root: Path) -> int:
    """Return how often a command calls fsync, whoever calls it (dulwich too), folders included."""
    child = os.fork()
    if not child:
        count = 0
        real = os.fsync

        def counting(descriptor: int) -> None:
            nonlocal count
            count += 1
            real(descriptor)

        os.fsync = counting
        os.fdatasync = counting
        try:
            kit.run(scenario, root)
            os._exit(count)
        finally:
            os._exit(255)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def wide(project: Project) -> None:
    """Many folders of ordinary files, deep ones too: as many new Git trees."""
    one_commit(project)
    project.write({f"src/{i}/{i}/{i}/file": b"%d" % i for i in range(20)})
    project.add("src")


def on_a_new_branch(project: Project) -> None:
    one_commit(project)
    checkout(project.repo, "a/new/branch", create=True)
    project.write({"README": b"changed\n"})
    project.add("README")


def unborn_branch(project: Project) -> None:
    project.git("symbolic-ref", "HEAD", "refs/heads/a/b/c")
    project.write({"README": b"one\n"})
    project.add("README")


COMMITS = [
    Scenario(f"commit {name}", setup, lambda r: commit(r, "two", author=ADA, committer=ADA))
    for name, setup in (
        ("of many folders", wide),
        ("on a branch in folders", on_a_new_branch),
        ("that makes a branch in folders", unborn_branch),
    )
] + [one for one in SCENARIOS if one.name.startswith("commit") and one.name != "commit -a"]


@pytest.mark.parametrize("scenario", COMMITS, ids=lambda one: one.name)
def test_a_commit_waits_ten_times_at_most(
    scenario: Scenario, tmp_path: Path, isolated: Path
) -> None:
    """Seen to fail with each object of a wide commit synced by itself (84 times)."""
    count = fsyncs(scenario, kit.build(scenario, tmp_path / "project"))
    assert 2 < count <= MOST_IN_A_COMMIT


def documented() -> dict[str, int]:
    """Return the table of docs/durability.md: scenario -> number of fsyncs."""
    rows = re.findall(r"^\| `([^`|]+)` \| (\d+) \|", DOC.read_text(encoding="utf-8"), re.MULTILINE)
    return {name: int(count) for name, count in rows}


def test_the_table_names_scenarios() -> None:
    assert len(documented()) >= 12
    assert documented().keys() <= {one.name for one in SCENARIOS}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(documented()) if DOC.exists() else [])
def test_the_documented_number_of_fsyncs(
    name: str, tmp_path: Path, isolated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Objects whose ids begin alike share a folder, and then it waits once less: try other ids."""
    [scenario] = [one for one in SCENARIOS if one.name == name]
    counts = []
    for attempt in range(4):
        now = time.time() + attempt
        with monkeypatch.context() as clock:
            clock.setattr(time, "time", lambda now=now: now)
            counts.append(fsyncs(scenario, kit.build(scenario, tmp_path / str(attempt))))
        if counts[-1] >= documented()[name]:
            break
    assert max(counts) == documented()[name], counts
