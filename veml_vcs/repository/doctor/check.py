"""What a check of ``veml doctor`` is, what it looks at, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from veml_vcs.repository.repository import Repository

State = Literal["ok", "note", "warning", "broken"]
"""``note``: something optional is not there. ``warning``: it works, but may not for long, or
something of the user's waits. ``broken``: a command will fail; the doctor ends with 1."""


@dataclass(frozen=True)
class Finding:
    """One thing that a check says.

    Attributes:
        check: The check's name.
        state: How bad it is.
        what: What was found, in words.
        mend: The line to type; None where nothing is to be done.
    """

    check: str
    state: State
    what: str
    mend: str | None = None


@dataclass(frozen=True)
class Patient:
    """What is looked at.

    Attributes:
        folder: Where the doctor was called.
        repository: The repository around it; None outside of one.
    """

    folder: str
    repository: Repository | None

    @property
    def repo(self) -> Repository:
        """The repository, for a check that is only run where there is one."""
        assert self.repository is not None
        return self.repository


Said = Iterator[tuple[State, str, str | None]]
"""What a check yields: state, what was found, the line that mends it."""


@dataclass(frozen=True)
class Check:
    """One check.

    Attributes:
        name: What it is called on the command line.
        about: What it looks at, in a few words.
        run: Looks, and yields what it finds; at least one thing, ``ok`` if all is well.
        in_repository: It needs a repository.
    """

    name: str
    about: str
    run: Callable[[Patient], Said]
    in_repository: bool = False


@dataclass(frozen=True)
class Report:
    """What the doctor found.

    Attributes:
        findings: In the order of the checks.
        broken: How many of them are broken.
        warnings: How many are warnings.
    """

    findings: tuple[Finding, ...]
    broken: int
    warnings: int
