"""One process that trains: from the samples of a plan to weights and what was measured of them.

What every task does alike; the tasks are ``detection_run`` and ``forecasting.run``. The engine is
imported here; ``engine.prepare_engine`` comes first.
"""

from __future__ import annotations

import pickle
import sys
import traceback
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import torch

from veml_vcs.errors import FormatError, InvalidInputError, VemlError
from veml_vcs.repository.repository import Repository
from veml_vcs.samples.facts import Annotation
from veml_vcs.samples.tensors import read_checkpoint
from veml_vcs.training.class_rows import Shape, class_layouts
from veml_vcs.training.engine import library_versions
from veml_vcs.training.interruption import Interruption
from veml_vcs.training.machine import Machine
from veml_vcs.training.measured import Measured
from veml_vcs.training.plan import Plan
from veml_vcs.training.run_folder import RunFolder
from veml_vcs.training.run_hooks import (
    LogHook,
    LossHook,
    ReplayHook,
    SeedHook,
    SkipHook,
    StateHook,
    Stopped,
)
from veml_vcs.training.runner import RunSetup, VemlRunner, build_runner, metric_of, state_bytes
from veml_vcs.training.trust import refuse_foreign_types
from veml_vcs.training.watch import Watcher
from veml_vcs.training.weights import KnownClasses, checkpoint_of, load_weights
from veml_vcs.versions.trainings import TrainingOutcome, log_columns


class Run(ABC):
    """One process of a training, from data to weights.

    Args:
        repo: The repository.
        plan: What is trained.
        folder: Where the state of the run lies.
        watcher: Is told how it goes.
        machine: How this machine trains.
        interruption: Whether somebody asked to stop.
        scratch: A folder that may be written into.

    Attributes:
        own_types: What the task's configs may name besides what the engine registers.
    """

    own_types: ClassVar[frozenset[str]] = frozenset()

    def __init__(
        self,
        repo: Repository,
        plan: Plan,
        folder: RunFolder,
        watcher: Watcher,
        machine: Machine,
        interruption: Interruption,
        scratch: str,
    ) -> None:
        self.repo = repo
        self.plan = plan
        self.folder = folder
        config = plan.nested()
        if plan.trust:
            _import_trusted(repo, config)
        else:
            refuse_foreign_types(config, plan.model, self.own_types)
        train, val = self.load(watcher)
        self.log: LogHook = LogHook(watcher, self._write_log, plan.iterations)
        hooks = (
            SeedHook(plan.seed),
            SkipHook(),
            LossHook(folder.log_path),
            self.log,
            ReplayHook(self.log),
            StateHook(self._keep, interruption, machine.keep_seconds),
        )
        steps = plan.iterations // plan.epochs if plan.epochs else 0
        iteration = _state_iteration(folder) if folder.has_state else 0
        setup = RunSetup(
            folder=scratch,
            seed=plan.seed,
            deterministic=plan.deterministic,
            workers=machine.workers,
            launcher=machine.launcher,
            skip=iteration % steps if steps else iteration,
            resume=folder.state_path if folder.has_state else None,
            hooks=hooks,
        )
        self.runner: VemlRunner = build_runner(config, train, val, setup)
        self.built(self.runner.bare_model)
        if plan.start and setup.resume is None:
            self.runner.bare_model.init_weights()  # of what the weights do not fit
            self._begin_with(repo, watcher)
        if plan.start or setup.resume is not None:
            self.runner.bare_model.init_weights = lambda: None  # they are not drawn again

    @abstractmethod
    def load(self, watcher: Watcher) -> tuple[Any, Any]:
        """Return what is trained on and what is measured on, as the task's classes take them.

        Raises:
            VemlError: There is nothing to learn from.
        """

    def built(self, model: Any) -> None:
        """Give the model what no config can hold; most need nothing."""
        del model

    def predictions(self) -> dict[str, dict[str, Any]]:
        """Return what the network said of what is held back: data set's folder -> key -> what."""
        return {}

    def annotate(self, data: bytes, name: str) -> Annotation:
        """Return what the network says of one image that is in no data version.

        Args:
            data: The bytes of its file.
            name: For messages.

        Raises:
            InvalidInputError: The network does not look at images.
            FormatError: It cannot be decoded.
        """
        del data
        raise InvalidInputError(
            f"{name}: a training of the task {self.plan.task} does not look at images",
            kind="other-task",
        )

    @property
    def first(self) -> bool:
        """Whether this is the process that writes."""
        return bool(self.runner.rank == 0)

    def one_class_more(self) -> Mapping[str, Shape]:
        """Return tensor's name -> shape of the same network with one class more.

        It tells which tensors depend on classes; a task without classes says nothing.
        """
        return {}

    def _begin_with(self, repo: Repository, watcher: Watcher) -> None:
        start = self.plan.initial()
        assert start.tree is not None
        weights = read_checkpoint(repo.store, repo.catalog, start.tree)
        model, name = self.runner.bare_model, f"training {start.name}"
        classes = self._known_classes()
        done = load_weights(model, weights, name, classes)
        if classes is not None and done.moved:
            rows = zip(self.plan.classes, classes.rows, strict=True)
            fresh = [one for one, row in rows if row is None]
            watcher.note(
                f"{done.taken} tensors of {start.name} are taken; of {len(done.moved)} in its "
                f"heads the rows of known classes ({len(self.plan.classes) - len(fresh)})"
                + (f", and {', '.join(fresh)} begin at random" if fresh else "")
            )
        if done.fresh:
            watcher.note(
                f"{done.taken} tensors of {start.name} are taken; {len(done.fresh)} of heads do "
                f"not fit and begin at random: {', '.join(done.fresh[:4])}"
                + (", ..." if len(done.fresh) > 4 else "")
            )

    def _known_classes(self) -> KnownClasses | None:
        """Return where the classes of the first weights are now; None if they are where they were.

        Where nobody knows which classes they were, what fits is taken.
        """
        said = self.plan.start
        if "rows" not in said or said["rows"] == list(range(len(said["classes"]))):
            return None
        own = {name: tuple(one.shape) for name, one in self.runner.bare_model.state_dict().items()}
        layouts = class_layouts(own, self.one_class_more(), len(self.plan.classes))
        return KnownClasses(len(said["classes"]), said["rows"], layouts)

    def _write_log(self, line: str) -> None:
        if self.first:
            self.folder.write_log(line)

    def _keep(self, runner: Any, epoch: int, iteration: int) -> None:
        if self.first:
            self.folder.keep_state(state_bytes(runner, epoch, iteration))

    def keep(self) -> None:
        """Keep the state as it is when all steps are done."""
        self._keep(self.runner, self.plan.epochs or 0, self.log.done)

    def train(self) -> bool:
        """Run the loop; return whether it came to its end, measured.

        Raises:
            VemlError: The engine failed, or the loss is no number any more.
        """
        try:
            self.runner.train()
            if self.log.last is None or self.log.last[0] != self.runner.iter:
                self.runner.val_loop.run()  # resumed after the last step
        except Stopped:
            return False
        except VemlError:
            raise
        except Exception as error:
            self._write_log(traceback.format_exc())
            self._refuse_unreachable(error)
            step = self.log.done
            when = f"after iteration {step}" if step else "before the first step"
            raise VemlError(
                f"the engine failed {when}: {type(error).__name__}: {str(error).strip()[:400]}",
                hint=f"where it happened: {self.folder.log_path}",
                kind="engine-failed",
            ) from error
        finally:
            self.runner.stop_workers()
        return True

    def _refuse_unreachable(self, error: Exception) -> None:
        """Say what to type where published weights cannot be had.

        Raises:
            VemlError: They cannot.
        """
        initial = self.plan.initial()
        if self.log.done or initial.kind != "pretrained" or not isinstance(error, OSError):
            return
        key = next(
            one.removesuffix(".checkpoint")
            for one, value in self.plan.config.items()
            if one.endswith("init_cfg.checkpoint") and value == initial.name
        )
        raise VemlError(
            f"the weights that the config begins with cannot be had ({key}: {initial.name}): "
            f"{str(error).strip()[:300]}",
            hint=f"--set {key}=None begins at random; --start TRAINING with the weights of a "
            "training; with a network they are downloaded, once",
            kind="no-pretrained",
        ) from error

    def outcome(self, *, complete: bool) -> TrainingOutcome:
        """Return all that the run knows."""
        plan, runner, model = self.plan, self.runner, self.runner.bare_model
        iterations = self.log.done
        measured = self._measured(iterations)
        epochs = iterations * plan.epochs // plan.iterations if plan.epochs else None
        return TrainingOutcome(
            task=plan.task,
            model=plan.model_use(),
            data=plan.uses(self.repo),
            checkpoint=checkpoint_of(model.state_dict()),
            config=dict(plan.config),
            initial=plan.initial(),
            status="complete" if complete else "partial",
            seed=plan.seed,
            determinism={
                "deterministic": plan.deterministic,
                "device": "cuda" if torch.cuda.is_available() else "cpu",
                "processes": runner.world_size,
                "threads": torch.get_num_threads(),
            },
            libraries=library_versions(plan.task),
            epochs=epochs,
            iterations=iterations,
            parameters=sum(one.numel() for one in model.parameters()),
            metrics={} if measured is None else measured.metrics,
            per_class={} if measured is None else measured.per_class,
            log=log_columns(self.log.rows),
            predictions={} if measured is None else self.predictions(),
            transferred_from=dict(plan.transferred_from),
            rebuilt_from=dict(plan.rebuilt_from),
        )

    def _measured(self, iterations: int) -> Measured | None:
        """Return what was measured of exactly these weights."""
        last = self.log.last
        if last is None or last[0] != iterations:
            return None
        found: Measured = metric_of(self.runner).measured
        return found


def _state_iteration(folder: RunFolder) -> int:
    """Return how many steps a kept state has behind it.

    Raises:
        FormatError: It is no state.
    """
    try:
        state = torch.load(folder.state_path, map_location="cpu", weights_only=True)
        return int(state["meta"]["iter"])
    except (pickle.UnpicklingError, RuntimeError, LookupError, TypeError, EOFError) as error:
        raise FormatError(
            f"{folder.state_path}: not the state of a training: {error!s:.200}",
            hint="veml train --force ... begins again",
            kind="state-damaged",
        ) from error


def _import_trusted(repo: Repository, config: dict[str, Any]) -> None:
    """Import the modules that a trusted config names; they lie in the work tree, mostly."""
    said = config.pop("custom_imports", None)
    if not said:
        return
    from mmengine.utils import import_modules_from_strings

    sys.path.insert(0, repo.root)
    try:
        import_modules_from_strings(**said)
    except (ImportError, TypeError) as error:
        raise FormatError(
            f"custom_imports of the config cannot be imported: {error!s:.300}",
            kind="config-failed",
        ) from error
