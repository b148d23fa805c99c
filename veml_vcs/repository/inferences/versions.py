"""The inference versions of a commit or of the index, and one of them by name with its file."""

from __future__ import annotations

from veml_vcs.repository.records.versions import MeasuredVersion, VersionSpec, open_version
from veml_vcs.repository.repository import Repository
from veml_vcs.versions.inferences import InferenceRecord
from veml_vcs.versions.kinds import INFERENCE


class InferenceVersion(MeasuredVersion[InferenceRecord]):
    """One inference version; its heavy parts are read from the store when asked for."""

    kind = INFERENCE

    def file(self) -> bytes:
        """Return the deployed file, checked against the digest that the record says.

        Raises:
            NotFoundError: This clone's store does not have it.
            DamagedError: What is stored is not what the record says.
        """
        from veml_vcs.repository.inferences.stored import read_file

        with self.reading("file"):
            return read_file(self.repository, self.record.file)


def open_inference(repo: Repository, spec: VersionSpec | str) -> InferenceVersion:
    """Return one inference version: ``NAME`` (as staged) or ``NAME@REV``.

    Raises:
        NotFoundError: There is no such inference version there.
        FormatError: What lies there is no record of one.
    """
    return open_version(repo, InferenceVersion, spec)
