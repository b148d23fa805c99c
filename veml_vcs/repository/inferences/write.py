"""Write a deployment that is done as an inference version: the file into the store, the record.

What exports, quantises and measures is the lifecycle's; it fills an ``InferenceOutcome``.
"""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from veml_vcs.errors import InvalidInputError, NotFoundError
from veml_vcs.ids import SampleId, TreeId
from veml_vcs.repository.inferences.stored import write_file
from veml_vcs.repository.records.predictions import write_predictions
from veml_vcs.repository.records.write import (
    StoredVersion,
    WrittenVersion,
    checked,
    free_path,
    write_version,
)
from veml_vcs.repository.repository import Repository
from veml_vcs.versions.inferences import (
    FileFacts,
    InferenceFacts,
    InferenceOutcome,
    InferenceRecord,
)
from veml_vcs.versions.kinds import INFERENCE

_NOTHING = FileFacts(TreeId(bytes(32)), SampleId(bytes(32)), 0)

WrittenInference = WrittenVersion[InferenceRecord]


def require_free(repo: Repository, name: str, *, force: bool = False) -> str:
    """Refuse a name that an inference version cannot be written under; see ``free_path``."""
    return free_path(repo, INFERENCE, name, force=force)


def write_inference(
    repo: Repository,
    outcome: InferenceOutcome,
    file: Path | bytes,
    name: str,
    *,
    force: bool = False,
    remeasured: bool = False,
) -> WrittenInference:
    """Store a deployed file, and write and stage its record as ``inferences/NAME.veml``.

    The record comes last: killed before, or with the disk full, there is no inference version, and
    what was stored is taken by ``gc``. Where the record that is there differs in latency alone, it
    stays, and ``same`` of the result is true: a deployment that is repeated is the same version.

    Args:
        repo: The repository.
        outcome: What the deployment knows.
        file: The exported file: its bytes; or where it lies, from where it is read and left.
        name: The inference version's name.
        force: Overwrite a record that no commit has.
        remeasured: Take the new latency where nothing else differs.

    Raises:
        NotFoundError: There is no such file.
        InvalidInputError: The outcome contradicts itself, the file is empty, or the name cannot be
            one.
        ConflictError: The name's place is taken; see ``free_path``.
        StorageError: The system says no.
    """
    try:
        data = file if isinstance(file, bytes) else file.read_bytes()
    except OSError as error:
        raise NotFoundError(f"{file!s}: {error.strerror or error}", kind="no-such-path") from error
    if not data:
        raise InvalidInputError(f"{name}: an empty file is no deployed model")
    with repo.lock("veml deploy"):
        return write_version(
            repo,
            INFERENCE,
            name,
            lambda path: _store(repo, outcome, data, path),
            force=force,
            keep=None if remeasured else InferenceRecord.same_but_for_latency,
        )


def _store(
    repo: Repository, outcome: InferenceOutcome, data: bytes, path: str
) -> StoredVersion[InferenceRecord]:
    shared = {one.name: getattr(outcome, one.name) for one in fields(InferenceFacts)}
    # What no reader would take is refused before anything is stored.
    checked(INFERENCE, InferenceRecord(**shared, file=_NOTHING), path)
    _refuse_strangers(outcome)
    predictions = write_predictions(repo, outcome.predictions)
    facts, new_bytes = write_file(repo, data, outcome.format)
    record = InferenceRecord(**shared, file=facts, predictions=predictions)
    return StoredVersion(record, checked(INFERENCE, record, path), new_bytes)


def _refuse_strangers(outcome: InferenceOutcome) -> None:
    """Refuse predictions of data that the outcome does not name: nobody could look at them."""
    known = {use.path for use in outcome.data if use.role == "val"}
    strange = sorted(set(outcome.predictions) - known)
    if strange:
        raise InvalidInputError(
            f"predictions of {strange[0]}, which is not among the data with the role val"
        )
