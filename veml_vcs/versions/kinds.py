"""The kinds of version whose record is a file by name: models, trainings, inferences.

``FOLDER/NAME.veml`` each. What all of them share is written for ``RecordKind``, in
``repository/records``. A data version is none of these: its record lies beside its folder.

Importing this is cheap; what reads a record is imported when one is read. A Git tree of a
stranger's can hold any path, so what leads out of the work tree is refused here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, TypeVar

from veml_vcs.errors import FormatError, InvalidInputError
from veml_vcs.ids import TreeId, VersionId
from veml_vcs.samples.tree.entry import check_key
from veml_vcs.versions.data import RECORD_SUFFIX

if TYPE_CHECKING:
    from veml_vcs.versions.changes import FactChange
    from veml_vcs.versions.inferences import InferenceRecord
    from veml_vcs.versions.models import ModelRecord
    from veml_vcs.versions.trainings import DataUse, PredictionFacts, TrainingRecord


class StoredPart(NamedTuple):
    """A heavy part of a version: a tree in the store.

    Attributes:
        tree: Its root.
        entries: How many entries it has, other files not counted.
    """

    tree: TreeId
    entries: int


class Need(NamedTuple):
    """Another version that a version is of.

    Attributes:
        what: ``data``, ``model`` or ``training``.
        of: The data set's folder, or the name.
        path: Where its record lies.
        version: Its version id.
    """

    what: str
    of: str
    path: str
    version: VersionId


class Record(Protocol):
    """What the record of every kind can tell of itself."""

    def to_bytes(self) -> bytes:
        """Return the canonical text of the record."""

    @property
    def parts(self) -> Mapping[str, StoredPart]:
        """The heavy parts in the store, by name."""

    @property
    def needs(self) -> tuple[Need, ...]:
        """The versions that it is of: at another version of one, it is stale."""


class MeasuredRecord(Record, Protocol):
    """What the record of a training, or of an inference version, can tell besides."""

    @property
    def data(self) -> tuple[DataUse, ...]:
        """The data versions that were used."""

    @property
    def predictions(self) -> PredictionFacts | None:
        """What was said of samples, where that was kept."""


R = TypeVar("R", bound=Record)
M = TypeVar("M", bound=MeasuredRecord)


@dataclass(frozen=True)
class RecordKind(Generic[R]):
    """One kind of version.

    Attributes:
        name: What it is called, in messages and as the record's ``kind``: ``model``.
        make: The command that makes one, without its ``--name``.
        parse: Reads a record: its bytes, and its path for messages. Raises ``FormatError``.
        fact_rows: Says what a record says: fact -> as people read it, without metrics and config.
    """

    name: str
    make: str
    parse: Callable[[bytes, str], R]
    fact_rows: Callable[[R], dict[str, str]]

    @property
    def a_name(self) -> str:
        """The name with its article, for sentences."""
        return ("an " if self.name[0] in "aeiou" else "a ") + self.name

    @property
    def plural(self) -> str:
        """What several are called."""
        return self.name + "s"

    @property
    def folder(self) -> str:
        """Where the records lie, with a slash at its end."""
        return self.plural + "/"

    def compare_facts(self, old: R | None, new: R | None) -> tuple[FactChange, ...]:
        """Return the facts of two records side by side, those that are the same too.

        Args:
            old: None says nothing.
            new: None says nothing.
        """
        from veml_vcs.versions.changes import compare_rows

        left, right = ({} if one is None else self.fact_rows(one) for one in (old, new))
        return compare_rows(left, right)

    def may_be(self, path: str) -> bool:
        """Tell by its path alone whether a file can be a record of this kind."""
        return path.startswith(self.folder) and path.endswith(RECORD_SUFFIX)

    def is_record(self, data: bytes) -> bool:
        """Tell cheaply whether a file says it is a record of this kind."""
        return b'\n "kind": "%s",\n' % self.name.encode() in data

    def make_hint(self, name: str) -> str:
        """Return what to type to make one of a name."""
        return f"{self.make} --name {name}"

    def check(self, name: str) -> str:
        """Return a name; refuse what cannot be one.

        Raises:
            InvalidInputError: It cannot be a file below the folder, or a revision could not follow.
        """
        try:
            check_path(name)
        except InvalidInputError as error:
            raise InvalidInputError(f"{self._cannot_be(name)}: {error}") from error
        if "@" in name or ":" in name or name[0] == "-" or name.endswith(RECORD_SUFFIX):
            raise InvalidInputError(
                f"{self._cannot_be(name)}: no @ or :, no - first, no .veml last",
                hint=self.make_hint("night"),
            )
        return name

    def _cannot_be(self, name: str) -> str:
        return f"{name!r:.80} cannot be the name of {self.a_name}"

    def path(self, name: str) -> str:
        """Return where the record of a name lies."""
        return f"{self.folder}{self.check(name)}{RECORD_SUFFIX}"

    def bare_name(self, text: str) -> str:
        """Return a record's path without folder and suffix, a name as it is; nothing is checked."""
        return text.removeprefix(self.folder).removesuffix(RECORD_SUFFIX)

    def name_of(self, path: str) -> str:
        """Return the name whose record lies there.

        Raises:
            FormatError: No record of this kind can lie there.
        """
        try:
            if not self.may_be(path):
                raise InvalidInputError(
                    f"{self.a_name}'s record is {self.folder}NAME{RECORD_SUFFIX}"
                )
            return self.check(self.bare_name(path))
        except InvalidInputError as error:
            raise FormatError(
                f"{path!r:.200}: {self.a_name} record cannot stand here: {error}",
                kind="hostile-path",
            ) from error


@lru_cache(10_000)  # in records the same few stand again and again; a refusal is not kept
def check_path(path: str) -> None:
    """Refuse what is no path of a file in the work tree.

    Raises:
        InvalidInputError: It is none.
    """
    check_key(path)
    if path.startswith("/") or not path.isprintable():
        raise InvalidInputError(f"not a usable path: {path!r:.80}")


def _parse_model(data: bytes, where: str) -> ModelRecord:
    from veml_vcs.versions.models import parse_model_record

    return parse_model_record(data, where)


def _model_rows(record: ModelRecord) -> dict[str, str]:
    from veml_vcs.versions.models.compare import fact_rows

    return fact_rows(record)


def _parse_training(data: bytes, where: str) -> TrainingRecord:
    from veml_vcs.versions.trainings import parse_training_record

    return parse_training_record(data, where)


def _training_rows(record: TrainingRecord) -> dict[str, str]:
    from veml_vcs.versions.trainings.compare import fact_rows

    return fact_rows(record)


def _parse_inference(data: bytes, where: str) -> InferenceRecord:
    from veml_vcs.versions.inferences import parse_inference_record

    return parse_inference_record(data, where)


def _inference_rows(record: InferenceRecord) -> dict[str, str]:
    from veml_vcs.versions.inferences.compare import fact_rows

    return fact_rows(record)


MODEL = RecordKind("model", "veml model add CONFIG", _parse_model, _model_rows)
TRAINING = RecordKind(
    "training", "veml train --data DATA --model MODEL", _parse_training, _training_rows
)
INFERENCE = RecordKind("inference", "veml deploy TRAINING", _parse_inference, _inference_rows)
KINDS: tuple[RecordKind[Any], ...] = (MODEL, TRAINING, INFERENCE)
MEASURED: tuple[RecordKind[Any], ...] = (TRAINING, INFERENCE)
"""Those whose records hold what was measured of other versions: nothing of such a record is merged,
and it is stale when one of those versions moved on."""


def kind_at(path: str) -> RecordKind[Any] | None:
    """Return the kind whose record can lie at a path; None if none can."""
    return next((one for one in KINDS if one.may_be(path)), None)


def measured_at(path: str) -> RecordKind[Any] | None:
    """Return ``kind_at``, of the measured kinds alone."""
    return next((one for one in MEASURED if one.may_be(path)), None)


def kind_of(data: bytes) -> RecordKind[Any] | None:
    """Return the kind that a file says it is a record of; None if it says so of none."""
    return next((one for one in KINDS if one.is_record(data)), None)


def readable(data: bytes) -> Record | None:
    """Return what a record of any of the kinds says; None if it is none, or cannot be read."""
    kind = kind_of(data)
    try:
        found: Record | None = None if kind is None else kind.parse(data, "")
    except FormatError:
        return None
    return found
