"""Whole histories: hypothesis does what users do, in any order, and a plain-Python model agrees.

After every step: the folder holds the bytes the model remembers, each ref resolves, each reachable
object exists and hashes to its id (``veml fsck``, ``git fsck``), each record's counts are those of
its tree, status says what differs. At the end every commit is checked out and compared.

``VEML_EXAMPLES=30 pytest tests/repository/test_repo_machine.py -m 'slow or not slow'`` searches.
"""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.repository.kit import CLASSES, EXAMPLES, examples
from tests.repository.machine_moves import MovingWorld
from tests.repository.model import FORMATS, Box, Image, State

BRANCHES = st.sampled_from(("main", "left", "right"))
INDEX = st.integers(0, 9)

boxes = st.builds(
    Box,
    st.sampled_from(CLASSES),
    st.integers(0, 1),
    st.integers(0, 1),
    st.just(11),
    st.just(11),
)


class Histories(RuleBasedStateMachine):
    """What users do to a repository."""

    layouts = ("coco", "voc")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.world: MovingWorld

    @initialize(data=st.data())
    def start(self, data: st.DataObject) -> None:
        layout = data.draw(st.sampled_from(self.layouts))
        self.world = MovingWorld(Path(self.folder.name), layout)

    # -- edits ---------------------------------------------------------------------------------

    @rule(image=INDEX, slot=st.integers(0, 8), box=st.none() | boxes)
    def edit_box(self, image: int, slot: int, box: Box | None) -> None:
        def change(state: State) -> State:
            names = sorted(state)
            if not names:
                return state
            name = names[image % len(names)]
            slots = {**state[name].boxes, slot: box}
            kept = {key: value for key, value in slots.items() if value is not None}
            return state | {name: state[name]._replace(boxes=kept)}

        self.world.edit(change)

    @rule(boxes=st.dictionaries(st.integers(0, 8), boxes, max_size=2))
    def add_sample(self, boxes: dict[int, Box]) -> None:
        self.world.serial += 1
        name = FORMATS[self.world.layout].places(self.world.serial, "")[0]
        self.world.edit(lambda state: state | {name: Image(self.world.serial, boxes)})

    @rule(image=INDEX)
    def remove_sample(self, image: int) -> None:
        def change(state: State) -> State:
            names = sorted(state)
            if len(names) < 2:
                return state
            return {key: one for key, one in state.items() if key != names[image % len(names)]}

        self.world.edit(change)

    @rule(image=INDEX, place=st.integers(0, 2))
    def rename_sample(self, image: int, place: int) -> None:
        def change(state: State) -> State:
            names = sorted(state)
            name = names[image % len(names)]
            number = int("".join(filter(str.isdigit, name)))
            new = FORMATS[self.world.layout].places(number, "")[place]
            return state if new in state else {new if k == name else k: v for k, v in state.items()}

        self.world.edit(change)

    @rule(image=INDEX)
    def replace_bytes(self, image: int) -> None:
        self.world.serial += 1

        def change(state: State) -> State:
            names = sorted(state)
            name = names[image % len(names)]
            return state | {name: state[name]._replace(pixels=self.world.serial)}

        self.world.edit(change)

    @rule(number=st.integers(0, 3))
    def edit_plain_file(self, number: int) -> None:
        self.world.edit_plain(number)

    # -- veml ------------------------------------------------------------------------------------

    @rule()
    def add(self) -> None:
        self.world.add()

    @rule(all_=st.booleans())
    def commit(self, all_: bool) -> None:
        self.world.commit(all_=all_)

    @rule()
    def commit_everything(self) -> None:
        self.world.commit(all_=True)

    @rule()
    def amend(self) -> None:
        self.world.commit(amend=True)

    @rule(name=BRANCHES)
    def branch(self, name: str) -> None:
        self.world.branch(name)

    @rule(name=BRANCHES)
    def checkout(self, name: str) -> None:
        if name in self.world.heads:
            self.world.checkout(name)

    @rule(name=BRANCHES, then=st.sampled_from(("ours", "theirs", "base", "abort")))
    def merge(self, name: str, then: str) -> None:
        if name in self.world.heads:
            self.world.merge(name, then)  # type: ignore[arg-type]

    @rule(
        name=st.sampled_from(("left", "right")),
        here=st.tuples(INDEX, st.integers(0, 8), st.none() | boxes),
        there=st.tuples(INDEX, st.integers(0, 8), st.none() | boxes),
        then=st.sampled_from(("ours", "theirs", "base", "abort")),
    )
    def diverge_and_merge(
        self,
        name: str,
        here: tuple[int, int, Box | None],
        there: tuple[int, int, Box | None],
        then: str,
    ) -> None:
        """Work on two branches, a new sample on the other one, and merge."""
        self.diverge(name, here, there)
        self.world.merge(name, then)  # type: ignore[arg-type]

    def diverge(
        self,
        name: str,
        here: tuple[int, int, Box | None],
        there: tuple[int, int, Box | None],
    ) -> None:
        world = self.world
        world.commit(all_=True)
        world.branch(name)
        back = world.here
        for branch, edit in ((name, there), (back, here)):
            world.checkout(branch)
            self.edit_box(*edit)
            if branch == name:
                self.add_sample({})
            world.commit(all_=True)
        world.check()

    @rule(message=st.none() | st.just("a tag"))
    def tag(self, message: str | None) -> None:
        self.world.tag(message)

    @rule()
    def restore(self) -> None:
        self.world.restore()

    @rule()
    def restore_all(self) -> None:
        self.world.restore_all()

    @rule(
        name=BRANCHES,
        kind=st.sampled_from(("cherry-pick", "revert")),
        then=st.sampled_from(("ours", "theirs", "base", "abort")),
    )
    def replay(self, name: str, kind: str, then: str) -> None:
        if name in self.world.heads:
            self.world.replay(kind, self.world.heads[name], then)  # type: ignore[arg-type]

    @rule()
    def stash(self) -> None:
        self.world.stash()

    @rule(then=st.sampled_from(("ours", "theirs", "base", "abort")))
    def pop(self, then: str) -> None:
        self.world.pop(then)  # type: ignore[arg-type]

    @rule(mode=st.sampled_from(("soft", "mixed", "hard")), name=BRANCHES)
    def reset(self, mode: str, name: str) -> None:
        if name in self.world.heads:
            self.world.reset(mode, name)  # type: ignore[arg-type]

    @rule(image=INDEX, place=st.integers(0, 2))
    def mv_sample(self, image: int, place: int) -> None:
        self.world.mv(image, place)

    @rule(then=st.sampled_from(("commit", "stash")))
    def mv_dataset(self, then: str) -> None:
        self.world.mv_dataset(then)  # type: ignore[arg-type]

    @rule(name=BRANCHES)
    def rebase_by_git(self, name: str) -> None:
        if name in self.world.heads:
            self.world.rebase(name)

    @rule(
        command=st.sampled_from(("stash", "cherry-pick")),
        fraction=st.floats(0, 1, exclude_max=True),
        name=BRANCHES,
    )
    def crash_moving(self, command: str, fraction: float, name: str) -> None:
        self.world.crash_moving(command, fraction, name)

    # -- everything else ---------------------------------------------------------------------------

    @rule()
    def reopen(self) -> None:
        self.world.reopen()

    @rule()
    def second_process(self) -> None:
        self.world.elsewhere()

    @rule(what=st.sampled_from(("commit", "gc", "pack-refs")))
    def plain_git(self, what: str) -> None:
        self.world.git(what)

    @rule(forget=st.booleans())
    def gc(self, forget: bool) -> None:
        self.world.gc(forget=forget)

    @rule(everything=st.booleans())
    def compact(self, everything: bool) -> None:
        self.world.compact(everything=everything)

    @rule(
        command=st.sampled_from(
            ("add", "commit", "amend", "checkout", "merge", "merge", "gc", "compact")
        ),
        fraction=st.floats(0, 1, exclude_max=True),
        name=BRANCHES,
    )
    def crash(self, command: str, fraction: float, name: str) -> None:
        self.world.crash(command, fraction, name)

    # -- checks ------------------------------------------------------------------------------------

    @invariant()
    def agrees(self) -> None:
        if hasattr(self, "world"):
            self.world.check()

    def teardown(self) -> None:
        try:
            if hasattr(self, "world"):
                with self.world.closing():
                    self.world.check_all()
        finally:
            self.folder.cleanup()


def walk(root: Path, layout: str, seed: int, steps: int) -> None:
    """Do so many things at random: as the machine, but certain to merge, crash and collect."""
    rng = random.Random(seed)

    def box() -> Box | None:
        place = rng.randrange(2), rng.randrange(2)
        return rng.choice([None, *(Box(name, *place) for name in CLASSES)])

    def name() -> str:
        return rng.choice(("main", "left", "right"))

    def edit() -> tuple[int, int, Box | None]:
        return rng.randrange(10), rng.randrange(9), box()

    machine = Histories()
    world = machine.world = MovingWorld(root, layout)
    then = ("ours", "theirs", "base", "abort")
    fill = [
        lambda: machine.edit_box(*edit()),
        lambda: machine.add_sample({rng.randrange(9): Box("tree")}),
        lambda: machine.remove_sample(rng.randrange(10)),
        lambda: machine.rename_sample(rng.randrange(10), rng.randrange(3)),
        lambda: machine.replace_bytes(rng.randrange(10)),
        lambda: machine.checkout(name()),
        lambda: machine.merge(name(), rng.choice(then)),
        machine.add, machine.amend, machine.restore, machine.restore_all,
        lambda: machine.tag(None), lambda: machine.plain_git("gc"),
    ]  # fmt: skip
    always = [
        lambda one=one: machine.diverge_and_merge(
            rng.choice(("left", "right")), edit(), edit(), one
        )
        for one in then
    ] + [
        lambda command=command: machine.crash(command, rng.random(), name())
        for command in ("commit", "checkout", "merge", "gc", "compact")
    ] + [
        lambda: machine.gc(forget=True), lambda: machine.compact(everything=True),
        machine.second_process,
    ]  # fmt: skip
    todo = always + [rng.choice(fill) for _ in range(steps - len(always))]
    rng.shuffle(todo)
    with world.closing():
        for do in todo:
            do()
            world.check()
        world.check_all()
    machine.folder.cleanup()


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize(("layout", "seed"), [("coco", 1), ("voc lists", 2)])
def test_a_walk(tmp_path: Path, layout: str, seed: int) -> None:
    walk(tmp_path, layout, seed, 30)


@pytest.mark.search
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("seed", range(2 * EXAMPLES))
@pytest.mark.parametrize("layout", FORMATS)
def test_a_long_walk(tmp_path: Path, layout: str, seed: int) -> None:
    """Found, at ``voc-1``: compact killed between two packs left a fragment without its chunks."""
    walk(tmp_path, layout, 1000 + seed, 60)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
class TestHistories(Histories.TestCase):  # type: ignore[misc, name-defined]
    settings = settings(examples(2), stateful_step_count=20)


class MoreHistories(Histories):
    """As above, in all layouts, and longer."""

    layouts = tuple(FORMATS)


@pytest.mark.search
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
class TestMoreHistories(MoreHistories.TestCase):  # type: ignore[misc, name-defined]
    settings = settings(examples(10), stateful_step_count=50)
