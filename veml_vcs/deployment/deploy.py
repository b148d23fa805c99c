"""``veml deploy``: a training version becomes a file that runs without veml, checked and measured.

The order is that of trust: everything that can be refused is refused before the engine is started;
the file is compared with the checkpoint before anything is written; the record comes last.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from veml_vcs.deployment.files import export_file, open_made
from veml_vcs.deployment.latency import RUNS, measure_latency, usable_threads
from veml_vcs.deployment.onnx_file import OPSET
from veml_vcs.deployment.packages import library_versions, require_export
from veml_vcs.deployment.quantize import to_fp16, to_int8
from veml_vcs.errors import InvalidInputError, VemlError
from veml_vcs.repository.inferences.write import require_free, write_inference
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.trainings.versions import TrainingVersion, open_training
from veml_vcs.training.engine import require_engine
from veml_vcs.training.held_back import part_of_data, part_of_use, uses_of
from veml_vcs.training.measure import classes_of, loaded
from veml_vcs.training.plan import Part
from veml_vcs.versions.inferences.compare import parity_words
from veml_vcs.versions.inferences.outcome import (
    ExportFormat,
    InferenceOutcome,
    Latency,
    Parity,
    Quantisation,
    TrainingUse,
)
from veml_vcs.versions.trainings import DataUse

if TYPE_CHECKING:
    from veml_vcs.deployment.exporter import Exporter
    from veml_vcs.training.run import Run

_TIMED = 8
"""Samples that the file is timed on, in turn."""


@dataclass(frozen=True)
class DeployRequest:
    """What the user asked for.

    Attributes:
        training: ``NAME`` or ``NAME@REV``.
        name: Of the inference version; None is the training's.
        format: What kind of file.
        quantisation: How its numbers are kept.
        data: The data version that accuracy is measured on, and parity tried; None is what the
            training held back.
        threads: How many compute where latency is measured; None: as many as there are.
        runs: How many runs are timed.
        tolerance: Pixels that boxes may differ by; None is the task's own.
        force: Write a version whose file says something else than the checkpoint, or over a record
            that no commit has.
        overwrite: Write over a record that no commit has, and force nothing else.
        remeasure: Take the new latency where nothing else differs from the version that is there.
    """

    training: str
    name: str | None = None
    format: ExportFormat = "onnx"
    quantisation: Quantisation = "none"
    data: str | None = None
    threads: int | None = None
    runs: int = RUNS
    tolerance: float | None = None
    force: bool = False
    remeasure: bool = False
    overwrite: bool = False


@dataclass(frozen=True)
class Deployed:
    """An inference version that was written.

    Attributes:
        name: Of the inference version.
        path: Its record, from the repository's root.
        version: Its version id.
        same: Whether the very same was there already, with the latency that was measured first.
        training: The training that was deployed, as the user named it.
        task: What it does.
        format: What kind of file.
        quantisation: How its numbers are kept.
        size_bytes: Of the file.
        samples: How many it was measured on; of a series, windows.
        parity: Against the checkpoint; None of a quantised file.
        metrics: Measured with the file.
        checkpoint_metrics: Measured with the checkpoint, on the same samples.
        latency: Of one sample.
        notes: What the user should know.
    """

    name: str
    path: str
    version: str
    same: bool
    training: str
    task: str
    format: str
    quantisation: str
    size_bytes: int
    samples: int
    parity: Parity | None
    metrics: Mapping[str, float]
    checkpoint_metrics: Mapping[str, float]
    latency: Latency | None
    notes: tuple[str, ...] = ()


def deploy(repo: Repository, request: DeployRequest, progress: Progress = silent) -> Deployed:
    """Export a training version, and write and stage the inference version.

    Nothing is written before all is known: interrupted, killed or with the disk full, there is no
    inference version.

    Args:
        repo: The repository.
        request: What is asked for.
        progress: Is told what is done.

    Raises:
        ConflictError: The name's place is taken.
        VemlError: As ``export``.
    """
    name = request.name or open_training(repo, request.training).name
    over = request.force or request.overwrite
    require_free(repo, name, force=over)
    made = export(repo, request, progress)
    progress("writing the inference version", 0, 0)
    done = write_inference(
        repo, made.outcome, made.file, name, force=over, remeasured=request.remeasure
    )
    record = done.record
    return Deployed(
        name, done.path, done.version, done.same, request.training, record.task, record.format,
        record.quantisation, record.file.size_bytes, made.measured,
        record.parity, record.metrics, record.checkpoint_metrics, record.latency, made.notes,
    )  # fmt: skip


@dataclass(frozen=True)
class Exported:
    """A file, and all that is known of it.

    Attributes:
        file: Its bytes.
        outcome: What the record will say.
        measured: How many samples it was measured on; of a series, windows.
        notes: What the user should know.
    """

    file: bytes
    outcome: InferenceOutcome
    measured: int
    notes: tuple[str, ...]


def export(repo: Repository, request: DeployRequest, progress: Progress = silent) -> Exported:
    """Export a training version, compare the file with the checkpoint, and measure it.

    Args:
        repo: The repository.
        request: What is asked for.
        progress: Is told what is done.

    Raises:
        MissingDependencyError: The engine, or a package that exports, is not installed.
        NotFoundError: There is no such training or data, or they are not in this clone.
        FormatError: The network cannot be exported.
        VemlError: The file says something else than the checkpoint (``kind`` is ``no-parity``).
    """
    training = open_training(repo, request.training)
    notes: list[str] = []
    if request.threads is not None and request.threads < 1:
        raise InvalidInputError(f"--threads {request.threads}: expected 1 or more")
    if request.format != "onnx" and request.quantisation != "none":
        raise InvalidInputError(
            f"--quantize {request.quantisation}: only ONNX files are quantised",
            hint="--format onnx",
        )
    require_export()
    require_engine(training.record.task)
    if training.record.status == "partial":
        notes.append(f"training {training.label} is partial: it was interrupted")
    part = _part(repo, training, request, notes)
    progress("starting the engine", 0, 0)
    # Images of one batch are padded to one size, which a file, with one image, does not do.
    settings = {"val_dataloader.batch_size": 1} if training.record.task == "detection" else {}
    with loaded(repo, training, part, settings=settings) as run:
        exporter = _exporter(run, request)
        return _exported(training, part, request, exporter, notes, progress)


def _part(
    repo: Repository, training: TrainingVersion, request: DeployRequest, notes: list[str]
) -> Part:
    if request.data is None:
        return part_of_use(repo, uses_of(training, "val")[0])
    return part_of_data(training, request.data, notes)


def _exporter(run: Run, request: DeployRequest) -> Exporter:
    """Return what exports the run's task; its room is imported for it alone."""
    task = run.plan.task
    if task == "detection":
        from veml_vcs.deployment.detection.exporter import DetectionExporter

        return DetectionExporter.of(run, request.tolerance)
    if task == "classification":
        from veml_vcs.deployment.classification.exporter import ClassificationExporter

        return ClassificationExporter.of(run, request.tolerance)
    from veml_vcs.deployment.forecasting.exporter import ForecastExporter

    return ForecastExporter.of(run, request.tolerance)


def _exported(
    training: TrainingVersion,
    part: Part,
    request: DeployRequest,
    exporter: Exporter,
    notes: list[str],
    progress: Progress,
) -> Exported:
    threads = request.threads or usable_threads()
    classes = classes_of(training)
    progress("exporting", 0, 0)
    about = {
        "task": training.record.task, "classes": list(classes), "training": training.id,
        **{f"preprocess.{key}": str(one) for key, one in exporter.preprocess.items()},
    }  # fmt: skip
    whole = export_file(exporter, request.format, about)
    truth = exporter.checkpoint_answers(_counting(progress, "running the checkpoint"))
    runner = open_made(exporter, request.format, whole, threads)
    said = exporter.file_answers(runner, _counting(progress, "running the file"))
    parity = exporter.compare(truth, said)
    if not parity.holds:
        _refuse(parity, request, notes)
    file = whole
    if request.quantisation != "none":
        progress("quantising", 0, 0)
        file = to_fp16(whole) if request.quantisation == "fp16" else to_int8(whole)
        runner = open_made(exporter, request.format, file, threads)
        said = exporter.file_answers(runner, _counting(progress, "running the quantised file"))
    measured, before = exporter.measure(said), exporter.measure(truth)
    samples = [exporter.values(index) for index in range(min(_TIMED, len(exporter)))]
    latency = measure_latency(
        runner.run, samples, threads, request.runs, _counting(progress, "timing")
    )
    record = training.record
    outcome = InferenceOutcome(
        training=TrainingUse(training.name, training.id, record.checkpoint.tree),
        task=record.task,
        format=request.format,
        classes=classes,
        quantisation=request.quantisation,
        inputs={
            name: tuple(-1 if isinstance(one, str) else one for one in shape)
            for name, shape in exporter.inputs.items()
        },
        preprocess=exporter.preprocess,
        postprocess=exporter.postprocess,
        opset=OPSET if request.format == "onnx" else None,
        libraries=library_versions(),
        data=(_use(training.repository, part),),
        parity=parity if request.quantisation == "none" else None,
        metrics=measured.metrics,
        per_class=measured.per_class,
        checkpoint_metrics=before.metrics,
        latency=latency,
        predictions={part.path: exporter.predictions(said)},
    )
    return Exported(file, outcome, len(exporter), tuple(notes))


def _counting(progress: Progress, what: str) -> Callable[[int, int], None]:
    return lambda done, total: progress(what, done, total)


def _refuse(parity: Parity, request: DeployRequest, notes: list[str]) -> None:
    """Refuse a file that does not say what the checkpoint says.

    Raises:
        VemlError: It does not, and nobody forces it.
    """
    told = parity_words(parity)
    if not request.force:
        raise VemlError(
            f"the exported file is {told}; nothing was written",
            hint="--force writes it all the same, and records this; --tolerance PIXELS allows more",
            kind="no-parity",
        )
    notes.append(f"forced: the file is {told}")


def _use(repo: Repository, part: Part) -> DataUse:
    tree = part.dataset(repo).tree
    return DataUse(part.path, part.version, tree, "val", len(part.keys), dict(part.part))
