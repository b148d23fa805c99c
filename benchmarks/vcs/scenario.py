"""The steps every tool goes through, in the same order and on the same bytes."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks.vcs.measure import Cost, Runner
from benchmarks.vcs.tools import Commands, Tool
from benchmarks.vcs.workloads import PHOTOS, SMALL, Edit, Editor, Size

CHECKOUT_ROOT = Path(__file__).resolve().parents[2]

Progress = Callable[[str], None]

STEPS = (
    "add + commit W1 and W3",
    "add + commit W2",
    "status, nothing changed",
    "--help",
    "log",
    "commit 1 % added",
    "commit 1 % changed",
    "commit 1 % deleted",
    "commit 1 % of the boxes",
    "diff of the two branches",
    "checkout back",
    "checkout forth",
    "fsck",
    "read W1, sorted",
    "read W1, random",
    "read W1, batches",
    "merge, 1 % of the boxes each",
)
"""All steps, in the order in which they run and are shown."""


class Scenario:
    """One tool's way through all steps.

    Args:
        tool: Commands of the steps.
        runner: Runs and measures them.
        data: Folder with the fresh data sets ``small`` and ``photos``; it is only read.
        size: What they were made with.
        progress: Told the name of each step before it runs.
    """

    def __init__(
        self, tool: Tool, runner: Runner, data: Path, size: Size, progress: Progress
    ) -> None:
        self._tool = tool
        self._runner = runner
        self._data = data
        self._editor = Editor(tool.repository, size)
        self._progress = progress

    def run(self) -> Iterator[tuple[str, Cost]]:
        """Yield the steps' names and costs. Steps the tool does not have are left out.

        Raises:
            RuntimeError: A command failed that must not.
        """
        tool, prepare = self._tool, self._prepare
        tool.repository.mkdir()
        prepare(tool.init())
        for step, dataset in (("add + commit W1 and W3", SMALL), ("add + commit W2", PHOTOS)):
            shutil.copytree(self._data / dataset, tool.repository / dataset)
            yield from self._step(step, tool.save(dataset))
        # The first status after a write reads racy files again, in every tool; the second is clean.
        prepare(tool.status())
        yield from self._step("status, nothing changed", tool.status())
        yield from self._start_up()

        prepare(tool.branch("edit"))
        edits = []
        for step, make_edit in (
            ("commit 1 % added", self._editor.add_images),
            ("commit 1 % changed", self._editor.change_images),
            ("commit 1 % deleted", self._editor.delete_images),
            ("commit 1 % of the boxes", lambda: self._editor.move_boxes(0)),
        ):
            edits.append(make_edit())
            yield from self._step(step, tool.save(SMALL, edits[-1]))
        yield from self._step("diff of the two branches", tool.diff("main", "edit"))
        yield from self._step("checkout back", tool.checkout("main", edits))
        yield from self._step("checkout forth", tool.checkout("edit", edits))
        yield from self._step("fsck", tool.fsck(), "failed")
        yield from self._read()
        yield from self._merge(edits)

    def _start_up(self) -> Iterator[tuple[str, Cost]]:
        yield from self._step("--help", self._tool.help())
        yield from self._step("log", self._tool.log())

    def _merge(self, edits: Sequence[Edit]) -> Iterator[tuple[str, Cost]]:
        """Move other boxes of one COCO file on two branches, and merge."""
        tool = self._tool
        if tool.merge("left") is None:
            return
        for branch, offset in (("left", 5), ("right", 10)):
            self._prepare(tool.checkout("main", edits))
            self._prepare(tool.branch(branch))
            self._prepare(tool.save(SMALL, self._editor.move_boxes(offset)))
        yield from self._step("merge, 1 % of the boxes each", tool.merge("left"), "conflict")

    def _read(self) -> Iterator[tuple[str, Cost]]:
        """Read every sample of W1, in a process that times its own reading."""
        reader = self._tool.reader(SMALL)
        if reader is None:
            return
        for order in ("sorted", "random", "batches"):
            step = f"read W1, {order}"
            self._progress(step)
            script = [sys.executable, "-m", "benchmarks.vcs.readers", "--order", order]
            said = self._runner.output([*script, *reader], CHECKOUT_ROOT)
            yield step, Cost(**json.loads(said))

    def _step(
        self, name: str, commands: Commands | None, may_fail: str | None = None
    ) -> Iterator[tuple[str, Cost]]:
        if commands is None:
            return
        self._progress(name)
        yield name, self._runner.measure(commands, self._tool.repository, may_fail=may_fail)

    def _prepare(self, commands: Commands | None) -> None:
        self._runner.run(commands or (), self._tool.repository)
