"""Who is asked what is on an image: a deployed file, or the checkpoint of a training."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from veml_vcs.deployment.images import pixels_of
from veml_vcs.deployment.packages import require_runtime
from veml_vcs.errors import FormatError, InvalidInputError, NotFoundError
from veml_vcs.ids import VersionId
from veml_vcs.repository.inferences.versions import InferenceVersion, open_inference
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.trainings.versions import TrainingVersion, open_training
from veml_vcs.samples.facts import Annotation
from veml_vcs.versions.inferences import InferenceRecord
from veml_vcs.versions.trainings import classes_said, detections

if TYPE_CHECKING:
    from veml_vcs.deployment.exporter import FileRunner

_KEPT = 5
"""Classes that are kept of what a classifier says, the surest first; as in training."""

_TASKS = ("detection", "classification")
_OUTPUTS = {
    "detection": ("boxes", "scores", "labels"),
    "classification": ("scores",),
    "forecasting": ("forecast",),
}


class Say(Protocol):
    """Returns what is on an image."""

    def __call__(self, data: bytes, name: str) -> Annotation:
        """Look at the bytes of an image's file, which has this name in messages."""


@dataclass(frozen=True)
class Predictor:
    """Who is asked.

    Attributes:
        kind: ``inference`` or ``training``.
        name: As the user named it.
        version: Its version id.
        training: The training version whose weights it has.
        task: ``detection`` or ``classification``.
        classes: Names of the classes.
        say: Returns what is on an image.
    """

    kind: str
    name: str
    version: VersionId
    training: VersionId
    task: str
    classes: tuple[str, ...]
    say: Say


@contextmanager
def opened_predictor(
    repo: Repository, spec: str, *, training: bool = False, threads: int = 0, trust: bool = False
) -> Iterator[Predictor]:
    """Open an inference version of this name, or else the training of this name.

    Args:
        repo: The repository.
        spec: ``NAME`` (as staged) or ``NAME@REV``.
        training: Ask the training's checkpoint, also where there is an inference version.
        threads: How many compute; 0: as the runtime thinks fit.
        trust: Run a TorchScript file, which can do whatever the user can.

    Raises:
        NotFoundError: There is neither, or it is not in this clone.
        MissingDependencyError: What runs it is not installed.
        InvalidInputError: It does not look at images.
        FormatError: The file is refused.
    """
    found = None if training else inference_of(repo, spec)
    if found is not None:
        yield _of_file(found, threads, trust)
        return
    with _of_checkpoint(repo, open_training(repo, spec)) as predictor:
        yield predictor


def inference_of(repo: Repository, spec: str) -> InferenceVersion | None:
    """Return the inference version of a name; None where a training of this name is meant.

    Raises:
        NotFoundError: There is neither.
    """
    try:
        return open_inference(repo, spec)
    except NotFoundError as error:
        try:
            open_training(repo, spec)
        except NotFoundError:
            raise NotFoundError(
                f"{spec}: neither an inference version nor a training",
                hint="veml inference ls; veml training ls",
                kind=error.kind,
            ) from error
        return None


def _of_file(found: InferenceVersion, threads: int, trust: bool) -> Predictor:
    record = found.record
    _refuse_other_task(record.task, found.label)
    runner = runner_of(found, threads, trust)
    return Predictor(
        "inference", found.label, found.id, record.training.version, record.task, record.classes,
        _FileSays(record, runner),
    )  # fmt: skip


def asked_task(repo: Repository, spec: str, *, training: bool = False) -> str:
    """Return the task of an inference version, or else of a training.

    Raises:
        NotFoundError: There is neither.
    """
    found = None if training else inference_of(repo, spec)
    return (open_training(repo, spec) if found is None else found).record.task


def runner_of(found: InferenceVersion, threads: int, trust: bool) -> FileRunner:
    """Return what runs the deployed file.

    Raises:
        NotFoundError: The file is not in this clone.
        MissingDependencyError: What runs it is not installed.
        FormatError: It is refused.
    """
    record, name = found.record, f"inference {found.label}"
    if record.format == "onnx":
        require_runtime()
        from veml_vcs.deployment.onnx_file import OnnxRunner

        return OnnxRunner(found.file(), name, threads)
    if not trust:
        raise FormatError(
            f"{name}: a TorchScript file is a program, which can do whatever you can when it is "
            "loaded",
            hint="an ONNX file needs no trust; if you trust it: the same with --trust",
            kind="not-trusted",
        )
    from veml_vcs.deployment.packages import require_torch
    from veml_vcs.deployment.torchscript_file import TorchScriptRunner

    require_torch()
    return TorchScriptRunner(
        found.file(), name, threads, list(record.inputs), _OUTPUTS[record.task]
    )  # fmt: skip


@dataclass(frozen=True)
class _FileSays:
    record: InferenceRecord
    runner: FileRunner

    def __call__(self, data: bytes, name: str) -> Annotation:
        from veml_vcs.deployment.answers import boxes_scores_labels, probabilities

        found, classes = self.runner.run({"image": pixels_of(data, name)}), self.record.classes
        if self.record.task == "detection":
            boxes, scores, labels = boxes_scores_labels(found, len(classes), name)
            return detections(boxes, scores, [classes[label] for label in labels])
        sure = probabilities(found, len(classes), name)
        order = (-sure).argsort(kind="stable")[:_KEPT]
        return classes_said([classes[place] for place in order], sure[order])


@contextmanager
def _of_checkpoint(repo: Repository, training: TrainingVersion) -> Iterator[Predictor]:
    from veml_vcs.training.engine import require_engine
    from veml_vcs.training.measure import classes_of, loaded
    from veml_vcs.training.plan import Part

    task = training.record.task
    _refuse_other_task(task, training.label)
    require_engine(task)
    classes = classes_of(training)
    # Of no sample: the data that it was trained on need not be here.
    nothing = Part("nothing", _no_record(), ())
    with loaded(repo, training, nothing) as run:
        yield Predictor(
            "training", training.label, training.id, training.id, task, classes, run.annotate
        )


def _no_record() -> str:
    from veml_vcs.ids import TreeId
    from veml_vcs.samples.facts import Facts
    from veml_vcs.versions.data import DataRecord

    return DataRecord(TreeId(bytes(32)), Facts("", "")).to_bytes().decode()


def _refuse_other_task(task: str, name: str) -> None:
    if task not in _TASKS:
        raise InvalidInputError(
            f"{name}: made for {task}; what is asked here is what is on images",
            hint=f"veml predict {name} DATA forecasts the steps that follow a series"
            if task == "forecasting"
            else f"veml inference export {name} -o FILE; docs/deploy.md shows how to run it",
            kind="other-task",
        )
