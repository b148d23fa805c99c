"""MMEngine's Runner on a data version, whatever the task: quiet, reproducible, resumable.

What is set here is the machine's and the run's: loaders that read the store, hooks, seeds, where
files lie. What is trained is the config, as ``adapt`` left it.
"""

from __future__ import annotations

import copy
import io
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from mmengine.config import Config, ConfigDict
from mmengine.hooks import Hook
from mmengine.logging import MMLogger
from mmengine.model import MMDistributedDataParallel
from mmengine.registry import MODELS
from mmengine.runner import Runner

from veml_vcs.errors import FormatError
from veml_vcs.training.adapt import DATASET as IMAGES
from veml_vcs.training.classification.adapt import DATASET as CLASSES
from veml_vcs.training.draws import VemlBatches, VemlDraws
from veml_vcs.training.forecasting.adapt import DATASET as WINDOWS

_HOOKS = {
    "runtime_info": {"type": "RuntimeInfoHook"},
    "timer": {"type": "IterTimerHook"},
    "sampler_seed": {"type": "DistSamplerSeedHook"},
    "logger": None,
    "param_scheduler": {"type": "ParamSchedulerHook"},
    "checkpoint": None,
    "sync_buffers": {"type": "SyncBuffersHook"},
}


class VemlRunner(Runner):  # type: ignore[misc]
    """A Runner that writes no files of its own and prints nothing."""

    def build_logger(self, log_level: Any = "INFO", log_file: Any = None, **kwargs: Any) -> Any:
        """Return a logger that writes nowhere; what there is to tell, hooks tell."""
        logger = MMLogger(name=self._experiment_name, logger_name="veml", log_level="ERROR")
        MMLogger._instance_dict[self._experiment_name] = logger
        for one in list(logger.handlers):
            logger.removeHandler(one)
        logger.addHandler(logging.NullHandler())
        return logger

    def dump_config(self) -> None:
        """Write no config: the training's record has it."""

    def _log_env(self, env_cfg: Any) -> None:
        """Do not look at compilers, graphics cards and the like: it takes a second."""

    def wrap_model(self, model_wrapper_cfg: Any, model: Any) -> Any:
        """Wrap the model for several processes; on CPUs there are no device ids."""
        if self.distributed and not torch.cuda.is_available():
            return MMDistributedDataParallel(
                module=model,
                broadcast_buffers=False,
                find_unused_parameters=self.cfg.get("find_unused_parameters", False),
            )
        return super().wrap_model(model_wrapper_cfg, model)

    def stop_workers(self) -> None:
        """End the processes that load data, now.

        Left to the garbage collector, PyTorch waits five seconds for each: the queues that would
        tell them to end are gone before.
        """
        for loop in (self._train_loop, self._val_loop):
            iterator: Any = getattr(getattr(loop, "dataloader", None), "_iterator", None)
            if iterator is not None and hasattr(iterator, "_shutdown_workers"):
                iterator._shutdown_workers()

    @property
    def bare_model(self) -> Any:
        """The model, without what wraps it."""
        return self.model.module if hasattr(self.model, "module") else self.model


@dataclass(frozen=True)
class RunSetup:
    """What a runner needs besides the config.

    Attributes:
        folder: Where it may write.
        seed: Of everything.
        deterministic: Whether PyTorch takes reproducible algorithms alone.
        workers: Processes that load data.
        launcher: ``none``, or who started the processes: ``pytorch``, ``slurm``, ``mpi``.
        skip: Batches of the first pass that were had before.
        resume: The state to go on from.
        hooks: To be added.
    """

    folder: str
    seed: int
    deterministic: bool = True
    workers: int = 0
    launcher: str = "none"
    skip: int = 0
    resume: str | None = None
    hooks: tuple[Hook, ...] = ()


def build_runner(config: Mapping[str, Any], train: Any, val: Any, setup: RunSetup) -> VemlRunner:
    """Build the runner, and with it the model.

    Args:
        config: As the plan has it: nested and plain.
        train: What is trained on, as the task's data set takes it.
        val: What is measured on, as the task's data set and metric take it.
        setup: The rest.

    Raises:
        FormatError: MMEngine cannot build what the config says.
    """
    made = copy.deepcopy(dict(config))
    _load(made["train_dataloader"], train, setup)
    _load(made["val_dataloader"], val, setup)
    made["train_dataloader"] = _drawn(made["train_dataloader"], setup)
    made["val_evaluator"] = {**made["val_evaluator"], "samples": val}
    for one in _dicts(made):
        # The record has lists alone; transforms take a size as a tuple and nothing else.
        if isinstance(one.get("pipeline"), list):
            one["pipeline"] = tuples(one["pipeline"])
    scope = made.get("default_scope", "mmdet")
    made = ConfigDict(made)
    try:
        return VemlRunner(
            model=made["model"],
            work_dir=setup.folder,
            train_dataloader=made["train_dataloader"],
            val_dataloader=made["val_dataloader"],
            train_cfg=made["train_cfg"],
            val_cfg=made["val_cfg"],
            auto_scale_lr=made.get("auto_scale_lr"),
            optim_wrapper=made["optim_wrapper"],
            param_scheduler=made.get("param_scheduler"),
            val_evaluator=made["val_evaluator"],
            default_hooks=copy.deepcopy(_HOOKS),
            custom_hooks=[*made.get("custom_hooks", ()), *setup.hooks],
            data_preprocessor=made.get("data_preprocessor"),
            load_from=setup.resume,
            resume=setup.resume is not None,
            launcher=setup.launcher,
            env_cfg={"cudnn_benchmark": False, "mp_cfg": {"opencv_num_threads": 0}},
            visualizer={"type": "Visualizer", "vis_backends": []},
            default_scope=scope,
            randomness={"seed": setup.seed, "deterministic": setup.deterministic},
            experiment_name=f"veml-{os.getpid()}",
            cfg=Config({"find_unused_parameters": made.get("find_unused_parameters", False)}),
        )
    except (KeyError, TypeError, ValueError, AssertionError, AttributeError) as error:
        raise FormatError(
            f"the engine cannot build what the config says: {_told(error)}",
            hint="veml model show NAME --config lists all keys",
            kind="config-failed",
        ) from error


def _told(error: BaseException) -> str:
    text = str(error.args[0]) if error.args else ""
    return f"{type(error).__name__}: {text}"[:600]


def _load(loader: dict[str, Any], samples: Any, setup: RunSetup) -> None:
    """Give the data set at the end of a loader its samples, and the loader its workers."""
    for one in _dicts(loader):
        if one.get("type") in (IMAGES, CLASSES, WINDOWS):
            one["samples"] = samples
    loader["num_workers"] = setup.workers
    for name in ("persistent_workers", "prefetch_factor"):
        loader.pop(name, None)
    if setup.workers:
        loader["persistent_workers"] = True


def _drawn(loader: dict[str, Any], setup: RunSetup) -> dict[str, Any]:
    """Let every draw have its own random numbers, and the first pass begin where it has to."""
    return {
        **{name: one for name, one in loader.items() if name not in ("batch_sampler", "drop_last")},
        "dataset": {"type": VemlDraws.__name__, "dataset": loader["dataset"]},
        "batch_sampler": {
            "type": VemlBatches.__name__,
            "inner": loader.get("batch_sampler"),
            "seed": setup.seed,
            "skip": setup.skip,
            "drop_last": bool(loader.get("drop_last", False)),
        },
    }


def _dicts(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        return [value, *(one for each in value.values() for one in _dicts(each))]
    return [one for each in value for one in _dicts(each)] if isinstance(value, list) else []


def tuples(value: Any) -> Any:
    """Turn lists of numbers into tuples, as which transforms take a size."""
    if isinstance(value, dict):
        return {name: tuples(one) for name, one in value.items()}
    if isinstance(value, list):
        numbers = value and all(type(one) in (int, float) for one in value)
        return tuple(value) if numbers else [tuples(one) for one in value]
    return value


def built_shapes(model: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """Return tensor's name -> shape of what a config of a model builds, which is thrown away.

    Args:
        model: Nested and plain.
    """
    with torch.random.fork_rng():  # what is drawn for it is not what the training draws
        built = MODELS.build(ConfigDict(copy.deepcopy(dict(model))))
    return {name: tuple(one.shape) for name, one in built.state_dict().items()}


def metric_of(runner: VemlRunner) -> Any:
    """Return the task's metric that a runner measures with."""
    return runner.val_evaluator.metrics[0]


def state_bytes(runner: VemlRunner, epoch: int, iteration: int) -> bytes:
    """Return the whole state of a training: weights, optimiser, schedules, log.

    Args:
        runner: The runner.
        epoch: Passes that are done.
        iteration: Steps that are done.
    """
    state = {
        "meta": {"epoch": epoch, "iter": iteration, "seed": runner.seed},
        "state_dict": {name: one.cpu() for name, one in runner.bare_model.state_dict().items()},
        "message_hub": {"log_scalars": {}, "runtime_info": {}, "resumed_keys": {}},
        "optimizer": runner.optim_wrapper.state_dict(),
        "param_schedulers": _schedulers(runner.param_schedulers),
    }
    runner.call_hook("before_save_checkpoint", checkpoint=state)
    stream = io.BytesIO()
    torch.save(state, stream)
    return stream.getvalue()


def _schedulers(found: Any) -> Any:
    if isinstance(found, dict):
        return {name: [one.state_dict() for one in each] for name, each in found.items()}
    return [one.state_dict() for one in found or ()]


Save = Callable[[Any, int, int], None]
