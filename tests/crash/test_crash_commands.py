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
from tests.crash.scenarios import SCENARIOS, Scenario
from tests.repository.conftest import isolated

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

    def check(self, step: int) -> None:
        root = kit.copied(self.base, self._folder / str(step))
        kit.run_killed(self.scenario, root, step)
        try:
            kit.check_between(root, self.old, self.new)
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
    for step in range(1, len(prepared.steps) + 1):
        prepared.check(step)
