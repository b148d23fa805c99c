"""Run the checks of ``veml doctor``, each on its own: one that fails is a finding like others."""

from __future__ import annotations

from collections.abc import Sequence

from veml_vcs.errors import InvalidInputError, NotFoundError, VemlError
from veml_vcs.repository.doctor.check import Check, Finding, Patient, Report, State
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.repository import Repository


def diagnose(
    folder: str,
    checks: Sequence[Check],
    names: Sequence[str] = (),
    *,
    progress: Progress = silent,
) -> Report:
    """Look at this machine, and at the repository around a folder, if there is one.

    Args:
        folder: Where to look.
        checks: All checks there are.
        names: Those to run; none means all.
        progress: Is told how far it is.

    Raises:
        InvalidInputError: There is no check of a name.
    """
    known = [one.name for one in checks]
    for name in names:
        if name not in known:
            raise InvalidInputError(
                f"there is no check {name!r}", hint=f"one of: {', '.join(known)}"
            )
    findings: list[Finding] = []
    repository: Repository | None = None
    try:
        repository = Repository(folder)
    except NotFoundError as error:
        findings.append(Finding("repository", "note", error.message, "veml init"))
    except VemlError as error:
        findings.append(Finding("repository", "broken", error.message, error.hint))
    try:
        patient = Patient(folder, repository)
        chosen = [
            one
            for one in checks
            if (not names or one.name in names) and (repository or not one.in_repository)
        ]
        for done, check in enumerate(chosen):
            progress(f"checking {check.name}", done, len(chosen))
            findings += _run(check, patient)
        progress("checking", len(chosen), len(chosen))
    finally:
        if repository is not None:
            repository.close()
    states: list[State] = [one.state for one in findings]
    return Report(tuple(findings), states.count("broken"), states.count("warning"))


def _run(check: Check, patient: Patient) -> list[Finding]:
    found: list[Finding] = []
    try:
        found += (
            Finding(check.name, state, what, mend) for state, what, mend in check.run(patient)
        )
    except VemlError as error:
        found.append(Finding(check.name, "broken", error.message, error.hint))
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        found.append(Finding(check.name, "broken", f"{where}{error.strerror or error}"))
    return found
