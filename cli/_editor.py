"""Where a message comes from: the command line, a file, or the user's editor, as in Git."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from veml_cli._git import editor
from veml_cli._sanitize import clean
from veml_vcs.errors import InvalidInputError

if TYPE_CHECKING:
    from veml_vcs.repository.repository import Repository

_FILE = "COMMIT_EDITMSG"


def given_message(message: list[str] | None, file: str | None) -> str | None:
    """Return the message of the command line, or None.

    Raises:
        InvalidInputError: It is given twice, or its file cannot be read.
    """
    if message and file:
        raise InvalidInputError("-m and -F cannot be used together")
    if file is None:
        return "\n\n".join(message) if message else None
    if file == "-":
        return sys.stdin.read()
    try:
        with open(file, encoding="utf-8", errors="replace") as opened:
            return opened.read()
    except OSError as error:
        raise InvalidInputError(f"{file}: cannot be read: {error.strerror}") from error


def edit_message(repo: Repository, prepared: str, remarks: Iterable[str]) -> str:
    """Open the editor and return what was written, without the lines that begin with ``#``.

    Args:
        repo: The repository.
        prepared: The text to begin with.
        remarks: What the commit does, shown as comments.

    Raises:
        InvalidInputError: The editor failed, or nothing was written.
    """
    path = os.path.join(repo.git.control_folder, _FILE)
    comments = "".join(f"# {clean(one)}".rstrip() + "\n" for one in remarks)
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(f"{prepared.rstrip()}\n\n{comments}")
    command = editor(repo)
    # As in Git, the editor may be a command with arguments, so the shell takes it apart.
    done = subprocess.run(f"{command} {shlex.quote(path)}", shell=True, check=False)
    if done.returncode != 0:
        raise InvalidInputError(
            f"the editor {command!r} ended with code {done.returncode}; nothing was committed",
            hint="veml commit -m MESSAGE",
        )
    with open(path, encoding="utf-8", errors="replace") as file:
        written = [one.rstrip() for one in file if not one.startswith("#")]
    message = "\n".join(written).strip()
    if not message:
        raise InvalidInputError("the message is empty; nothing was committed", kind="no-message")
    return message
