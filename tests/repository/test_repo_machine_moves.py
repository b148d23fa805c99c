"""Histories that are sure to cherry-pick, revert, stash, reset, rename and rebase.

As ``test_repo_machine``, whose machine does all this too where hypothesis happens to choose it.
``VEML_EXAMPLES=10 pytest tests/repository/test_repo_machine_moves.py -m search`` searches.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.repository.kit import CLASSES, EXAMPLES
from tests.repository.machine_moves import MovingWorld
from tests.repository.model import FORMATS, Box
from tests.repository.test_repo_machine import Histories

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


def walk(root: Path, layout: str, seed: int, steps: int) -> None:
    """Do so many things at random."""
    rng = random.Random(seed)

    def box() -> Box | None:
        place = rng.randrange(2), rng.randrange(2)
        return rng.choice([None, *(Box(name, *place) for name in CLASSES)])

    def edit() -> tuple[int, int, Box | None]:
        return rng.randrange(3), rng.randrange(9), box()

    machine = Histories()
    world = machine.world = MovingWorld(root, layout)

    def then() -> str:
        return rng.choice(("ours", "theirs", "base", "abort"))

    def other() -> str:
        return rng.choice(("left", "right"))

    def name() -> str:
        return rng.choice(list(world.heads))

    def picked(kind: str) -> None:
        side = other()
        machine.diverge(side, edit(), edit())
        machine.replay(side, kind, then())

    def rebased() -> None:
        side = other()
        machine.diverge(side, edit(), edit())
        machine.rebase_by_git(side)

    def rebased_more() -> None:
        """Two to four commits of ours onto theirs, perhaps with a rename among them."""
        side = other()
        machine.diverge(side, edit(), edit())
        for _ in range(rng.randrange(1, 4)):
            rng.choice((
                lambda: machine.edit_box(*edit()),
                lambda: machine.edit_plain_file(rng.randrange(4)),
                lambda: machine.add_sample({}),
            ))()  # fmt: skip
            machine.commit_everything()
        if rng.random() < 0.3:
            machine.mv_dataset("commit")
        machine.rebase_by_git(side)

    def moved(kind: str) -> None:
        """One side renames the data set, the other one works on; then they come together."""
        side = other()
        machine.diverge(side, edit(), edit())
        if rng.random() < 0.5:
            machine.checkout(side)
            side = world.heads and next(one for one in world.heads if one != world.here)
        machine.mv_dataset("commit")
        world.check()
        if kind == "merge":
            machine.merge(side, then())
        elif kind == "rebase":
            machine.rebase_by_git(side)
        elif kind == "stash":
            machine.commit_everything()
            machine.mv_dataset("stash")
        else:
            machine.replay(side, kind, then())

    def put_aside() -> None:
        machine.edit_box(*edit())
        machine.edit_plain_file(rng.randrange(4))
        machine.stash()
        world.check()
        if rng.random() < 0.7:
            machine.edit_box(*edit())
            machine.commit_everything()
            world.check()
        machine.pop(then())

    def killed(command: str) -> None:
        side = other()
        machine.diverge(side, edit(), edit())
        if command == "stash":
            machine.edit_box(*edit())
            machine.edit_plain_file(rng.randrange(4))
        machine.crash_moving(command, rng.random(), side)

    fill = [
        lambda: machine.edit_box(*edit()),
        lambda: machine.add_sample({rng.randrange(9): Box("tree")}),
        lambda: machine.remove_sample(rng.randrange(10)),
        lambda: machine.rename_sample(rng.randrange(10), rng.randrange(3)),
        lambda: machine.checkout(name()),
        lambda: machine.merge(name(), then()),
        lambda: machine.reset(rng.choice(("soft", "mixed", "hard")), name()),
        lambda: machine.plain_git("gc"), lambda: machine.gc(forget=True),
        machine.add, machine.amend, machine.restore_all, machine.commit_everything,
        put_aside, rebased, lambda: picked("cherry-pick"), lambda: machine.pop(then()),
        rebased_more, lambda: moved("rebase"), lambda: moved("revert"),
    ]  # fmt: skip
    always = [
        lambda: picked("cherry-pick"), lambda: picked("revert"), rebased, put_aside,
        rebased_more, lambda: moved("merge"), lambda: moved("cherry-pick"), lambda: moved("stash"),
        lambda: killed("stash"), lambda: killed("cherry-pick"), lambda: machine.pop(then()),
        *(lambda mode=mode: machine.reset(mode, name()) for mode in ("soft", "mixed", "hard")),
        *(lambda: (machine.commit_everything(),
                   machine.mv_sample(rng.randrange(9), rng.randrange(3))) for _ in range(2)),
    ]  # fmt: skip
    todo = always + [rng.choice(fill) for _ in range(steps - len(always))]
    rng.shuffle(todo)
    with world.closing():
        for do in todo:
            do()
            world.check()
        world.check_all()
    machine.folder.cleanup()


@pytest.mark.parametrize(("layout", "seed"), [("coco", 1)])
def test_a_walk(tmp_path: Path, layout: str, seed: int) -> None:
    walk(tmp_path, layout, seed, 14)


@pytest.mark.parametrize(
    ("layout", "seed"),
    [
        ("coco", 1),
        *(
            pytest.param(layout, seed, marks=pytest.mark.search)
            for layout in FORMATS
            for seed in range(EXAMPLES)
        ),
    ],
)
def test_a_renamed_sample_is_rebased(tmp_path: Path, layout: str, seed: int) -> None:
    """One branch renames samples, the other redraws their boxes; then one is put onto the other.

    The model says what must come of it, and some rebase has to be compared with it.
    """
    rng = random.Random(seed)
    machine = Histories()
    world = machine.world = MovingWorld(tmp_path, layout)
    with world.closing():
        for number in range(4):
            image, slot = rng.randrange(3), rng.randrange(9)
            here = there = (image, slot, Box("tree", 1, 1))
            if number % 2:
                there = (image, slot, None)
            machine.diverge("left", (rng.randrange(3), slot, None), there)
            machine.mv_sample(image, 1 + number % 2)
            machine.commit_everything()
            machine.edit_box(*here)
            machine.commit_everything()
            machine.rebase_by_git("left")
            world.check()
            machine.checkout("main")
        world.check_all()
        assert world.compared or layout != "coco"
    machine.folder.cleanup()


@pytest.mark.search
@pytest.mark.parametrize("seed", range(2 * EXAMPLES))
@pytest.mark.parametrize("layout", FORMATS)
def test_a_long_walk(tmp_path: Path, layout: str, seed: int) -> None:
    walk(tmp_path, layout, 1000 + seed, 50)
