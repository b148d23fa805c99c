"""Every command killed at every write, fsync, rename and remove: the old state or the new one.

After each kill: user files and refs are each what they were or what they should become, ``git
fsck`` and ``veml fsck`` find nothing; and the same command, run again with nothing cleaned by hand,
ends in the very state that it ends in when nobody kills it, with nothing left over.

Seen to fail: with the old file removed before the rename (``checkout``: a sample is missing), with
dulwich's writing in place (``README`` half written), with Git's locks made without an owner
(``index.lock`` blocks the second run), without the journal of folders (``.veml-tmp-`` stays).
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.crash import kit
from tests.crash.scenarios import ADA, SCENARIOS, Scenario
from tests.repository.conftest import isolated
from tests.repository.kit import png
from veml_vcs.errors import ConflictError
from veml_vcs.repository import Repository
from veml_vcs.repository.commit import commit
from veml_vcs.repository.merging.merge import abort
from veml_vcs.repository.merging.replay import give_up
from veml_vcs.repository.stashing.push import push
from veml_vcs.repository.stashing.stash import apply, list_stashes

__all__ = ["isolated"]

# In Python 3.12 and later a fork warns when another test has left a thread behind.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")

scenarios = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.name)


class Prepared:
    """A scenario's project, how it ends, and its steps."""

    def __init__(self, scenario: Scenario, folder: Path) -> None:
        self.scenario = scenario
        self.base = kit.build(scenario, folder / "base")
        self.old = kit.state_of(self.base)
        done = kit.copied(self.base, folder / "done")
        steps = kit.Steps()
        kit.run(scenario, done, steps)
        self.new = kit.state_of(done)
        self.steps = steps.seen
        assert kit.leftovers(done) == []
        kit.check_intact(done)
        self._folder = folder
        passed = kit.states_on_the_way(scenario, self.base, folder)
        self._states = [self.old, *passed, self.new]

    def check(self, step: int) -> None:
        root = kit.copied(self.base, self._folder / str(step))
        kit.run_killed(self.scenario, root, step)
        try:
            kit.check_between(root, self._states)
            kit.run_again(self.scenario, root)
            assert kit.state_of(root) == self.new
            assert kit.leftovers(root) == []
            if step % 4 == 0:  # what is equal to the undisturbed end is as intact as that
                kit.check_intact(root)
        except AssertionError as error:
            operation, path = self.steps[step - 1]
            raise AssertionError(f"killed at step {step}, {operation} {path}: {error}") from error
        shutil.rmtree(root)


@pytest.fixture
def prepared(scenario: Scenario, tmp_path: Path, isolated: Path) -> Prepared:
    return Prepared(scenario, tmp_path)


FAST = ("add edited", "commit", "checkout", "switch -c", "merge, conflicts", "restore")


@pytest.mark.parametrize(
    "scenario", [one for one in SCENARIOS if one.name in FAST], ids=lambda one: one.name
)
def test_killed_at_a_few_steps(prepared: Prepared) -> None:
    count = len(prepared.steps)
    for step in sorted({1, count // 2, count}):
        prepared.check(step)


@pytest.mark.slow
@scenarios
def test_killed_at_every_step(prepared: Prepared) -> None:
    for step in kit.steps_in_ci(prepared.scenario, len(prepared.steps)):
        prepared.check(step)


@pytest.mark.search
@scenarios
def test_killed_at_every_other_step(prepared: Prepared) -> None:
    """The steps that the test above leaves out."""
    for step in kit.other_steps(prepared.scenario, len(prepared.steps)):
        prepared.check(step)


@pytest.mark.parametrize("name", ["cherry-pick", "revert", "merge", "squash"])
def test_a_killed_replay_is_no_commit_of_the_user_s(
    name: str, tmp_path: Path, isolated: Path
) -> None:
    """Half of it can be given up, and no commit takes it for changes of the user's.

    Seen to fail without ``refuse_half_done`` in ``commit``, without ``half_done`` in ``abort``, and
    without ``_undo_files`` (``README`` stayed as it was merged), also for ``merge`` and a squash.
    """
    [scenario] = [one for one in SCENARIOS if one.name == name]
    prepared = Prepared(scenario, tmp_path)
    places = [path.removeprefix(str(tmp_path / "done")) for _, path in prepared.steps]
    begins = next(i for i, path in enumerate(places, 1) if path.startswith("/data/train/"))
    ends = places.index("/.git/SQUASH_MSG" if name == "squash" else "/.git/MERGE_MSG")
    index = places.index("/.git/index", begins)
    for step in {begins + 1, (begins + ends) // 2, index, index + 1, ends}:
        root = kit.copied(prepared.base, tmp_path / str(step))
        kit.run_killed(scenario, root, step)
        with Repository(str(root)) as repo:
            with pytest.raises(ConflictError, match="interrupted") as told:
                commit(repo, "mine", all=True, author=ADA, committer=ADA)
            assert "--abort" in (told.value.hint or "")
            if name in ("merge", "squash"):
                abort(repo)
            else:
                give_up(repo, name)  # type: ignore[arg-type]
        now = kit.state_of(root)
        assert (now.files, now.refs, now.index) == (
            prepared.old.files, prepared.old.refs, prepared.old.index,
        )  # fmt: skip
        assert not now.waiting
        assert kit.leftovers(root) == []


def test_work_done_after_a_killed_stash_is_stashed_too(tmp_path: Path, isolated: Path) -> None:
    """The work tree is brought to HEAD only if all of it is aside.

    Seen to fail (the new work was lost) without ``_is_aside``.
    """
    [scenario] = [one for one in SCENARIOS if one.name == "stash"]
    prepared = Prepared(scenario, tmp_path)
    written = next(
        number
        for number, (operation, path) in enumerate(prepared.steps, 1)
        if operation == "rename" and path.endswith("refs/stash")
    )
    places = {"data/train/images/0001.png": png(123), "README": b"after\n", "untracked.txt": b"2\n"}
    for number, (place, data) in enumerate(places.items()):
        root = kit.copied(prepared.base, tmp_path / str(number))
        kit.run_killed(scenario, root, written + 20)
        (root / place).write_bytes(data)
        with Repository(str(root)) as repo:
            push(repo, "work", untracked=True, who=ADA)
            assert [one.index for one in list_stashes(repo)] == [0, 1]
            assert kit.state_of(root).files == prepared.new.files
            apply(repo, "0")
        assert (root / place).read_bytes() == data
