"""Every error that veml raises on purpose, in one tree.

    VemlError
      InvalidInputError  (ValueError)  the caller asked for something that makes no sense
      NotFoundError      (KeyError)    a name, key, id or file that is not there
      ConflictError                    two changes, or a change and a command, contradict each other
      FormatError        (ValueError)  a user's data file cannot be understood
      DamagedError                     stored bytes do not hash to their id, or cannot be decoded
      LockedError                      another process holds what this one needs
      StorageError       (OSError)     the disk, or the permission, says no
      MissingDependencyError           an optional package is not installed

The categories follow what a caller would do about them. ``kind`` is a stable word that tells cases
of one category apart; ``hint`` is what the user may type next and is shown by the command line
apart from the message. Library code raises; only ``cli/`` prints and exits.
"""

from __future__ import annotations


class VemlError(Exception):
    """Base of all errors that veml raises on purpose.

    Args:
        message: What happened, to which object, what was expected and what was found.
        hint: What to type next, if there is something.
        kind: A stable word for this case, for programs.

    Attributes:
        object_id: The stored object that is damaged or missing, where it is one.
    """

    kind: str = "error"
    object_id: bytes | None = None

    def __init__(self, message: str, *, hint: str | None = None, kind: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if kind is not None:
            self.kind = kind

    def __str__(self) -> str:
        return self.message


class InvalidInputError(VemlError, ValueError):
    """The caller asked for something that makes no sense."""

    kind = "invalid-input"


class NotFoundError(VemlError, KeyError):
    """A name, key, id or file is not there."""

    kind = "not-found"


class ConflictError(VemlError):
    """Two changes, or a change and a command, contradict each other."""

    kind = "conflict"


class FormatError(VemlError, ValueError):
    """A user's data file cannot be understood."""

    kind = "format"


class DamagedError(VemlError):
    """Stored bytes do not hash to their id, or cannot be decoded."""

    kind = "damaged"


class LockedError(VemlError):
    """Another process holds what this one needs."""

    kind = "locked"


class StorageError(VemlError, OSError):
    """The disk, or the permission, says no."""

    kind = "storage"


class MissingDependencyError(VemlError, ImportError):
    """An optional package is not installed."""

    kind = "missing-dependency"


def shown(text: str, most: int = 200) -> str:
    """Return what somebody typed as a message repeats it: whole, or its two ends if it is long.

    A message of ten thousand letters hides what it says about them.
    """
    if len(text) <= most:
        return text
    return f"{text[: most // 2]}…{text[-most // 2 :]}"
