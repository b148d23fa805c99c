"""``veml doctor``: what is wrong with this machine or this repository, and the line that mends it.

One small module a check, each with one ``CHECK``; ``CHECKS`` lists them in the order they are
shown. A room above adds its own by passing them to ``diagnose`` (the hooks do). Nothing here mends
anything: the user types the line that a finding ends with.
"""

from __future__ import annotations

from veml_vcs.repository.doctor import (
    data,
    disk_space,
    extras,
    file_system,
    git_program,
    identity,
    locks,
    operations,
    packages,
    python,
    store,
)
from veml_vcs.repository.doctor.check import Check, Finding, Patient, Report, State
from veml_vcs.repository.doctor.diagnose import diagnose

CHECKS: tuple[Check, ...] = (
    python.CHECK,
    packages.CHECK,
    extras.CHECK,
    git_program.CHECK,
    identity.CHECK,
    store.CHECK,
    operations.CHECK,
    locks.CHECK,
    data.CHECK,
    disk_space.CHECK,
    file_system.CHECK,
)

__all__ = ["CHECKS", "Check", "Finding", "Patient", "Report", "State", "diagnose"]
