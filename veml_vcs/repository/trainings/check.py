"""Records of trainings that no commit should have: edited by hand, or in the wrong place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from veml_vcs.errors import FormatError
from veml_vcs.ids import VersionId
from veml_vcs.repository.repository import Repository
from veml_vcs.versions.data import RECORD_SUFFIX
from veml_vcs.versions.trainings import NAMES, TRAININGS, is_training_record, parse_training_record


def blocked_trainings(
    repo: Repository, changed: Mapping[str, VersionId]
) -> Iterator[tuple[str, str]]:
    """Yield why a commit is refused, and what to type.

    Args:
        repo: The repository.
        changed: The paths that the commit adds or changes, and their new blobs.
    """
    for path, blob in changed.items():
        if not path.endswith(RECORD_SUFFIX):
            continue
        data = repo.git.read_blob(blob)
        if not is_training_record(data):
            continue
        try:
            NAMES.name(path)
        except FormatError as error:
            yield error.message, f"git mv {path} {TRAININGS}NAME{RECORD_SUFFIX}"
            continue
        problem = training_problem(data, path)
        if problem is not None:
            yield problem, f"veml restore --staged {path}, or veml checkout -- {path}"


def training_problem(data: bytes, where: str) -> str | None:
    """Return why a record of a training is none, or not as veml writes it; None if it is sound."""
    try:
        record = parse_training_record(data, where)
    except FormatError as error:
        return f"the record was edited by hand: {error.message}"
    return None if record.to_bytes() == data else f"{where}: the record was edited by hand"
