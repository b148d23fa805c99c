"""Runner hooks: what is recorded, watched and kept while MMEngine's loop runs.

The loop itself is MMEngine's own. Each hook is told its collaborators when it is made.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Any

import torch
from mmengine.hooks import EarlyStoppingHook, Hook

from veml_vcs.errors import VemlError
from veml_vcs.training.draws import seed_all
from veml_vcs.training.interruption import Interruption
from veml_vcs.training.watch import Step, Watcher

MOST_ROWS = 1000
"""Rows of a log. A longer training averages neighbouring steps into one row."""


class Stopped(Exception):  # noqa: N818 - no error: somebody asked for it
    """The training was asked to stop; its state is kept."""


class SeedHook(Hook):  # type: ignore[misc]
    """Seeds each step from the seed and the step's number.

    So a resumed training draws what the uninterrupted one would have, without keeping the state of
    any generator.

    Args:
        seed: Of the training.
    """

    priority = "VERY_HIGH"

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        """Seed the step."""
        seed_all(self.seed, runner.rank, runner.iter)
        if torch.cuda.is_available():
            torch.cuda.manual_seed_all(torch.initial_seed())


class SkipHook(Hook):  # type: ignore[misc]
    """Lets a resumed loop by iterations go on without loading what it has had.

    The batches are left out by ``VemlBatches``; MMEngine's loop would load and drop as many again.
    """

    priority = "VERY_HIGH"

    def before_train_epoch(self, runner: Any) -> None:
        """Give the loop that many empty batches to drop."""
        loop = runner.train_loop
        if runner.iter and hasattr(loop, "dataloader_iterator"):
            loop.dataloader_iterator = _Dropping(loop.dataloader_iterator, runner.iter)


class _Dropping:
    def __init__(self, batches: Any, count: int) -> None:
        self._batches = batches
        self._count = count

    def __iter__(self) -> _Dropping:
        return self

    def __next__(self) -> Any:
        if self._count:
            self._count -= 1
            return None
        return next(self._batches)


class LossHook(Hook):  # type: ignore[misc]
    """Ends a training whose loss is no number any more: nothing good comes after.

    Args:
        where: Where the log lies, for the message.
    """

    priority = "ABOVE_NORMAL"

    def __init__(self, where: str) -> None:
        self.where = where

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Look at the loss of the step.

        Raises:
            VemlError: It is not finite.
        """
        if math.isfinite(_number(outputs["loss"])):
            return
        bad = [
            name
            for name, one in outputs.items()
            if name != "loss" and not math.isfinite(_number(one))
        ]
        part = f" ({', '.join(bad)})" if bad else ""
        rates = ", ".join(f"{one[0]:g}" for one in runner.optim_wrapper.get_lr().values())
        raise VemlError(
            f"the loss is {float(outputs['loss'])}{part} at iteration {runner.iter + 1}, with the "
            f"learning rate {rates}; the training was stopped and no version was written",
            hint="a lower learning rate (--set optim_wrapper.optimizer.lr=...), or clipped "
            "gradients (--set 'optim_wrapper.clip_grad={\"max_norm\": 10}')",
            kind="loss-not-finite",
        )


class LogHook(Hook):  # type: ignore[misc]
    """Writes the rows of the log, and tells the watcher.

    Args:
        watcher: Is told.
        write: Takes a line for the text log.
        iterations: Steps of the whole training.

    Attributes:
        rows: Column -> number, as said; means over the steps since the row before.
        done: Steps that are done, those before a resume included.
        last: The steps after which was measured last, and what.
    """

    priority = "BELOW_NORMAL"

    def __init__(self, watcher: Watcher, write: Callable[[str], None], iterations: int) -> None:
        self.watcher = watcher
        self.write = write
        self.iterations = iterations
        self.every = -(-iterations // MOST_ROWS)
        self.rows: list[dict[str, float]] = []
        self.done = 0
        self.last: tuple[int, dict[str, float]] | None = None
        self._sums: dict[str, float] = {}
        self._count = 0
        self._first: int | None = None
        self._start_seconds = 0.0

    def before_train(self, runner: Any) -> None:
        """Start the clock."""
        self._first, self._start_seconds = runner.iter, time.monotonic()
        self.done = runner.iter

    def after_load_checkpoint(self, runner: Any, checkpoint: dict[str, Any]) -> None:
        """Take the rows of what is resumed."""
        self.rows = [dict(row) for row in checkpoint.get("veml_rows", ())]
        sums, self._count = checkpoint.get("veml_sums", ({}, 0))
        self._sums = dict(sums)

    def before_save_checkpoint(self, runner: Any, checkpoint: dict[str, Any]) -> None:
        """Put the rows into the state, and take out what nobody reads."""
        checkpoint["veml_rows"] = self.rows
        checkpoint["veml_sums"] = (self._sums, self._count)

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Add the step to the row under way."""
        done = self.done = runner.iter + 1
        for name, one in outputs.items():
            self._sums[name] = self._sums.get(name, 0.0) + _number(one)
        self._count += 1
        by_epoch = _in_passes(runner)
        if done % self.every == 0 or done == self.iterations:
            row = {"iteration": float(done)}
            if by_epoch:
                row["epoch"] = float(runner.epoch + 1)
            row["lr"] = float(next(iter(runner.optim_wrapper.get_lr().values()))[0])
            row |= {name: total / self._count for name, total in self._sums.items()}
            self._sums, self._count = {}, 0
            self.rows.append(row)
            self.write(" ".join(f"{name} {one:.6g}" for name, one in row.items()))
        taken = time.monotonic() - self._start_seconds
        left = taken / (done - (self._first or 0)) * (self.iterations - done)
        epoch, epochs = (runner.epoch + 1, runner.max_epochs) if by_epoch else (None, None)
        self.watcher.step(
            Step(done, self.iterations, epoch, epochs, _number(outputs["loss"]), left)
        )

    def before_val(self, runner: Any) -> None:
        """Say that it is measured now."""
        self.watcher.doing("measuring")

    def after_val_epoch(self, runner: Any, metrics: Mapping[str, float] | None = None) -> None:
        """Add what was measured to the last row."""
        found = {name: float(one) for name, one in (metrics or {}).items()}
        self.last = (runner.iter, found)
        row = {"iteration": float(runner.iter)}
        if self.rows and self.rows[-1]["iteration"] == row["iteration"]:
            row = self.rows[-1]
        else:
            self.rows.append(row)
        row.update(found)
        self.write("measured " + " ".join(f"{name} {one:.4f}" for name, one in found.items()))
        self.watcher.measured(runner.iter, found)


class ReplayHook(Hook):  # type: ignore[misc]
    """Tells MMEngine's early stop what was measured before a resume; it keeps no state of its own.

    Args:
        log: Has the rows of what is resumed.
    """

    priority = "BELOW_NORMAL"

    def __init__(self, log: LogHook) -> None:
        self.log = log

    def before_train(self, runner: Any) -> None:
        """Say again what was measured, in its order."""
        for hook in runner.hooks:
            if isinstance(hook, EarlyStoppingHook):
                for row in self.log.rows:
                    if hook.monitor in row:
                        hook.after_val_epoch(runner, row)


class StateHook(Hook):  # type: ignore[misc]
    """Keeps the state of a training now and then, and when it is asked to stop.

    A state that was kept before a measurement says so, and whoever goes on measures first.

    Args:
        save: Keeps it; is given the pass and the steps that are done.
        interruption: Whether somebody asked to stop.
        every_seconds: How often.
    """

    priority = "VERY_LOW"

    def __init__(
        self,
        save: Callable[[Any, int, int], None],
        interruption: Interruption,
        every_seconds: float,
    ) -> None:
        self.save = save
        self.interruption = interruption
        self.every_seconds = every_seconds
        self._last_seconds = time.monotonic()
        self._due = False

    def after_load_checkpoint(self, runner: Any, checkpoint: dict[str, Any]) -> None:
        """Take whether a measurement is due."""
        self._due = bool(checkpoint.get("veml_due", False))

    def before_save_checkpoint(self, runner: Any, checkpoint: dict[str, Any]) -> None:
        """Say whether a measurement is due."""
        checkpoint["veml_due"] = self._due

    def before_train(self, runner: Any) -> None:
        """Start the clock, and make up for a measurement that was interrupted."""
        self._last_seconds = time.monotonic()
        if self._due:
            runner.val_loop.run()

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Keep the state if it is time; stop if somebody asked.

        Raises:
            Stopped: Somebody asked.
        """
        done = runner.iter + 1
        if _in_passes(runner):
            if done % len(runner.train_dataloader) == 0:
                return  # the pass is done with it: after_train_epoch
            due = False
        else:
            due = _measured_after(runner.train_loop, done)
        self._keep(runner, runner.epoch, done, due=due)

    def after_train_epoch(self, runner: Any) -> None:
        """Keep the state before what may take long: measuring.

        Raises:
            Stopped: Somebody asked.
        """
        if _in_passes(runner):
            done = runner.epoch + 1
            due = _measured_after(runner.train_loop, done)
            self._keep(runner, done, runner.iter, due=due, always=True)

    def after_val_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Stop in the middle of measuring if somebody asked.

        Raises:
            Stopped: Somebody asked.
        """
        if self._anywhere(runner):
            self._keep(runner, runner.epoch, runner.iter, due=True)

    def after_val_epoch(self, runner: Any, metrics: Any = None) -> None:
        """Remember that nothing is due."""
        self._due = False

    def _keep(
        self, runner: Any, epoch: int, iteration: int, *, due: bool, always: bool = False
    ) -> None:
        asked = self._anywhere(runner)
        if asked or always or time.monotonic() - self._last_seconds >= self.every_seconds:
            self._due = due
            self.save(runner, epoch, iteration)
            self._last_seconds = time.monotonic()
        if asked:
            raise Stopped

    def _anywhere(self, runner: Any) -> bool:
        """Tell whether any process was asked: all have to stop after the same step."""
        if runner.world_size == 1:
            return self.interruption.asked
        from mmengine.dist import all_reduce

        asked = torch.tensor(int(self.interruption.asked))
        all_reduce(asked, "max")
        return bool(asked)


def _in_passes(runner: Any) -> bool:
    """Tell whether a loop counts in passes, and not in steps alone."""
    return not hasattr(runner.train_loop, "dataloader_iterator")


def _measured_after(loop: Any, done: int) -> bool:
    """Tell whether MMEngine's loop measures when so many passes, or steps, are done."""
    last = loop.max_epochs if not hasattr(loop, "dataloader_iterator") else loop.max_iters
    return bool(done >= loop.val_begin and (done % loop.val_interval == 0 or done == last))


def _number(value: Any) -> float:
    """Return a number of the engine's: a tensor of one, mostly with a gradient."""
    return float(value.detach() if hasattr(value, "detach") else value)
