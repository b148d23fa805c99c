"""What a task has to say for its networks to be deployed: the seam, one exporter a task."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from veml_vcs.samples.facts import Annotation
from veml_vcs.training.measured import Measured
from veml_vcs.versions.inferences.outcome import Parity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from veml_vcs.training.run import Run

Told = Callable[[int, int], None]
"""Is told how many samples are done, of how many."""


class FileRunner(Protocol):
    """Runs an exported file."""

    def run(self, values: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        """Return what the file gives for what it takes, both by name."""


class Exporter(ABC):
    """One network, with the samples that it is measured on.

    What is said of a sample (an answer) is whatever the task makes of it; nobody else looks inside.

    Attributes:
        inputs: Name of an input of the file -> its shape; a word is a length that may be any.
        outputs: The same of what it gives.
        preprocess: What has to be done to a sample first, as flat JSON values.
        postprocess: What has to be done to what the file gives.
    """

    inputs: Mapping[str, tuple[str | int, ...]]
    outputs: Mapping[str, tuple[str | int, ...]]
    preprocess: Mapping[str, Any]
    postprocess: Mapping[str, Any]

    @classmethod
    @abstractmethod
    def of(cls, run: Run, tolerance: float | None) -> Exporter:
        """Return the exporter of a run of this task.

        Args:
            run: Has the network with its weights, and the samples.
            tolerance: What file and checkpoint may differ by; None is the task's own.

        Raises:
            FormatError: The network cannot be exported.
        """

    @abstractmethod
    def network(self, *, portable: bool) -> Any:
        """Return the whole network as one module of PyTorch, in ``eval()``.

        Args:
            portable: Take PyTorch's own operators alone, for a file that PyTorch alone runs.
        """

    @abstractmethod
    def example(self) -> Any:
        """Return what the network is traced with."""

    @abstractmethod
    def checkpoint_answers(self, told: Told) -> Sequence[Any]:
        """Return what the network says of each sample, run by the engine as in training."""

    @abstractmethod
    def values(self, index: int) -> Mapping[str, NDArray[Any]]:
        """Return what the file takes of one sample: name of an input -> array."""

    @abstractmethod
    def answer(self, index: int, found: Mapping[str, NDArray[Any]]) -> Any:
        """Return what a file said of one sample.

        Raises:
            FormatError: It gives something else than files of this task do.
        """

    @abstractmethod
    def compare(self, checkpoint: Sequence[Any], file: Sequence[Any]) -> Parity:
        """Compare what checkpoint and file say of all samples."""

    @abstractmethod
    def measure(self, answers: Sequence[Any]) -> Measured:
        """Measure what was said of all samples, as training does."""

    @abstractmethod
    def predictions(self, answers: Sequence[Any]) -> dict[str, Annotation]:
        """Return what was said by sample's key, as a record keeps it; maybe nothing."""

    @abstractmethod
    def __len__(self) -> int:
        """How many samples it is measured on."""

    def file_answers(self, runner: FileRunner, told: Told) -> list[Any]:
        """Return what a file says of each sample."""
        found = []
        for index in range(len(self)):
            found.append(self.answer(index, runner.run(self.values(index))))
            told(index + 1, len(self))
        return found
