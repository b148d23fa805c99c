"""What the program ends with: one table of exit codes, one way to say what went wrong.

Git's codes where Git has one (1 the answer is no or a conflict is left, 128 fatal, 129 usage);
for the rest those of BSD's ``sysexits.h``, so that a script can tell "try again" from "repair".
"""

from __future__ import annotations

import os
import sys
import tempfile
import traceback

from veml_cli._output import out
from veml_vcs.errors import (
    ConflictError,
    DamagedError,
    FormatError,
    InvalidInputError,
    LockedError,
    MissingDependencyError,
    NotFoundError,
    StorageError,
    VemlError,
)

OK = 0
DIFFERS = 1
USAGE = 129
INTERRUPTED = 130
_FATAL = 128
_BUG = 70

_BY_KIND = {
    "nothing-to-commit": 1,
    "nothing-similar": 1,
    "switching-while-waiting": _FATAL,
    "unreachable": 69,  # EX_UNAVAILABLE: a service that does not answer
}
_BY_CATEGORY: tuple[tuple[type[VemlError], int], ...] = (
    (ConflictError, 1),
    (InvalidInputError, _FATAL),
    (NotFoundError, _FATAL),
    (FormatError, 65),  # EX_DATAERR
    (DamagedError, 66),  # EX_NOINPUT: what should be there cannot be read
    (MissingDependencyError, 69),  # EX_UNAVAILABLE
    (StorageError, 74),  # EX_IOERR
    (LockedError, 75),  # EX_TEMPFAIL
    (VemlError, _FATAL),
)


def exit_code(error: VemlError) -> int:
    """Return the exit code that an error ends the program with."""
    if error.kind in _BY_KIND:
        return _BY_KIND[error.kind]
    return next(code for category, code in _BY_CATEGORY if isinstance(error, category))


def report(error: VemlError) -> int:
    """Say what went wrong and what to type next; return the exit code."""
    code = exit_code(error)
    out.error("fatal" if code == _FATAL else "error", error.message, error.hint)
    return code


def report_bug(error: BaseException) -> int:
    """Say that veml itself failed, and where the details are; return the exit code."""
    name = f"{type(error).__name__}: {error}"
    if os.environ.get("VEML_TRACEBACK") == "1":
        traceback.print_exception(error, file=sys.stderr)
        out.error("error", f"this is a bug in veml ({name})")
        return _BUG
    with tempfile.NamedTemporaryFile(
        "w", prefix="veml-error-", suffix=".log", delete=False, encoding="utf-8", errors="replace"
    ) as log:
        log.write(f"veml {' '.join(sys.argv[1:])}\npython {sys.version}\n\n")
        traceback.print_exception(error, file=log)
    out.error(
        "error",
        f"this is a bug in veml ({name})",
        f"the details are in {log.name}; please attach that file to a report",
    )
    return _BUG
